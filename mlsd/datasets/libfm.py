"""Click data in the sparse text format of libFM, one file for each split.

    1 270:1 966:1 5040:1        label, then index:value for each field, cut by blanks or tabs

The files are `train.libfm`, `validation.libfm` and `test.libfm`, or the same after a name and a dot. A label
is 0 or 1, or else -1 or 1, of which -1 is no click. Every line has the same fields in the same order. An
index names one thing in the whole file; no two fields share one.
Source: Rendle, ACM TIST 2012; the data sets of He and Chua (SIGIR 2017) are laid out so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from mlsd import checks
from mlsd.datasets.base import SourceFile
from mlsd.datasets.ctr import SPLITS
from mlsd.datasets.ctr_source import CtrSource, Part
from mlsd.datasets.splits import published
from mlsd.datasets.tables import Factor, Table, as_numbers, first_line, read_table
from mlsd.errors import InputError
from mlsd.types import Array, Catalog, Floats, Ints

_PAIR = r"^(?P<index>\d{1,18}):(?P<value>\S+)$"
_LABEL = "label"
_LOOSE = (b"\t", b"  ", b" \n", b" \r", b"\n ", b"\r ")
"""What shows that fields are not cut by single blanks."""


class _Pairs(NamedTuple):
    """A field: the different pairs in it, and where they stand."""

    codes: Ints
    """(n,) rows of the others."""
    indices: Ints
    """(n_pairs,)."""
    values: Floats
    """(n_pairs,)."""


@dataclass(frozen=True)
class LibFM(CtrSource):
    """Lines of `index:value` pairs.

    A field whose value is always 1 in the training split is categorical: its categories are its indices. One
    that always has the same index is dense: its values. Anything else is refused.

    Args:
        fields: their names, in order; `field_0`, `field_1`, ... unless given.
        user: the name of the field that tells users apart, or none.
        item: likewise, of items.
    """

    format: ClassVar[str] = "libfm"

    fields: tuple[str, ...] = ()
    user: str = ""
    item: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "fields", tuple(self.fields))
        for name in ("user", "item"):
            if getattr(self, name):
                checks.one_of(name, getattr(self, name), self.fields)
        checks.require(len(set(self.fields)) == len(self.fields), "fields", self.fields, "must differ")

    def places(self) -> dict[str, str]:
        return published(self.folder, "libfm", SPLITS)

    def parse(self, files: Mapping[str, SourceFile]) -> tuple[dict[str, Part], Catalog | None]:
        names = self._names(files["train"])
        tables = {split: _table(file, names) for split, file in files.items()}
        labels = _labels(list(tables.values()))
        pairs = {split: {name: _pairs(table, name) for name in names} for split, table in tables.items()}
        dense = {name: _is_dense(tables["train"], name, pairs["train"][name]) for name in names}
        for split, table in tables.items():
            _check_kinds(table, pairs[split], pairs["train"], dense)
        _check_apart(list(tables.values()), list(pairs.values()))
        for name in filter(None, (self.user, self.item)):
            checks.require(
                not dense[name], "fields", name, "must be categorical to tell users or items apart"
            )
        return {
            split: self._part(labels[number], pairs[split], dense) for number, split in enumerate(tables)
        }, None

    def _names(self, file: SourceFile) -> tuple[str, ...]:
        """The names of the fields of the first line."""
        number, line = first_line(file)
        n_fields = len(line.split()) - 1
        if n_fields < 1:
            rule = "must be a label and index:value pairs, cut by blanks"
            raise InputError(f"{file.name}:{number} is {line[:60]!r}; {rule}")
        if self.fields and len(self.fields) != n_fields:
            raise InputError(f"{file.name}:{number} has {n_fields} fields; `fields` names {len(self.fields)}")
        return self.fields or tuple(f"field_{number}" for number in range(n_fields))

    def _part(self, label: Array, pairs: Mapping[str, _Pairs], dense: Mapping[str, bool]) -> Part:
        factors = {name: _factor(pairs[name]) for name in pairs if not dense[name]}
        return Part(
            label,
            {name: field.values[field.codes] for name, field in pairs.items() if dense[name]},
            factors,
            user=factors.get(self.user),
            item=factors.get(self.item),
        )


def _table(file: SourceFile, names: Sequence[str]) -> Table:
    return read_table(_tidy(file), " ", [_LABEL, *names], header=False)


def _tidy(file: SourceFile) -> SourceFile:
    """The same lines with single blanks between fields and none around them."""
    content = file.content
    if (
        not content.startswith(b" ")
        and not content.endswith(b" ")
        and not any(mark in content for mark in _LOOSE)
    ):
        return file
    single = re.sub(rb"[ \t]+", b" ", content)
    return SourceFile(file.name, re.sub(rb"(?<![^\r\n]) | (?![^\r\n])", b"", single))


def _labels(tables: Sequence[Table]) -> list[Array]:
    """(n,) int8 for each table; -1 is 0 where no label is 0."""
    found = np.concatenate([as_numbers(table.columns[_LABEL].values) for table in tables])
    negative = -1.0 if np.any(found == -1) and not np.any(found == 0) else 0.0
    rule = "a label must be 0 or 1, or all -1 or 1"
    labels = [table.numbers(_LABEL, rule, lambda y: np.isin(y, (negative, 1.0))) for table in tables]
    return [(label == 1).astype(np.int8) for label in labels]


def _pairs(table: Table, name: str) -> _Pairs:
    codes, texts = table.columns[name]
    found = compute.extract_regex(pa.array(texts, pa.string()), _PAIR)
    written = found.is_valid().to_numpy(zero_copy_only=False)
    index, value = (compute.struct_field(found, part) for part in ("index", "value"))
    numbers = as_numbers(compute.fill_null(value, "").to_numpy(zero_copy_only=False))
    rule = "must be index:value, a whole number from 0 and a number"
    table.require(name, written & ~np.isnan(numbers), rule)
    return _Pairs(codes, compute.cast(index, pa.int64()).to_numpy(zero_copy_only=False), numbers)


def _is_dense(table: Table, name: str, pairs: _Pairs) -> bool:
    """Whether a field of the training split holds a number; if not, it holds categories."""
    if (pairs.indices != pairs.indices[0]).any():
        rule = "a field has many indices and always the value 1, or one index and any value"
        table.require(name, pairs.values == 1, rule)
        return False
    return bool((pairs.values != 1).any())


def _check_kinds(
    table: Table, pairs: Mapping[str, _Pairs], training: Mapping[str, _Pairs], dense: Mapping[str, bool]
) -> None:
    """Hold the fields of a split to what they are in the training split."""
    for name, field in pairs.items():
        if dense[name]:
            index = training[name].indices[0]
            table.require(name, field.indices == index, f"index must be {index}, as in the training split")
        else:
            table.require(name, field.values == 1, "value must be 1, as in the training split")


def _check_apart(tables: Sequence[Table], splits: Sequence[Mapping[str, _Pairs]]) -> None:
    """Refuse an index in two fields: lines that name their fields in another order.

    An index belongs to the field of the first line that has it.
    """
    names = list(splits[0])
    seen = [
        (table, field, pairs[name])
        for table, pairs in zip(tables, splits, strict=True)
        for field, name in enumerate(names)
    ]
    table_of = np.repeat(np.arange(len(seen)) // len(names), [len(pairs.indices) for _, _, pairs in seen])
    fields = np.repeat([field for _, field, _ in seen], [len(pairs.indices) for _, _, pairs in seen])
    indices = np.concatenate([pairs.indices for _, _, pairs in seen])
    order = np.lexsort((np.concatenate([_first_rows(pairs) for _, _, pairs in seen]), table_of, indices))
    known, first = np.unique(indices[order], return_index=True)
    owners = fields[order[first]]
    for table, field, pairs in seen:
        owner = owners[np.searchsorted(known, pairs.indices)]
        strange = np.flatnonzero(owner != field)
        if len(strange):
            index, other = pairs.indices[strange[0]], names[owner[strange[0]]]
            rule = f"{index} is an index of {other}: every line must have its fields in the same order"
            table.require(names[field], owner == field, rule)


def _first_rows(pairs: _Pairs) -> Ints:
    """(n_pairs,) the first row in which each pair stands."""
    rows = np.empty(len(pairs.indices), np.int64)
    rows[pairs.codes[::-1]] = np.arange(len(pairs.codes))[::-1]
    return rows


def _factor(pairs: _Pairs) -> Factor:
    """The indices of a field; differently written pairs of the same index are one."""
    index, row = np.unique(pairs.indices, return_inverse=True)
    return Factor(row[pairs.codes], index.astype(str).astype(object))
