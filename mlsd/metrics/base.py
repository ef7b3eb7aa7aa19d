"""How well candidates are ordered, and how well responses are predicted.

Ranking metrics are named as in ir-measures and read grades in ranked order, all requests at once. Prediction
metrics read probabilities and outcomes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InputError
from mlsd.estimators.base import UnitStatistic, UnitSums
from mlsd.metrics.diversity.base import RankedSubtopics
from mlsd.types import Array, Candidates, Floats, Ints, Judgements

_ANY_GRADE = float(np.finfo(np.float64).smallest_subnormal)
_SMALLEST_PROB = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class RankedGrades:
    """The grades of ranked candidates beside the best that the whole catalog has to offer.

    Args:
        grades: (n_candidates,) float64, 0 or more, each request's candidates in the order they are ranked.
        offsets: (n_requests + 1,) int64.
        ideal: (n_judged,) float64, every positive grade of the catalog, falling within a request.
        ideal_offsets: (n_requests + 1,) int64.
    """

    grades: Floats
    offsets: Ints
    ideal: Floats
    ideal_offsets: Ints

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.ideal_offsets):
            n_ranked, n_judged = len(self.offsets) - 1, len(self.ideal_offsets) - 1
            raise InputError(f"candidates of {n_ranked} requests but judgements of {n_judged}")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @staticmethod
    def of(candidates: Candidates, judgements: Judgements) -> RankedGrades:
        """Candidates in their given order, judged."""
        positive = judgements.grades > 0
        offsets = ragged.offsets_of_mask(positive, judgements.offsets)
        grades = judgements.grades[positive]
        ideal = grades[ragged.order(grades, offsets)]
        return RankedGrades(judgements.grades_of(candidates), candidates.offsets, ideal, offsets)

    def sorted_by(self, scores: Array) -> RankedGrades:
        """The same candidates by falling score; ties keep the order they come in."""
        grades = self.grades[ragged.order(scores, self.offsets)]
        return RankedGrades(grades, self.offsets, self.ideal, self.ideal_offsets)

    def oracle(self) -> RankedGrades:
        """The same candidates in the best order there is: the ceiling that a stage leaves to the next.

        Example:
            >>> ideal, offsets = np.array([4.0, 3.0, 1.0]), np.array([0, 3])
            >>> RankedGrades(np.array([1.0, 3.0]), np.array([0, 2]), ideal, offsets).oracle().grades.tolist()
            [3.0, 1.0]
        """
        return self.sorted_by(self.grades)

    def take(self, requests: Array) -> RankedGrades:
        """The requests at these rows: integer positions or a boolean mask."""
        taken = np.arange(len(self))[requests]
        rows, offsets = ragged.take_segments(self.offsets, taken)
        ideal_rows, ideal_offsets = ragged.take_segments(self.ideal_offsets, taken)
        return RankedGrades(self.grades[rows], offsets, self.ideal[ideal_rows], ideal_offsets)

    def hits(self, rel: float = _ANY_GRADE) -> Hits:
        """The relevant candidates: with a grade of at least `rel`, or with any positive grade."""
        if rel not in self._hits:
            self._hits[rel] = self._find_hits(rel)
        return self._hits[rel]

    @cached_property
    def _hits(self) -> dict[float, Hits]:
        return {}

    def _find_hits(self, rel: float) -> Hits:
        rows = np.flatnonzero(self.grades >= rel)
        offsets = np.searchsorted(rows, self.offsets)
        positions = rows - np.repeat(self.offsets[:-1], np.diff(offsets))
        n_relevant = ragged.sums(self.ideal >= rel, self.ideal_offsets)
        return Hits(rows, positions, offsets, n_relevant, np.diff(self.offsets))


@dataclass(frozen=True)
class Hits:
    """The relevant candidates of each request.

    Args:
        rows: (n_hits,) int64, row numbers of candidates, ascending.
        positions: (n_hits,) int64, 0-based place of each among the candidates of its request.
        offsets: (n_requests + 1,) int64.
        n_relevant: (n_requests,) relevant items of the whole catalog.
        n_places: (n_requests,) places looked at: the cutoff, or the number of candidates when there is none.
    """

    rows: Ints
    positions: Ints
    offsets: Ints
    n_relevant: Ints
    n_places: Ints

    @property
    def counts(self) -> Ints:
        """(n_requests,) hits of each request."""
        return np.diff(self.offsets)

    def before(self, cutoff: int | None) -> Hits:
        """The hits at the first `cutoff` places; all of them for None."""
        if cutoff is None:
            return self
        kept = self.positions < cutoff
        offsets = ragged.offsets_of_mask(kept, self.offsets)
        n_places = np.full_like(self.n_places, cutoff)
        return Hits(self.rows[kept], self.positions[kept], offsets, self.n_relevant, n_places)


class RankingMetric(ABC):
    """A figure for every request."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As in ir-measures, such as `nDCG@10`."""

    @abstractmethod
    def __call__(self, ranked: RankedGrades) -> Floats:
        """(n_requests,) values in [0, 1].

        NaN where the catalog holds nothing relevant to the request: the metric says nothing about it.
        0 where it does but there are no candidates.
        """


class BinaryRankingMetric(RankingMetric):
    """A ranking metric to which an item is relevant or not.

    Args:
        cutoff: how many places count; None counts all candidates.
        rel: the lowest grade that is relevant, above 0.
    """

    label: ClassVar[str]
    """The name with a cutoff, without its parameters."""

    label_without_cutoff: ClassVar[str]

    def __init__(self, cutoff: int | None = None, rel: float = 1.0) -> None:
        self.cutoff = cutoff if cutoff is None else checks.at_least("cutoff", cutoff, 1)
        self.rel = checks.above("rel", rel, 0)

    @property
    def name(self) -> str:
        label = self.label_without_cutoff if self.cutoff is None else self.label
        return f"{label}{'' if self.rel == 1 else f'(rel={self.rel:g})'}{at_cutoff(self.cutoff)}"

    def __call__(self, ranked: RankedGrades) -> Floats:
        hits = ranked.hits(self.rel).before(self.cutoff)
        return np.where(hits.n_relevant > 0, self.of_hits(hits), np.nan)

    @abstractmethod
    def of_hits(self, hits: Hits) -> Floats:
        """(n_requests,) values; anything where nothing is relevant."""


class DiversityMetric(ABC):
    """A figure for every request, by which of the things that it may mean are served."""

    cutoff: int

    @property
    @abstractmethod
    def name(self) -> str:
        """As in ir-measures, such as `alpha_nDCG@10`."""

    @abstractmethod
    def __call__(self, ranked: RankedSubtopics) -> Floats:
        """(n_requests,) values, 0 or more; NaN and 0 as for a `RankingMetric`."""


def at_cutoff(cutoff: int | None) -> str:
    """The end of a metric's name."""
    return "" if cutoff is None else f"@{cutoff}"


def ratio(numerator: Array, denominator: Array) -> Floats:
    """Quotients, NaN where the denominator is 0.

    Example:
        >>> ratio(np.array([1, 0]), np.array([2, 0])).tolist()
        [0.5, nan]
    """
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    quotient = np.full(shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


@dataclass(frozen=True)
class Predictions:
    """Predicted probabilities of a response, what came of them, and whose they are.

    Args:
        prob: (n,) predicted probabilities, in [0, 1].
        outcome: (n,) 0 or 1.
        unit: (n,) the independent unit of each row, such as the user; any integers.
    """

    prob: Floats
    outcome: Floats
    unit: Ints

    def __post_init__(self) -> None:
        if not len(self.prob) == len(self.outcome) == len(self.unit):
            sizes = f"{len(self.prob)}, {len(self.outcome)} and {len(self.unit)}"
            raise InputError(f"prob, outcome and unit have {sizes} rows, must have the same number")
        checks.every_row_between("prob", self.prob, 0, 1, "in [0, 1]")
        checks.every_row("outcome", self.outcome, (self.outcome == 0) | (self.outcome == 1), "0 or 1")

    def __len__(self) -> int:
        return len(self.prob)

    @cached_property
    def _units(self) -> tuple[Ints, Ints]:
        ids, codes = np.unique(self.unit, return_inverse=True)
        return ids, codes

    @property
    def unit_ids(self) -> Ints:
        """(n_units,) the units there are, ascending."""
        return self._units[0]

    @property
    def unit_codes(self) -> Ints:
        """(n,) the row in `unit_ids` of each row's unit."""
        return self._units[1]

    def unit_sums(self, terms: Sequence[Array]) -> Floats:
        """(n_units, n_terms) sum of each (n,) term over the rows of each unit."""
        n_units = len(self.unit_ids)
        return np.stack([np.bincount(self.unit_codes, term, n_units) for term in terms], axis=1)

    def take(self, rows: Array) -> Predictions:
        """The predictions at these rows: integer positions or a boolean mask."""
        return Predictions(self.prob[rows], self.outcome[rows], self.unit[rows])


class PredictionMetric(ABC):
    """A figure for a set of predicted probabilities, which can be computed again for resampled units."""

    judges_confidence: ClassVar[bool] = True
    """Whether it says something about how sure a classifier is of the class it chose, where the outcome is
    whether that was right."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Such as `AUC`."""

    @abstractmethod
    def statistic(self, predictions: Predictions) -> UnitStatistic:
        """The one figure as a function of how often each unit counts; all slow work is done here, once."""

    def __call__(self, predictions: Predictions) -> float:
        """The figure; NaN where undefined, as with outcomes of one class only."""
        return float(self.statistic(predictions).value[0])


class AdditiveMetric(PredictionMetric):
    """A prediction metric that is a function of sums over rows."""

    @abstractmethod
    def terms(self, prob: Floats, outcome: Floats) -> list[Array]:
        """What is summed: (n,) arrays."""

    @abstractmethod
    def of_sums(self, *sums: Floats) -> Floats:
        """The figure from the sum of each term, arrays of one shape; NaN where undefined."""

    def statistic(self, predictions: Predictions) -> UnitStatistic:
        return UnitSums(
            predictions.unit_sums(self.terms(predictions.prob, predictions.outcome)), self._figures
        )

    def _figures(self, totals: Floats) -> Floats:
        return self.of_sums(*np.moveaxis(totals, -1, 0))[..., None]


class ThresholdMetric(AdditiveMetric):
    """A prediction metric that reads a probability as a yes from a threshold on.

    Args:
        threshold: the lowest probability that counts as a yes, in [0, 1]; None takes the mean of what is
            predicted, so that frequent and rare outcomes can be read alike.
    """

    label: ClassVar[str]
    judges_confidence = False
    """A class that was chosen is a yes already, and `F1(intent)` would be taken for the F1 of intents."""

    def __init__(self, threshold: float | None = 0.5) -> None:
        self.threshold = threshold if threshold is None else checks.share("threshold", threshold)

    @property
    def name(self) -> str:
        return f"{self.label}(threshold={'mean' if self.threshold is None else f'{self.threshold:g}'})"

    def terms(self, prob: Floats, outcome: Floats) -> list[Array]:
        """Hits, rows predicted to respond, rows that responded."""
        threshold = prob.mean() if self.threshold is None and len(prob) else self.threshold
        predicted = (prob >= (threshold or 0.0)).astype(np.float64)
        return [predicted * outcome, predicted, outcome]


@dataclass(frozen=True)
class RowFigure:
    """A figure that is a function of sums over rows, such as a share of requests, or an F1.

    Args:
        terms: (n_rows, n_terms) float64; a row that the figure says nothing about has zeros.
        of_sums: takes one array of totals for each term to the figure, NaN where undefined.

    Example:
        >>> corrected = RowFigure.share(np.array([True, False, True]), among=np.array([True, True, False]))
        >>> corrected.statistic(unit=np.array([7, 8, 9])).value.tolist()
        [0.5]
    """

    terms: Floats
    of_sums: Callable[..., Floats]

    @staticmethod
    def share(done: Array, among: Array) -> RowFigure:
        """The share of the rows `among` which something was done, both (n_rows,) bool."""
        return RowFigure(np.stack([done & among, among], axis=1).astype(np.float64), ratio)

    def take(self, rows: Array) -> RowFigure:
        """The figure of these rows: integer positions or a boolean mask."""
        return RowFigure(self.terms[rows], self.of_sums)

    def statistic(self, unit: Ints) -> UnitStatistic:
        """The figure as a function of how often each unit counts.

        Args:
            unit: (n_rows,) the independent unit of each row; statistics have them in ascending order.
        """
        unit_ids, codes = np.unique(unit, return_inverse=True)
        sums = [np.bincount(codes, term, len(unit_ids)) for term in self.terms.T]
        return UnitSums(np.stack(sums, axis=1), self._figures)

    def _figures(self, totals: Floats) -> Floats:
        return np.asarray(self.of_sums(*np.moveaxis(totals, -1, 0)))[..., None]


class Judged(NamedTuple):
    """How well a stage that works on requests did its own work; rows are requests, in their order.

    Where nothing is known of the truth both are empty.
    """

    figures: Mapping[str, RowFigure]
    """Name, such as `Accuracy(intent)` -> figure."""

    predictions: Mapping[str, Predictions]
    """What was predicted with a probability, such as `intent` -> P(right) and whether it was right; those
    prediction metrics of a run that judge a confidence are applied to it. The unit of a row is the request's
    user."""


def row_losses(prob: Floats, outcome: Floats) -> Floats:
    """(n,) the negative logarithm, in nats, of the probability given to what happened; finite."""
    kept = np.clip(prob, _SMALLEST_PROB, 1 - _SMALLEST_PROB)
    return np.asarray(-np.log(np.where(outcome == 1, kept, 1 - kept)))
