"""What differs between nested plain values, key by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlsd.report.paired.base import Difference
from mlsd.runs.leaves import MISSING, leaves, spelled


def differences_of(values: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    """Every key whose value is not the same in all, in the order of the first that has it.

    Args:
        values: nested mappings, such as the configs of several runs; lists are values.

    Example:
        >>> differences_of([{"seed": 0, "funnel": {"skip": []}}, {"seed": 0, "funnel": {"skip": ["rank"]}}])
        (Difference(key='funnel.skip', values=([], ['rank'])),)
    """
    flat = [dict(leaves(each, lists=False)) for each in values]
    paths = dict.fromkeys(path for each in flat for path in each)
    rows = ((path, tuple(each.get(path, MISSING) for each in flat)) for path in paths)
    return tuple(
        Difference(spelled(path), row) for path, row in rows if any(not _same(row[0], value) for value in row)
    )


def _same(first: object, second: object) -> bool:
    """Equal, and of the same type: 1, 1.0 and true are three values."""
    return type(first) is type(second) and first == second
