"""What stands in for an argument that is wrong, so that checking can go on to the next one."""

from __future__ import annotations

from math import nan


class StandIn:
    """Breaks every rule it is held against, quietly: faults about it are not reported.

    Example:
        >>> from mlsd import checks
        >>> with checks.collecting() as faults:
        ...     _ = checks.at_least("n_out", STAND_IN, 1)
        >>> [fault.value is STAND_IN for fault in faults]
        [True]
    """

    needs: frozenset[str] = frozenset()
    catalog_needs: frozenset[str] = frozenset()
    produces: frozenset[str] = frozenset()

    def __float__(self) -> float:
        return nan

    def __le__(self, other: object) -> bool:
        return False

    __lt__ = __ge__ = __gt__ = __le__

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<stand-in>"


STAND_IN = StandIn()


def stands_in(value: object, rule: str) -> bool:
    """Whether a fault is about what stands in: about its value, or about what the rule holds that against.

    Example:
        >>> stands_in(STAND_IN, "must be at least 1"), stands_in(10, f"must be at most n_out == {STAND_IN}")
        (True, True)
        >>> stands_in(10, "must be at most n_out == 9")
        False
    """
    return value is STAND_IN or repr(STAND_IN) in rule
