"""The rules that values must keep, each written once.

A check returns its value, or raises `InvalidValueError` with name, value and rule. Inside `collecting()`
it records the fault and goes on, so that one pass over a constructor finds everything wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import isfinite
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlsd.errors import InputError, InvalidValueError, nearest

Number = TypeVar("Number", int, float)
T = TypeVar("T")

_collected: ContextVar[list[InvalidValueError] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[list[InvalidValueError]]:
    """Record broken rules instead of raising at the first.

    Example:
        >>> with collecting() as faults:
        ...     _ = at_least("n_out", 0, 1), between("momentum", 2.0, 0, 1)
        >>> [str(fault) for fault in faults]
        ['n_out == 0, must be at least 1', 'momentum == 2.0, must be between 0 and 1']
    """
    faults: list[InvalidValueError] = []
    token = _collected.set(faults)
    try:
        yield faults
    finally:
        _collected.reset(token)


def require(condition: bool, name: str, value: T, rule: str) -> T:
    """`value`, if `condition` holds; else a fault that states `rule`."""
    if condition:
        return value
    fault = InvalidValueError(name, value, rule)
    collected = _collected.get()
    if collected is None:
        raise fault
    collected.append(fault)
    return value


def at_least(name: str, value: Number, low: float) -> Number:
    """A finite number no smaller than `low`."""
    return require(isfinite(value) and value >= low, name, value, f"must be at least {low}")


def above(name: str, value: Number, low: float) -> Number:
    """A finite number greater than `low`."""
    return require(isfinite(value) and value > low, name, value, f"must be above {low}")


def between(name: str, value: Number, low: float, high: float) -> Number:
    """A number in the closed interval [low, high]."""
    return require(low <= value <= high, name, value, f"must be between {low} and {high}")


def within(name: str, value: Number, low: float, high: float) -> Number:
    """A number in the open interval (low, high)."""
    return require(low < value < high, name, value, f"must be between {low} and {high}, both left out")


def probability(name: str, value: float) -> float:
    """A number in (0, 1]."""
    return require(0 < value <= 1, name, value, "must be a probability in (0, 1]")


def share(name: str, value: float) -> float:
    """A number in [0, 1]."""
    return between(name, value, 0, 1)


def one_of(name: str, value: T, choices: Collection[T]) -> T:
    """One of the given choices.

    Example:
        >>> one_of("logger", "cvs", ["csv", "none"])
        Traceback (most recent call last):
            ...
        mlsd.errors.InvalidValueError: logger == 'cvs', must be one of csv, none; nearest is 'csv'
    """
    listed = ", ".join(str(choice) for choice in choices)
    close = nearest(str(value), [str(choice) for choice in choices])
    hint = f"; nearest is {close!r}" if close else ""
    return require(value in choices, name, value, f"must be one of {listed}{hint}")


def not_empty(name: str, value: T) -> T:
    """A non-empty collection or string."""
    return require(len(value) > 0, name, value, "must not be empty")  # type: ignore[arg-type]


def every_row_between(name: str, values: NDArray[Any], low: float, high: float, rule: str) -> None:
    """Refuse a column of which a value lies outside [low, high]; NaN lies in no interval.

    The same as `every_row`, without a mask where nothing is wrong.

    Args:
        name: of the column.
        values: (n,) the column.
        low: the least that is allowed.
        high: the most.
        rule: what values must be.

    Raises:
        InputError: naming the first row that does not keep it.

    Example:
        >>> every_row_between("quality", np.array([0.5, 1.5]), 0, 1, "a probability in [0, 1]")
        Traceback (most recent call last):
            ...
        mlsd.errors.InputError: quality[1] == 1.5, must be a probability in [0, 1]; 1 rows break this
    """
    if len(values) and not (values.min() >= low and values.max() <= high):
        every_row(name, values, (values >= low) & (values <= high), rule)


def every_row(name: str, values: NDArray[Any], kept: NDArray[np.bool_], rule: str) -> None:
    """Refuse a column of which a row breaks a rule.

    Args:
        name: of the column.
        values: (n,) the column.
        kept: (n,) whether each row keeps the rule.
        rule: what values must be.

    Raises:
        InputError: naming the first row that does not keep it.

    Example:
        >>> prices = np.array([0.5, -1.0, -2.0])
        >>> every_row("price", prices, prices >= 0, "at least 0")
        Traceback (most recent call last):
            ...
        mlsd.errors.InputError: price[1] == -1.0, must be at least 0; 2 rows break this
    """
    if not kept.all():
        row = int(np.flatnonzero(~kept)[0])
        raise InputError(f"{name}[{row}] == {values[row]}, must be {rule}; {np.sum(~kept)} rows break this")
