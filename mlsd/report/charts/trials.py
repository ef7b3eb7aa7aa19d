"""Trials of a sweep: an objective by trial, and two objectives against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mlsd.report.charts.specs import HistoryChart, ParetoChart
from mlsd.report.charts.svg import Canvas, colour
from mlsd.report.numbers import shorten, text_width

HEIGHT = 280.0
_LEFT, _TOP = 64.0, 40.0


def draw_history(chart: HistoryChart, width: float) -> Canvas:
    """Each finished trial, a line through the best so far, beneath them the trials that were ended early."""
    canvas, axes = _plot(width, "trial", chart.axis)
    known = [point for point in chart.points if math.isfinite(point.value)]
    axes.plot(
        [p.number for p in known], [p.value for p in known], "o", color=colour("baseline"), markersize=5
    )
    best = [point for point in known if point.is_best]
    last = max([*(point.number for point in known), *chart.pruned], default=0)
    if best:
        numbers, values = [*(p.number for p in best), last], [*(p.value for p in best), best[-1].value]
        axes.plot(numbers, values, color=colour("accent"), linewidth=2, drawstyle="steps-post")
        axes.plot(
            [p.number for p in best], [p.value for p in best], "o", color=colour("accent"), markersize=7
        )
    _frame(axes, [float(point.number) for point in known] + [0.0, float(last)], [p.value for p in known])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    if chart.pruned:
        low = axes.get_ylim()[0]
        axes.plot(list(chart.pruned), [low] * len(chart.pruned), "x", color=colour("muted"), clip_on=False)
    entries = [("o", "accent", "best so far"), ("o", "baseline", "finished")]
    _legend(canvas, [*entries, *([("X", "muted", "ended early")] if chart.pruned else [])])
    return canvas


def draw_pareto(chart: ParetoChart, width: float) -> Canvas:
    """Each finished trial, and a line through those that no other one beats in both."""
    canvas, axes = _plot(width, *chart.axes)
    xs, ys = [x for x, _ in chart.points], [y for _, y in chart.points]
    axes.plot(xs, ys, "o", color=colour("baseline"), markersize=5)
    front = sorted(chart.front)
    axes.plot(
        [x for x, _ in front],
        [y for _, y in front],
        "D-",
        color=colour("accent"),
        markersize=7,
        linewidth=1.5,
    )
    _frame(axes, xs, ys)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
    _legend(canvas, [("D", "accent", "no other is better in both"), ("o", "baseline", "finished")])
    return canvas


def _plot(width: float, x_label: str, y_label: str) -> tuple[Canvas, Axes]:
    canvas = Canvas(width, HEIGHT)
    axes = canvas.axes(_LEFT, _TOP, width - _LEFT - 16, HEIGHT - _TOP - 52)
    middle = _LEFT + (width - _LEFT - 16) / 2
    canvas.text(middle, HEIGHT - 14, shorten(x_label, width * 0.7), ink="muted", align="center")
    canvas.text(0, 28, shorten(y_label, width * 0.7, 11), ink="muted", size=11)
    return canvas, axes


def _frame(axes: Axes, xs: Sequence[float], ys: Sequence[float]) -> None:
    for set_limits, values in ((axes.set_xlim, xs), (axes.set_ylim, ys)):
        low, high = min(values, default=0.0), max(values, default=1.0)
        pad = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
        set_limits(low - pad, high + pad)


def _legend(canvas: Canvas, entries: Sequence[tuple[str, str, str]]) -> None:
    x = canvas.width - sum(text_width(words, 11) + 24 for _, _, words in entries)
    for shape, ink, words in entries:
        canvas.mark(x, 10, shape, ink=ink, size=8)
        canvas.text(x + 9, 10, words, ink="muted", size=11)
        x += text_width(words, 11) + 24
