"""Where a log of clicks lies and how it is to be read: what its formats have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mlsd import checks
from mlsd.datasets.base import SourceFile, fingerprint
from mlsd.datasets.ctr import Categorical, CtrLog, with_buckets, with_vocabulary
from mlsd.datasets.source import Source
from mlsd.datasets.splits import arrange
from mlsd.datasets.tables import Bools, Factor, Table, concat_factors
from mlsd.types import Array, Catalog, Columns, Floats, Ints


@dataclass(frozen=True)
class Part:
    """The rows of one file, as they stand there.

    Args:
        label: (n,) int8.
        dense: name -> (n,) finite numbers.
        categorical: name -> (n,) text.
        time: (n,) datetime64[us], UTC.
        user: (n,) whatever tells users apart.
        item: (n,) whatever tells items apart, or rows of a catalog.
        position: (n,) int64 from 0.
        propensity: (n,) float64 in (0, 1].
    """

    label: Array
    dense: Columns
    categorical: Mapping[str, Factor]
    time: Array | None = None
    user: Factor | None = None
    item: Factor | Ints | None = None
    position: Ints | None = None
    propensity: Floats | None = None


@dataclass(frozen=True)
class CtrSource(Source):
    """A folder of clicks in one format, and how to read it.

    Args:
        folder: of the data set.
        min_count: training rows that a category needs, or it is out of vocabulary.
        hashed: column -> number of buckets, for columns of ids without end; they have no vocabulary.
    """

    min_count: int = 1
    hashed: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.at_least("min_count", self.min_count, 1)
        for name, n_buckets in self.hashed.items():
            checks.at_least(f"hashed.{name}", n_buckets, 1)

    @abstractmethod
    def parse(self, files: Mapping[str, SourceFile]) -> tuple[dict[str, Part], Catalog | None]:
        """Published split -> its rows, and the items where they are described.

        Args:
            files: what a file is, as in `places`, -> its content.

        Raises:
            InputError: what is read is not what the format says.
        """

    @property
    def shares(self) -> Mapping[str, float]:
        """Split -> the share of the training rows that it is cut from where it is not published."""
        return {}

    def read(self) -> CtrLog:
        """Read everything anew.

        Raises:
            InputError: a file is missing or broken, or its content is not what the format says; with file,
                line, value and rule.
            InvalidValueError: `hashed` names a column that there is not.
        """
        files = {role: SourceFile.read(self.folder, place) for role, place in self.places().items()}
        parts, items = self.parse(files)
        ordered = [parts[split] for split in parts]
        sizes = {split: len(part.label) for split, part in parts.items()}
        time = _joined([part.time for part in ordered])
        rows, splits = arrange(self.name, sizes, time, self.shares)
        start, time_days = _days(time, rows)
        return CtrLog(
            name=self.name,
            fingerprint=fingerprint(files.values()),
            label=np.concatenate([part.label for part in ordered])[rows],
            splits=splits,
            dense=_dense(ordered, rows),
            categorical=self._coded(ordered, rows, splits["train"].stop),
            time_days=time_days,
            start=start,
            user=_ids([part.user for part in ordered], rows),
            item=_ids([part.item for part in ordered], rows),
            position=_taken(_joined([part.position for part in ordered]), rows),
            propensity=_taken(_joined([part.propensity for part in ordered]), rows),
            items=items,
        )

    def _coded(self, parts: Sequence[Part], rows: Ints, n_training: int) -> dict[str, Categorical]:
        names = list(parts[0].categorical)
        for name in self.hashed:
            checks.one_of("hashed", name, names)
        return {
            name: self._code(
                name, concat_factors([part.categorical[name] for part in parts]).take(rows), n_training
            )
            for name in names
        }

    def _code(self, name: str, column: Factor, n_training: int) -> Categorical:
        if name in self.hashed:
            return with_buckets(name, column, self.hashed[name])
        return with_vocabulary(column, n_training, self.min_count)


class Reader:
    """Reads a source anew; others may keep what they read."""

    def __call__(self, source: CtrSource) -> CtrLog:
        """The log of a source.

        Raises:
            InputError: as `CtrSource.read`.
        """
        return source.read()


@dataclass(frozen=True)
class CutSource(CtrSource):
    """A data set of which validation and test may have to be cut from the end of the training rows.

    Args:
        validation_share: of the training rows, where no validation split is published.
        test_share: likewise for test.
    """

    validation_share: float = 0.1
    test_share: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.share("validation_share", self.validation_share)
        checks.share("test_share", self.test_share)

    @property
    def shares(self) -> Mapping[str, float]:
        return {"validation": self.validation_share, "test": self.test_share}


def clicks(table: Table, name: str) -> Array:
    """(n,) int8 labels of a column of 0 and 1.

    Raises:
        InputError: for other values.
    """
    return table.numbers(name, "a label must be 0 or 1", lambda values: np.isin(values, (0, 1))).astype(
        np.int8
    )


def whole(values: Floats) -> Bools:
    """(n,) which numbers are whole; NaN is not."""
    return np.asarray(values == np.floor(values))


def _dense(parts: Sequence[Part], rows: Ints) -> dict[str, Array]:
    names = parts[0].dense
    return {
        name: np.concatenate([part.dense[name] for part in parts])[rows].astype(np.float32) for name in names
    }


def _joined(columns: Sequence[Array | None]) -> Array | None:
    """All rows of all files; None where a file does not have the column."""
    there = [column for column in columns if column is not None]
    return np.concatenate(there) if len(there) == len(columns) else None


def _taken(column: Array | None, rows: Ints) -> Array | None:
    return None if column is None else column[rows]


def _ids(columns: Sequence[Factor | Ints | None], rows: Ints) -> Ints | None:
    """One number for each different id; rows of a catalog stay what they are."""
    factors = [column for column in columns if isinstance(column, Factor)]
    if factors:
        return concat_factors(factors).codes[rows]
    return _taken(_joined([column for column in columns if not isinstance(column, Factor)]), rows)


def _days(time: Array | None, rows: Ints) -> tuple[str, Floats | None]:
    """The first day, and (n,) days since its midnight."""
    if time is None:
        return "", None
    start = time.min().astype("datetime64[D]")
    return str(start), ((time - start) / np.timedelta64(1, "D"))[rows]
