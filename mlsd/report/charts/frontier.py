"""What is gained against what it costs people, over the terms on which pages are sold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mlsd.report.charts import legend
from mlsd.report.charts.labels import Labels
from mlsd.report.charts.legend import Meaning
from mlsd.report.charts.rows import NARROW
from mlsd.report.charts.specs import FrontierChart, FrontierMark
from mlsd.report.charts.svg import Canvas
from mlsd.report.numbers import plural, shorten

_LEFT, _RIGHT, _BOTTOM = 54.0, 12.0, 52.0
_PLOT_HEIGHT = 300.0
_SIZE, _OWN_SIZE = 7.0, 14.0
_FAR = 60.0
"""Pixels from where a mark's reserve is worth a word."""

_ROOM = 1.12
"""Of an axis, over its largest value."""

UNBEATEN = Meaning("o", "accent", "nothing earns as much for less")
BEATEN = Meaning("o", "baseline", "beaten by another", hollow=True)
OWN = Meaning("D", "ink", "as the run sells", hollow=True)

Place = Callable[[FrontierMark], tuple[float, float]]
"""Where a mark stands, in pixels."""


def draw(chart: FrontierChart, width: float) -> Canvas:
    """A mark for each set of terms, and a line through those that nothing beats."""
    known = [mark for mark in chart.marks if math.isfinite(mark.cost) and math.isfinite(mark.gained)]
    entries = legend.laid_out(_meanings(known), width)
    top, plot_width = legend.height_of(entries) + 28, width - _LEFT - _RIGHT
    canvas = Canvas(width, top + _PLOT_HEIGHT + _BOTTOM)
    axes = canvas.axes(_LEFT, top, plot_width, _PLOT_HEIGHT)
    cost_end, gained_end = _end(mark.cost for mark in known), _end(mark.gained for mark in known)
    _frame(axes, (cost_end, gained_end), n_ticks=5 if width < NARROW else 7)

    def place(mark: FrontierMark) -> tuple[float, float]:
        right, up = mark.cost / cost_end, mark.gained / gained_end
        return _LEFT + plot_width * right, top + _PLOT_HEIGHT * (1 - up)

    _draw_marks(canvas, known, place)
    _write_words(canvas, known, place)
    legend.draw(canvas, entries)
    cost, gained = chart.axes
    canvas.text(0, top - 16, shorten(gained, width * 0.8, 11), ink="muted", size=11)
    middle = _LEFT + plot_width / 2
    canvas.text(middle, canvas.height - 14, shorten(cost, width * 0.8), ink="muted", align="center")
    return canvas


def _meanings(known: Sequence[FrontierMark]) -> list[Meaning]:
    """Of the marks that occur."""
    beaten = [BEATEN] * (not all(mark.is_unbeaten for mark in known))
    return [UNBEATEN, *beaten, *([OWN] * any(mark.is_own for mark in known))]


def _end(values: Iterable[float]) -> float:
    return _ROOM * max(values, default=0.0) or 1.0


def _frame(axes: Axes, ends: tuple[float, float], n_ticks: int) -> None:
    axes.set_zorder(-1)
    axes.set_xlim(0, ends[0])
    axes.set_ylim(0, ends[1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=n_ticks, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter("{x:g}")


def _draw_marks(canvas: Canvas, known: Sequence[FrontierMark], place: Place) -> None:
    front = _front(known, place)
    canvas.line(tuple(x for x, _ in front), tuple(y for _, y in front), ink="accent", width=1.2)
    for mark in known:
        shape, ink, _, hollow = UNBEATEN if mark.is_unbeaten else BEATEN
        canvas.mark(*place(mark), shape, ink=ink, size=_SIZE, hollow=hollow)
        if mark.is_own:
            canvas.mark(*place(mark), OWN.shape, ink=OWN.ink, size=_OWN_SIZE, hollow=OWN.hollow)


def _front(known: Sequence[FrontierMark], place: Place) -> list[tuple[float, float]]:
    return sorted(place(mark) for mark in known if mark.is_unbeaten)


def _write_words(canvas: Canvas, known: Sequence[FrontierMark], place: Place) -> None:
    """How many positions, beside the lowest reserve of each number; the reserves of marks far from there."""
    sizes = (_OWN_SIZE * math.sqrt(2) if mark.is_own else _SIZE for mark in known)
    labels = Labels(canvas, ((*place(mark), size) for mark, size in zip(known, sizes, strict=True)))
    labels.keep_off(_front(known, place))
    rising = sorted(known, key=lambda mark: (mark.reserve, mark.n_positions))
    lowest = {mark.n_positions: place(mark) for mark in reversed(rising)}
    for n_positions, at in lowest.items():
        labels.write(at, plural(n_positions, "position"))
    told: list[tuple[float, float]] = []
    for mark in reversed(rising):
        at = place(mark)
        is_new = all(math.dist(at, other) > _OWN_SIZE for other in told)
        if is_new and math.dist(at, lowest[mark.n_positions]) > _FAR:
            told.append(at)
            labels.write(at, f"reserve {mark.reserve:g}", ink="muted", size=10)
