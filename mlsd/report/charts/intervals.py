"""Points with intervals on one axis: metrics by stage, effects of an experiment, differences by segment."""

from __future__ import annotations

import math

from mlsd.report.charts import legend
from mlsd.report.charts.axis import Axis, around, robust_limit, tick_labels
from mlsd.report.charts.legend import LegendEntry, Meaning
from mlsd.report.charts.rows import Rows, rows_for
from mlsd.report.charts.specs import IntervalChart, IntervalRow, Role
from mlsd.report.charts.svg import Canvas
from mlsd.report.numbers import shorten

INK: dict[Role, str] = {
    "baseline": "baseline",
    "stage": "accent",
    "funnel": "accent",
    "good": "good",
    "bad": "bad",
    "open": "open",
}
SHAPE: dict[Role, str] = {"baseline": "s", "stage": "o", "funnel": "D", "good": "^", "bad": "v", "open": "o"}
"""Shapes tell apart what colours tell apart, for those who do not see the colours."""

_AXIS_HEIGHT = 46.0


def draw(chart: IntervalChart, width: float) -> Canvas:
    """The chart at a width; its height follows from its rows."""
    entries = _legend(chart, width)
    labels, texts = [row.label for row in chart.rows], [row.text for row in chart.rows]
    rows = rows_for(labels, texts, width, legend.height_of(entries) + 10)
    bottom = rows.bottom(len(chart.rows))
    canvas = Canvas(width, bottom + _AXIS_HEIGHT)
    axis = _axis(chart, rows)
    axis.draw(canvas, rows.top, bottom, tick_labels(axis.ticks(), chart.unit, signed=chart.signed))
    middle = (rows.left + rows.right) / 2
    canvas.text(middle, bottom + 32, shorten(chart.axis, width * 0.8), ink="muted", align="center")
    for place, row in enumerate(chart.rows):
        _draw_reference(chart, canvas, axis, rows.line_ends(place))
        y = rows.draw_words(canvas, place, row.label, row.text, bold=row.role == "funnel")
        _draw_marks(row, canvas, axis, y)
    legend.draw(canvas, entries)
    return canvas


def _axis(chart: IntervalChart, rows: Rows) -> Axis:
    ends = [end for row in chart.rows for end in (row.estimate.value, row.estimate.low, row.estimate.high)]
    marks = [row.mark for row in chart.rows]
    values = [value for value in (*ends, *marks, chart.reference) if math.isfinite(value)]
    if chart.clipped:
        extents = [_extent(row) for row in chart.rows]
        limit = robust_limit(extents)
        values = [max(-limit, min(limit, value)) for value in values]
    return around(values, rows.left, rows.right)


def _extent(row: IntervalRow) -> float:
    ends = [
        abs(end) for end in (row.estimate.value, row.estimate.low, row.estimate.high) if math.isfinite(end)
    ]
    return max(ends, default=math.nan)


def _draw_reference(chart: IntervalChart, canvas: Canvas, axis: Axis, ends: tuple[float, float]) -> None:
    """A row's piece of the reference line."""
    if math.isfinite(chart.reference):
        x = axis.at(chart.reference)
        canvas.line((x, x), ends, ink="muted", width=1.2, dash="dashed" if chart.reference else "solid")


def _draw_marks(row: IntervalRow, canvas: Canvas, axis: Axis, y: float) -> None:
    if row.estimate.has_interval:
        _draw_interval(row, canvas, axis, y)
    if math.isfinite(row.mark):
        canvas.mark(axis.at(row.mark), y, "D", ink="truth", size=9, hollow=True)
    if axis.low <= row.estimate.value <= axis.high:
        canvas.mark(axis.at(row.estimate.value), y, SHAPE[row.role], ink=INK[row.role])


def _draw_interval(row: IntervalRow, canvas: Canvas, axis: Axis, y: float) -> None:
    low, high = axis.at(row.estimate.low), axis.at(row.estimate.high)
    ink = INK[row.role]
    canvas.line((low, high), (y, y), ink=ink, width=2.4)
    if row.estimate.low < axis.low:
        canvas.mark(low, y, "<", ink=ink, size=9)
    if row.estimate.high > axis.high:
        canvas.mark(high, y, ">", ink=ink, size=9)


def _legend(chart: IntervalChart, width: float) -> list[LegendEntry]:
    """Marks that occur."""
    shown = {row.role for row in chart.rows}
    meanings = [Meaning(SHAPE[role], INK[role], words) for role, words in chart.legend if role in shown]
    if chart.mark_label:
        meanings.append(Meaning("D", "truth", shorten(chart.mark_label, 150, 11), hollow=True))
    return legend.laid_out(meanings, width)
