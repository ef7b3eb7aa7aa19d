"""How many of the things that a request may mean are served at all."""

from __future__ import annotations

import numpy as np

from mlsd import checks, ragged
from mlsd.metrics.base import DiversityMetric, ratio
from mlsd.metrics.diversity.base import RankedSubtopics, needs_of
from mlsd.types import Floats, Ints


class SubtopicRecall(DiversityMetric):
    """S-recall: the share of the request's subtopics that the first places serve.

    Subtopics are those that some item of the catalog serves; they count alike, however likely they are
    meant. With more of them than the cutoff, 1 may be out of reach. A request of one subtopic has 1 where any
    of its items is shown, else 0. NaN where the catalog lists nothing; 0 without candidates.

    Args:
        cutoff: how many places count.

    Example:
        >>> from mlsd.types import Candidates, Subtopics
        >>> listed = Subtopics(*map(np.array, ([0, 3], [0, 1, 2], [0, 0, 1], [0.7, 0.7, 0.3])))
        >>> ranked = RankedSubtopics.of(Candidates(np.array([0, 3]), np.array([0, 1, 2])), listed)
        >>> SubtopicRecall(cutoff=2)(ranked).tolist(), SubtopicRecall(cutoff=3)(ranked).tolist()
        ([0.5], [1.0])

    Source: Zhai, Cohen and Lafferty (SIGIR 2003), section 4; `StRecall` of ir-measures.
    """

    def __init__(self, cutoff: int = 10) -> None:
        self.cutoff = checks.at_least("cutoff", cutoff, 1)

    @property
    def name(self) -> str:
        return f"StRecall@{self.cutoff}"

    def __call__(self, ranked: RankedSubtopics) -> Floats:
        shown = ranked.before(self.cutoff)
        n_served = ragged.sums(shown.earlier == 0, shown.offsets)
        return ratio(n_served, _n_subtopics(ranked))


def _n_subtopics(ranked: RankedSubtopics) -> Ints:
    """(n_requests,) different subtopics that the catalog serves."""
    offsets = ranked.listed.offsets
    _, first = np.unique(needs_of(offsets, ranked.listed.subtopic), return_index=True)
    return np.bincount(ragged.segment_ids(offsets)[first], minlength=len(ranked))
