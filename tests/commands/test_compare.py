"""`mlsd compare` from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mlsd.cli import main
from mlsd.runs.finished import FinishedRun


def test_two_runs(
    small_run: FinishedRun, other_run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "deep" / "compared.html"
    folders = [str(small_run.folder), str(other_run.folder)]
    assert main(["compare", *folders, "--out", str(page)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("By nDCG@10, other is ")
    assert "funnel.skip: [] in run, [display] in other" in " ".join(out.split())
    assert out.endswith(f"written to {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "mlsd comparison" in text
    assert str(small_run.folder.parent) not in text.replace(str(small_run.folder.parent / "store"), "")


def test_runs_that_are_not_comparable(
    small_run: FinishedRun, collection_run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "compared.html"
    other = shutil.copytree(collection_run.folder, tmp_path / "music")
    assert main(["compare", str(small_run.folder), str(other), "--out", str(page)]) == 2
    out, err = capsys.readouterr()
    assert (out, page.exists()) == ("", False)
    assert err.startswith("mlsd: music cannot be compared with run:\n  provenance.json, data, SHA-256: 'none")
    assert "\n  test requests: " in err
    assert "\n  metrics." in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "{run}"], "nowhere holds no finished run: it has no metrics.json"),
        (["{run}"], "1 run given, must be two or more: the first is the baseline"),
        (["{run}", "{run}"], "{run} is named twice"),
        ([], "the following arguments are required: RUN; see `mlsd compare --help`"),
    ],
)
def test_mistakes(
    arguments: list[str], message: str, collection_run: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("{run}", str(collection_run.folder)) for word in arguments]
    assert main(["compare", *words]) == 2
    assert capsys.readouterr().err == f"mlsd: {message.replace('{run}', str(collection_run.folder))}\n"


def test_a_config_of_classes_that_are_not_allowed(
    collection_run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run's folder is input like any other: what its config names is never called unasked."""
    sides = [shutil.copytree(collection_run.folder, tmp_path / name) for name in ("a", "b")]
    for side in sides:
        config = Path(side) / "config.yaml"
        text = config.read_text(encoding="utf-8")
        assert "mlsd.metrics.ndcg.NDCG" in text
        config.write_text(text.replace("mlsd.metrics.ndcg.NDCG", "os.system"), encoding="utf-8")
    assert main(["compare", *map(str, sides)]) == 2
    assert "metrics.ndcg_10._target_ == 'os.system': must begin with mlsd." in capsys.readouterr().err


def test_broken_json(collection_run: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    side = Path(shutil.copytree(collection_run.folder, tmp_path / "a"))
    (side / "metrics.json").write_text(json.dumps([1]), encoding="utf-8")
    assert main(["compare", str(side), str(collection_run.folder)]) == 2
    assert "metrics.json: it is no mapping" in capsys.readouterr().err
