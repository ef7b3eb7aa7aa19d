"""The display advertising data of Criteo, as Kaggle had it: tab-separated lines without a header.

    label <tab> I1 ... I13 <tab> C1 ... C26      label 0 or 1, 13 whole numbers, 26 hashed categories

Any field but the label may be empty. The files are `train.txt` and, where they are labelled too,
`validation.txt` and `test.txt`. Lines are in order of time, which itself is not told.
Source: Criteo Labs, Display Advertising Challenge (Kaggle, 2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlsd.datasets.base import SourceFile
from mlsd.datasets.ctr_source import CutSource, Part, clicks, whole
from mlsd.datasets.splits import published
from mlsd.datasets.tables import Table, read_table
from mlsd.types import Array, Catalog, Floats

INTEGERS = tuple(f"I{number}" for number in range(1, 14))
CATEGORIES = tuple(f"C{number}" for number in range(1, 27))


@dataclass(frozen=True)
class Criteo(CutSource):
    """Lines of 13 integers and 26 categories.

    Each integer becomes two dense columns: `I1`, which is `log_scaled`, and `I1_missing`, 1 where the field
    is empty, else 0. An empty category is a category like any other, "".
    """

    format: ClassVar[str] = "criteo"

    def places(self) -> dict[str, str]:
        return published(self.folder, "txt", ["train"])

    def parse(self, files: Mapping[str, SourceFile]) -> tuple[dict[str, Part], Catalog | None]:
        return {split: _part(file) for split, file in files.items()}, None


def log_scaled(values: Floats) -> Floats:
    """Counts of many sizes on a scale of similar steps; odd, continuous and increasing.

        f(x) = log(1 + x) where x >= 0,  -log(1 - x) where x < 0,  0 where x is missing (NaN)

    The few numbers below 0 (`I2` has them) keep their order and stay apart from 0.

    Args:
        values: (n,) with NaN where missing.

    Example:
        >>> log_scaled(np.array([0.0, 1.0, -1.0, np.nan])).round(3).tolist()
        [0.0, 0.693, -0.693, 0.0]
    """
    return np.nan_to_num(np.copysign(np.log1p(np.abs(values)), values), nan=0.0)


def _part(file: SourceFile) -> Part:
    table = read_table(file, "\t", ["label", *INTEGERS, *CATEGORIES], header=False)
    dense: dict[str, Array] = {}
    for name in INTEGERS:
        numbers = _integers(table, name)
        dense[name] = log_scaled(numbers)
        dense[f"{name}_missing"] = np.isnan(numbers)
    return Part(clicks(table, "label"), dense, {name: table.columns[name] for name in CATEGORIES})


def _integers(table: Table, name: str) -> Floats:
    """(n,) whole numbers; NaN where the field is empty."""
    blank = table.columns[name].values == ""
    rule = "must be a whole number, or empty where missing"
    return table.numbers(name, rule, lambda values: whole(values) | blank)
