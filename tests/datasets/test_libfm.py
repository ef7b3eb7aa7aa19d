"""libFM files: by hand, against scikit-learn's svmlight reader, and refused line by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_svmlight_file

from mlsd.datasets.libfm import LibFM
from mlsd.errors import InputError, InvalidValueError

FRAPPE = (
    "user", "item", "daytime", "weekday", "isweekend", "homework", "cost", "weather", "country", "city"
)  # fmt: skip
TRAIN = "1 0:1 10:1 20:0.5\n-1 1:1 11:1 20:-2\n-1 0:1 12:1 20:1e1\n"
VALIDATION = "-1 0:1 19:1 20:1\n"
TEST = "1 9:1 11:1 20:3\n1 1:1 10:1 20:3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ads").mkdir()
    for split, text in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        write(tmp_path / "ads", split, text)
    return tmp_path / "ads"


def write(folder: Path, split: str, text: str) -> None:
    (folder / f"{split}.libfm").write_text(text, encoding="utf-8", newline="")


def assert_refused(folder: Path, message: str) -> None:
    with pytest.raises(InputError) as refused:
        LibFM(folder).read()
    assert str(refused.value) == message


def test_reads_categories_and_numbers(folder: Path) -> None:
    log = LibFM(folder, fields=("user", "item", "price"), user="user", item="item").read()
    assert log.label.tolist() == [1, 0, 0, 0, 1, 1]
    assert log.splits == {"train": slice(0, 3), "validation": slice(3, 4), "test": slice(4, 6)}
    assert log.dense["price"].tolist() == [0.5, -2, 10, 1, 3, 3]
    assert log.categorical["user"].vocabulary.tolist() == ["0", "1"]
    assert log.categorical["user"].codes.tolist() == [1, 2, 1, 1, 0, 2]
    assert log.categorical["item"].codes.tolist() == [1, 2, 3, 0, 2, 1]
    assert log.user is not None
    assert len({*log.user.tolist()}) == 3
    assert log.user[[0, 2, 3]].tolist() == [log.user[0]] * 3
    assert (log.time_days, log.position, log.propensity) == (None, None, None)


def test_rare_categories_are_out_of_vocabulary(folder: Path) -> None:
    user = LibFM(folder, min_count=2).read().categorical["field_0"]
    assert (user.vocabulary.tolist(), user.codes.tolist()) == (["0"], [1, 0, 1, 1, 0, 0])


def test_blanks_tabs_ends_of_lines_and_zipping_do_not_matter(folder: Path) -> None:
    before = LibFM(folder).read()
    write(folder, "train", " " + TRAIN.replace(" ", " \t ").replace("\n", " \r\n\r\n").rstrip() + " ")
    (folder / "test.libfm").unlink()
    (folder / "x.test.libfm.gz").write_bytes(gzip.compress(TEST.encode()))
    after = LibFM(folder).read()
    for name, column in before.named_columns():
        np.testing.assert_array_equal(dict(after.named_columns())[name], column)


@pytest.mark.parametrize(("old", "new"), [("-1", "0"), ("-1", "-1.0"), ("-1", "0.0")])
def test_labels_of_both_kinds(folder: Path, old: str, new: str) -> None:
    for split, text in (("train", TRAIN), ("validation", VALIDATION)):
        write(folder, split, text.replace(f"{old} ", f"{new} "))
    assert LibFM(folder).read().label.tolist() == [1, 0, 0, 0, 1, 1]


PAIR = "must be index:value, a whole number from 0 and a number"
LINE = "must be a label and index:value pairs, cut by blanks"
LABEL = "a label must be 0 or 1, or all -1 or 1"
ORDER = "every line must have its fields in the same order"
MANY = "a field has many indices and always the value 1, or one index and any value"


@pytest.mark.parametrize(
    ("split", "text", "message"),
    [
        ("train", "", "ads/train.libfm is empty"),
        ("test", "\n \n", "ads/test.libfm is empty"),
        ("train", "1,0:1,10:1\n", f"ads/train.libfm:1 is '1,0:1,10:1'; {LINE}"),
        (
            "train",
            TRAIN + "1 0:1 10:1",
            "ragged lines: 1, ads/train.libfm:4 '1 0:1 10:1'; each must have 4 fields, cut by blank",
        ),
        ("test", "1 0:1 10:1\n", "ads/test.libfm:1 '1 0:1 10:1' has 3 fields, must have 4, cut by blank"),
        (
            "test",
            f"{TEST}2 0:1 10:1 20:1\n\n 0:1 0:1 10:1 20:1\n",
            f"values of label: 2, ads/test.libfm:3 '2', ads/test.libfm:5 '0:1'; {LABEL}",
        ),
        ("test", "0 0:1 10:1 20:1\n",
         f"values of label: 2, ads/train.libfm:2 '-1', ads/train.libfm:3 '-1'; {LABEL}"),
        ("train", TRAIN.replace("11:", "x:"), f"values of field_1: 1, ads/train.libfm:2 'x:1'; {PAIR}"),
        ("train", TRAIN.replace("11:", "1.5:"), f"values of field_1: 1, ads/train.libfm:2 '1.5:1'; {PAIR}"),
        ("train", TRAIN.replace("11:", "-1:"), f"values of field_1: 1, ads/train.libfm:2 '-1:1'; {PAIR}"),
        ("train", TRAIN.replace("11:1", "11:"), f"values of field_1: 1, ads/train.libfm:2 '11:'; {PAIR}"),
        ("train", TRAIN.replace("11:1", "11"), f"values of field_1: 1, ads/train.libfm:2 '11'; {PAIR}"),
        ("test", TEST.replace("20:3", "20:nan", 1),
         f"values of field_2: 1, ads/test.libfm:1 '20:nan'; {PAIR}"),
        ("train", TRAIN.replace("11:1", "11:2"), f"values of field_1: 1, ads/train.libfm:2 '11:2'; {MANY}"),
        (
            "test",
            TEST.replace("11:1", "11:2"),
            "values of field_1: 1, ads/test.libfm:1 '11:2'; value must be 1, as in the training split",
        ),
        (
            "test",
            TEST.replace("1:1 10:1 20:3", "1:1 10:1 21:3"),
            "values of field_2: 1, ads/test.libfm:2 '21:3'; index must be 20, as in the training split",
        ),
        (
            "train",
            TRAIN + "1 11:1 0:1 20:1\n",
            f"values of field_0: 1, ads/train.libfm:4 '11:1'; 11 is an index of field_1: {ORDER}",
        ),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused_at_its_line(folder: Path, split: str, text: str, message: str) -> None:
    write(folder, split, text)
    assert_refused(folder, message)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_all_three_splits_must_be_there(folder: Path, split: str) -> None:
    assert LibFM(folder).missing_files() == ""
    (folder / f"{split}.libfm").unlink()
    assert LibFM(folder).missing_files() == f"ads has no [NAME.]{split}.libfm[.gz]"
    assert_refused(folder, f"ads has no [NAME.]{split}.libfm[.gz]")


def test_a_zip_that_ends_early_is_refused(folder: Path) -> None:
    (folder / "test.libfm").unlink()
    (folder / "test.libfm.gz").write_bytes(gzip.compress(TEST.encode() * 999)[:-9])
    with pytest.raises(InputError, match=r"^cannot read ads/test\.libfm\.gz: Compressed file ended"):
        LibFM(folder).read()


def test_names_of_fields_are_checked(folder: Path) -> None:
    with pytest.raises(InputError, match=r"ads/train\.libfm:1 has 3 fields; `fields` names 2"):
        LibFM(folder, fields=("user", "item")).read()
    with pytest.raises(
        InvalidValueError, match="item == 'itm', must be one of user, item; nearest is 'item'"
    ):
        LibFM(folder, fields=("user", "item"), item="itm")
    with pytest.raises(InvalidValueError, match="must differ"):
        LibFM(folder, fields=("user", "user"))
    with pytest.raises(InvalidValueError, match="'price', must be categorical to tell users or items apart"):
        LibFM(folder, fields=("user", "item", "price"), user="price").read()
    with pytest.raises(
        InvalidValueError, match=r"hashed == 'fild_0', must be one of .*; nearest is 'field_0'"
    ):
        LibFM(folder, hashed={"fild_0": 8}).read()


def test_frappe_is_what_scikit_learn_reads(public_data: Path) -> None:
    """Published: 202,027, 57,722 and 28,860 rows of 5,382 features."""
    log = LibFM(public_data / "frappe", fields=FRAPPE, user="user", item="item").read()
    assert {split: rows.stop - rows.start for split, rows in log.splits.items()} == {
        "train": 202_027, "validation": 57_722, "test": 28_860
    }  # fmt: skip
    assert not log.dense
    assert log.item is not None
    assert log.item.max() + 1 == 4_082
    known: dict[str, set[str]] = {}
    for split, rows in log.splits.items():
        matrix, labels = load_svmlight_file(str(public_data / "frappe" / f"frappe.{split}.libfm.gz"))
        np.testing.assert_array_equal(log.label[rows], labels == 1)
        indices = matrix.indices.reshape(-1, len(FRAPPE))
        for number, name in enumerate(FRAPPE):
            theirs = indices[:, number].astype(str)
            vocabulary = log.categorical[name].vocabulary
            seen = known.setdefault(name, set(theirs))
            ours = np.array(["", *vocabulary])[log.categorical[name].codes[rows]]
            np.testing.assert_array_equal(ours, np.where(np.isin(theirs, list(seen)), theirs, ""))
