"""Published splits are found by name; the others are cut from the end of training in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.datasets.splits import arrange, published
from mlsd.errors import InputError

TENTHS = {"validation": 0.1, "test": 0.1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ads").mkdir()
    return tmp_path / "ads"


@pytest.mark.parametrize("validation", ["validation.csv", "valid.csv", "val.csv.gz", "ml-tag.dev.csv"])
def test_splits_go_by_their_names(folder: Path, validation: str) -> None:
    for name in ("ml-tag.train.csv", validation, "my_test.csv.gz", "train.txt", "trains.csv", "README.md"):
        (folder / name).touch()
    assert published(folder, "csv", ["train"]) == {
        "train": "ml-tag.train.csv",
        "validation": validation.removesuffix(".gz"),
        "test": "my_test.csv",
    }


def test_a_needed_split_must_be_there(folder: Path) -> None:
    (folder / "train.csv").touch()
    (folder / "tests.csv").touch()
    assert published(folder, "csv", ["train"]) == {"train": "train.csv"}
    with pytest.raises(InputError) as refused:
        published(folder, "csv", ["train", "test"])
    assert str(refused.value) == "ads has no [NAME.]test.csv[.gz]; nearest is 'tests.csv'"
    with pytest.raises(InputError, match=r"^no folder 'adz'; nearest is 'ads'$"):
        published(folder.parent / "adz", "csv", ["train"])


def test_two_files_of_a_split_are_refused(folder: Path) -> None:
    for name in ("train.csv", "dev.csv", "valid.csv"):
        (folder / name).touch()
    with pytest.raises(InputError, match=r"^ads has dev\.csv and valid\.csv: keep one$"):
        published(folder, "csv", ["train"])


def test_the_latest_rows_are_cut_off() -> None:
    time = np.array([5, 1, 9, 3, 7, 2, 8, 4, 6, 0])
    rows, splits = arrange("ads", {"train": 10}, time, TENTHS)
    assert time[rows].tolist() == list(range(10))
    assert splits == {"train": slice(0, 8), "validation": slice(8, 9), "test": slice(9, 10)}


def test_without_times_the_order_of_the_file_counts() -> None:
    rows, splits = arrange("ads", {"train": 10}, None, {"validation": 0.2, "test": 0.3})
    assert rows.tolist() == list(range(10))
    assert splits == {"train": slice(0, 5), "validation": slice(5, 7), "test": slice(7, 10)}


def test_published_splits_are_left_alone() -> None:
    time = np.array([3, 2, 1, 6, 5, 4])
    rows, splits = arrange("ads", {"test": 3, "train": 3}, time, {"validation": 0.0, "test": 0.5})
    assert rows.tolist() == [3, 4, 5, 0, 1, 2]
    assert splits == {"train": slice(0, 3), "validation": slice(3, 3), "test": slice(3, 6)}
    rows, splits = arrange("ads", {"train": 3, "test": 3}, time, {"validation": 0.4, "test": 0.5})
    assert rows.tolist() == [2, 1, 0, 3, 4, 5]
    assert splits == {"train": slice(0, 2), "validation": slice(2, 3), "test": slice(3, 6)}


@given(st.integers(3, 60), st.data())
def test_every_row_is_in_one_split_and_later_ones_are_later(n: int, data: st.DataObject) -> None:
    time = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)))
    rows, splits = arrange("ads", {"train": n}, time, {"validation": 0.2, "test": 0.2})
    assert sorted(rows) == list(range(n))
    assert [part.start for part in splits.values()] == [0, splits["train"].stop, splits["validation"].stop]
    assert splits["test"].stop == n
    assert all(part.stop > part.start for part in splits.values())
    assert (np.diff(time[rows]) >= 0).all()


def test_some_rows_must_be_left_to_train_on() -> None:
    with pytest.raises(InputError, match="ads has 2 training rows: too few to cut validation and test off"):
        arrange("ads", {"train": 2}, None, TENTHS)
