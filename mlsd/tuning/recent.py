"""The last few things that somebody asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps the things that were asked for last, and makes the others.

    Args:
        n: how many are kept.

    Example:
        >>> recent = Recent[int](1)
        >>> recent.get("a", lambda: 1), recent.get("a", lambda: 2), recent.get("b", lambda: 3), "a" in recent
        (1, 1, 3, False)
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._kept: OrderedDict[str, T] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def get(self, key: str, make: Callable[[], T]) -> T:
        """The thing of that key."""
        made = self._kept[key] if key in self._kept else make()
        self._kept[key] = made
        self._kept.move_to_end(key)
        while len(self._kept) > self.n:
            self._kept.popitem(last=False)
        return made
