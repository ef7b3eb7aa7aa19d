"""`mlsd reproduce` on a whole run: it comes out as it did, and whatever does not is named."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from mlsd.cli import main
from mlsd.config.resolve import resolve
from mlsd.report.numbers import UNKNOWN
from mlsd.runs.finished import FinishedRun
from mlsd.store import key_of, read_json, write_json


@pytest.fixture
def copied(collection_run: FinishedRun, tmp_path: Path) -> Path:
    return Path(shutil.copytree(collection_run.folder, tmp_path / "copied"))


def changed(folder: Path, name: str, **values: object) -> None:
    write_json(folder / name, {**read_json(folder / name), **values})


def test_a_run_comes_out_as_it_did(
    collection_run: FinishedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    store = collection_run.folder.parent / "store"
    before = sorted(store.rglob("*"))
    assert main(["reproduce", str(collection_run.folder)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "the same type of machine: figures must be equal bit for bit" in out
    n_figures = int(out.rpartition("all ")[2].partition(" ")[0].replace(",", ""))
    assert n_figures > 500
    assert list(tmp_path.iterdir()) == []
    assert sorted(store.rglob("*")) == before


def test_on_another_type_of_machine_a_tolerance_counts(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = read_json(copied / "metrics.json")
    metrics["offline"]["funnel"]["nDCG@10"]["all"]["value"] += 1e-3
    write_json(copied / "metrics.json", metrics)
    changed(copied, "provenance.json", architecture="another")
    assert main(["reproduce", str(copied), "--tolerance", "2e-3"]) == 0
    n, n_same = re.findall(
        r"all ([\d,]+) figures are equal within the tolerance, ([\d,]+) of them bit for bit",
        capsys.readouterr().out,
    )[0]
    assert int(n.replace(",", "")) - int(n_same.replace(",", "")) == 1
    assert main(["reproduce", str(copied), "--tolerance", "5e-4"]) == 4


def test_figures_that_changed_are_listed(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On what is said to be another type of machine, so that one figure is within the tolerance."""
    metrics = read_json(copied / "metrics.json")
    ndcg = metrics["offline"]["funnel"]["nDCG@10"]["all"]
    value, low = ndcg["value"], ndcg["low"]
    ndcg["value"], ndcg["low"] = value + 0.25, low + 1e-9
    del metrics["offline"]["funnel"]["AP"]["all"]["n"]
    write_json(copied / "metrics.json", metrics)
    changed(copied, "provenance.json", torch="0.0", date="1970-01-01")
    assert main(["reproduce", str(copied)]) == 4
    out, err = capsys.readouterr()
    assert 'torch: "0.0" then, ' in out
    assert "another type of machine: figures must be equal within 0.01 x max(1, |then|)" in out
    listed = [line.split("\t") for line in out.splitlines() if "\t" in line]
    assert sorted(listed) == [
        ["offline.funnel.AP.all.n", "missing", "10", UNKNOWN],
        ["offline.funnel.nDCG@10.all.value", json.dumps(value + 0.25), json.dumps(value), "-0.25"],
    ]
    assert err.startswith("mlsd: 2 of ")
    assert err.endswith("are not what they were\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere holds no finished run: it has no metrics.json"),
        (["--tolerance", "-1", "{run}"], "--tolerance == -1.0, must be at least 0"),
        (["--tolerance", "nan", "{run}"], "--tolerance == nan, must be at least 0"),
        ([], "the following arguments are required: RUN; see `mlsd reproduce --help`"),
    ],
)
def test_mistakes(
    arguments: list[str], message: str, collection_run: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("{run}", str(collection_run.folder)) for word in arguments]
    assert main(["reproduce", *words]) == 2
    assert capsys.readouterr().err == f"mlsd: {message}\n"


def test_data_that_changed_are_refused(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(copied, "provenance.json", **{"data, SHA-256": "music 123"})
    assert main(["reproduce", str(copied)]) == 2
    out, err = capsys.readouterr()
    assert (out, "the data are not those of the run" in err) == ("", True)


def test_data_that_moved(
    collection_run: FinishedRun, copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As if they had been elsewhere when it ran: what the run recorded of them still holds."""
    config = OmegaConf.load(copied / "config.yaml")
    OmegaConf.update(config, "world.path", str(tmp_path / "gone"))
    OmegaConf.save(config, copied / "config.yaml")
    changed(copied, "provenance.json", config=key_of(resolve(DictConfig(config)).values))
    assert main(["reproduce", str(copied)]) == 2
    assert "must be the folder of a collection" in capsys.readouterr().err
    assert main(["reproduce", str(copied), "--data", str(collection_run.folder.parent / "music")]) == 0
    assert "reproduced: all " in capsys.readouterr().out


def test_a_world_that_reads_no_data(small_run: FinishedRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", str(small_run.folder), "--data", "music"]) == 2
    said = capsys.readouterr().err
    assert (
        said
        == f"mlsd: --data == 'music', but the world of {small_run.folder} reads no data: it has no `path`\n"
    )


def test_a_broken_file(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "metrics.json").write_text("{", encoding="utf-8")
    assert main(["reproduce", str(copied)]) == 2
    assert "cannot read" in capsys.readouterr().err
