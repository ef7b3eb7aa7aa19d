"""Marks with their meanings, from left to right and onto further lines where they do not fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mlsd.report.charts.svg import Canvas
from mlsd.report.numbers import text_width

LINE = 20.0
"""Height of a line, in pixels."""


class Meaning(NamedTuple):
    """What a mark stands for."""

    shape: str
    ink: str
    words: str
    hollow: bool = False


class LegendEntry(NamedTuple):
    """A mark with its meaning, and where it stands."""

    meaning: Meaning
    x: float
    line: int


def laid_out(meanings: Iterable[Meaning], width: float) -> list[LegendEntry]:
    """Where each stands in so many pixels."""
    entries: list[LegendEntry] = []
    x, line = 10.0, 0
    for meaning in meanings:
        room = text_width(meaning.words, 11) + 32
        if entries and x + room > width:
            x, line = 10.0, line + 1
        entries.append(LegendEntry(meaning, x, line))
        x += room
    return entries


def height_of(entries: Iterable[LegendEntry]) -> float:
    """Pixels that the lines take."""
    return LINE * max((entry.line + 1 for entry in entries), default=0)


def draw(canvas: Canvas, entries: Iterable[LegendEntry], top: float = 0.0) -> None:
    """All entries, the first line at `top`."""
    for (shape, ink, words, hollow), x, line in entries:
        y = top + 10 + line * LINE
        canvas.mark(x, y, shape, ink=ink, hollow=hollow)
        canvas.text(x + 10, y, words, ink="muted", size=11)
