"""Tables of text: lines cut at a delimiter, each column as its different values and where they stand.

A column of a log of clicks has far fewer different values than rows, so that all checking and parsing is
done once for each different value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute
from pyarrow import csv as arrow_csv

from mlsd.datasets.base import SourceFile
from mlsd.errors import InputError, nearest
from mlsd.types import Array, Floats, Ints

Bools = NDArray[np.bool_]

_LINE = re.compile(rb"[^\r\n]+")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_CODED = pa.dictionary(pa.int32(), pa.string())
_BLOCK = 1 << 23
_DELIMITERS = {
    "\t": "tab", " ": "blank", ",": "comma", ";": "semicolon", "|": "bar", "::": "double colon"
}  # fmt: skip
_CUT = "\x1f"
"""Stands for a delimiter of several characters while lines are cut."""
_QUOTED = r'(?:[^"{0}\r\n]*|"(?:[^"\r\n]|"")*")'
"""A field that may be quoted; {0} stands for the delimiter."""
_SHOWN = 60
"""Characters of a line that a message shows."""


class Factor(NamedTuple):
    """A column of values that repeat."""

    codes: Ints
    """(n,) rows of `values`."""

    values: Array
    """(n_values,) each once, in any order."""

    def take(self, rows: Array) -> Factor:
        """The column at these rows; `values` stay."""
        return Factor(self.codes[rows], self.values)


def concat_factors(parts: Sequence[Factor]) -> Factor:
    """All rows of the parts, in order, with the values of all of them.

    Example:
        >>> first, second = (Factor(np.array([0]), np.array([value], object)) for value in "ab")
        >>> concat_factors([first, second, first]).codes.tolist()
        [0, 1, 0]
    """
    codes, values = pd.factorize(np.concatenate([part.values for part in parts]))
    ends = np.cumsum([len(part.values) for part in parts])
    places = zip(np.split(codes, ends[:-1]), parts, strict=True)
    return Factor(np.concatenate([code[part.codes] for code, part in places]).astype(np.int64), values)


@dataclass(frozen=True)
class Table:
    """The columns of a file of delimited lines.

    Args:
        file: that was read.
        columns: name -> its values, as text.
        n_header: lines before the first row: 1 where there is a header, else 0.
    """

    file: SourceFile
    columns: Mapping[str, Factor]
    n_header: int

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).codes)

    def numbers(self, name: str, rule: str, allowed: Callable[[Floats], Bools]) -> Floats:
        """(n,) a column as numbers; what is no finite decimal number is NaN, which `allowed` may allow.

        Args:
            name: of the column.
            rule: that `allowed` holds values to, for the message.
            allowed: (n_values,) numbers -> which of them may be.

        Raises:
            InputError: for values that are not allowed.
        """
        codes, values = self.columns[name]
        numbers = as_numbers(values)
        self.require(name, allowed(numbers), rule)
        return numbers[codes]

    def require(self, name: str, right: Bools, rule: str) -> None:
        """Refuse the rows of a column whose value, of its (n_values,), is not right."""
        if not right.all():
            codes, values = self.columns[name]
            rows = np.flatnonzero(~right[codes])
            raise self.fault(f"values of {name}", rows, values[codes[rows[:3]]], rule)

    def lines(self, rows: Array) -> list[str]:
        """The beginnings of the first of these rows, as many as a message shows."""
        return self.file.lines(rows[:3] + self.n_header)

    def fault(self, what: str, rows: Array, values: Sequence[object] | Array, rule: str) -> InputError:
        """What is wrong with some rows; see `SourceFile.fault`."""
        return self.file.fault(what, (rows + self.n_header).tolist(), values, rule)


def as_numbers(values: Array) -> Floats:
    """(n,) texts as float64; NaN for what is no finite decimal number.

    Example:
        >>> as_numbers(np.array(["1", "-2.5e1", "", "x", "inf", "+3"], object)).tolist()
        [1.0, -25.0, nan, nan, nan, 3.0]
    """
    texts = pa.array(values, pa.string())
    number = compute.match_substring_regex(texts, _NUMBER)
    kept = compute.if_else(number, compute.utf8_ltrim(texts, "+"), None)
    numbers: Floats = compute.cast(kept, pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def first_line(file: SourceFile) -> tuple[int, str]:
    """Number, from 1, and text of the first line that is not empty.

    Raises:
        InputError: there is none.
    """
    found = _LINE.search(file.content)
    if found is None:
        raise InputError(f"{file.name} is empty")
    return file.content.count(b"\n", 0, found.start()) + 1, found[0].decode()


def read_table(
    file: SourceFile,
    delimiter: str,
    names: Sequence[str],
    *,
    header: bool,
    keep: Sequence[str] | None = None,
    quoted: bool = False,
) -> Table:
    r"""Cut every line at a delimiter; empty lines are no rows, an empty field is "".

    Args:
        file: with `\n`, `\r\n` or `\r` at the ends of lines.
        delimiter: a character, or several such as "::".
        names: of all columns, in order.
        header: whether the first line is a header, which the caller has looked at.
        keep: the columns to read; all unless given.
        quoted: whether a field may be in double quotes, a quote in it doubled, as in RFC 4180, but without
            ends of lines in it. If not, quotes are characters.

    Raises:
        InputError: the file has no row, lines have another number of fields, or a quote is not closed.
    """
    if quoted:
        _require_closed(file, delimiter)
    number, line = first_line(file)
    n_found = len(_fields(line, delimiter, quoted=quoted))
    if n_found != len(names):
        raise InputError(_wrong_width(f"{file.name}:{number}", line, delimiter, n_found, len(names)))
    table = _split(
        file, delimiter, names, list(names if keep is None else keep), header=header, quoted=quoted
    )
    if not table.num_rows:
        raise InputError(f"{file.name} has no rows below its header")
    columns = {name: _factor(table[name]) for name in table.column_names}
    return Table(file, columns, int(header))


def read_named(file: SourceFile, delimiter: str, names: Sequence[str], *, quoted: bool = False) -> Table:
    """Read a file whose first line must name these columns, in this order.

    Args:
        file: as in `read_table`.
        delimiter: one character.
        names: what the header must be.
        quoted: as in `read_table`.

    Raises:
        InputError: as `read_table`, or the header is another.
    """
    number, line = first_line(file)
    found = _fields(line, delimiter, quoted=quoted)
    if len(found) == len(names) and found != list(names):
        strange = next((name for name in found if name not in names), None)
        close = nearest(strange, names) if strange else None
        hint = f"; {strange!r} is nearest to {close!r}" if close else ""
        rule = f"must be the header {delimiter.join(names)!r}"
        raise InputError(f"{file.name}:{number} is {line[:_SHOWN]!r}, {rule}{hint}")
    return read_table(file, delimiter, names, header=True, quoted=quoted)


def _fields(line: str, delimiter: str, *, quoted: bool) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter)) if quoted else line.split(delimiter)


def _require_closed(file: SourceFile, delimiter: str) -> None:
    """Refuse lines with a quote that is not closed, not doubled, or within a field without quotes."""
    field = _QUOTED.format(re.escape(delimiter))
    line = rf"(?:\A|(?<=[\r\n]))(?!{field}(?:{re.escape(delimiter)}{field})*(?=[\r\n]|\Z))[^\r\n]+"
    wrong = [found.start() for found in re.finditer(line.encode(), file.content)]
    if wrong:
        rows = file.rows_at(wrong)
        rule = "a field with quotes must begin and end with one on the same line, and those in it be doubled"
        raise file.fault("lines with stray quotes", rows, file.lines(rows), rule)


def _wrong_width(place: str, line: str, delimiter: str, n_found: int, n_fields: int) -> str:
    """Why the first line is not cut as it should be, and by which delimiter it would be."""
    others = [name for sign, name in _DELIMITERS.items() if line.count(sign) + 1 == n_fields]
    hint = f"; it is cut so by {others[0]}" if others else ""
    rule = f"must have {n_fields}, cut by {_DELIMITERS[delimiter]}{hint}"
    return f"{place} {line[:_SHOWN]!r} has {n_found} fields, {rule}"


def _split(
    file: SourceFile, delimiter: str, names: Sequence[str], keep: list[str], *, header: bool, quoted: bool
) -> pa.Table:
    wrong: list[arrow_csv.InvalidRow] = []

    def skip(row: arrow_csv.InvalidRow) -> str:
        wrong.append(row)
        return "skip"

    content, sign = _single_cut(file, delimiter)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            arrow_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK, column_names=None if header else list(names)
            ),
            arrow_csv.ParseOptions(
                delimiter=sign, quote_char='"' if quoted else False, invalid_row_handler=skip
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(keep, _CODED), include_columns=keep, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(f"cannot read {file.name}: {error}") from error
    if wrong:
        rule = f"each must have {len(names)} fields, cut by {_DELIMITERS[delimiter]}"
        rows = [row.number - 1 for row in wrong]
        shown = (row.text.replace(sign, delimiter)[:_SHOWN] for row in wrong)
        raise file.fault("ragged lines", rows, shown, rule)
    return table


def _single_cut(file: SourceFile, delimiter: str) -> tuple[bytes, str]:
    """The content, ending with an end of line, and the one character that it is cut by."""
    content = file.content if file.content.endswith(b"\n") else file.content + b"\n"
    if len(delimiter) == 1:
        return content, delimiter
    if (place := content.find(_CUT.encode())) >= 0:
        line = content.count(b"\n", 0, place) + 1
        raise InputError(f"{file.name}:{line} has the control character {_CUT!r}, which no field may have")
    return content.replace(delimiter.encode(), _CUT.encode()), _CUT


def _factor(column: pa.ChunkedArray) -> Factor:
    whole = column.unify_dictionaries().combine_chunks()
    values = whole.dictionary.to_numpy(zero_copy_only=False)
    return Factor(whole.indices.to_numpy().astype(np.int64), values)
