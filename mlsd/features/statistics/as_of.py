"""Sums of what happened to a key before a given period: statistics without a look into the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.features.statistics.tally import Past, Tally, is_whole
from mlsd.types import Array, Floats, Ints, State

_STEP = 4
"""Each tally holds at least so many times the cells of the next, so that there are few."""


@dataclass(frozen=True)
class AsOfCounts:
    """Cumulative sums by key and period, looked up strictly before a period, which grow with later events.

    A key is a tuple of integers, such as (item,) or (query_id, item); a period is an integer, such as that of
    a day or of an hour. After the last period nothing more is added: the sums stay as they are.

    What is counted first is one large tally; what comes later is summed up in small ones beside it, and a
    lookup adds all of them. Two tallies become one when the newer is no longer much smaller, so that there
    are few, and an event is sorted anew a few times at most.

    Args:
        tallies: of different events, larger ones first.

    Example:
        >>> item, day, clicks = np.array([7, 7, 9]), np.array([0, 2, 1]), np.array([[1.0], [1.0], [5.0]])
        >>> counts = AsOfCounts.of([item], day, clicks)
        >>> counts.before([np.array([7, 7, 7, 9, 8])], np.array([0, 2, 99, 1, 99]))[:, 0].tolist()
        [0.0, 1.0, 2.0, 0.0, 0.0]
        >>> later = counts.extended([np.array([7, 8])], np.array([4, 5]), np.array([[1.0], [3.0]]))
        >>> later.before([np.array([7, 7, 8])], np.array([4, 5, 6]))[:, 0].tolist()
        [2.0, 3.0, 3.0]
    """

    tallies: tuple[Tally, ...]

    @staticmethod
    def of(key: Sequence[Array], period: Ints, values: Floats) -> AsOfCounts:
        """Count events.

        Args:
            key: parts of the key, (n_events,) integers each.
            period: (n_events,) int64.
            values: (n_events, n_values) what each event adds.

        Raises:
            InputError: distinct keys times periods do not fit into 64 bits.
        """
        return AsOfCounts((Tally.of(key, period, values),))

    def extended(self, key: Sequence[Array], period: Ints, values: Floats) -> AsOfCounts:
        """The counts of further events, too; these stay as they are.

        What they say equals, to the last bit, what `of` all events at once says, in whatever pieces and order
        events come, and also where a piece holds periods that are known already: sums of whole numbers below
        2**53 are exact. Sums of fractions depend on the order of adding, and are refused; a measure such as
        dwell is counted in whole units, such as milliseconds.

        It takes time in proportion to the further events and, now and then, to those since the first, not to
        all that is counted.

        Args:
            key: parts of the key, (n_events,) integers each.
            period: (n_events,) int64.
            values: (n_events, n_values) what each event adds, whole numbers.

        Raises:
            InputError: a value is a fraction, or those counted so far are; or keys are too many, as in `of`.
        """
        if not len(period):
            return self
        self._check_whole(values)
        newest = Tally.of(key, period, values)
        kept = list(self.tallies)
        while kept and len(kept[-1]) < _STEP * len(newest):
            newest = kept.pop().joined(newest)
        return AsOfCounts((*kept, newest))

    def _check_whole(self, values: Floats) -> None:
        rule = "a whole number: sums of fractions would depend on the order in which they are added"
        for column, of_events in enumerate(() if is_whole(values) else values.T):
            checks.every_row(f"values[:, {column}]", of_events, of_events == np.rint(of_events), rule)
        if not all(tally.whole for tally in self.tallies):
            raise InputError(
                "counts of fractions, or of 2**53 and more, cannot be extended by further events"
            )

    def before(self, key: Sequence[Array], period: Ints) -> Floats:
        """(n, n_values) sums of each key over the periods strictly before `period`; 0 for an unknown key.

        Args:
            key: parts of the key, (n,) integers each.
            period: (n,) int64.
        """
        return self.past(key, period).sums

    def past(self, key: Sequence[Array], period: Ints) -> Past:
        """The same with the last of these periods in which something happened to the key.

        Args:
            key: parts of the key, (n,) integers each.
            period: (n,) int64.
        """
        first, *later = (tally.past(key, period) for tally in self.tallies)
        for past in later:
            np.add(first.sums, past.sums, out=first.sums)
            np.maximum(first.last, past.last, out=first.last)
        return first

    def totals_before(self, period: int) -> Floats:
        """(n_keys, n_values) the sums of every key that was ever counted, before `period`, keys ascending."""
        return self._together.totals_before(period)

    @property
    def _together(self) -> Tally:
        return reduce(Tally.joined, self.tallies)

    def state(self) -> State:
        """All of it as if it had been counted at once."""
        return self._together.state()

    @staticmethod
    def from_state(state: State) -> AsOfCounts:
        return AsOfCounts((Tally.from_state(state),))
