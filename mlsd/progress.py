"""How long work says how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told after each piece of work; a terminal draws a bar from it."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """`done` of `total` pieces of `what` are finished."""


def silent(done: int, total: int, what: str) -> None:
    """Nobody listens."""
