"""A moment in which nobody else on this machine is at work on the same study, so that a clock can be read."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class Quiet:
    """A file that all who work hold together, and who measures holds alone.

    Args:
        path: of the file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work that would disturb a measurement: waits until none is going on."""
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """A measurement: waits until nobody works. Never within `working`."""
        with self._held(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        file: TextIO
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, how)
            yield
