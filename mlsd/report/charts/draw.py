"""Draws every kind of chart. The only door to matplotlib; import it when something is to be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mlsd.report.charts import frontier, funnel, intervals, latency, pacing, trials
from mlsd.report.charts.specs import (
    CampaignPacingChart,
    ChartSpec,
    CurvesChart,
    ExaminationChart,
    FrontierChart,
    FunnelChart,
    HistoryChart,
    IntervalChart,
    LatencyChart,
    PacingChart,
    ParetoChart,
    ReliabilityChart,
)
from mlsd.report.charts.svg import Canvas, colour, settings
from mlsd.report.numbers import text_width

WIDE, NARROW = 900.0, 372.0
"""Widths in pixels at which charts are drawn: for a screen and for a phone."""

TWO_WIDTHS = (
    FunnelChart, IntervalChart, LatencyChart, HistoryChart, ParetoChart, CampaignPacingChart, FrontierChart,
)  # fmt: skip

HALF = 420.0
"""Width of a chart that stands beside others, and on a phone alone."""


def draw(chart: ChartSpec) -> dict[str, str]:
    """SVG by the place it is for: "wide" and "narrow", or "any" where one drawing serves both."""
    with settings():
        widths = {"wide": WIDE, "narrow": NARROW} if isinstance(chart, TWO_WIDTHS) else {"any": HALF}
        return {
            place: drawing(chart, width).svg(f"{chart.name}-{place}", chart.title, chart.caption)
            for place, width in widths.items()
        }


@singledispatch
def drawing(chart: ChartSpec, width: float) -> Canvas:
    """One kind of chart on a canvas of this width."""
    raise TypeError(f"no drawing for {type(chart).__name__}, width {width}")


@drawing.register
def _(chart: IntervalChart, width: float) -> Canvas:
    return intervals.draw(chart, width)


@drawing.register
def _(chart: FunnelChart, width: float) -> Canvas:
    return funnel.draw(chart, width)


@drawing.register
def _(chart: ReliabilityChart, width: float) -> Canvas:
    canvas, axes = _plot(width, 300, "predicted", "observed")
    bins = [row for row in chart.bins if math.isfinite(row.predicted) and math.isfinite(row.observed)]
    end = min(1.0, 1.12 * max((max(row.predicted, row.observed) for row in bins), default=1.0)) or 1.0
    axes.set_xlim(0, end)
    axes.set_ylim(0, end)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter("{x:g}")
    axes.plot([0, end], [0, end], color=colour("muted"), linewidth=1.2, linestyle=(0, (4, 3)))
    predicted, observed = [row.predicted for row in bins], [row.observed for row in bins]
    axes.plot(predicted, observed, color=colour("accent"), linewidth=1.5)
    largest = max((row.n for row in bins), default=1) or 1
    sizes = [12 + 60 * row.n / largest for row in bins]
    axes.scatter(predicted, observed, s=sizes, color=colour("accent"), linewidths=0, clip_on=False, zorder=3)
    return canvas


@drawing.register
def _(chart: CurvesChart, width: float) -> Canvas:
    canvas, axes = _plot(width, 250, "epoch", "loss")
    for losses, ink, style in ((chart.train, "baseline", (0, (4, 2))), (chart.validation, "accent", "solid")):
        epochs = np.arange(1, len(losses) + 1)
        axes.plot(
            epochs, _finite(losses), color=colour(ink), linewidth=2, linestyle=style, marker="o", markersize=4
        )
    n_epochs = max(len(chart.train), len(chart.validation))
    axes.set_xlim(0.7, max(n_epochs, 2) + 0.3)
    axes.set_xticks(_whole_ticks(1, n_epochs))
    if chart.best_epoch < len(chart.validation) and math.isfinite(chart.validation[chart.best_epoch]):
        _hollow(axes, [chart.best_epoch + 1], [chart.validation[chart.best_epoch]], "o", size=12)
    _pad_heights(axes, [*chart.train, *chart.validation])
    _legend(
        canvas,
        (("o", "baseline", "training"), ("o", "accent", "validation"), ("o", "truth", "best epoch")),
    )
    return canvas


@drawing.register
def _(chart: ExaminationChart, width: float) -> Canvas:
    canvas, axes = _plot(width, 270, "position", "relative examination")
    known = [point for point in chart.points if point.estimate.is_known]
    for point in known:
        if point.estimate.has_interval:
            ends = [point.estimate.low, point.estimate.high]
            axes.plot([point.position] * 2, ends, color=colour("accent"), linewidth=2.4)
    places, values = [point.position for point in known], [point.estimate.value for point in known]
    axes.plot(places, values, "o", color=colour("accent"), markersize=6)
    true = [point for point in chart.points if math.isfinite(point.truth)]
    _hollow(axes, [point.position for point in true], [point.truth for point in true], "D", size=8)
    axes.set_ylim(bottom=0)
    axes.set_xticks(_whole_ticks(0, max((point.position for point in chart.points), default=0)))
    entries = [("o", "accent", "estimated")] + [("D", "truth", "true")] * bool(true)
    _legend(canvas, entries)
    return canvas


@drawing.register
def _(chart: PacingChart, width: float) -> Canvas:
    return pacing.draw(chart, width)


@drawing.register
def _(chart: CampaignPacingChart, width: float) -> Canvas:
    return pacing.draw_panels(chart, width)


@drawing.register
def _(chart: FrontierChart, width: float) -> Canvas:
    return frontier.draw(chart, width)


@drawing.register
def _(chart: LatencyChart, width: float) -> Canvas:
    return latency.draw(chart, width)


@drawing.register
def _(chart: HistoryChart, width: float) -> Canvas:
    return trials.draw_history(chart, width)


@drawing.register
def _(chart: ParetoChart, width: float) -> Canvas:
    return trials.draw_pareto(chart, width)


def _plot(width: float, height: float, x_label: str, y_label: str) -> tuple[Canvas, Axes]:
    canvas = Canvas(width, height)
    axes = canvas.axes(54, 30, width - 66, height - 78)
    canvas.text(54 + (width - 66) / 2, height - 14, x_label, ink="muted", align="center")
    canvas.text(0, 10, y_label, ink="muted", size=11)
    return canvas, axes


def _legend(canvas: Canvas, entries: Sequence[tuple[str, str, str]]) -> None:
    """Marks with their meanings, in the upper right corner; what is true or best is hollow."""
    x = canvas.width - sum(text_width(words, 11) + 24 for _, _, words in entries)
    for shape, ink, words in entries:
        canvas.mark(x, 10, shape, ink=ink, size=8, hollow=ink == "truth")
        canvas.text(x + 9, 10, words, ink="muted", size=11)
        x += text_width(words, 11) + 24


def _hollow(axes: Axes, xs: Sequence[float], ys: Sequence[float], shape: str, *, size: float) -> None:
    """Marks of what is true or best, through which others stay visible."""
    ink = colour("truth")
    axes.plot(
        xs, ys, shape, markersize=size, markerfacecolor="none", markeredgecolor=ink, markeredgewidth=1.7
    )


def _finite(values: tuple[float, ...]) -> list[float]:
    return [value if math.isfinite(value) else math.nan for value in values]


def _pad_heights(axes: Axes, values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        pad = (max(finite) - min(finite)) * 0.1 or abs(finite[0]) * 0.1 or 1.0
        axes.set_ylim(min(finite) - pad, max(finite) + pad)


def _whole_ticks(first: int, last: int) -> list[int]:
    return list(range(first, last + 1, max(1, math.ceil((last - first + 1) / 10)))) or [first]
