"""How often people have seen things: a state that grows with what they see, not with what there is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd.types import Array, Floats, Ints, State


class Seen(NamedTuple):
    """How often each person has seen each of some things, such as campaigns; earlier days may count less.

    Pairs that were never seen are not there: nearly all of a person and a thing never are.

    Args:
        pair: (n_pairs,) int64, person * n_things + thing, ascending.
        times: (n_pairs,) float32.
        n_things: how many there are.

    Example:
        >>> seen = Seen.nothing(n_things=10).added(np.array([3, 3, 4]), np.array([7, 7, 0]))
        >>> seen.faded(np.array([3]), 0.5).of(np.array([3, 4, 3]), np.array([7, 0, 8])).tolist()
        [1.0, 1.0, 0.0]
    """

    pair: Ints
    times: NDArray[np.float32]
    n_things: int

    @staticmethod
    def nothing(n_things: int) -> Seen:
        """Nobody has seen anything."""
        return Seen(np.zeros(0, np.int64), np.zeros(0, np.float32), n_things)

    def of(self, person: Array, thing: Array) -> Floats:
        """How often a person has seen a thing, of any shapes that broadcast together."""
        rows, known = self._found(person * self.n_things + thing)
        times = np.zeros(rows.shape)
        times[known] = self.times[rows[known]]
        return times

    def added(self, person: Ints, thing: Ints) -> Seen:
        """With one time more for each of these, (n,) and (n,); who is there twice has seen it twice."""
        pair = person * self.n_things + thing
        wanted = np.unique(pair)
        places, known = self._found(wanted)
        fresh, at = wanted[~known], places[~known]
        pairs, times = np.insert(self.pair, at, fresh), np.insert(self.times, at, np.float32(0))
        np.add.at(times, pairs.searchsorted(pair), np.float32(1))
        return self._replace(pair=pairs, times=times)

    def faded(self, people: Ints, kept: float) -> Seen:
        """The same where what these people have seen counts `kept` times as much."""
        theirs = np.isin(self.pair // self.n_things, people)
        return self._replace(times=np.where(theirs, self.times * np.float32(kept), self.times))

    def state(self) -> State:
        """As a world keeps it."""
        return {"seen_pair": self.pair, "seen_times": self.times}

    @staticmethod
    def of_state(state: State, n_things: int) -> Seen:
        """What `state` gave."""
        return Seen(state["seen_pair"], state["seen_times"], n_things)

    def _found(self, pair: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Where each pair stands or would stand, and whether it is there."""
        rows = np.asarray(self.pair.searchsorted(pair))
        known = np.zeros(rows.shape, bool)
        inside = rows < len(self.pair)
        known[inside] = self.pair[rows[inside]] == pair[inside]
        return rows, known
