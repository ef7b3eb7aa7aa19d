"""What ads can be targeted by: keys, their values, and sets of values, ragged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InvalidValueError, nearest
from mlsd.types import Array, Ints

UNKNOWN = -1
"""The code of a value that a key does not declare."""

EXCLUDED = "not_"
"""What stands before the name of a key where an ad lists the values it must not meet."""

_COLLECTIONS = (list, tuple, set, frozenset, dict, np.ndarray)
_SHOWN = 6
"""Values of a key that a message lists."""


@dataclass(frozen=True)
class Key:
    """Something that ads are targeted by, such as a region, and all values that it can have.

    Args:
        name: an identifier; column `request.<name>` has the values of requests.
        values: each once, all strings or all integers; the place of a value is its code.
        multi_valued: whether a request has any number of values, such as interests, instead of one.
        exclusions: whether an ad may also list values that it must not meet.

    Example:
        >>> Key("region", ["north", "south"]).codes(["south", "mars", None]).tolist()
        [1, -1, -1]
    """

    name: str
    values: Sequence[str] | Sequence[int]
    multi_valued: bool = False
    exclusions: bool = False

    def __post_init__(self) -> None:
        checks.require(
            self.name.isidentifier() and not self.name.startswith(EXCLUDED),
            "key",
            self.name,
            f"must be a name of letters, digits and _ that does not begin with {EXCLUDED}",
        )
        checks.require(len(self.values) > 0, f"{self.name}.values", self.values, "must have at least one")
        kinds = {type(value) for value in self.values}
        rule = "must be all strings or all integers"
        checks.require(len(kinds) == 1 and kinds <= {str, int}, f"{self.name}.values", self.values, rule)
        if len(self._codes) < len(self.values):
            repeated = next(value for code, value in enumerate(self.values) if self._codes[value] != code)
            raise InvalidValueError(f"{self.name}.values", repeated, "must be there once")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """What an ad may say about this key: its name, and with `not_` before it where it has exclusions."""
        return (self.name, f"{EXCLUDED}{self.name}") if self.exclusions else (self.name,)

    def codes(self, values: Sequence[object]) -> Ints:
        """(n,) the code of each value; `UNKNOWN` for one that is not declared or missing (None, NaN).

        Raises:
            InvalidValueError: something is not a single value, such as a list.
        """
        for value in values:
            if isinstance(value, _COLLECTIONS):
                raise InvalidValueError(self.name, value, "must be one string or integer")
        codes = self._codes
        return np.array([codes.get(value, UNKNOWN) for value in values], np.int64)

    def unknown(self, where: str, value: object) -> InvalidValueError:
        """The fault of a value that this key does not declare."""
        listed = ", ".join(str(each) for each in self.values[:_SHOWN])
        more = f", ... ({len(self):,} values)" if len(self) > _SHOWN else ""
        close = nearest(str(value), [str(each) for each in self.values])
        hint = f"; nearest is {close!r}" if close else ""
        return InvalidValueError(where, value, f"must be one of {listed}{more}{hint}")

    @cached_property
    def _codes(self) -> dict[object, int]:
        return {value: code for code, value in enumerate(self.values)}


@dataclass(frozen=True)
class ValueSets:
    """Sets of a key's values, ragged. What is listed twice counts once.

    Args:
        offsets: (n_sets + 1,) int64.
        codes: (n_listed,) int64, each in [0, n_values of the key).
    """

    offsets: Ints
    codes: Ints

    def __post_init__(self) -> None:
        ascends = len(self.offsets) > 0 and self.offsets[0] == 0 and bool(np.all(np.diff(self.offsets) >= 0))
        if not ascends or self.offsets[-1] != len(self.codes):
            rule = f"must ascend from 0 to n_listed == {len(self.codes)}"
            raise InvalidValueError("offsets", self.offsets.tolist()[:_SHOWN], rule)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def filled(self) -> Array:
        """(n_sets,) whether a set has any value."""
        return np.diff(self.offsets) > 0

    def of(self, row: int) -> Ints:
        """The values of one set."""
        return self.codes[self.offsets[row] : self.offsets[row + 1]]

    def check_codes(self, where: str, n_values: int) -> None:
        """Raise InvalidValueError unless all codes are in [0, n_values)."""
        outside = (self.codes < 0) | (self.codes >= n_values)
        if outside.any():
            code = int(self.codes[np.argmax(outside)])
            raise InvalidValueError(where, code, f"must be a code in [0, {n_values})")

    def take(self, rows: Array) -> ValueSets:
        """The sets at these rows: integer positions or a boolean mask."""
        taken, offsets = ragged.take_segments(self.offsets, rows)
        return ValueSets(offsets, self.codes[taken])

    @staticmethod
    def empty(n: int) -> ValueSets:
        """`n` sets without any value."""
        return ValueSets(np.zeros(n + 1, np.int64), np.zeros(0, np.int64))


def known(codes: Ints, offsets: Ints) -> ValueSets:
    """The sets without what is `UNKNOWN`.

    Example:
        >>> known(np.array([2, UNKNOWN, UNKNOWN]), np.array([0, 2, 3])).offsets.tolist()
        [0, 1, 1]
    """
    mask = codes != UNKNOWN
    return ValueSets(ragged.offsets_of_mask(mask, offsets), codes[mask])


def flatten(cells: Iterable[object], where: str) -> tuple[list[object], Ints]:
    """The values of sets that are written as lists, one after the other, and the offsets of the sets.

    Args:
        cells: a list, tuple, set or array of values each; None or NaN is a set without any.
        where: what messages call the cells.

    Raises:
        InvalidValueError: a cell is something else, such as a string.

    Example:
        >>> values, offsets = flatten([["jazz", "rock"], None, ["jazz"]], "request.interests")
        >>> values, offsets.tolist()
        (['jazz', 'rock', 'jazz'], [0, 2, 2, 3])
    """
    values, counts = list[object](), list[int]()
    for row, cell in enumerate(cells):
        listed = _listed(cell)
        if listed is None:
            raise InvalidValueError(f"{where}[{row}]", cell, "must be a list of values")
        values += listed
        counts.append(len(listed))
    return values, ragged.offsets_of_counts(np.array(counts, np.int64))


def _listed(cell: object) -> list[object] | None:
    """What is in a cell; None if it cannot hold a set."""
    if is_missing(cell):
        return []
    if isinstance(cell, np.ndarray):
        return list(cell.tolist())
    return list(cell) if isinstance(cell, list | tuple | set | frozenset) else None


def is_missing(cell: object) -> bool:
    """Whether there is nothing where a value or a set could be: None or NaN."""
    return cell is None or (isinstance(cell, float) and isnan(cell))
