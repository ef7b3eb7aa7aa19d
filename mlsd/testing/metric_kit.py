"""What every metric must keep: inherit a kit, say how the metric is made, and pytest runs the cases.

class TestNDCG(MetricKit):
    def make(self) -> RankingMetric:
        return NDCG(cutoff=10)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np

from mlsd import ragged
from mlsd.metrics.base import DiversityMetric, PredictionMetric, Predictions, RankedGrades, RankingMetric
from mlsd.metrics.diversity.base import RankedSubtopics
from mlsd.types import Array, Candidates, Floats, Subtopics


def random_grades(n_requests: int = 200, seed: int = 0, max_grade: int = 4) -> RankedGrades:
    """Rankings of 0 to 15 candidates, 40% relevant, that miss some of the catalog's relevant items.

    The first request has no candidates, the second nothing relevant, the third nothing at all.
    """
    draws = np.random.default_rng(seed)
    counts = draws.integers(0, 16, n_requests)
    counts[:3] = 0, 3, 0
    offsets = ragged.offsets_of_counts(counts)
    grades = draws.integers(1, max_grade + 1, offsets[-1]) * (draws.random(offsets[-1]) < 0.4)
    grades[offsets[1] : offsets[3]] = 0
    n_missed = draws.integers(0, 3, n_requests)
    n_missed[:3] = 2, 0, 0
    return _with_ideal(grades.astype(np.float64), offsets, n_missed, draws)


def _with_ideal(grades: Floats, offsets: Array, n_missed: Array, draws: np.random.Generator) -> RankedGrades:
    """Rankings whose catalog also holds items with the highest grade or less that were not retrieved."""
    missed = draws.integers(1, max(grades.max(), 1) + 1, n_missed.sum()).astype(np.float64)
    found = grades > 0
    owners = np.concatenate(
        [ragged.segment_ids(offsets)[found], np.repeat(np.arange(len(n_missed)), n_missed)]
    )
    ideal = np.concatenate([grades[found], missed])
    ideal_offsets = ragged.offsets_of_counts(np.bincount(owners, minlength=len(n_missed)))
    return RankedGrades(grades, offsets, ideal[np.lexsort((-ideal, owners))], ideal_offsets)


class MetricKit(ABC):
    """Cases of a ranking metric."""

    lowest: float = 0.0
    highest: float = 1.0

    perfect_is_highest: bool = True
    """Whether the ideal ranking gets `highest`; not so where a cutoff leaves places empty or items out."""

    @abstractmethod
    def make(self) -> RankingMetric:
        """The metric to be tested."""

    def test_values_stay_within_bounds(self) -> None:
        values = self._known(random_grades())
        np.testing.assert_array_less(self.lowest - 1e-12, values)
        np.testing.assert_array_less(values, self.highest + 1e-12)

    def test_there_is_one_value_for_every_request(self) -> None:
        np.testing.assert_equal(self.make()(random_grades(50)).shape, (50,))
        np.testing.assert_equal(self.make()(random_grades(50).take(np.zeros(0, np.int64))).shape, (0,))

    def test_the_ideal_ranking_is_best(self) -> None:
        judged = random_grades()
        ideal = RankedGrades(judged.ideal, judged.ideal_offsets, judged.ideal, judged.ideal_offsets)
        np.testing.assert_array_less(self._known(judged), self._known(ideal) + 1e-12)
        if self.perfect_is_highest:
            np.testing.assert_allclose(self._known(ideal), self.highest)

    def test_the_oracle_is_no_worse_than_any_order(self) -> None:
        judged = random_grades()
        shuffled = judged.sorted_by(np.random.default_rng(1).random(len(judged.grades)))
        best = self._known(judged.oracle())
        np.testing.assert_array_less(self._known(judged), best + 1e-12)
        np.testing.assert_array_less(self._known(shuffled), best + 1e-12)

    def test_moving_a_better_item_up_never_harms(self) -> None:
        judged = random_grades()
        positions = ragged.positions(judged.offsets)
        wrong = np.flatnonzero((positions[1:] > 0) & (judged.grades[1:] > judged.grades[:-1])) + 1
        apart = wrong[np.diff(wrong, prepend=-2) > 1]
        rows = np.arange(len(judged.grades))
        rows[apart], rows[apart - 1] = apart - 1, apart
        moved = RankedGrades(judged.grades[rows], judged.offsets, judged.ideal, judged.ideal_offsets)
        np.testing.assert_array_less(self._known(judged), self._known(moved) + 1e-12)

    def test_batches_change_nothing(self) -> None:
        judged = random_grades()
        metric = self.make()
        parts = [metric(judged.take(np.arange(start, start + 40))) for start in range(0, 200, 40)]
        np.testing.assert_array_equal(metric(judged), np.concatenate(parts))

    def test_ties_keep_the_order_they_come_in(self) -> None:
        judged = random_grades()
        tied = judged.sorted_by(np.zeros(len(judged.grades)))
        np.testing.assert_array_equal(self.make()(tied), self.make()(judged))

    def test_nothing_relevant_says_nothing_and_no_candidates_get_the_lowest(self) -> None:
        values = self.make()(random_grades())[:3]
        np.testing.assert_array_equal(values, [self.lowest, np.nan, np.nan])

    def _known(self, ranked: RankedGrades) -> Floats:
        values = self.make()(ranked)
        return values[~np.isnan(values)]


def random_predictions(n: int = 400, n_units: int = 30, seed: int = 0) -> Predictions:
    """Probabilities with ties, right on the whole but coarse, of units of different size."""
    draws = np.random.default_rng(seed)
    prob = np.round(draws.beta(2, 3, n), 2)
    outcome = (draws.random(n) < prob).astype(np.float64)
    return Predictions(prob, outcome, unit=1000 + np.floor(n_units * draws.random(n) ** 2).astype(np.int64))


class PredictionMetricKit(ABC):
    """Cases of a prediction metric."""

    fixed_by_rows: bool = False
    """Whether something other than sums, such as the edges of bins, is taken from the rows at hand."""

    smooth: bool = True
    """Whether a unit that counts a little more moves the figure in proportion."""

    @abstractmethod
    def make(self) -> PredictionMetric:
        """The metric to be tested."""

    def test_order_of_rows_changes_nothing(self) -> None:
        predictions = random_predictions()
        shuffled = predictions.take(np.random.default_rng(1).permutation(len(predictions)))
        np.testing.assert_allclose(self.make()(shuffled), self.make()(predictions), rtol=1e-9)

    def test_a_unit_that_counts_twice_is_there_twice(self) -> None:
        predictions = random_predictions()
        counts = np.random.default_rng(2).integers(0, 4, (5, len(predictions.unit_ids)))
        counts[0] = 2
        resampled = self.make().statistic(predictions).resampled(counts)[:, 0]
        for row, of_units in zip(resampled, counts, strict=True):
            repeated = predictions.take(
                np.repeat(np.arange(len(predictions)), of_units[predictions.unit_codes])
            )
            if not self.fixed_by_rows:
                np.testing.assert_allclose(row, self.make()(repeated), rtol=1e-9)
        np.testing.assert_allclose(resampled[0], self.make()(predictions), rtol=1e-9)

    def test_blocks_of_replicates_change_nothing(self) -> None:
        statistic = self.make().statistic(random_predictions())
        counts = np.random.default_rng(3).integers(0, 5, (23, 30))
        parts = np.concatenate([statistic.resampled(counts[i : i + 5]) for i in range(0, 23, 5)])
        np.testing.assert_array_equal(statistic.resampled(counts), parts)

    def test_influence_is_what_a_unit_adds(self) -> None:
        """Units counted 1000 times, one of them once more: the derivative, up to one factor for all units."""
        predictions = random_predictions()
        statistic = self.make().statistic(predictions)
        n_units = len(predictions.unit_ids)
        moved = statistic.resampled(1000 + np.eye(n_units, dtype=np.int64))[:, 0] - statistic.value[0]
        influence = statistic.influence()[:, 0]
        correlation = np.corrcoef(moved, influence)[0, 1]
        if self.smooth:
            np.testing.assert_array_less(0.99, correlation)

    def test_no_rows_have_no_figure(self) -> None:
        none = random_predictions().take(np.zeros(0, np.int64))
        np.testing.assert_equal(self.make()(none), np.nan)


def random_subtopics(n_requests: int = 200, seed: int = 0, n_subtopics: int = 4) -> RankedSubtopics:
    """Rankings of 0 to 15 of 25 items, of which some serve one to four subtopics.

    The first request has no candidates, the second nothing listed, the third nothing at all, the fourth one
    subtopic.
    """
    draws = np.random.default_rng(seed)
    served = draws.random((n_requests, 25, n_subtopics)) < 0.1
    served[0, 7, 0] = True
    served[1:3] = False
    served[3, :, 1:] = False
    served[3, 7, 0] = True
    request, items, subtopic = np.nonzero(served)
    offsets = np.searchsorted(request, np.arange(n_requests + 1))
    listed = Subtopics(offsets, items, subtopic, np.full(len(items), 1 / n_subtopics))
    counts = draws.integers(0, 16, n_requests)
    counts[:4] = 0, 3, 0, 5
    shown = np.concatenate([draws.permutation(25)[:count] for count in counts])
    return RankedSubtopics.of(Candidates(ragged.offsets_of_counts(counts), shown), listed)


class DiversityMetricKit(ABC):
    """Cases of a metric of diversity."""

    highest: float = 1.0

    @abstractmethod
    def make(self) -> DiversityMetric:
        """The metric to be tested."""

    def test_values_stay_within_bounds(self) -> None:
        values = self.make()(random_subtopics())
        known = values[~np.isnan(values)]
        np.testing.assert_array_less(-1e-12, known)
        np.testing.assert_array_less(known, self.highest + 1e-12)

    def test_there_is_one_value_for_every_request(self) -> None:
        np.testing.assert_equal(self.make()(random_subtopics(50)).shape, (50,))
        np.testing.assert_equal(self.make()(random_subtopics(50).take(np.zeros(0, np.int64))).shape, (0,))

    def test_batches_change_nothing(self) -> None:
        ranked, metric = random_subtopics(), self.make()
        parts = [metric(ranked.take(np.arange(start, start + 40))) for start in range(0, 200, 40)]
        np.testing.assert_array_equal(metric(ranked), np.concatenate(parts))

    def test_nothing_listed_says_nothing_and_no_candidates_get_nothing(self) -> None:
        values = self.make()(random_subtopics())[:3]
        np.testing.assert_array_equal(values, [0, np.nan, np.nan])

    def test_numbers_of_subtopics_mean_nothing(self) -> None:
        ranked = random_subtopics()
        listed = ranked.listed
        renamed = replace(listed, subtopic=3 * listed.subtopic + 2)
        other = replace(ranked, subtopic=3 * ranked.subtopic + 2, listed=renamed)
        np.testing.assert_array_equal(self.make()(other), self.make()(ranked))

    def test_what_serves_nothing_does_no_good_on_top(self) -> None:
        ranked = random_subtopics()
        pushed = replace(ranked, position=ranked.position + 1)
        values, after = self.make()(ranked), self.make()(pushed)
        np.testing.assert_array_less(after[~np.isnan(after)], values[~np.isnan(values)] + 1e-12)

    def test_more_on_a_slate_never_harms(self) -> None:
        ranked, metric = random_subtopics(), self.make()
        for n in range(1, metric.cutoff):
            fewer, more = metric(ranked.before(n)), metric(ranked.before(n + 1))
            np.testing.assert_array_less(fewer[~np.isnan(fewer)], more[~np.isnan(more)] + 1e-12)
