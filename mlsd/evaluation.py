"""Offline evaluation: how well each stage ranks and predicts, by segment, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mlsd.estimators.base import Interval, UnitSums
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.labels.base import Labels
from mlsd.logs import Log, acted
from mlsd.metrics.base import (
    DiversityMetric,
    Judged,
    PredictionMetric,
    Predictions,
    RankedGrades,
    RankingMetric,
    ratio,
)
from mlsd.metrics.diversity.base import RankedSubtopics
from mlsd.stages.rank.base import Prediction
from mlsd.types import Array, Floats, Ints, Judgements, RankingBatch, Requests, Subtopics

ALL = "all"
ORACLE = "oracle "
"""How the name of a ceiling starts: the metric of a stage's candidates in the best order there is."""

N_BINS = 10
N_LARGEST = 10

Figures = dict[str, dict[str, Any]]
"""Metric -> segment -> {value, low, high, n}."""


@dataclass(frozen=True)
class Evaluated:
    """The requests that systems are evaluated on, and what is true of them.

    Args:
        requests: n_requests of them; `user` is the unit that intervals resample.
        judgements: the true grades of all relevant items.
        segments: name, such as `intent=navigational` -> (n_requests,) bool; `all` is among them.
        subtopics: what each relevant item is relevant to; None where nobody tells.
    """

    requests: Requests
    judgements: Judgements
    segments: Mapping[str, Array]
    subtopics: Subtopics | None = None

    @staticmethod
    def of(
        requests: Requests,
        judgements: Judgements,
        segmentations: Mapping[str, Array],
        subtopics: Subtopics | None = None,
    ) -> Evaluated:
        """With a segment for every value of every segmentation.

        Args:
            requests: n_requests of them.
            judgements: of these requests.
            segmentations: name, such as `intent` -> (n_requests,) str.
            subtopics: of these requests; None, too, where none is listed for any of them.
        """
        masks = {ALL: np.ones(len(requests), bool)}
        for name, values in segmentations.items():
            masks |= {f"{name}={value}": values == value for value in np.unique(values)}
        known = subtopics if subtopics is not None and len(subtopics.items) else None
        return Evaluated(requests, judgements, masks, known)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of who asks and of what is relevant; where it differs, so does what figures are of."""
        asked = (self.requests.request_id, self.requests.user)
        graded = (self.judgements.offsets, self.judgements.items, self.judgements.grades)
        served = self.subtopics and (self.subtopics.offsets, self.subtopics.items, self.subtopics.subtopic)
        digest = sha256()
        for column in (*asked, *graded, *(served or ())):
            digest.update(f"{len(column)} {column.dtype.str} ".encode())
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()


class RankingValues(NamedTuple):
    """Metrics of every request, for one system."""

    names: tuple[str, ...]
    """Of the metrics, ceilings last."""
    values: Floats
    """(n_requests, n_metrics), NaN where a metric says nothing about a request."""


def ranking_values(
    ranked: RankingBatch, metrics: Sequence[RankingMetric | DiversityMetric], evaluated: Evaluated
) -> RankingValues:
    """Each metric of each request, and the first one's ceiling: what a perfect next stage could reach.

    Metrics of diversity are left out where nobody tells subtopics apart.
    """
    grades = RankedGrades.of(ranked.candidates, evaluated.judgements)
    graded = [metric for metric in metrics if isinstance(metric, RankingMetric)]
    columns = {metric.name: metric(grades) for metric in graded}
    if evaluated.subtopics is not None:
        served = RankedSubtopics.of(ranked.candidates, evaluated.subtopics)
        columns |= {metric.name: metric(served) for metric in metrics if isinstance(metric, DiversityMetric)}
    columns[ORACLE + graded[0].name] = graded[0](grades.oracle())
    return RankingValues(tuple(columns), np.stack(list(columns.values()), axis=1))


def ranking_figures(values: RankingValues, evaluated: Evaluated, bootstrap: Bootstrap) -> Figures:
    """The mean of each metric in each segment, with its interval over units."""
    masks = np.stack(list(evaluated.segments.values()), axis=1)
    cells = np.where(masks[:, None, :], values.values[:, :, None], np.nan)
    intervals = bootstrap.means(cells.reshape(len(cells), -1), evaluated.requests.user)
    return _by_name(values.names, tuple(evaluated.segments), intervals)


def difference_figures(
    treatment: RankingValues, control: RankingValues, evaluated: Evaluated, bootstrap: Bootstrap
) -> Figures:
    """The mean of `treatment - control`, paired by request, in each segment."""
    difference = RankingValues(treatment.names, treatment.values - control.values)
    return ranking_figures(difference, evaluated, bootstrap)


def per_request(systems: Mapping[str, RankingValues], evaluated: Evaluated) -> pd.DataFrame:
    """One row for each request, one column for each metric of each system and for each segment."""
    columns: dict[str, Array] = {
        "request_id": evaluated.requests.request_id,
        "user": evaluated.requests.user,
    }
    columns |= {name: mask for name, mask in evaluated.segments.items() if name != ALL}
    for system, (names, values) in systems.items():
        columns |= {f"{system}.{name}": values[:, column] for column, name in enumerate(names)}
    return pd.DataFrame(columns)


class ActionPredictions(NamedTuple):
    """What a stage predicted about impressions of the log, and what happened."""

    predictions: Predictions
    """The probability of an action at the position that the item was shown at, and the action. At the first
    position of an item that was not shown, where such are counted: nothing was done with it."""
    segments: Mapping[str, Array]
    """Segment -> (n_predictions,) bool."""
    coverage: float
    """Share of the impressions whose item the stage had among its candidates."""
    items: Ints
    """(n_predictions,) the item."""


def action_predictions(
    scored: RankingBatch, prediction: Prediction, log: Log, labels: Labels, evaluated: Evaluated
) -> ActionPredictions:
    """Predictions of a stage for what the log shows of the evaluated requests.

        P(action) = P(action | shown first) x examination of the position

    with the examination that labels were made with, estimated on the training windows; 1 at every position
    where labels do not come from positions. Where `prediction.unshown` says so, every candidate is
    judged, and one that the log does not show as at the first position, with nothing done.

    Args:
        scored: every candidate that the stage scored, with the predicted probability.
        prediction: which probability, and of which action.
        log: of the evaluated requests, in their order.
        labels: with the estimated examination.
        evaluated: the requests.

    Raises:
        InputError: the log has no such action.
    """
    shown = log.impressions
    done = acted(shown, prediction.column, prediction.at_least)
    actions = Labels.of_pairs(shown["request_id"].to_numpy(), shown["item"].to_numpy(), done)
    places = Labels.of_pairs(
        shown["request_id"].to_numpy(), shown["item"].to_numpy(), shown["position"].to_numpy()
    )
    outcome = actions.of(scored)
    was_shown = ~np.isnan(outcome)
    known = np.flatnonzero(was_shown | prediction.unshown)
    position = np.nan_to_num(places.of(scored)[known]).astype(np.int64)
    prob = scored.candidates[prediction.prob][known] * labels.examined(position)
    request = scored.candidates.request_rows[known]
    predictions = Predictions(
        np.minimum(prob, 1.0),
        np.nan_to_num(outcome[known]).astype(np.float64),
        evaluated.requests.user[request],
    )
    segments = {name: mask[request] for name, mask in evaluated.segments.items()}
    items = scored.candidates.items[known]
    return ActionPredictions(predictions, segments, np.count_nonzero(was_shown) / max(len(shown), 1), items)


class Calibration(NamedTuple):
    """Predicted against observed actions of some impressions: clicks, or another one."""

    predicted: Interval
    """Mean predicted probability."""
    observed: Interval
    """Share on which it was done."""
    ratio: Interval
    """Predicted over observed; 1 is right, more is too high."""
    n_impressions: int

    def to_metrics(self) -> dict[str, Any]:
        """As in `metrics.json`."""
        intervals = (self.predicted, self.observed, self.ratio)
        figures = {name: one._asdict() for name, one in zip(self._fields, intervals, strict=False)}
        return {**figures, "n_impressions": self.n_impressions}


class ItemCalibration(NamedTuple):
    """Predicted against observed actions by the values of a column of the catalog."""

    every: Calibration
    """Of all impressions."""
    others: Calibration | None
    """Of those whose value is none of the largest; None where there are none."""
    largest: Mapping[str, Calibration]
    """Value -> figures, most impressions first."""
    n_values: int
    """That were shown."""

    def to_metrics(self) -> dict[str, Any]:
        """As in `metrics.json`."""
        others = {"others": self.others.to_metrics()} if self.others else {}
        largest = {value: one.to_metrics() for value, one in self.largest.items()}
        return {ALL: self.every.to_metrics(), **others, "largest": largest, "n_values": self.n_values}


def prediction_figures(
    predicted: ActionPredictions,
    metrics: Sequence[PredictionMetric],
    bootstrap: Bootstrap,
    action: str | None = None,
) -> Figures:
    """Each metric of the predictions in each segment, with its interval over units.

    Args:
        predicted: by a stage.
        metrics: applied to it.
        bootstrap: of the intervals.
        action: what metrics are told apart by, as in `AUC(like)`; None for clicks, whose names are plain.
    """
    names = [_of(metric, action) if action else metric.name for metric in metrics]
    figures: Figures = {name: {} for name in names}
    for segment, mask in predicted.segments.items():
        intervals = bootstrap.of_predictions(metrics, predicted.predictions.take(mask))
        for name, interval in zip(names, intervals, strict=True):
            figures[name][segment] = interval._asdict()
    return figures


def item_calibration(
    predicted: ActionPredictions, column: Array, bootstrap: Bootstrap, n_largest: int = N_LARGEST
) -> ItemCalibration:
    """Predicted against observed actions by the values of a column of the catalog.

        predicted = mean of p,    observed = mean of y,    ratio = sum of p / sum of y

    Each with its interval over units. The ratio is NaN where nothing was done.

    Args:
        predicted: of one action, for impressions.
        column: (n_items,) such as the campaign of each item.
        bootstrap: of the intervals.
        n_largest: values of most impressions that have figures of their own; of as many, the lower value.
    """
    values, segment, sizes = np.unique(column[predicted.items], return_inverse=True, return_counts=True)
    largest = np.argsort(-sizes, kind="stable")[:n_largest]
    place = np.full(len(values), len(largest))
    place[largest] = np.arange(len(largest))
    parts = [np.ones(len(segment), bool), place[segment] == len(largest)]
    parts += [place[segment] == number for number in range(len(largest))]
    every, others, *own = _calibrations(predicted.predictions, np.stack(parts, axis=1), bootstrap)
    named = {str(value): one for value, one in zip(values[largest].tolist(), own, strict=True)}
    return ItemCalibration(every, others if len(values) > len(largest) else None, named, len(values))


def _calibrations(predictions: Predictions, members: Array, bootstrap: Bootstrap) -> list[Calibration]:
    """Of each column of (n_predictions, n_segments), which says who is in it."""
    n_segments, counted = members.shape[1], np.ones(len(predictions))
    terms = [
        np.where(members[:, segment], term, 0.0)
        for term in (predictions.prob, predictions.outcome, counted)
        for segment in range(n_segments)
    ]
    sums = predictions.unit_sums(terms)

    def figures(totals: Floats) -> Floats:
        p, y, n = np.split(totals, 3, axis=-1)
        return np.concatenate([ratio(p, n), ratio(y, n), ratio(p, y)], axis=-1)

    n_units = np.count_nonzero(sums[:, 2 * n_segments :], axis=0)
    (found,) = bootstrap.intervals([UnitSums(sums, figures, np.tile(n_units, 3))], predictions.unit_ids)
    predicted, observed, ratios = (found[kind * n_segments : (kind + 1) * n_segments] for kind in range(3))
    sizes = members.sum(axis=0).tolist()
    return [Calibration(*one) for one in zip(predicted, observed, ratios, sizes, strict=True)]


def component_figures(
    judged: Judged, metrics: Sequence[PredictionMetric], evaluated: Evaluated, bootstrap: Bootstrap
) -> Figures:
    """How well a stage that works on requests did its own work, in each segment, with intervals over units.

    Args:
        judged: of the evaluated requests.
        metrics: applied to what was predicted, such as `ECE` of the intent: `ECE(intent)`.
        evaluated: the requests.
        bootstrap: of the intervals.
    """
    figures: Figures = {}
    for segment, mask in evaluated.segments.items():
        user = evaluated.requests.user[mask]
        statistics = {name: figure.take(mask).statistic(user) for name, figure in judged.figures.items()}
        for name, predictions in judged.predictions.items():
            of_segment = predictions.take(mask)
            statistics |= {_of(metric, name): metric.statistic(of_segment) for metric in metrics}
        found = bootstrap.intervals(list(statistics.values()), np.unique(user))
        for name, (interval, *_) in zip(statistics, found, strict=True):
            figures.setdefault(name, {})[segment] = interval._asdict()
    return figures


def _of(metric: PredictionMetric, what: str) -> str:
    """The metric's name with what was predicted: `ECE(intent)`, `F1(threshold=0.5)(intent)`.

    Example:
        >>> from mlsd.metrics.log_loss import LogLoss
        >>> _of(LogLoss(), "intent")
        'LogLoss(intent)'
    """
    return f"{metric.name}({what})"


class Bin(NamedTuple):
    """Rows of like predicted probability."""

    predicted: float
    """Their mean prediction."""
    observed: float
    """Share of them with the outcome."""
    n: int
    """Rows."""


def reliability(predictions: Predictions, n_bins: int = N_BINS) -> list[Bin]:
    """Mean prediction and observed share in bins of equally many rows, by rising prediction."""
    order = np.argsort(predictions.prob, kind="stable")
    parts = [part for part in np.array_split(order, n_bins) if len(part)]
    return [
        Bin(float(predictions.prob[part].mean()), float(predictions.outcome[part].mean()), len(part))
        for part in parts
    ]


def _by_name(names: Sequence[str], segments: Sequence[str], intervals: Sequence[Interval]) -> Figures:
    flat = iter(intervals)
    return {name: {segment: next(flat)._asdict() for segment in segments} for name in names}
