"""Metrics of diversity against ir-measures (pyndeval, TREC's own ndeval) on generated runs and judgements."""

from __future__ import annotations

from typing import Any

import ir_measures
import numpy as np
import pytest

from mlsd.metrics.alpha_ndcg import AlphaNDCG
from mlsd.metrics.base import DiversityMetric
from mlsd.metrics.diversity.base import RankedSubtopics
from mlsd.metrics.subtopic_recall import SubtopicRecall
from mlsd.types import Candidates, Subtopics

N_REQUESTS, N_ITEMS, N_SUBTOPICS = 200, 40, 4
METRICS: tuple[DiversityMetric, ...] = (
    AlphaNDCG(),
    AlphaNDCG(cutoff=3),
    AlphaNDCG(cutoff=20, alpha=0.3),
    SubtopicRecall(),
    SubtopicRecall(cutoff=3),
)
"""Cutoffs lie below and beyond the 1 to 30 candidates that a request has here."""


def document(item: Any) -> str:
    """Of equal items ndeval's ideal takes the last by name, ours the lower: names fall where items rise."""
    return f"d{N_ITEMS - item:03d}"


class Judged:
    """The same rankings and subtopics for us and for ir-measures."""

    def __init__(self) -> None:
        draws = np.random.default_rng(3)
        served = draws.random((N_REQUESTS, N_ITEMS, N_SUBTOPICS)) < 0.12
        request, items, subtopic = np.nonzero(served)
        offsets = np.searchsorted(request, np.arange(N_REQUESTS + 1))
        listed = Subtopics(offsets, items, subtopic, np.full(len(items), 1 / N_SUBTOPICS))
        counts = draws.integers(1, 31, N_REQUESTS)
        shown = [draws.permutation(N_ITEMS)[:count] for count in counts]
        candidates = Candidates(np.concatenate([[0], np.cumsum(counts)]), np.concatenate(shown))
        self.ranked = RankedSubtopics.of(candidates, listed)
        self.run = [
            ir_measures.ScoredDoc(f"q{row:03d}", document(item), float(-place))
            for row, items_shown in enumerate(shown)
            for place, item in enumerate(items_shown)
        ]
        self.qrels = [
            ir_measures.Qrel(f"q{row:03d}", document(item), 1, str(number))
            for row, item, number in zip(request, items, subtopic, strict=True)
        ]

    def theirs(self, measure: Any) -> dict[str, float]:
        found = ir_measures.iter_calc([measure], self.qrels, self.run)
        return {metric.query_id: metric.value for metric in found}


@pytest.fixture(scope="module")
def judged() -> Judged:
    return Judged()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_values_are_those_of_ndeval(judged: Judged, metric: DiversityMetric) -> None:
    theirs = judged.theirs(ir_measures.parse_measure(metric.name))
    ours = metric(judged.ranked)
    assert len(theirs) == N_REQUESTS
    expected = [theirs[f"q{row:03d}"] for row in range(N_REQUESTS)]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
