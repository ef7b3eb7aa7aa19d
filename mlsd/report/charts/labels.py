"""Words beside marks, where there is room for them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from mlsd.report.charts.svg import Canvas
from mlsd.report.numbers import text_width

_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))
"""Right and down: the sides of a mark, in the order in which they are tried."""

_REACHES = (7.0, 12.0, 18.0)
"""From the middle of a mark to its words, in pixels."""

_STEP = 4.0
"""Between two points of a line that are looked at, in pixels."""


class Box(NamedTuple):
    """A rectangle of the canvas, in pixels; y counts downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap.

        Example:
            >>> Box(0, 0, 2, 2).meets(Box(1, 1, 3, 3)), Box(0, 0, 2, 2).meets(Box(2, 0, 3, 2))
            (True, False)
        """
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


class Labels:
    """Writes words beside marks so that they cover nothing.

    Args:
        canvas: to write on.
        marks: (x, y, size) of all marks, in pixels.
    """

    def __init__(self, canvas: Canvas, marks: Iterable[tuple[float, float, float]]) -> None:
        self.canvas = canvas
        self.taken = [_around(x, y, size, size) for x, y, size in marks]

    def keep_off(self, line: Sequence[tuple[float, float]]) -> None:
        """Leave a line through points, in pixels, uncovered."""
        for (x, y), (end_x, end_y) in pairwise(line):
            n = 1 + int(math.hypot(end_x - x, end_y - y) / _STEP)
            for part in (step / n for step in range(n)):
                self.taken.append(_around(x + (end_x - x) * part, y + (end_y - y) * part, 2, 2))

    def write(self, place: tuple[float, float], text: str, *, ink: str = "ink", size: float = 11) -> bool:
        """Words beside a mark, on the nearest side where they cover nothing; False where there is no room."""
        width = text_width(text, size)
        for reach, (right, down) in product(_REACHES, _SIDES):
            x = place[0] + right * (reach + width / 2)
            y = place[1] + down * (reach + size / 2)
            box = _around(x, y, width, size)
            within = box.left >= 0 and box.right <= self.canvas.width
            if within and not any(box.meets(other) for other in self.taken):
                self.taken.append(box)
                self.canvas.text(x, y, text, ink=ink, size=size, align="center")
                return True
        return False


def _around(x: float, y: float, width: float, height: float) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
