"""Criteo's lines: by hand, against pandas, and refused line by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.datasets.criteo import CATEGORIES, INTEGERS, Criteo, log_scaled
from mlsd.errors import InputError, InvalidValueError


def line(label: str = "0", integers: str = "", category: str = "a") -> str:
    return "\t".join([label, *([integers] * 13), *([category] * 26)]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ads").mkdir()
    return tmp_path / "ads"


def write(folder: Path, text: str, place: str = "train.txt") -> None:
    (folder / place).write_text(text, encoding="utf-8", newline="")


ROWS = [line("1", "3", "x"), line("0", "", ""), line("0", "-2", "x"), line("1", "0", "new")]


def test_integers_are_scaled_and_missing_ones_marked(folder: Path) -> None:
    write(folder, "".join(ROWS))
    log = Criteo(folder, validation_share=0, test_share=0.25).read()
    assert log.label.tolist() == [1, 0, 0, 1]
    assert list(log.dense)[:4] == ["I1", "I1_missing", "I2", "I2_missing"]
    np.testing.assert_allclose(log.dense["I7"], [np.log(4), 0, -np.log(3), 0], rtol=1e-6)
    assert log.dense["I7_missing"].tolist() == [0, 1, 0, 0]
    assert all(column.dtype == np.float32 for column in log.dense.values())


def test_an_empty_category_is_a_category_and_a_new_one_is_not(folder: Path) -> None:
    write(folder, "".join(ROWS))
    column = Criteo(folder, validation_share=0, test_share=0.25).read().categorical["C26"]
    assert (column.vocabulary.tolist(), column.codes.tolist()) == (["", "x"], [2, 1, 2, 0])
    rare = Criteo(folder, validation_share=0, test_share=0.25, min_count=2).read().categorical["C26"]
    assert (rare.vocabulary.tolist(), rare.codes.tolist()) == (["x"], [1, 0, 1, 0])


def test_the_end_of_the_file_is_cut_off_unless_splits_are_published(folder: Path) -> None:
    write(folder, "".join(ROWS))
    assert Criteo(folder).read().splits["test"] == slice(3, 4)
    write(folder, ROWS[0], "valid.txt")
    (folder / "test.txt.gz").write_bytes(gzip.compress("".join(ROWS[:2]).encode()))
    log = Criteo(folder).read()
    assert log.splits == {"train": slice(0, 4), "validation": slice(4, 5), "test": slice(5, 7)}
    assert log.label.tolist() == [1, 0, 0, 1, 1, 1, 0]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2))
def test_the_scale_is_odd_and_keeps_order(numbers: list[int]) -> None:
    values = np.sort(np.array(numbers, np.float64))
    scaled = log_scaled(values)
    np.testing.assert_array_equal(scaled, -log_scaled(-values))
    assert ((np.diff(scaled) > 0) == (np.diff(values) > 0)).all()
    np.testing.assert_allclose(np.expm1(scaled[values >= 0]), values[values >= 0], rtol=1e-9)


COMMAS = "must have 40, cut by tab; it is cut so by comma"
WHOLE = "must be a whole number, or empty where missing"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ads/train.txt is empty"),
        (
            "".join([*ROWS, ROWS[0][:30]]),
            f"ragged lines: 1, ads/train.txt:5 {ROWS[0][:30]!r}; each must have 40 fields, cut by tab",
        ),
        (
            "".join([*ROWS, "\n", ROWS[0].replace("\n", "\tx\n")]),
            f"ragged lines: 1, ads/train.txt:6 {ROWS[0][:60]!r}; each must have 40 fields, cut by tab",
        ),
        (
            "".join(ROWS).replace("\t", ","),
            f"ads/train.txt:1 {ROWS[0].replace(chr(9), ',')[:60]!r} has 1 fields, {COMMAS}",
        ),
        ("".join([*ROWS, line("2")]), "values of label: 1, ads/train.txt:5 '2'; a label must be 0 or 1"),
        ("".join([*ROWS, line("-1")]), "values of label: 1, ads/train.txt:5 '-1'; a label must be 0 or 1"),
        ("".join([*ROWS, line("")]), "values of label: 1, ads/train.txt:5 ''; a label must be 0 or 1"),
        ("".join([*ROWS, line("0", "1.5")]), f"values of I1: 1, ads/train.txt:5 '1.5'; {WHOLE}"),
        ("".join([line("0", "x"), *ROWS]), f"values of I1: 1, ads/train.txt:1 'x'; {WHOLE}"),
    ],
)
def test_what_is_malformed_is_refused_at_its_line(folder: Path, text: str, message: str) -> None:
    write(folder, text)
    with pytest.raises(InputError) as refused:
        Criteo(folder).read()
    assert str(refused.value) == message


def test_test_rows_without_labels_are_refused(folder: Path) -> None:
    """Kaggle's test.txt: 39 fields."""
    write(folder, "".join(ROWS))
    write(folder, ROWS[0].partition("\t")[2], "test.txt")
    with pytest.raises(InputError, match=r"ads/test\.txt:1 .* has 39 fields, must have 40, cut by tab"):
        Criteo(folder).read()


def test_training_rows_must_be_there(folder: Path) -> None:
    write(folder, ROWS[0], "test.txt")
    assert Criteo(folder).missing_files() == "ads has no [NAME.]train.txt[.gz]"


def test_a_zip_that_ends_early_is_refused(folder: Path) -> None:
    (folder / "train.txt.gz").write_bytes(gzip.compress(line().encode() * 99)[:-9])
    with pytest.raises(InputError, match=r"^cannot read ads/train\.txt\.gz: Compressed file ended"):
        Criteo(folder).read()


def test_options_are_checked(folder: Path) -> None:
    with pytest.raises(InvalidValueError, match="min_count == 0, must be at least 1"):
        Criteo(folder, min_count=0)
    with pytest.raises(InvalidValueError, match=r"test_share == 1\.5, must be between 0 and 1"):
        Criteo(folder, test_share=1.5)
    with pytest.raises(InvalidValueError, match=r"hashed\.C1 == 0, must be at least 1"):
        Criteo(folder, hashed={"C1": 0})


def test_the_sample_is_what_pandas_reads(public_data: Path) -> None:
    """Published: 184 rows, 44 clicks."""
    folder = public_data / "criteo-tiny"
    log = Criteo(folder).read()
    names = ["label", *INTEGERS, *CATEGORIES]
    texts = pd.read_csv(folder / "train.txt", sep="\t", names=names, dtype=str, keep_default_na=False)
    numbers = pd.read_csv(folder / "train.txt", sep="\t", names=names)
    assert (len(log), int(log.label.sum())) == (184, 44)
    np.testing.assert_array_equal(log.label, numbers["label"])
    for name in INTEGERS:
        values = numbers[name].to_numpy(np.float64)
        np.testing.assert_array_equal(log.dense[f"{name}_missing"], np.isnan(values))
        expected = [0 if np.isnan(x) else np.log(1 + x) if x >= 0 else -np.log(1 - x) for x in values]
        np.testing.assert_allclose(log.dense[name], expected, rtol=1e-6)
    n_training = log.splits["train"].stop
    for name in CATEGORIES:
        known = sorted(set(texts[name][:n_training]))
        assert log.categorical[name].vocabulary.tolist() == known
        expected = [known.index(value) + 1 if value in known else 0 for value in texts[name]]
        assert log.categorical[name].codes.tolist() == expected
