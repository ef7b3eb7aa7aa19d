"""Which of the things that a request may mean its ranked candidates serve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlsd import ragged
from mlsd.errors import InputError
from mlsd.types import Candidates, Ints, Subtopics


@dataclass(frozen=True)
class RankedSubtopics:
    """The subtopics that ranked candidates serve, beside all that the catalog has to offer.

    A candidate that serves several has a row for each, one that serves none has no row.

    Args:
        offsets: (n_requests + 1,) int64.
        position: (n_rows,) int64, 0-based place of the candidate, ascending within a request.
        subtopic: (n_rows,) int64, ascending within a place.
        listed: the subtopics of every relevant item of the catalog.
    """

    offsets: Ints
    position: Ints
    subtopic: Ints
    listed: Subtopics

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @staticmethod
    def of(candidates: Candidates, subtopics: Subtopics) -> RankedSubtopics:
        """Candidates in their given order; each item comes once for a request.

        Example:
            >>> listed = Subtopics(*map(np.array, ([0, 3], [4, 7, 7], [0, 0, 1], [0.5, 0.5, 0.5])))
            >>> ranked = RankedSubtopics.of(Candidates(np.array([0, 3]), np.array([7, 2, 4])), listed)
            >>> ranked.position.tolist(), ranked.subtopic.tolist()
            ([0, 0, 2], [0, 1, 0])
        """
        if candidates.n_requests != len(subtopics.offsets) - 1:
            n_listed = len(subtopics.offsets) - 1
            raise InputError(f"candidates of {candidates.n_requests} requests but subtopics of {n_listed}")
        request, starts = _pairs(subtopics)
        found, pair = ragged.find_pairs(
            (candidates.request_rows, candidates.items), (request, subtopics.items[starts[:-1]])
        )
        served = np.flatnonzero(found)
        rows, counts = ragged.take_segments(starts, pair[served])
        position = np.repeat(ragged.positions(candidates.offsets)[served], np.diff(counts))
        offsets = counts[ragged.offsets_of_mask(found, candidates.offsets)]
        return RankedSubtopics(offsets, position, subtopics.subtopic[rows], subtopics)

    def before(self, cutoff: int) -> RankedSubtopics:
        """What stands at the first `cutoff` places."""
        kept = self.position < cutoff
        offsets = ragged.offsets_of_mask(kept, self.offsets)
        return RankedSubtopics(offsets, self.position[kept], self.subtopic[kept], self.listed)

    def take(self, requests: Ints) -> RankedSubtopics:
        """The requests at these rows."""
        rows, offsets = ragged.take_segments(self.offsets, requests)
        listed = self.listed.take(requests)
        return RankedSubtopics(offsets, self.position[rows], self.subtopic[rows], listed)

    @cached_property
    def earlier(self) -> Ints:
        """(n_rows,) how many candidates above serve the same subtopic."""
        key = needs_of(self.offsets, self.subtopic)
        order = np.argsort(key, kind="stable")
        starts = np.append(np.flatnonzero(np.diff(key[order], prepend=-1)), len(key))
        earlier = np.empty(len(key), np.int64)
        earlier[order] = ragged.positions(starts) if len(key) else 0
        return earlier

    @cached_property
    def listed_items(self) -> tuple[Ints, Ints]:
        """Offsets of each request's listed items (n_requests + 1,) and of the rows of each (n_items + 1,)."""
        request, starts = _pairs(self.listed)
        return np.searchsorted(request, np.arange(len(self) + 1)), starts


def needs_of(offsets: Ints, subtopic: Ints) -> Ints:
    """(n_rows,) a number for each subtopic of each request, which differ between requests."""
    return ragged.segment_ids(offsets) * (1 + int(subtopic.max(initial=0))) + subtopic


def _pairs(subtopics: Subtopics) -> tuple[Ints, Ints]:
    """(n_pairs,) the request of every pair of request and item, and (n_pairs + 1,) offsets of its rows."""
    request = ragged.segment_ids(subtopics.offsets)
    differs = (np.diff(request, prepend=-1) != 0) | (np.diff(subtopics.items, prepend=-1) != 0)
    starts = np.flatnonzero(differs)
    return request[starts], np.append(starts, len(request)).astype(np.int64)
