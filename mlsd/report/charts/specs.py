"""What charts show: plain values and words, not yet drawn. Nothing here imports matplotlib."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mlsd.report.estimate import Estimate
from mlsd.report.parts import CalibrationBin, Examination, Latency

Role = Literal["baseline", "stage", "funnel", "good", "bad", "open"]
"""What a mark stands for; decides its colour and its shape."""


@dataclass(frozen=True)
class ChartSpec(ABC):
    """What all charts have.

    Args:
        name: of the chart, unique on its page; letters, digits and hyphens.
        title: what it shows.
        caption: how to read it.
    """

    name: str
    title: str
    caption: str

    @abstractmethod
    def values(self) -> Iterator[float]:
        """The figures that would be drawn; NaN among them."""

    @property
    def has_content(self) -> bool:
        """Whether anything would be seen."""
        return any(math.isfinite(value) for value in self.values())


@dataclass(frozen=True)
class FunnelStep:
    """One stage of the funnel chart; texts are ready to be drawn."""

    name: str
    contains: str
    n_in: float
    n_out: float
    counts: str
    ceiling: str
    latency: str


@dataclass(frozen=True)
class FunnelChart(ChartSpec):
    """How candidates become few.

    Args:
        steps: the stages in order.
        ceiling_label: heading of the ceilings.
    """

    steps: tuple[FunnelStep, ...] = ()
    ceiling_label: str = ""

    def values(self) -> Iterator[float]:
        return (n for step in self.steps for n in (step.n_in, step.n_out))


@dataclass(frozen=True)
class IntervalRow:
    """One line of an interval chart.

    Args:
        label: what it is.
        estimate: point and interval, in the axis's unit.
        text: the figure in words and digits.
        role: what the mark stands for.
        mark: another value to set beside it, such as the truth; NaN without one.
    """

    label: str
    estimate: Estimate
    text: str
    role: Role
    mark: float = math.nan


@dataclass(frozen=True)
class IntervalChart(ChartSpec):
    """Points with intervals on one axis.

    Args:
        rows: top to bottom.
        axis: what the axis counts.
        unit: of its ticks.
        reference: a line to hold the rows against; NaN without one.
        mark_label: what the rows' further marks are; empty when they have none.
        legend: (role, meaning) of the marks.
        signed: ticks carry a plus sign, as differences do.
        clipped: an interval far wider than the others leaves the frame with an arrow.
    """

    rows: tuple[IntervalRow, ...] = ()
    axis: str = ""
    unit: str = ""
    reference: float = math.nan
    mark_label: str = ""
    legend: tuple[tuple[Role, str], ...] = ()
    signed: bool = False
    clipped: bool = False

    def values(self) -> Iterator[float]:
        return (row.estimate.value for row in self.rows)


@dataclass(frozen=True)
class ReliabilityChart(ChartSpec):
    """Predicted against observed probabilities."""

    bins: tuple[CalibrationBin, ...] = ()

    def values(self) -> Iterator[float]:
        return (row.predicted + row.observed for row in self.bins)


@dataclass(frozen=True)
class CurvesChart(ChartSpec):
    """Losses by epoch."""

    train: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    best_epoch: int = 0

    def values(self) -> Iterator[float]:
        return iter((*self.train, *self.validation))


@dataclass(frozen=True)
class ExaminationChart(ChartSpec):
    """Examination by position, estimated and true."""

    points: tuple[Examination, ...] = ()

    def values(self) -> Iterator[float]:
        return (value for point in self.points for value in (point.estimate.value, point.truth))


@dataclass(frozen=True)
class LatencyChart(ChartSpec):
    """Percentiles of latency on one logarithmic axis.

    Args:
        rows: (name, latency, text), the whole request last.
        budget_ms: drawn as a line; NaN without one.
    """

    rows: tuple[tuple[str, Latency, str], ...] = ()
    budget_ms: float = math.nan

    def values(self) -> Iterator[float]:
        return (ms for _, row, _ in self.rows for ms in (row.p50_ms, row.p95_ms, row.p99_ms))


@dataclass(frozen=True)
class PacingChart(ChartSpec):
    """How budgets last the day: share of what is spent, by hour.

    Args:
        plan: (25,) as planned.
        before: (25,) under the pre-existing system; empty without any.
        after: (25,) under the funnel.
    """

    plan: tuple[float, ...] = ()
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()

    def values(self) -> Iterator[float]:
        return iter((*self.before, *self.after))


@dataclass(frozen=True)
class PacingPanel:
    """The days of one campaign.

    Args:
        title: whose they are.
        before: (25,) under the pre-existing system; empty where it never ran out.
        after: (25,) under the funnel.
    """

    title: str
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()


@dataclass(frozen=True)
class CampaignPacingChart(ChartSpec):
    """How the budgets of single campaigns last the day, a small chart each.

    Args:
        plan: (25,) as planned.
        panels: from left to right, then down.
    """

    plan: tuple[float, ...] = ()
    panels: tuple[PacingPanel, ...] = ()

    def values(self) -> Iterator[float]:
        return (value for panel in self.panels for value in (*panel.before, *panel.after))


@dataclass(frozen=True)
class FrontierMark:
    """What one set of terms comes to.

    Args:
        cost: less is better.
        gained: more is better.
        reserve: of the auction.
        n_positions: that are sold; marks of as many are joined.
        is_unbeaten: whether nothing gains as much for less.
        is_own: whether they are the run's own terms.
    """

    cost: float
    gained: float
    reserve: float
    n_positions: int
    is_unbeaten: bool = False
    is_own: bool = False


@dataclass(frozen=True)
class FrontierChart(ChartSpec):
    """What is gained against what it costs, over reserve and number of positions.

    Args:
        marks: in any order.
        axes: what is the cost, and what is gained.
    """

    marks: tuple[FrontierMark, ...] = ()
    axes: tuple[str, str] = ("", "")

    def values(self) -> Iterator[float]:
        return (mark.cost + mark.gained for mark in self.marks)


@dataclass(frozen=True)
class TrialPoint:
    """One trial of a sweep.

    Args:
        number: of the trial.
        value: of the objective.
        is_best: whether it was better than all before it.
    """

    number: int
    value: float
    is_best: bool = False


@dataclass(frozen=True)
class HistoryChart(ChartSpec):
    """An objective by trial, and the best of it so far.

    Args:
        points: finished trials, in order.
        pruned: numbers of the trials that were ended early, and have no value.
        axis: what the objective is.
    """

    points: tuple[TrialPoint, ...] = ()
    pruned: tuple[int, ...] = ()
    axis: str = ""

    def values(self) -> Iterator[float]:
        return (point.value for point in self.points)


@dataclass(frozen=True)
class ParetoChart(ChartSpec):
    """Two objectives against each other.

    Args:
        points: (first objective, second objective) of each finished trial.
        front: the same of those that no other trial beats in both.
        axes: what the two are.
    """

    points: tuple[tuple[float, float], ...] = ()
    front: tuple[tuple[float, float], ...] = ()
    axes: tuple[str, str] = ("", "")

    def values(self) -> Iterator[float]:
        return (value for point in self.points for value in point)
