"""Whole runs: the same figures whatever happens on the way, and nothing half-written whatever goes wrong."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import pandas as pd
import pytest

import mlsd
from mlsd.cli import main
from mlsd.errors import ConfigError, InputError
from mlsd.locks import locked
from mlsd.runs.finished import FinishedRun
from mlsd.store import read_json
from mlsd.testing.tiny_collection import Judged, some_judged, write_collection

Command = Callable[..., tuple[int, str, str]]
"""`mlsd run` with these overrides in an empty folder: exit code, what it printed, what it complained of."""


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def made(store: Path) -> dict[str, int]:
    """Every file of a store, and when it was written."""
    return {path.as_posix(): path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}


def metrics_of(folder: Path) -> bytes:
    return (folder / "metrics.json").read_bytes()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that commands are called in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def command(here: Path, small_overrides: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*overrides: str) -> tuple[int, str, str]:
        code = main(["run", *small_overrides, *overrides])
        out, err = capsys.readouterr()
        return code, out, err

    return run


class TestTheSameFigures:
    """metrics.json is equal byte for byte."""

    def test_from_the_same_store_without_any_training(
        self, small_run: FinishedRun, small_store: Path, small_overrides: tuple[str, ...], tmp_path: Path
    ) -> None:
        before = made(small_store)
        again = mlsd.run(small_overrides, tmp_path / "run")
        assert metrics_of(again.folder) == metrics_of(small_run.folder)
        assert made(small_store) == before
        for state in again.folder.glob("stages/*/state.npz"):
            assert state.read_bytes() == (small_run.folder / state.relative_to(again.folder)).read_bytes()

    def test_from_another_store_with_another_number_of_workers(
        self, small_run: FinishedRun, small_overrides: tuple[str, ...], tmp_path: Path
    ) -> None:
        overrides = [*small_overrides, "n_workers=3", f"store.folder={tmp_path}/store"]
        assert metrics_of(mlsd.run(overrides, tmp_path / "run").folder) == metrics_of(small_run.folder)

    def test_but_not_with_another_seed(
        self, small_run: FinishedRun, small_overrides: tuple[str, ...], small_store: Path, tmp_path: Path
    ) -> None:
        """The logging policy draws from the seed, too: a log of another seed is another log."""
        overrides = [*small_overrides, "world.seed=0", "training.seed=0", "bootstrap.seed=0"]
        before = {path.name for path in (small_store / "log").iterdir()}
        other = mlsd.run([*overrides, "seed=1", "trainer.max_epochs=1", "online=none"], tmp_path / "run")
        assert metrics_of(other.folder) != metrics_of(small_run.folder)
        assert len({path.name for path in (small_store / "log").iterdir()} - before) == 1


class TestAblation:
    """What each part is worth, beside the same figures as without."""

    @pytest.fixture(scope="class")
    @staticmethod
    def ablated(
        small_run: FinishedRun, small_overrides: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
    ) -> FinishedRun:
        del small_run  # its work is in the store
        overrides = [*small_overrides, "ablation=true", "ablation_options.n_refits=1", "online=none"]
        return mlsd.run(overrides, tmp_path_factory.mktemp("ablated") / "run")

    def test_offline_figures_are_those_of_the_run_without(
        self, ablated: FinishedRun, small_run: FinishedRun
    ) -> None:
        assert ablated.metrics["offline"] == small_run.metrics["offline"]
        assert "ablation" not in small_run.metrics

    def test_every_part_is_taken_out_or_said_to_be_needed(self, ablated: FinishedRun) -> None:
        found = ablated.metrics["ablation"]
        families = ("context", "item", "item_statistics", "query", "query_item", "query_item_statistics")
        parts = {f"features/{name}" for name in (*families, "user", "user_item")}
        stages = ("rewrite", "understand", "retrieve", "light_rank", "full_rank", "display")
        parts |= {f"stage/{name}" for name in stages}
        parts |= {f"retriever/{name}" for name in ("bm25", "two_tower", "popularity")}
        parts |= {f"rewriter/{name}" for name in ("spelling", "expansion", "relaxation")}
        parts |= {"classifier/intent", "classifier/topic"}  # display has its diversifier alone
        for removal in ("serving", "redesign"):
            assert found[removal].keys() | found["not_possible"][removal].keys() == parts
        assert found["not_possible"]["serving"]["retriever/bm25"] == (
            "light_rank needs candidate.bm25_score; full_rank needs candidate.bm25_score"
        )
        assert found["switched_off"]["retriever/two_tower"] == {
            "light_rank": ["two_tower"],
            "full_rank": ["two_tower"],
        }

    def test_designed_without_understanding_display_goes_too_and_is_named(self, ablated: FinishedRun) -> None:
        found = ablated.metrics["ablation"]
        assert set(found["not_possible"]["redesign"]) == {"stage/retrieve"}
        assert found["emptied"] == {"stage/understand": ["display"], "classifier/topic": ["display"]}
        off = found["switched_off"]
        assert off["stage/understand"] == {
            "full_rank": ["navigational", "topic_match", "transactional"],
            "display": ["diversifier"],
        }
        assert off["classifier/topic"] == {"full_rank": ["topic_match"], "display": ["diversifier"]}
        assert off["classifier/intent"] == {"full_rank": ["navigational", "transactional"]}

    def test_the_whole_minus_without_its_last_stage_is_the_difference_of_both_stages(
        self, ablated: FinishedRun
    ) -> None:
        """What full_rank passes on is then shown; its first ten are those of its own figures."""
        offline, worth = ablated.metrics["offline"], ablated.metrics["ablation"]
        whole, full = (offline[name]["nDCG@10"]["all"]["value"] for name in ("funnel", "full_rank"))
        for removal in ("serving", "redesign"):
            value = worth[removal]["stage/display"]["nDCG@10"]["all"]["value"]
            assert value == pytest.approx(whole - full)

    def test_the_light_ranker_is_timed_without_and_within_the_clocks_own_file(
        self, ablated: FinishedRun
    ) -> None:
        timings = read_json(ablated.folder / "timings.json")
        assert set(timings["capacity_without"]) == {"stage/light_rank"}
        left = {"rewrite", "understand", "retrieve", "full_rank", "display"}
        assert set(timings["capacity_without"]["stage/light_rank"]["stages"]) == left
        verdict = ablated.metrics["ablation"]["non_inferiority"]["serving"]["stage/light_rank"]
        shown_of = 20  # what enters display
        assert verdict["candidates"] == {"with": 40 + shown_of, "without": 100 + shown_of}
        light, full, display = 0.3 + 100 * 0.0015, 0.5 + 40 * 0.01, 0.5 + shown_of * 0.005
        without = 0.5 + 100 * 0.01 + display
        assert verdict["declared_ms"] == pytest.approx({"with": light + full + display, "without": without})

    def test_both_reports_say_what_parts_are_worth(self, ablated: FinishedRun) -> None:
        for name in ("report.html", "report.md"):
            text = (ablated.folder / name).read_text(encoding="utf-8")
            assert "What each part is worth" in text
            assert "features: query-item statistics" in text

    def test_the_same_figures_from_the_same_store_without_any_training(
        self,
        ablated: FinishedRun,
        small_overrides: tuple[str, ...],
        small_store: Path,
        tmp_path: Path,
    ) -> None:
        before = made(small_store)
        overrides = [*small_overrides, "ablation=true", "ablation_options.n_refits=1", "online=none"]
        again = mlsd.run([*overrides, "n_workers=2"], tmp_path / "run")
        assert metrics_of(again.folder) == metrics_of(ablated.folder)
        assert made(small_store) == before


def start(folder: Path, overrides: Sequence[str]) -> subprocess.Popen[str]:
    """`mlsd run` in a process of its own, called in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "mlsd", "run", *overrides],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(found: Callable[[], bool], process: subprocess.Popen[str], timeout_s: float = 120) -> None:
    end = monotonic() + timeout_s
    while not found():
        assert process.poll() is None, process.communicate()
        assert monotonic() < end
        sleep(0.002)


def finished(store: Path) -> set[str]:
    """The keys of fitted stages."""
    return {path.name for path in (store / "stage").glob("[!.]*")}


def in_training(store: Path) -> set[str]:
    """The keys of stages with the checkpoint of a training that has not become a fitted stage."""
    work = store / "unfinished" / "stage"
    found = {
        Path(folder).relative_to(work).parts[0] for folder, _, names in os.walk(work) if "last.ckpt" in names
    }
    return found - finished(store)


def kill_when(process: subprocess.Popen[str], found: Callable[[], bool]) -> None:
    """Kill a process, held still while it is looked at, so that what was found is what it leaves."""

    def found_still() -> bool:
        if not found():
            return False
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if found():
            return True
        process.send_signal(signal.SIGCONT)
        return False

    wait_for(found_still, process)
    process.kill()
    process.communicate(timeout=60)


@contextmanager
def ctrl_c(when: Callable[[], bool]) -> Iterator[None]:
    """The signal of Ctrl-C, as soon as something is the case."""

    def watch() -> None:
        while not over.is_set():
            if when():
                os.kill(os.getpid(), signal.SIGINT)
                return
            sleep(0.002)

    over = Event()
    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


class TestInterruptions:
    """Nothing that looks finished is left, and the same command goes on from what was done."""

    def test_ctrl_c_then_kill_9_then_the_end(
        self, small_run: FinishedRun, here: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        overrides = ["problem=search", "experiment=search_small", "hydra.run.dir=run"]
        store = here / "outputs/store"

        with ctrl_c(lambda: bool(in_training(store))):
            assert main(["run", *overrides]) == 130
        complaint = "interrupted; what was finished is kept, and the same command goes on from there"
        assert capsys.readouterr().err == f"mlsd: {complaint}\n"
        assert not (here / "run").exists()
        before = finished(store)

        with start(here, overrides) as process:
            kill_when(process, lambda: finished(store) > before and bool(in_training(store)))
        assert process.returncode == -signal.SIGKILL
        assert files(here / "run") == []
        assert in_training(store), "it was killed while it trained"
        kept = {path: when for key in finished(store) for path, when in made(store / "stage" / key).items()}

        assert main(["run", *overrides]) == 0
        assert metrics_of(here / "run") == metrics_of(small_run.folder)
        assert kept.items() <= made(store / "stage").items(), "what was finished is not made again"
        assert sorted(path.name for path in here.iterdir()) == ["outputs", "run"]
        assert files(store / "unfinished") == []

    def test_two_runs_at_once_share_the_work_and_no_folder(
        self, small_run: FinishedRun, small_overrides: tuple[str, ...], small_store: Path, here: Path
    ) -> None:
        before = set((small_store / "stage").iterdir())
        fewer = "funnel.stages.full_rank.n_out=15"  # which display follows
        overrides = [*small_overrides, fewer, "online=none", "hydra.run.dir=run"]
        with ExitStack() as runs:
            with ExitStack() as logs:  # nobody comes further than the log before both have a folder
                for log in (small_store / "log").iterdir():
                    logs.enter_context(locked(small_store / "unfinished" / "log" / f"{log.name}.lock"))
                one = runs.enter_context(start(here, overrides))
                wait_for((here / ".run.claim").exists, one)
                other = runs.enter_context(start(here, overrides))
                wait_for((here / ".run-2.claim").exists, other)
            complaints = [process.communicate(timeout=120)[1] for process in (one, other)]
        assert (one.returncode, other.returncode, complaints) == (0, 0, ["", ""])
        assert sorted(path.name for path in here.iterdir()) == ["run", "run-2"]
        assert metrics_of(here / "run") == metrics_of(here / "run-2")
        assert len(set((small_store / "stage").iterdir()) - before) == 2, "each was fitted once"


class TestFolders:
    def test_a_run_names_its_own_folder(self, command: Command, here: Path, small_run: FinishedRun) -> None:
        """By problem, moment and config."""
        code, out, err = command("online=none")
        assert (code, err) == (0, "")
        (folder,) = (here / "outputs/search").iterdir()
        assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_[0-9a-f]{8}", folder.name)
        assert f"Report: {folder / 'report.html'}" in out.replace("\n", "")

    def test_one_that_holds_something_is_refused(
        self, command: Command, here: Path, small_overrides: tuple[str, ...]
    ) -> None:
        (here / "mine").mkdir()
        (here / "mine" / "thesis.txt").touch()
        complaint = "mine exists and is not empty: name another folder, or move it away"
        assert command("hydra.run.dir=mine") == (2, "", f"mlsd: {complaint}\n")
        with pytest.raises(InputError, match=complaint):
            mlsd.run(small_overrides, "mine")
        assert files(here) == ["mine/thesis.txt"]


class TestFullDisk:
    def test_while_results_are_written(
        self, small_run: FinishedRun, command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def write(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "some temporary name")

        monkeypatch.setattr("mlsd.runs.files.write_html", write)
        code, _, err = command("online=none", "hydra.run.dir=run")
        assert code == 2
        assert re.fullmatch(r"mlsd: No space left on device: .*run\n", err)
        assert files(here) == []

    @pytest.fixture
    def tiny_disk(self, here: Path) -> Iterator[Path]:
        (here / "disk").mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(here / "disk")]
        if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount a tiny disk, and not everywhere")
        yield here / "disk"
        subprocess.run(["umount", str(here / "disk")], check=True)

    def test_of_the_run(self, small_run: FinishedRun, command: Command, tiny_disk: Path) -> None:
        code, _, err = command("online=none", "hydra.run.dir=disk/run")
        assert code == 2
        assert re.fullmatch(r"mlsd: No space left on device: .*disk/run\n", err)
        assert list(tiny_disk.iterdir()) == []

    def test_of_the_store(self, command: Command, tiny_disk: Path) -> None:
        """What is in the store is whole; what was being made is not in it."""
        code, _, err = command("store.folder=disk/store", "hydra.run.dir=run")
        assert code == 2
        assert re.fullmatch(r"mlsd: No space left on device: .*disk/store/(stage|unfinished/stage)/.*\n", err)
        assert not (tiny_disk.parent / "run").exists()
        assert not [path.name for path in (tiny_disk / "store").glob("*/.*")]
        for stage in (tiny_disk / "store" / "stage").iterdir():
            assert sorted(path.name for path in stage.iterdir()) == ["curves.json", "state.npz"]


ODD_FEATURES = """
from __future__ import annotations

import numpy as np

from mlsd.features.base import Feature
from mlsd.types import Array, RankingBatch


class Same(Feature):
    \"\"\"One value for every candidate.\"\"\"

    family = "item"

    def __init__(self, value: float) -> None:
        self.value = value

    def values(self, batch: RankingBatch) -> Array:
        return np.full(len(batch.candidates), float(self.value))
"""


class TestDegenerateRuns:
    def test_a_stage_left_out_and_a_feature_switched_off(self, command: Command, here: Path) -> None:
        code, _, err = command(
            "funnel.skip=[light_rank]", "features.bm25=null", "online=none", "hydra.run.dir=run"
        )
        assert (code, err) == (0, "")
        run = mlsd.load(here / "run")
        assert list(run.funnel.stages) == ["rewrite", "understand", "retrieve", "full_rank", "display"]
        assert set(run.metrics["offline"]) == {"logging", "retrieve", "full_rank", "display", "funnel"}
        assert len(run.rank(["one"])) == 10

    def test_other_rankers_and_losses(self, command: Command, here: Path) -> None:
        code, _, err = command(
            "ranker@funnel.stages.light_rank.ranker=mlp",
            "loss@funnel.stages.light_rank.loss=softmax",
            "ranker@funnel.stages.full_rank.ranker=logistic_regression",
            "loss@funnel.stages.full_rank.loss=lambdarank",
            "online=none",
            "hydra.run.dir=run",
        )
        assert (code, err) == (0, "")
        run = mlsd.load(here / "run")
        assert "online" in run.metrics
        assert run.metrics["online"] == {}
        assert not (here / "run" / "online" / "users.parquet").exists()

    def test_training_logs_lie_with_their_stage(self, command: Command, here: Path) -> None:
        code, _, err = command("trainer.logger=csv", "online=none", "hydra.run.dir=run")
        assert (code, err) == (0, "")
        assert sorted((here / "run" / "stages").rglob("metrics.csv")) == [
            here / "run/stages/full_rank/csv/metrics.csv",
            here / "run/stages/light_rank/csv/metrics.csv",
            here / "run/stages/retrieve/two_tower/csv/metrics.csv",
            here / "run/stages/understand/intent/csv/metrics.csv",
            here / "run/stages/understand/topic/csv/metrics.csv",
        ]

    def test_over_the_budget_is_exit_code_3_and_the_run_is_kept(self, command: Command, here: Path) -> None:
        late = ("budget.enforce=true", "problem.latency_ms=0.001", "online=none")
        code, _, err = command(*late, "hydra.run.dir=run")
        assert code == 3
        over = r"over problem\.latency_ms == 0\.001 \(budget\.enforce is true\)"
        assert re.fullmatch(rf"mlsd: p99 of a request is [\d.]+ ms, {over}\n", err)
        assert mlsd.load(here / "run").metrics["offline"]["funnel"]
        assert "No, too slow" in (here / "run" / "report.md").read_text(encoding="utf-8")

    @pytest.fixture
    def odd(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        """A package of a user's own with features that are hard to learn from."""
        (tmp_path / "odd_features.py").write_text(ODD_FEATURES, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("MLSD_ALLOW_TARGETS", "odd_features")
        return "{_target_: odd_features.Same, value: %s}"

    def test_features_that_are_constant_or_unknown_everywhere(
        self, command: Command, here: Path, odd: str
    ) -> None:
        """Both become 0, and the report says so."""
        code, _, err = command(
            f"+features.constant={odd % 3.5}",
            f"+features.unknown={odd % 'nan'}",
            "online=none",
            "hydra.run.dir=run",
        )
        assert (code, err) == (0, "")
        features = mlsd.load(here / "run").funnel.stages["full_rank"].features  # type: ignore[attr-defined]
        assert features.notes["constant"] == "constant in training"
        assert features.notes["unknown"] == "unknown everywhere"
        report = (here / "run" / "report.md").read_text(encoding="utf-8")
        assert "full_rank.constant" in report
        assert "full_rank.unknown" in report

    def test_an_infinite_feature_is_an_error(self, command: Command, here: Path, odd: str) -> None:
        code, _, err = command(f"+features.endless={odd % 'inf'}", "hydra.run.dir=run")
        assert code == 2
        assert re.fullmatch(r"mlsd: feature 'endless' is infinite for (\d+) of \1 candidates\n", err)
        assert files(here) == []

    def test_labels_of_one_class_are_an_error(self, command: Command, here: Path) -> None:
        nobody = ("labels.actions.click.at_least=2", "labels.actions.long_click.at_least=1000000")
        code, _, err = command(*nobody, "hydra.run.dir=run")
        assert code == 2
        where, why = "light_rank, ranking window", "BCE learns from the difference"
        assert re.fullmatch(rf"mlsd: {where}: all \d+ labels of candidates are 0; {why}\n", err)
        assert files(here) == []

    def test_too_few_users_to_tell_position_bias(self, command: Command, here: Path) -> None:
        code, _, err = command("world.n_users=1", "hydra.run.dir=run")
        assert code == 2
        assert err.startswith("mlsd: position bias cannot be estimated: none of the ")
        assert files(here) == []

    @pytest.mark.parametrize(
        ("override", "fault"),
        [
            (
                "metrics.ndcg_10.cutoff=101",
                "metrics.ndcg_10.cutoff == 101: must be at most 100: no stage returns more.",
            ),
            (
                "problem.n_positions=21",
                "problem.n_positions == 21: must be at most 20, what the funnel returns.",
            ),
            (
                "logging.collect=null",
                "logging.collect == None: must be given: users are live, so they are served first.",
            ),
            (
                "funnel.stages.display.n_out=9",
                "problem.n_positions == 10: must be at most 9, what the funnel returns.",
            ),
        ],
    )
    def test_faults_of_the_config_come_before_everything(
        self, command: Command, here: Path, override: str, fault: str
    ) -> None:
        code, out, err = command(override)
        assert (code, out) == (2, "")
        assert f"  {fault}" in err.splitlines()
        assert list(here.iterdir()) == []


class TestCollections:
    """Collections in BEIR layout, from a handful of made-up ones to a public one."""

    @pytest.fixture
    def collection(self, tmp_path: Path) -> Path:
        train, dev, test = some_judged(range(15)), some_judged(range(15, 20)), some_judged(range(20, 30))
        return write_collection(tmp_path / "music", {"train": train, "dev": dev, "test": test})

    @pytest.fixture
    def collected(self, here: Path, capsys: pytest.CaptureFixture[str]) -> Command:
        small = ("problem=search", "world=beir", "hydra.run.dir=run", "store.folder=store")
        quick = ("bootstrap.n_replicates=100", "budget.n_requests=5", "trainer.max_epochs=2")

        def run(folder: Path, *overrides: str) -> tuple[int, str, str]:
            code = main(["run", *small, *quick, f"world.path={folder}", *overrides])
            out, err = capsys.readouterr()
            return code, out, err

        return run

    def test_a_whole_run(self, collected: Command, collection: Path, here: Path) -> None:
        """What comes out of it can be used when the collection is gone."""
        code, _, err = collected(collection)
        assert (code, err) == (0, "")
        run = mlsd.load(here / "run")
        assert set(run.metrics["offline"]) == {"logging", "retrieve", "light_rank", "full_rank", "funnel"}
        assert run.metrics["offline"]["funnel"]["nDCG@10"]["all"]["n"] == 10
        assert run.metrics["online"] == {}
        provenance = (here / "run" / "provenance.json").read_text(encoding="utf-8")
        assert "music" in provenance
        assert str(collection.parent) not in provenance
        collection.rename(collection.with_name("gone"))
        ranked = run.rank(["query0", ""])
        assert set(ranked["item_id"]) <= {f"d{item}" for item in range(40)}
        assert 1 not in set(ranked["request_id"]), "without a word nothing is found, and nothing is shown"

    def test_what_parts_are_worth(self, collected: Command, collection: Path, here: Path) -> None:
        code, _, err = collected(collection, "ablation=true", "ablation_options.n_refits=0")
        assert (code, err) == (0, "")
        found = mlsd.load(here / "run").metrics["ablation"]
        assert found["redesign"].keys() >= {"stage/light_rank", "retriever/bm25", "features/query"}
        assert found["training_luck"]["reach"] is None
        assert found["serving"]["stage/full_rank"]["nDCG@10"]["all"]["n"] == 10

    def test_test_judgements_alone(self, collected: Command, collection: Path, here: Path) -> None:
        """Half of the queries are learnt from, and the report says that figures are over the others."""
        for split in ("train", "dev"):
            (collection / "qrels" / f"{split}.tsv").unlink()
        assert collected(collection)[0] == 0
        assert mlsd.load(here / "run").metrics["offline"]["funnel"]["nDCG@10"]["all"]["n"] == 5
        assert "publishes test queries only" in (here / "run" / "report.md").read_text(encoding="utf-8")

    def test_a_query_without_words_finds_nothing_and_counts_as_0(
        self, collected: Command, collection: Path, here: Path
    ) -> None:
        queries = collection / "queries.jsonl"
        lines = queries.read_text(encoding="utf-8").splitlines()
        for row in (3, 25):
            lines[row] = f'{{"_id": "q{row}", "text": ""}}'
        queries.write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert collected(collection)[0] == 0
        table = pd.read_parquet(here / "run" / "offline" / "per_request.parquet")
        empty = table[table["user"] == 25]
        assert empty["funnel.nDCG@10"].tolist() == [0.0]
        assert empty["retrieve.R@100"].tolist() == [0.0]
        assert "have no word to search for" in (here / "run" / "report.md").read_text(encoding="utf-8")

    def test_unknown_ids_are_an_error_or_left_out(
        self, collected: Command, collection: Path, here: Path
    ) -> None:
        qrels = collection / "qrels" / "test.tsv"
        qrels.write_text(qrels.read_text(encoding="utf-8") + "q20\tnowhere\t1\n", encoding="utf-8")
        code, _, err = collected(collection)
        rule = "each must be in the collection (unknown_ids='drop' leaves these lines out)"
        assert (code, err) == (2, f"mlsd: unknown ids: 1, music/qrels/test.tsv:42 'nowhere'; {rule}\n")
        assert not (here / "run").exists()
        assert collected(collection, "world.unknown_ids=drop")[0] == 0
        report = (here / "run" / "report.md").read_text(encoding="utf-8")
        assert "1 judgements of unknown items or queries were left out" in report

    @pytest.mark.parametrize(
        ("file", "line", "complaint"),
        [
            (
                "corpus.jsonl",
                "{half",
                "malformed lines: 1, music/corpus.jsonl:41 '{half'; every line must be",
            ),
            (
                "queries.jsonl",
                '{"_id": "q0", "text": "x"}',
                "_ids that come again: 1, music/queries.jsonl:31 'q0'",
            ),
            (
                "qrels/test.tsv",
                "q20 d1 1",
                "malformed lines: 1, music/qrels/test.tsv:42 'q20 d1 1'; each needs",
            ),
            (
                "qrels/dev.tsv",
                "q15\td1\tgood",
                "scores: 1, music/qrels/dev.tsv:22 'good'; each must be a finite",
            ),
        ],
    )
    def test_malformed_lines_are_named(
        self, collected: Command, collection: Path, here: Path, file: str, line: str, complaint: str
    ) -> None:
        path = collection / file
        path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
        code, _, err = collected(collection)
        assert code == 2
        assert err.startswith(f"mlsd: {complaint}")
        assert err.count("\n") == 1
        assert files(here) == []

    def test_missing_files_and_folders(self, collected: Command, collection: Path, here: Path) -> None:
        code, _, err = collected(collection / "nowhere")
        assert code == 2
        assert "must be the folder of a collection: no folder 'nowhere'" in err
        (collection / "queries.jsonl").unlink()
        code, _, err = collected(collection)
        assert code == 2
        assert "music has no queries.jsonl[.gz]; nearest is 'corpus.jsonl'" in err
        assert list(here.iterdir()) == []

    @pytest.mark.parametrize(
        ("qrels", "n_items", "complaint"),
        [
            (
                {"train": [(q, 0, 1) for q in range(15)], "test": [(q, 0, 1) for q in range(15, 30)]},
                1,
                "retrieve.two_tower: 1 queries have an item that answers them, must be at least 2 to learn",
            ),
            (
                {"train": [(q, 0, 0) for q in range(15)], "test": some_judged(range(15, 30))},
                40,
                "none of the 15 judged pairs in the learning windows is relevant",
            ),
            (
                {"train": [], "test": some_judged(range(30))},
                40,
                "music/qrels/train.tsv has no judgements of the collection's own items and queries",
            ),
        ],
    )
    def test_a_collection_that_nothing_can_be_learnt_from(
        self,
        collected: Command,
        tmp_path: Path,
        here: Path,
        qrels: dict[str, Judged],
        n_items: int,
        complaint: str,
    ) -> None:
        code, _, err = collected(write_collection(tmp_path / "music", qrels, n_items))
        assert (code, err) == (2, f"mlsd: {complaint}\n")
        assert not (here / "run").exists()

    def test_nothing_relevant_to_find_gives_no_figure_and_no_verdict(
        self, collected: Command, tmp_path: Path, here: Path
    ) -> None:
        qrels = {"train": some_judged(range(20)), "test": [(q, 0, 0) for q in range(20, 30)]}
        assert collected(write_collection(tmp_path / "music", qrels))[0] == 0
        figure = mlsd.load(here / "run").metrics["offline"]["funnel"]["nDCG@10"]["all"]
        assert (figure["value"], figure["low"], figure["high"], figure["n"]) == (None, None, None, 0)

    def test_nobody_is_there_to_be_asked(self, collected: Command, collection: Path, here: Path) -> None:
        code, _, err = collected(collection, "online=ab_test", "logging=search")
        assert code == 2
        assert "logging.collect == 'Collection': must be null: nobody is live who could be served." in err
        assert "online == 'ABTest': must be none: nobody is live who could be served." in err
        assert list(here.iterdir()) == []

    @pytest.mark.slow
    def test_scifact(self, public_data: Path, here: Path) -> None:
        """The funnel's point value on a public collection, not below that of BM25 alone."""
        folder = public_data / "scifact"
        if not folder.is_dir():
            pytest.skip("no scifact among the public data sets")
        run = mlsd.run(
            ["problem=search", "world=beir", f"world.path={folder}", "budget.n_requests=20"], "run"
        )
        funnel, bm25 = (
            run.metrics["offline"][system]["nDCG@10"]["all"]["value"] for system in ("funnel", "logging")
        )
        assert bm25 == pytest.approx(0.686, abs=0.001), "as bm25s with the same stemmer and stop words"
        assert funnel >= bm25


def test_everything_wrong_is_said_before_anything_is_drawn(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"2 faults in the config:\n  sed == 1: .*\n  n_workers == 0: "):
        mlsd.run(["problem=search", "sed=1", "n_workers=0"])
    assert list(here.iterdir()) == []
