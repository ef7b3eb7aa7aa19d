"""The figures of a comparison: differences paired by request, with intervals, tests and corrections.

Three families of tests, each corrected by itself: all runs by the deciding metric, which is what the
verdicts are about; all runs by all other metrics; all runs by the deciding metric in all segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from mlsd.estimators.bootstrap import Bootstrap
from mlsd.estimators.multiplicity import benjamini_hochberg, holm
from mlsd.estimators.paired import outcomes, t_test, unit_totals, wilcoxon
from mlsd.estimators.sign_flip import SignFlip
from mlsd.evaluation import ALL, Figures
from mlsd.runs.paired.side import Side
from mlsd.types import Array, Floats

Family = Literal["decides", "metrics", "segments"]


class Question(NamedTuple):
    """One thing that is tested: whether a run differs from the baseline."""

    run: str
    metric: str
    segment: str

    def family(self, decides: str) -> Family:
        """What it is corrected together with."""
        if self.segment != ALL:
            return "segments"
        return "decides" if self.metric == decides else "metrics"


def differences(
    baseline: Side, others: Sequence[Side], system: str, metrics: Sequence[str], bootstrap: Bootstrap
) -> dict[str, Figures]:
    """Run -> metric -> segment -> the run minus the baseline, and what tests say of it.

    Args:
        baseline: what the others are held against.
        others: of the same requests.
        system: whose metrics are compared.
        metrics: of that system, the deciding one first; it alone is looked at by segment.
        bootstrap: of the intervals; the randomisation test draws from its seed.
    """
    questions = [one for other in others for one in _questions(baseline, other, metrics)]
    sides = {other.name: other for other in others}
    columns = [_difference(baseline, sides[one.run], system, one) for one in questions]
    found = _figures(np.stack(columns, axis=1), baseline.requests.user, questions, bootstrap)
    figures: dict[str, Figures] = {other.name: {} for other in others}
    for question, figure in zip(questions, found, strict=True):
        figures[question.run].setdefault(question.metric, {})[question.segment] = figure
    return figures


def means(side: Side, system: str, metrics: Sequence[str], bootstrap: Bootstrap) -> Figures:
    """Metric -> segment -> the mean of a run by itself, of the same figures as `differences` has."""
    questions = list(_questions(side, side, metrics))
    columns = [_within(side, one.segment, side.values(system, one.metric)) for one in questions]
    intervals = bootstrap.means(np.stack(columns, axis=1), side.requests.user)
    figures: Figures = {}
    for question, interval in zip(questions, intervals, strict=True):
        figures.setdefault(question.metric, {})[question.segment] = interval._asdict()
    return figures


def _questions(baseline: Side, other: Side, metrics: Sequence[str]) -> Iterator[Question]:
    yield from (Question(other.name, metric, ALL) for metric in metrics)
    yield from (Question(other.name, metrics[0], segment) for segment in baseline.segments)


def _difference(baseline: Side, other: Side, system: str, question: Question) -> Array:
    gained = other.values(system, question.metric) - baseline.values(system, question.metric)
    return _within(baseline, question.segment, gained)


def _within(side: Side, segment: str, values: Array) -> Array:
    """The values of a segment's requests; NaN elsewhere."""
    return values if segment == ALL else np.where(side.table[segment], values, np.nan)


def _figures(
    gained: Floats, units: Array, questions: Sequence[Question], bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    totals = unit_totals(gained, units)
    p_values = SignFlip(seed=bootstrap.seed).p_values(gained, units)
    tests = {
        "p_value": p_values,
        "p_t": t_test(totals),
        "p_wilcoxon": wilcoxon(totals),
        **_corrected(p_values, [question.family(questions[0].metric) for question in questions]),
        **{name: counts.astype(np.int64) for name, counts in outcomes(totals)._asdict().items()},
    }
    for place, interval in enumerate(bootstrap.means(gained, units)):
        yield {**interval._asdict(), **{name: values[place].item() for name, values in tests.items()}}


def _corrected(p_values: Floats, families: Sequence[Family]) -> Mapping[str, Floats]:
    """After Holm and after Benjamini and Hochberg, each family by itself."""
    by_name = {"p_holm": np.full(len(p_values), np.nan), "p_bh": np.full(len(p_values), np.nan)}
    of_family = np.array(families)
    for family in set(families):
        rows = of_family == family
        by_name["p_holm"][rows] = holm(p_values[rows])
        by_name["p_bh"][rows] = benjamini_hochberg(p_values[rows])
    return by_name
