"""Nested plain values, such as `metrics.json` and a resolved config, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Path = tuple[str, ...]
"""Names from the top down; `[0]` and so on within a list."""


class _Missing:
    """Stands where there is no value; None is one."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = _Missing()


def leaves(values: object, path: Path = (), *, lists: bool = True) -> Iterator[tuple[Path, Any]]:
    """Every value that holds no others, with its path; what is empty is a leaf itself.

    Args:
        values: nested mappings and lists.
        path: of `values` itself.
        lists: whether to go into lists, too; otherwise a list is a leaf.

    Example:
        >>> list(leaves({"a": {"b": 1, "c": [2, None]}, "d": {}}))
        [(('a', 'b'), 1), (('a', 'c', '[0]'), 2), (('a', 'c', '[1]'), None), (('d',), {})]
    """
    inside: Iterator[tuple[str, Any]]
    if isinstance(values, Mapping):
        inside = ((str(name), value) for name, value in values.items())
    elif lists and isinstance(values, list | tuple):
        inside = ((f"[{place}]", value) for place, value in enumerate(values))
    else:
        yield path, values
        return
    if not values:
        yield path, values
    for name, value in inside:
        yield from leaves(value, (*path, name), lists=lists)


def spelled(path: Path) -> str:
    """A path as one word.

    Example:
        >>> spelled(("funnel", "order", "[0]"))
        'funnel.order[0]'
    """
    return ".".join(path).replace(".[", "[")
