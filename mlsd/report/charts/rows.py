"""Charts of rows: a name, something drawn on a common axis, and the figure in digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlsd.report.charts.svg import Canvas
from mlsd.report.numbers import shorten, text_width

NARROW = 500
"""Below this width, in pixels, a row's words stand above what is drawn instead of beside it."""

_MARGIN = 10.0


@dataclass(frozen=True)
class Rows:
    """Where things stand, in pixels.

    Args:
        width: of the whole chart.
        top: of the first row.
        left: of the axis.
        right: of the axis.
        height: of a row.
        mark_offset: from the top of a row to what is drawn.
        is_narrow: whether words stand above.
    """

    width: float
    top: float
    left: float
    right: float
    height: float
    mark_offset: float
    is_narrow: bool

    def top_of(self, place: int) -> float:
        return self.top + place * self.height

    def bottom(self, n_rows: int) -> float:
        return self.top_of(max(1, n_rows)) + 6

    def line_ends(self, place: int) -> tuple[float, float]:
        """From where to where a vertical line may cross a row without crossing its words."""
        start = self.mark_offset - 10 if self.is_narrow else 0
        return self.top_of(place) + start, self.top_of(place) + self.height

    def draw_words(self, canvas: Canvas, place: int, label: str, text: str, *, bold: bool) -> float:
        """Write a row's name and figure; returns the height at which its mark belongs."""
        top = self.top_of(place)
        if self.is_narrow:
            room = self.width - text_width(text) - 3 * _MARGIN
            y, left, right, room_right = top + 14, _MARGIN, self.width - _MARGIN, self.width
        else:
            room = self.left - 16
            y, left, right, room_right = (
                top + self.mark_offset,
                0.0,
                self.width,
                self.width - self.right - _MARGIN,
            )
        canvas.text(left, y, shorten(label, max(room, 60), 13, bold=bold), size=13, bold=bold)
        canvas.text(right, y, shorten(text, room_right), ink="muted", align="right")
        return top + self.mark_offset


def rows_for(labels: Sequence[str], texts: Sequence[str], width: float, top: float) -> Rows:
    """Words beside the axis where there is room, else above it."""
    if width < NARROW:
        return Rows(width, top, _MARGIN, width - _MARGIN, 46, 32, is_narrow=True)
    left = min(max((text_width(label, 13, bold=True) for label in labels), default=0) + 20, width * 0.32)
    right = width - min(max((text_width(text) for text in texts), default=0) + 20, width * 0.34)
    return Rows(width, top, left, right, 31, 15.5, is_narrow=False)
