"""Metrics and intervals: python benchmarks/bench_metrics.py.

Ours takes ragged grades and scores; the other way is one plain vectorised NumPy pass over the same numbers
as a rectangle, which needs every request to have as many candidates.
"""

from __future__ import annotations

import resource
from typing import NamedTuple

import numpy as np
from timing import median_seconds, paired

from mlsd import ragged
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.metrics.auc import AUC
from mlsd.metrics.average_precision import AveragePrecision
from mlsd.metrics.base import PredictionMetric, Predictions, RankedGrades
from mlsd.metrics.calibration_error import CalibrationError
from mlsd.metrics.f1 import F1
from mlsd.metrics.log_loss import LogLoss
from mlsd.metrics.ndcg import NDCG
from mlsd.metrics.normalised_entropy import NormalisedEntropy
from mlsd.metrics.precision import Precision
from mlsd.metrics.recall import Recall
from mlsd.metrics.reciprocal_rank import ReciprocalRank
from mlsd.types import Array, Floats

N_REQUESTS, N_CANDIDATES, N_ROWS, N_USERS = 10_000, 100, 100_000, 10_000
RANKING = (NDCG(cutoff=10), AveragePrecision(rel=2), ReciprocalRank(rel=2))
PREDICTION: tuple[PredictionMetric, ...] = (
    AUC(), LogLoss(), CalibrationError(), NormalisedEntropy(), Precision(), Recall(), F1()
)  # fmt: skip


class Judged(NamedTuple):
    """Scores and grades, ragged and as a rectangle."""

    ranked: RankedGrades
    """With the same 100 candidates for each request, or as many cut into requests of 0 to 200."""
    scores: Array
    grades: Floats


def judged(dtype: type[np.floating], *, uneven: bool = False) -> Judged:
    draws = np.random.default_rng(0)
    grades = np.where(draws.random((N_REQUESTS, N_CANDIDATES)) < 0.2, draws.integers(1, 5, N_CANDIDATES), 0.0)
    offsets = np.arange(N_REQUESTS + 1) * N_CANDIDATES
    if uneven:
        offsets[1:-1] += draws.integers(-N_CANDIDATES // 2, N_CANDIDATES // 2 + 1, N_REQUESTS - 1)
    positive = grades.ravel() > 0
    ideal_offsets = ragged.offsets_of_mask(positive, offsets)
    ideal = grades.ravel()[positive]
    ideal = ideal[ragged.order(ideal, ideal_offsets)]
    scores = draws.normal(size=grades.shape).astype(dtype)
    return Judged(RankedGrades(grades.ravel(), offsets, ideal, ideal_offsets), scores, grades)


def ours(work: Judged) -> list[Floats]:
    ranked = work.ranked.sorted_by(work.scores.reshape(-1))
    return [metric(ranked) for metric in RANKING]


def plain(work: Judged) -> list[Floats]:
    """One pass over the rectangle; requests without a relevant item are NaN."""
    grades = np.take_along_axis(work.grades, np.argsort(-work.scores, axis=1), axis=1)
    ideal = -np.sort(-work.grades, axis=1)
    discounts = 1 / np.log2(np.arange(2, 12))
    relevant = grades >= 2
    precision = np.cumsum(relevant, axis=1) / np.arange(1, N_CANDIDATES + 1)
    n_relevant = relevant.sum(axis=1)
    with np.errstate(invalid="ignore"):
        ndcg = (grades[:, :10] @ discounts) / (ideal[:, :10] @ discounts)
        average_precision = (precision * relevant).sum(axis=1) / n_relevant
    reciprocal_rank = np.where(n_relevant > 0, 1 / (1 + relevant.argmax(axis=1)), np.nan)
    return [ndcg, average_precision, reciprocal_rank]


def bench_ranking(dtype: type[np.floating]) -> None:
    what = f"nDCG@10 + AP + RR, {N_REQUESTS:,} requests, {np.dtype(dtype).name} scores"
    even, uneven = judged(dtype), judged(dtype, uneven=True)
    for mine, theirs in zip(ours(even), plain(even), strict=True):
        np.testing.assert_allclose(mine, theirs)
    print(f"{what}, {N_CANDIDATES} candidates: {paired(lambda: ours(even), lambda: plain(even))}")
    print(f"{what}, 0 to 200 candidates: {paired(lambda: ours(uneven), lambda: plain(even))}")


def bench_intervals() -> None:
    draws = np.random.default_rng(1)
    prob = draws.beta(1, 9, N_ROWS)
    outcome = (draws.random(N_ROWS) < prob).astype(np.float64)
    predictions = Predictions(prob, outcome, unit=draws.integers(0, N_USERS, N_ROWS))
    bootstrap = Bootstrap(n_replicates=500)
    for metrics in (PREDICTION[:1], PREDICTION):
        taken = median_seconds(lambda chosen=metrics: bootstrap.of_predictions(chosen, predictions), 3)  # type: ignore[misc]
        names = " + ".join(metric.name for metric in metrics)
        print(f"{names}: 500 replicates of {N_ROWS:,} rows of {N_USERS:,} users: {taken:.2f} s")
    values = draws.random((N_REQUESTS, 60))
    units = draws.integers(0, N_USERS // 3, N_REQUESTS)
    taken = median_seconds(lambda: Bootstrap().means(values, units), 3)
    print(f"means of 60 figures of {N_REQUESTS:,} requests: 1000 replicates: {taken:.2f} s")


def main() -> None:
    bench_ranking(np.float32)
    bench_ranking(np.float64)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bench_intervals()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory {before / 1024:.0f} MiB before the intervals, {after / 1024:.0f} MiB after")


if __name__ == "__main__":
    main()
