"""Logged click-through data in columns, whatever the format it came in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from mlsd.datasets.hashing import hash_buckets
from mlsd.datasets.tables import Factor
from mlsd.errors import InputError
from mlsd.types import Array, Catalog, Columns, Floats, Ints

SPLITS = ("train", "validation", "test")

OUT_OF_VOCABULARY = 0
"""The code of a category that the training split has too few rows of, or none."""

_ROWS, _VALUES, _ITEMS, _ABOUT = "rows.parquet", "vocabularies.parquet", "items.parquet", "log.json"
_OPTIONAL = ("time_days", "user", "item", "position", "propensity")


@dataclass(frozen=True)
class Categorical:
    """A column of categories as codes.

    Args:
        codes: (n,) int64 in [0, cardinality).
        vocabulary: (cardinality - 1,) str, ascending: code k > 0 is `vocabulary[k - 1]`, and 0 is
            `OUT_OF_VOCABULARY`. Empty for a hashed column, whose codes are buckets.
        n_buckets: of a hashed column; 0 for one with a vocabulary.
    """

    codes: Ints
    vocabulary: Array
    n_buckets: int = 0

    @property
    def cardinality(self) -> int:
        """How many codes there may be."""
        return self.n_buckets or len(self.vocabulary) + 1


@dataclass(frozen=True)
class CtrLog:
    """Impressions and whether they were clicked. The rows of a split stand together.

    Args:
        name: of the data set.
        fingerprint: SHA-256 of its files, unzipped.
        label: (n,) int8, 1 where clicked, else 0.
        splits: each of `SPLITS` -> its rows, a slice; they follow each other.
        dense: name -> (n,) float32, finite.
        categorical: name -> (n,) codes. Vocabularies are of the training split alone.
        time_days: (n,) float64, days since the midnight (UTC) that begins the first day; None where unknown.
        start: the first day, as "2014-10-21"; empty where unknown.
        user: (n,) int64 from 0, one number for each id, also for ids that training never saw: for
            intervals, not for features. None where unknown.
        item: (n,) int64, likewise; rows of `items` where there are any.
        position: (n,) int64 from 0; None where unknown.
        propensity: (n,) float64 in (0, 1], P(the item was shown at its position | the logging policy).
        items: what is known of the items.
    """

    name: str
    fingerprint: str
    label: Array
    splits: Mapping[str, slice]
    dense: Columns
    categorical: Mapping[str, Categorical]
    time_days: Floats | None = None
    start: str = ""
    user: Ints | None = None
    item: Ints | None = None
    position: Ints | None = None
    propensity: Floats | None = None
    items: Catalog | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name, column in self.named_columns():
            if len(column) != len(self.label):
                raise InputError(f"{name} has {len(column)} rows, must have {len(self.label)}")

    def __len__(self) -> int:
        return len(self.label)

    def named_columns(self) -> Iterator[tuple[str, Array]]:
        """Every column of rows, by a name of its own."""
        yield "label", self.label
        yield from ((f"dense.{name}", column) for name, column in self.dense.items())
        yield from ((f"categorical.{name}", column.codes) for name, column in self.categorical.items())
        yield from ((name, column) for name in _OPTIONAL if (column := getattr(self, name)) is not None)


def with_vocabulary(column: Factor, n_training: int, min_count: int = 1) -> Categorical:
    """Code the categories of a column, known from its training rows alone.

    Args:
        column: of text.
        n_training: its first rows are the training split.
        min_count: training rows, 1 or more, that a category needs to have a code of its own.

    Example:
        >>> column = Factor(np.array([0, 1, 0, 2, 1]), np.array(["b", "a", "c"], object))
        >>> with_vocabulary(column, 3).codes.tolist()
        [2, 1, 2, 0, 1]
        >>> with_vocabulary(column, 3, min_count=2).vocabulary.tolist()
        ['b']
    """
    counts = np.bincount(column.codes[:n_training], minlength=len(column.values))
    known = np.flatnonzero(counts >= min_count)
    known = known[np.argsort(column.values[known].astype(str), kind="stable")]
    codes = np.full(len(column.values), OUT_OF_VOCABULARY, np.int64)
    codes[known] = np.arange(1, len(known) + 1)
    return Categorical(codes[column.codes], column.values[known])


def with_buckets(name: str, column: Factor, n_buckets: int) -> Categorical:
    """Code the categories of a column by `hash_buckets`: nothing is learnt, nothing is out of vocabulary."""
    buckets = hash_buckets(name, column.values, n_buckets)
    return Categorical(buckets[column.codes], np.zeros(0, object), n_buckets)


def save(log: CtrLog, folder: Path) -> None:
    """Write a log into an empty folder, as Parquet and JSON."""
    parquet.write_table(pa.table(dict(log.named_columns())), folder / _ROWS)
    sizes = [len(column.vocabulary) for column in log.categorical.values()]
    values = [column.vocabulary for column in log.categorical.values()]
    known = {
        "column": np.repeat(np.array(list(log.categorical), object), sizes),
        "value": np.concatenate([np.zeros(0, object), *values]),
    }
    schema = pa.schema([("column", pa.string()), ("value", pa.string())])
    parquet.write_table(pa.table(known, schema), folder / _VALUES)
    if log.items is not None:
        parquet.write_table(pa.table({"item_id": log.items.item_id, **log.items.columns}), folder / _ITEMS)
    (folder / _ABOUT).write_text(json.dumps(_about(log)), encoding="utf-8")


def load(folder: Path) -> CtrLog:
    """What `save` wrote.

    Raises:
        InputError: it cannot be read.
    """
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        rows, values = _columns(folder / _ROWS), _columns(folder / _VALUES)
        items = _columns(folder / _ITEMS) if (folder / _ITEMS).is_file() else None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {folder}: {str(error).partition(chr(10))[0]}") from error
    return CtrLog(
        name=about["name"],
        fingerprint=about["fingerprint"],
        label=rows["label"],
        splits={split: slice(*ends) for split, ends in about["splits"].items()},
        dense={name: rows[f"dense.{name}"] for name in about["dense"]},
        categorical={
            name: Categorical(
                rows[f"categorical.{name}"], values["value"][values["column"] == name], n_buckets
            )
            for name, n_buckets in about["categorical"].items()
        },
        start=about["start"],
        items=None if items is None else Catalog(items.pop("item_id"), items),
        **{name: rows.get(name) for name in _OPTIONAL},
    )


def _about(log: CtrLog) -> dict[str, Any]:
    return {
        "name": log.name,
        "fingerprint": log.fingerprint,
        "start": log.start,
        "splits": {split: [rows.start, rows.stop] for split, rows in log.splits.items()},
        "dense": list(log.dense),
        "categorical": {name: column.n_buckets for name, column in log.categorical.items()},
    }


def _columns(path: Path) -> dict[str, Array]:
    with path.open("rb") as file:
        table = parquet.read_table(file)
    return {name: table[name].to_numpy() for name in table.column_names}
