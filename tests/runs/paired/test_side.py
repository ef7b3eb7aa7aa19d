"""Runs as a comparison reads them, and folders in which something is not what a run writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mlsd.errors import InputError
from mlsd.runs.finished import FinishedRun
from mlsd.runs.paired.side import Side, names_of, read_sides
from mlsd.store import read_json, write_json


@pytest.fixture
def copied(collection_run: FinishedRun, tmp_path: Path) -> Path:
    return Path(shutil.copytree(collection_run.folder, tmp_path / "copied"))


def table_of(folder: Path) -> Path:
    return folder / "offline" / "per_request.parquet"


def changed(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def read(folder: Path) -> Side:
    (side,) = read_sides([folder])
    return side


def test_a_run_as_it_is(small_run: FinishedRun) -> None:
    side = read(small_run.folder)
    assert side.name == small_run.folder.name
    assert list(side.table["request_id"]) == sorted(side.requests.request_id)
    stages = ("retrieve", "light_rank", "full_rank", "display")
    assert side.systems == ("logging", *stages, "funnel")
    assert side.metrics("funnel")[0] == "nDCG@10"
    assert {"intent=navigational", "popularity=head"} <= set(side.segments)
    assert side.config["seed"] == 0


def test_the_order_of_the_table_does_not_matter(copied: Path, collection_run: FinishedRun) -> None:
    changed(table_of(copied), lambda table: table.iloc[::-1])
    assert read(copied).table.equals(read(collection_run.folder).table)


def test_names(tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "other"]
    assert names_of(folders) == {
        str(folders[0]): folders[0],
        str(folders[1]): folders[1],
        "other": folders[2],
    }


def test_a_run_named_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x/\.\./run is named twice"):
        names_of([tmp_path / "run", tmp_path / "x" / ".." / "run"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="user"), "no column 'user' of integers"),
        (lambda table: table.assign(user=0.5), "no column 'user' of integers"),
        (lambda table: table.head(0), "no request, must have one at least"),
        (lambda table: pd.concat([table, table.head(1)]), r"request_id == \d+ stands there twice"),
        (lambda table: table.assign(note="a"), "column 'note' holds more than truth values"),
        (lambda table: table.assign(**{"funnel.AP": float("inf")}), "column 'funnel.AP' holds more than"),
        (
            lambda table: table.assign(**{"funnel.AP": 0.125}),
            r"mean of funnel\.AP is 0\.125, but metrics\.json",
        ),
        (lambda table: table.assign(**{"funnel.MRR": 0.5}), r"mean of funnel\.MRR is 0\.5, .* has None"),
        (lambda table: table.tail(9), r"the mean of \S+ is \S+, but metrics\.json has "),
    ],
)
def test_a_table_that_no_run_writes(
    copied: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    changed(table_of(copied), change)
    with pytest.raises(InputError, match=rf"per_request\.parquet: .*{message}"):
        read(copied)


def test_a_table_cut_off(copied: Path) -> None:
    table_of(copied).write_bytes(table_of(copied).read_bytes()[:-100])
    with pytest.raises(InputError, match=r"cannot read .*per_request\.parquet: "):
        read(copied)


def test_a_table_that_is_gone(copied: Path) -> None:
    table_of(copied).unlink()
    with pytest.raises(InputError, match=r"cannot read .*per_request\.parquet: No such file or directory"):
        read(copied)


def test_a_log_that_is_not_of_these_requests(copied: Path) -> None:
    log = copied / "log" / "requests.parquet"
    kept = pd.read_parquet(log)
    tested = pd.read_parquet(table_of(copied))["request_id"].iloc[3]
    changed(log, lambda table: table[table["request_id"] != tested])
    with pytest.raises(InputError, match=rf"requests\.parquet: no request_id == {tested}, which was tested"):
        read(copied)
    kept["user"] += 1
    kept.to_parquet(log, index=False)
    with pytest.raises(InputError, match=r"request_id == \d+ is of another user than where it was tested"):
        read(copied)


def test_provenance_of_an_mlsd_that_did_not_write_it(copied: Path) -> None:
    made = dict(read_json(copied / "provenance.json"))
    del made["test window, SHA-256"]
    write_json(copied / "provenance.json", made)
    with pytest.raises(InputError, match=r"provenance\.json: no entry 'test window, SHA-256'"):
        read(copied)


def test_an_unfinished_run(copied: Path) -> None:
    (copied / "metrics.json").unlink()
    with pytest.raises(InputError, match=r"holds no finished run: it has no metrics\.json"):
        read(copied)
