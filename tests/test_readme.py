"""What README.md tells people to type does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from mlsd.bench.plan import plan_of
from mlsd.cli import main
from mlsd.config.check import all_faults
from mlsd.config.compose import compose_jobs, compose_overrides
from mlsd.runs.finished import FinishedRun
from mlsd.testing.tiny_click_logs import write_click_log
from mlsd.testing.tiny_collection import some_judged, write_collection
from mlsd.testing.tiny_feed_logs import write_movies
from mlsd.tuning.asked import read

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

COLLECTION, CLICK_LOG, FEED_LOG = "path/to/scifact", "path/to/avazu", "path/to/ml-100k"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


LINES = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]
COMMANDS = [shlex.split(line, comments=True) for line in LINES]
MAKE = [words for words in COMMANDS if words[0] == "make"]
MLSD = [" ".join(words[1:]) for words in COMMANDS if words[0].endswith("mlsd")]
RUNS = [one for one in MLSD if one.startswith("run ") and "--cfg" not in one]
SMALL_ENOUGH = [one for one in RUNS if "experiment=" not in one and "ablation=true" not in one]
"""Without the ablation, which is run whole in tests/test_runner.py and by both walk-throughs."""
BENCHES = [one for one in MLSD if one.startswith("bench ")]
SWEEPS = [one for one in MLSD if one.startswith("sweep ")]
OF_RUNS = [one for one in MLSD if one.startswith(("score ", "compare ", "reproduce "))]
ANSWERS = [one for one in MLSD if one not in [*RUNS, *BENCHES, *SWEEPS, *OF_RUNS]]


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    qrels = {"train": some_judged(range(20)), "test": some_judged(range(20, 30))}
    return write_movies(write_click_log(write_collection(tmp_path / "collection", qrels), "avazu"), "u.data")


def placed(command: str, folder: Path) -> str:
    """The command where the user's own data is this folder."""
    for place in (COLLECTION, CLICK_LOG, FEED_LOG):
        command = command.replace(place, str(folder))
    return command


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_everything_a_reader_would_type_is_found() -> None:
    assert len(COMMANDS) == len(MAKE) + len(MLSD)
    assert len(MAKE) >= 2
    assert len(RUNS) >= 6
    assert len(ANSWERS) >= 4
    assert len(blocks("python")) == 1


@pytest.mark.parametrize("words", MAKE, ids=" ".join)
def test_make_knows_it(words: list[str]) -> None:
    known = subprocess.run([words[0], "-n", *words[1:]], cwd=ROOT, capture_output=True, check=False)
    assert known.returncode == 0, known.stderr


@pytest.mark.parametrize("command", RUNS)
def test_a_run_has_no_fault(command: str, collection: Path) -> None:
    words = placed(command, collection).split()[1:]
    overrides = [word for word in words if word != "-m"]
    jobs = compose_jobs(overrides) if "-m" in words else [compose_overrides(overrides)]
    assert [fault for job in jobs for fault in all_faults(job)] == []


@pytest.mark.parametrize("command", SMALL_ENOUGH)
def test_a_run_runs(
    command: str, collection: Path, small_overrides: tuple[str, ...], small_run: FinishedRun
) -> None:
    """On the smallest world or a small collection, with fewer seeds; all else is as it is written."""
    small = [*small_overrides[1:], "online=none"]
    if any(place in command for place in (COLLECTION, CLICK_LOG, FEED_LOG)):
        small = ["trainer.max_epochs=1"]
    elif "problem=ads" in command:
        small = [word.replace("search_small", "ads_small") for word in small]
    words = placed(command, collection).replace("seed=0,1,2", "seed=0,1").split()
    assert main([*words, *small]) == 0
    reports = list(Path("outputs").rglob("report.html"))
    assert len(reports) == (2 if "-m" in words else 1)


@pytest.mark.parametrize("command", ANSWERS)
def test_a_question_is_answered(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") >= 3
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("command", BENCHES)
def test_a_benchmark_has_no_fault(command: str) -> None:
    assert plan_of(ROOT / command.split()[1]).jobs


@pytest.mark.parametrize("command", SWEEPS)
def test_a_sweep_has_no_fault(command: str) -> None:
    assert read(command.split()[1:]).tuning.study


def test_a_run_scores(small_run: FinishedRun) -> None:
    (command,) = [one for one in MLSD if one.startswith("score ")]
    pd.DataFrame({"query": ["one", "two words"]}).to_parquet("requests.parquet")
    assert main(command.replace("outputs/search/RUN", str(small_run.folder)).split()) == 0
    assert len(pd.read_parquet("ranked.parquet")) == 20


def test_runs_are_compared(small_run: FinishedRun, other_run: FinishedRun) -> None:
    (command,) = [one for one in OF_RUNS if one.startswith("compare ")]
    words = command.replace("outputs/search/FIRST", str(small_run.folder))
    assert main(words.replace("outputs/search/SECOND", str(other_run.folder)).split()) == 0
    assert Path("compared.html").is_file()


def test_a_run_is_reproduced(collection_run: FinishedRun) -> None:
    (command,) = [one for one in OF_RUNS if one.startswith("reproduce ")]
    assert main(command.replace("outputs/search/RUN", str(collection_run.folder)).split()) == 0
    assert list(Path().iterdir()) == []


def test_the_python_example(small_run: FinishedRun, small_overrides: tuple[str, ...]) -> None:
    (example,) = blocks("python")
    assert '["problem=search"]' in example
    names: dict[str, object] = {}
    exec(example.replace('["problem=search"]', repr(list(small_overrides))), names)  # noqa: S102
    run, ranked = names["run"], names["ranked"]
    assert isinstance(run, FinishedRun)
    assert run.folder.parent == Path("outputs/search"), "named as on the command line"
    assert isinstance(ranked, pd.DataFrame)
    assert len(ranked) == 10


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) >= 8
    assert [link for link in links if not (ROOT / link).exists()] == []
