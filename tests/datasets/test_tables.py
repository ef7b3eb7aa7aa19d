"""Delimited tables: against pandas, and every way in which a line can be wrong."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.datasets.base import SourceFile
from mlsd.datasets.tables import Factor, as_numbers, concat_factors, first_line, read_table
from mlsd.errors import InputError

CELL = st.text(st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"]), max_size=5)


TWO = "each must have 2 fields, cut by tab"


def file(content: str) -> SourceFile:
    return SourceFile("ads/log.txt", content.encode())


def column(factor: Factor) -> list[str]:
    return list(factor.values[factor.codes])


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_cells_come_back_as_they_were_written(rows: list[tuple[str, str, str]], end: str) -> None:
    text = end.join("\t".join(cells) for cells in rows)
    table = read_table(file(text), "\t", "abc", header=False)
    assert [column(table.columns[name]) for name in "abc"] == [
        list(cells) for cells in zip(*rows, strict=True)
    ]


def test_reads_what_pandas_reads() -> None:
    text = 'a,b,c\n1,x,\n\n2,,z\n1,NA,"q\n'
    ours = read_table(file(text), ",", "abc", header=True, keep="ac")
    theirs = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, quoting=3)
    assert list(ours.columns) == ["a", "c"]
    assert len(ours) == len(theirs) == 3
    for name in "ac":
        assert column(ours.columns[name]) == theirs[name].tolist()


def test_values_of_many_blocks_are_one_vocabulary() -> None:
    n = 1_500_000
    table = read_table(file("x,yes\nlonger,no\n" * (n // 2)), ",", "ab", header=False)
    assert len(table) == n
    assert sorted(table.columns["a"].values) == ["longer", "x"]
    assert column(table.columns["b"])[-2:] == ["yes", "no"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "ads/log.txt is empty"),
        ("\n\r\n", "ads/log.txt is empty"),
        ("\na,b\n", "ads/log.txt:2 'a,b' has 1 fields, must have 2, cut by tab; it is cut so by comma"),
        ("a\tb\tc\n", "ads/log.txt:1 'a\\tb\\tc' has 3 fields, must have 2, cut by tab"),
        (
            "a\tb\n\na\na\tb\na\tb\tc\n",
            f"ragged lines: 2, ads/log.txt:3 'a', ads/log.txt:5 'a\\tb\\tc'; {TWO}",
        ),
    ],
)
def test_ragged_lines_and_wrong_delimiters_are_refused(content: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_table(file(content), "\t", "ab", header=False)
    assert str(refused.value) == message


def test_a_header_alone_is_no_table() -> None:
    for end in ("", "\n"):
        with pytest.raises(InputError, match=r"ads/log\.txt has no rows below its header"):
            read_table(file(f"a,b{end}"), ",", "ab", header=True)


def test_rows_below_a_header_are_blamed_at_their_line() -> None:
    table = read_table(file("a,b\n1,2\n\nx,3\n,4\n"), ",", "ab", header=True)
    with pytest.raises(InputError) as refused:
        table.numbers("a", "must be a number", lambda values: ~np.isnan(values))
    assert str(refused.value) == "values of a: 2, ads/log.txt:4 'x', ads/log.txt:5 ''; must be a number"
    assert table.numbers("b", "must be a number", lambda values: ~np.isnan(values)).tolist() == [2, 3, 4]


def test_a_line_longer_than_a_block_is_an_error_of_one_line() -> None:
    with pytest.raises(InputError, match=r"^cannot read ads/log\.txt: ") as refused:
        read_table(file("a\tb\n" + "x" * 20_000_000 + "\ty\n"), "\t", "ab", header=False)
    assert "\n" not in str(refused.value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_to_the_last_bit(number: float) -> None:
    assert as_numbers(np.array([repr(number), f"{number:+.17g}"], object)).tolist() == [number, number]


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "nan", "inf", "-inf", "1e999", "0x10", "1_0", "1,5", "True", "+", ".", "\uff11"]
)
def test_what_is_no_number(text: str) -> None:
    assert np.isnan(as_numbers(np.array([text], object))[0])


@pytest.mark.parametrize(("text", "number"), [("5.", 5), (".5", 0.5), ("-0", 0), ("+1e2", 100), ("007", 7)])
def test_what_is_a_number(text: str, number: float) -> None:
    assert as_numbers(np.array([text], object))[0] == number


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1), min_size=1))
def test_factors_are_put_together(parts: list[list[str]]) -> None:
    factors = [Factor(*pd.factorize(np.array(part, object))) for part in parts]
    whole = concat_factors(factors)
    assert column(whole) == [value for part in parts for value in part]
    assert len(set(whole.values)) == len(whole.values)


def test_the_first_line_is_the_first_that_is_not_empty() -> None:
    assert first_line(file("\r\n\nab\ncd")) == (3, "ab")
