"""Percentiles of latency, stage by stage, on one logarithmic axis beside the budget."""

from __future__ import annotations

import math

from mlsd.report.charts.axis import Axis
from mlsd.report.charts.rows import Rows, rows_for
from mlsd.report.charts.specs import LatencyChart
from mlsd.report.charts.svg import Canvas
from mlsd.report.numbers import milliseconds
from mlsd.report.parts import Latency

_TOP = 26.0


def draw(chart: LatencyChart, width: float) -> Canvas:
    """One row a stage; the whole request, last, stands out."""
    names, texts = [name for name, _, _ in chart.rows], [text for _, _, text in chart.rows]
    rows = rows_for(names, texts, width, _TOP)
    bottom = rows.bottom(len(chart.rows))
    canvas = Canvas(width, bottom + 26)
    axis = _axis(chart, rows)
    axis.draw(canvas, _TOP, bottom, [(tick, milliseconds(tick)) for tick in axis.ticks()])
    _draw_budget(chart, canvas, axis, rows)
    for place, (name, latency, text) in enumerate(chart.rows):
        is_last = place == len(chart.rows) - 1
        y = rows.draw_words(canvas, place, name, text, bold=is_last)
        _draw_percentiles(canvas, axis, latency, y, ink="accent" if is_last else "baseline")
    return canvas


def _drawable(ms: float) -> bool:
    return math.isfinite(ms) and ms > 0


def _axis(chart: LatencyChart, rows: Rows) -> Axis:
    known = [ms for ms in (*chart.values(), chart.budget_ms) if _drawable(ms)] or [1.0]
    return Axis(min(known) / 1.5, max(known) * 1.5, rows.left, rows.right, logarithmic=True)


def _draw_percentiles(canvas: Canvas, axis: Axis, latency: Latency, y: float, *, ink: str) -> None:
    known = [axis.at(ms) for ms in (latency.p50_ms, latency.p95_ms, latency.p99_ms) if _drawable(ms)]
    if len(known) > 1:
        canvas.line((min(known), max(known)), (y, y), ink=ink, width=3)
    for ms, half in ((latency.p95_ms, 5), (latency.p99_ms, 7)):
        if _drawable(ms):
            canvas.line((axis.at(ms),) * 2, (y - half, y + half), ink=ink, width=2)
    if _drawable(latency.p50_ms):
        canvas.mark(axis.at(latency.p50_ms), y, "o", ink=ink)


def _draw_budget(chart: LatencyChart, canvas: Canvas, axis: Axis, rows: Rows) -> None:
    if not _drawable(chart.budget_ms):
        return
    x = axis.at(chart.budget_ms)
    for place in range(len(chart.rows)):
        canvas.line((x, x), rows.line_ends(place), ink="bad", width=1.6, dash="dashed")
    canvas.text(x + 4, 10, f"budget {milliseconds(chart.budget_ms)}", ink="bad", size=11, align="right")
