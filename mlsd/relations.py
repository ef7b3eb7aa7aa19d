"""What is known of users and of values of a column, such as who follows whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlsd import checks
from mlsd.arrays import HOURS_A_DAY, Array, Floats, Ints, State, check_length
from mlsd.errors import InputError


@dataclass(frozen=True)
class Relation:
    """Pairs of a user and a value of a column of the catalog, such as the authors that each user follows.

    Args:
        user: (n_pairs,) int64, at least 0, ascending.
        value: (n_pairs,) int64, at least 0, ascending within a user, none twice.
        since_days: (n_pairs,) float64, since when it holds; -inf for always.

    Raises:
        InputError: pairs are negative, not in order, or come twice, or a time is NaN.

    Example:
        >>> follows = Relation.of(np.array([2, 0, 0]), np.array([5, 9, 4]))
        >>> follows.user.tolist(), follows.value.tolist()
        ([0, 0, 2], [4, 9, 5])
    """

    user: Ints
    value: Ints
    since_days: Floats

    def __post_init__(self) -> None:
        for name in ("value", "since_days"):
            check_length(f"relation.{name}", getattr(self, name), len(self.user))
        for name in ("user", "value"):
            checks.every_row_between(f"relation.{name}", getattr(self, name), 0, np.inf, "at least 0")
        checks.every_row_between("relation.since_days", self.since_days, -np.inf, np.inf, "a time in days")
        steps = np.diff(self.user)
        if np.any((steps < 0) | ((steps == 0) & (np.diff(self.value) <= 0))):
            raise InputError("pairs of a relation must ascend by user and value without repeats")

    def __len__(self) -> int:
        return len(self.user)

    @staticmethod
    def of(user: Array, value: Array, since_days: Array | None = None) -> Relation:
        """Pairs in any order; of a pair that comes more than once, the earliest."""
        since = np.full(len(user), -np.inf) if since_days is None else np.asarray(since_days, np.float64)
        order = np.lexsort((since, value, user))
        user, value, since = user[order].astype(np.int64), value[order].astype(np.int64), since[order]
        first = np.append(True, (np.diff(user) != 0) | (np.diff(value) != 0))[: len(order)]
        return Relation(user[first], value[first], since[first])

    def state(self) -> State:
        """Its columns by name."""
        return {"user": self.user, "value": self.value, "since_days": self.since_days}

    @staticmethod
    def from_state(state: State) -> Relation:
        """What `state` gave; other names are left alone."""
        return Relation(state["user"], state["value"], state["since_days"])

    def held(self, user: Array, value: Array, time_days: Array) -> NDArray[np.bool_]:
        """(n,) whether each pair was related strictly before a time; the three are (n,) each.

        Whoever and whatever is not there, negative numbers among them, is not related.
        """
        rows, known = self._found(user, value)
        related = np.zeros(len(rows), bool)
        related[known] = self.since_days[rows[known]] < time_days[known]
        return related

    def known(self, user: Array, value: Array, hour: Array) -> NDArray[np.bool_]:
        """(n,) whether each pair was related in an hour before another one; the three are (n,) each."""
        return self.held(user, value, hour / HOURS_A_DAY)

    def joined(self, user: Array, value: Array, hour: Array) -> Relation:
        """With further pairs, (n,) each, that are related from the end of an hour on; known ones stay."""
        told = Relation.of(user, value, hour / HOURS_A_DAY)
        fresh = ~self._found(told.user, told.value)[1]
        if not fresh.any():
            return self
        width = max(self._width, 1 + int(told.value.max()))
        packed = self._packed if width == self._width else self.user * width + self.value
        places = packed.searchsorted((told.user * width + told.value)[fresh])
        columns = zip(
            (self.user, self.value, self.since_days), (told.user, told.value, told.since_days), strict=True
        )
        return Relation(*(np.insert(ours, places, theirs[fresh]) for ours, theirs in columns))

    @cached_property
    def _width(self) -> int:
        """Values there may be: a pair is packed into the number user * width + value."""
        return 1 + int(self.value.max(initial=-1))

    @cached_property
    def _packed(self) -> Ints:
        """(n_pairs,) ascending."""
        return np.asarray(self.user * self._width + self.value)

    def _found(self, user: Array, value: Array) -> tuple[Ints, NDArray[np.bool_]]:
        """(n,) the row of each pair, and whether it is there."""
        if not len(self):
            return np.zeros(len(user), np.int64), np.zeros(len(user), bool)
        pair = user * self._width + value
        rows = np.minimum(self._packed.searchsorted(pair), len(self) - 1)
        return rows, (self._packed[rows] == pair) & (value >= 0) & (value < self._width)
