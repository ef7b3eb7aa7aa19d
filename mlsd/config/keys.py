"""Dotted keys of nested mappings, and the right one nearest to a wrong one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlsd.errors import nearest


def join(parent: str, name: object) -> str:
    """A child's full key.

    Example:
        >>> join("", "seed"), join("funnel", "order")
        ('seed', 'funnel.order')
    """
    return f"{parent}.{name}" if parent else str(name)


def flatten(values: object, parent: str = "") -> Iterator[str]:
    """The full key of every value, of mappings as well as of what they hold.

    Example:
        >>> list(flatten({"seed": 0, "budget": {"enforce": False}}))
        ['seed', 'budget', 'budget.enforce']
    """
    if not isinstance(values, Mapping):
        return
    for name, value in values.items():
        key = join(parent, name)
        yield key
        yield from flatten(value, key)


def nearest_key(values: object, wrong: str) -> str | None:
    """The existing key most like `wrong`: each of its names is corrected in turn.

    Example:
        >>> nearest_key({"funnel": {"order": [], "skip": []}}, "funel.ordr")
        'funnel.order'
        >>> nearest_key({"funnel": {"latency_ms": 100}}, "latency_ms")
        'funnel.latency_ms'
    """
    return _corrected(values, wrong.split(".")) or _same_last_name(values, wrong)


def _corrected(values: object, names: list[str]) -> str | None:
    right: list[str] = []
    for name in names:
        if not isinstance(values, Mapping):
            return None
        found = name if name in values else nearest(name, map(str, values))
        if found is None:
            return None
        right.append(found)
        values = values[found]
    return ".".join(right)


def _same_last_name(values: object, wrong: str) -> str | None:
    """A key elsewhere that ends in the same name, or else one that looks alike as a whole."""
    every = list(flatten(values))
    last = wrong.rpartition(".")[2]
    alike = [key for key in every if key.rpartition(".")[2] == last]
    return nearest(wrong, alike) or (alike[0] if alike else nearest(wrong, every))
