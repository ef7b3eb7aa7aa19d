"""How budgets last the day: the share that is spent by each hour, beside the plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from mlsd.report.charts.rows import NARROW
from mlsd.report.charts.specs import CampaignPacingChart, PacingChart
from mlsd.report.charts.svg import DASHES, Canvas, Dash, colour
from mlsd.report.numbers import shorten, text_width

_HOURS = 24
_LEFT, _GAP, _BETWEEN = 38.0, 26.0, 34.0
_PANEL, _TITLE = 128.0, 26.0
_SAMPLE = 22.0


class _Line(NamedTuple):
    """How a line looks: by its dashes, for those who do not see its colour."""

    words: str
    ink: str
    dash: Dash
    width: float


PLAN = _Line("planned", "truth", "dashed", 1.6)
AFTER = _Line("funnel", "accent", "solid", 2.2)
BEFORE = _Line("pre-existing", "baseline", "dotted", 2.2)


def draw(chart: PacingChart, width: float) -> Canvas:
    """The mean over campaigns."""
    canvas = Canvas(width, 270)
    axes = _axes(canvas, (54, 30, width - 66, 192), chart.plan, chart.before, chart.after)
    axes.set_xticks(range(0, _HOURS + 1, 6))
    canvas.text(54 + (width - 66) / 2, 256, "hour of the day", ink="muted", align="center")
    canvas.text(0, 10, "share spent", ink="muted", size=11)
    _legend(canvas, with_before=bool(chart.before))
    return canvas


def draw_panels(chart: CampaignPacingChart, width: float) -> Canvas:
    """One campaign a panel, all on the same scales."""
    n_columns = 2 if width < NARROW else 3
    n_rows = max(1, math.ceil(len(chart.panels) / n_columns))
    top = 26.0
    canvas = Canvas(width, top + n_rows * (_PANEL + _TITLE + _BETWEEN) + 4)
    panel_width = (width - _LEFT - 12 - (n_columns - 1) * _GAP) / n_columns
    for place, panel in enumerate(chart.panels):
        row, column = divmod(place, n_columns)
        left = _LEFT + column * (panel_width + _GAP)
        y = top + row * (_PANEL + _TITLE + _BETWEEN)
        canvas.text(left, y + 13, shorten(panel.title, panel_width, 11), size=11)
        place_of = (left, y + _TITLE, panel_width, _PANEL)
        axes = _axes(canvas, place_of, chart.plan, panel.before, panel.after)
        axes.set_xticks(range(0, _HOURS + 1, 12))
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"] if column == 0 else ["", "", ""])
    middle = _LEFT + (width - _LEFT - 12) / 2
    canvas.text(middle, canvas.height - 8, "hour of the day", ink="muted", align="center")
    canvas.text(0, 10, "share spent", ink="muted", size=11)
    _legend(canvas, with_before=any(panel.before for panel in chart.panels))
    return canvas


def _axes(
    canvas: Canvas,
    place: tuple[float, float, float, float],
    plan: Sequence[float],
    before: Sequence[float],
    after: Sequence[float],
) -> Axes:
    axes = canvas.axes(*place)
    for values, (_, ink, dash, line_width) in ((plan, PLAN), (before, BEFORE), (after, AFTER)):
        known = [value if math.isfinite(value) else math.nan for value in values]
        axes.plot(range(len(known)), known, color=colour(ink), linewidth=line_width, linestyle=DASHES[dash])
    axes.set_xlim(0, _HOURS)
    axes.set_ylim(0, 1.02)
    return axes


def _legend(canvas: Canvas, *, with_before: bool) -> None:
    """A piece of each line with its meaning, in the upper right corner."""
    lines = (PLAN, AFTER, BEFORE) if with_before else (PLAN, AFTER)
    x = canvas.width - sum(text_width(line.words, 11) + _SAMPLE + 18 for line in lines)
    for words, ink, dash, line_width in lines:
        canvas.line((x, x + _SAMPLE), (10, 10), ink=ink, width=line_width, dash=dash)
        canvas.text(x + _SAMPLE + 5, 10, words, ink="muted", size=11)
        x += text_width(words, 11) + _SAMPLE + 18
