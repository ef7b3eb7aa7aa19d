"""The funnel: how candidates become few, what each stage leaves possible, and what it costs."""

from __future__ import annotations

import math

from mlsd.report.charts.rows import NARROW
from mlsd.report.charts.specs import FunnelChart, FunnelStep
from mlsd.report.charts.svg import Canvas
from mlsd.report.numbers import shorten

_GAP = 3.0


def draw(chart: FunnelChart, width: float) -> Canvas:
    """One trapezium a stage: as wide above as what enters, as wide below as what leaves."""
    narrow = width < NARROW
    row_height, top = (88.0, 4.0) if narrow else (58.0, 30.0)
    canvas = Canvas(width, top + row_height * len(chart.steps) + 4)
    largest = _largest(chart)
    if not narrow:
        _draw_headings(chart, canvas)
    for place, step in enumerate(chart.steps):
        y = top + place * row_height
        if narrow:
            _draw_narrow(chart, step, canvas, y, largest)
        else:
            _draw_wide(step, canvas, y, row_height, largest)
    return canvas


def _largest(chart: FunnelChart) -> float:
    counts = [n for step in chart.steps for n in (step.n_in, step.n_out) if math.isfinite(n)]
    return max(counts, default=1.0)


def _draw_headings(chart: FunnelChart, canvas: Canvas) -> None:
    canvas.text(canvas.width * 0.47, 12, "candidates", ink="muted", size=11, align="center")
    canvas.text(
        canvas.width * 0.88, 12, shorten(chart.ceiling_label, 160, 11), ink="muted", size=11, align="right"
    )
    canvas.text(canvas.width, 12, "p50", ink="muted", size=11, align="right")


def _draw_wide(step: FunnelStep, canvas: Canvas, y: float, height: float, largest: float) -> None:
    middle, room = canvas.width * 0.47, canvas.width * 0.36
    canvas.text(0, y + 19, shorten(step.name, canvas.width * 0.27, 14, bold=True), size=14, bold=True)
    canvas.text(0, y + 38, shorten(step.contains, canvas.width * 0.28, 11), ink="muted", size=11)
    _draw_trapezium(step, canvas, (middle, y), (room, height - _GAP), largest)
    canvas.text(middle, y + (height - _GAP) / 2, step.counts, size=13, align="center")
    canvas.text(canvas.width * 0.88, y + height / 2, step.ceiling, size=13, align="right")
    canvas.text(canvas.width, y + height / 2, step.latency, size=13, align="right", ink="muted")


def _draw_narrow(chart: FunnelChart, step: FunnelStep, canvas: Canvas, y: float, largest: float) -> None:
    canvas.text(0, y + 10, shorten(step.name, canvas.width * 0.7, 13, bold=True), size=13, bold=True)
    canvas.text(canvas.width, y + 10, f"p50 {step.latency}", ink="muted", size=11, align="right")
    canvas.text(0, y + 27, shorten(step.contains, canvas.width * 0.5, 11), ink="muted", size=11)
    words = f"{shorten(chart.ceiling_label, 130, 11)} {step.ceiling}"
    canvas.text(canvas.width, y + 27, words, ink="muted", size=11, align="right")
    _draw_trapezium(step, canvas, (canvas.width / 2, y + 38), (canvas.width, 40), largest)
    canvas.text(canvas.width / 2, y + 58, step.counts, size=13, align="center")


def _draw_trapezium(
    step: FunnelStep, canvas: Canvas, place: tuple[float, float], size: tuple[float, float], largest: float
) -> None:
    (middle, y), (room, height) = place, size
    above, below = (_width(n, largest) * room / 2 for n in (step.n_in, step.n_out))
    xs = (middle - above, middle + above, middle + below, middle - below)
    canvas.area(xs, (y, y, y + height, y + height), ink="accent", opacity=0.22)


def _width(n: float, largest: float) -> float:
    """Share of the full width for n candidates, by logarithm; a sliver where there are none."""
    if not math.isfinite(n) or n <= 0:
        return 0.02
    return max(0.02, math.log1p(n) / math.log1p(max(largest, 1.0)))
