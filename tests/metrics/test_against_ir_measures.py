"""Ranking metrics against ir-measures (pytrec_eval; msmarco for RR@k) on generated runs and judgements."""

from __future__ import annotations

from typing import Any

import ir_measures
import numpy as np
import pytest

from mlsd.metrics.average_precision import AveragePrecision
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.metrics.f1_at import F1At
from mlsd.metrics.ndcg import NDCG
from mlsd.metrics.precision_at import PrecisionAt
from mlsd.metrics.recall_at import RecallAt
from mlsd.metrics.reciprocal_rank import ReciprocalRank
from mlsd.types import Candidates, Floats, Judgements

N_REQUESTS, N_ITEMS, MAX_CANDIDATES = 150, 60, 40

METRICS: tuple[RankingMetric, ...] = (
    NDCG(cutoff=10),
    NDCG(cutoff=3),
    NDCG(),
    ReciprocalRank(),
    ReciprocalRank(rel=2),
    ReciprocalRank(cutoff=10),
    AveragePrecision(),
    AveragePrecision(rel=2),
    AveragePrecision(rel=2, cutoff=10),
    PrecisionAt(cutoff=10),
    PrecisionAt(cutoff=5, rel=2),
    PrecisionAt(rel=2),
    RecallAt(cutoff=10),
    RecallAt(cutoff=100, rel=2),
    RecallAt(),
    F1At(rel=2),
)
"""Cutoffs lie below and beyond the 1 to 40 candidates that a request has here."""


class Judged:
    """The same rankings and judgements for us and for ir-measures, by scores without ties."""

    def __init__(self) -> None:
        draws = np.random.default_rng(11)
        counts = draws.integers(1, MAX_CANDIDATES + 1, N_REQUESTS)
        items = np.concatenate([draws.permutation(N_ITEMS)[:count] for count in counts])
        grades = draws.integers(1, 5, (N_REQUESTS, N_ITEMS)) * (draws.random((N_REQUESTS, N_ITEMS)) < 0.15)
        rows, judged_items = np.nonzero(grades)
        offsets, judged_offsets = (
            np.concatenate([[0], np.cumsum(n)]) for n in (counts, np.bincount(rows, minlength=N_REQUESTS))
        )
        judged_grades = grades[rows, judged_items].astype(np.float64)
        candidates = Candidates(offsets, items)
        self.ranked = RankedGrades.of(candidates, Judgements(judged_offsets, judged_items, judged_grades))
        self.run = [
            ir_measures.ScoredDoc(str(request), str(item), float(-row))
            for row, (request, item) in enumerate(zip(candidates.request_rows, items, strict=True))
        ]
        self.qrels = [
            ir_measures.Qrel(str(request), str(item), int(grades[request, item]))
            for request, item in zip(rows, judged_items, strict=True)
        ]

    def values(self, provider: Any, measure: Any) -> Floats:
        """(n_requests,) of ir-measures, NaN where it has none."""
        values = np.full(N_REQUESTS, np.nan)
        for value in provider.iter_calc([measure], self.qrels, self.run):
            values[int(value.query_id)] = value.value
        return values


@pytest.fixture(scope="module")
def judged() -> Judged:
    return Judged()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_values_are_those_of_ir_measures(judged: Judged, metric: RankingMetric) -> None:
    measure = ir_measures.parse_measure(metric.name)
    provider = ir_measures.msmarco if metric.name == "RR@10" else ir_measures.pytrec_eval
    expected = judged.values(provider, measure)
    values = metric(judged.ranked)
    known = ~np.isnan(values)
    assert 100 < known.sum() <= N_REQUESTS
    np.testing.assert_allclose(values[known], expected[known], atol=1e-9)
    np.testing.assert_array_equal(np.nan_to_num(expected[~known]), 0)


@pytest.mark.parametrize("cutoff", [3, 10, None])
def test_exponential_ndcg_is_that_of_mapped_gains(judged: Judged, cutoff: int | None) -> None:
    """The pytrec_eval provider has linear gain only, but takes any gain by grade."""
    measure = ir_measures.nDCG(gains={grade: 2**grade - 1 for grade in range(5)})
    expected = judged.values(ir_measures.pytrec_eval, measure @ cutoff if cutoff else measure)
    values = NDCG(cutoff=cutoff, gain="exponential")(judged.ranked)
    np.testing.assert_allclose(values, expected, atol=1e-9)


@pytest.mark.parametrize(
    "metric", [*METRICS, NDCG(cutoff=10, gain="exponential")], ids=lambda metric: metric.name
)
def test_names_are_those_of_ir_measures(metric: RankingMetric) -> None:
    assert str(ir_measures.parse_measure(metric.name)) == metric.name


def test_f1_at_a_cutoff_is_that_of_its_precision_and_recall(judged: Judged) -> None:
    precision, recall = (
        judged.values(ir_measures.pytrec_eval, ir_measures.parse_measure(name))
        for name in ("P(rel=2)@10", "R(rel=2)@10")
    )
    values = F1At(cutoff=10, rel=2)(judged.ranked)
    expected = np.where(precision > 0, 2 * precision * recall / np.maximum(precision + recall, 1e-300), 0)
    known = ~np.isnan(values)
    np.testing.assert_allclose(values[known], expected[known], atol=1e-9)
