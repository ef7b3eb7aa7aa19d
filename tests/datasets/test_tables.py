"""Delimited tables: against pandas, and every way in which a line can be wrong."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.datasets.base import SourceFile
from mlsd.datasets.tables import Factor, as_numbers, concat_factors, first_line, read_named, read_table
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


PLAIN = st.text(st.characters(exclude_characters='",\r\n', exclude_categories=["Cs"]), max_size=5)
QUOTED = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=5)


@given(st.lists(st.tuples(PLAIN, QUOTED, QUOTED), min_size=1), st.sampled_from(["\n", "\r\n", "\r"]))
def test_quoted_cells_come_back_as_csv_writes_them(rows: list[tuple[str, str, str]], end: str) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator=end, quoting=csv.QUOTE_MINIMAL).writerows([("a", "b", "c"), *rows])
    table = read_named(file(written.getvalue()), ",", "abc", quoted=True)
    assert [column(table.columns[name]) for name in "abc"] == [
        list(cells) for cells in zip(*rows, strict=True)
    ]


@given(st.lists(st.tuples(PLAIN.filter(lambda cell: ":" not in cell), CELL), min_size=1))
def test_a_delimiter_may_be_several_characters(rows: list[tuple[str, str]]) -> None:
    rows = [(first, last.replace("::", "").replace("\x1f", "").lstrip(":")) for first, last in rows]
    rows = [(first.replace("\x1f", ""), last) for first, last in rows]
    text = "\n".join("::".join(cells) for cells in rows)
    table = read_table(file(text), "::", "ab", header=False)
    assert [column(table.columns[name]) for name in "ab"] == [
        list(cells) for cells in zip(*rows, strict=True)
    ]


@pytest.mark.parametrize("line", ['x,"y', 'x,y"z', 'x,"y"z', 'x,"y""', '"x,y', 'x,a"b,"c'])
def test_stray_quotes_are_refused_at_their_line(line: str) -> None:
    content = f'a,b\n\n1,"2"\n{line}\n3,4\n'
    with pytest.raises(InputError) as refused:
        read_named(file(content), ",", "ab", quoted=True)
    rule = "a field with quotes must begin and end with one on the same line, and those in it be doubled"
    assert str(refused.value) == f"lines with stray quotes: 1, ads/log.txt:4 {line!r}; {rule}"


HEADER = "must be the header 'a,b'"
BY_COMMA = "each must have 2 fields, cut by comma"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,c\n1,2\n", f"ads/log.txt:1 is 'a,c', {HEADER}"),
        ("\nb,a\n1,2\n", f"ads/log.txt:2 is 'b,a', {HEADER}"),
        (
            "a;b\n1;2\n",
            "ads/log.txt:1 'a;b' has 1 fields, must have 2, cut by comma; it is cut so by semicolon",
        ),
        ("a,b\n1\n", f"ragged lines: 1, ads/log.txt:2 '1'; {BY_COMMA}"),
        ('a,b\n1,"2,3"\n4,5,"6"\n', f"ragged lines: 1, ads/log.txt:3 '4,5,\"6\"'; {BY_COMMA}"),
    ],
)
def test_a_header_must_be_the_one_that_is_expected(content: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_named(file(content), ",", "ab", quoted=True)
    assert str(refused.value) == message


def test_a_misspelt_column_of_a_header_is_named() -> None:
    with pytest.raises(InputError, match="'movieid' is nearest to 'movieId'"):
        read_named(file("userId,movieid\n1,2\n"), ",", ["userId", "movieId"])


BY_COLONS = "cut by double colon"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a::b::c\n", f"ads/log.txt:1 'a::b::c' has 3 fields, must have 2, {BY_COLONS}"),
        ("a,b\n", f"ads/log.txt:1 'a,b' has 1 fields, must have 2, {BY_COLONS}; it is cut so by comma"),
        ("a::b\na:b\n", f"ragged lines: 1, ads/log.txt:2 'a:b'; each must have 2 fields, {BY_COLONS}"),
        (
            "a::b\n1::2::3\n",
            f"ragged lines: 1, ads/log.txt:2 '1::2::3'; each must have 2 fields, {BY_COLONS}",
        ),
        ("a::b\nc\x1f::d\n", "ads/log.txt:2 has the control character '\\x1f', which no field may have"),
    ],
)
def test_lines_cut_wrongly_by_several_characters_are_refused(content: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_table(file(content), "::", "ab", header=False)
    assert str(refused.value) == message
