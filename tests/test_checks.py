"""Rules state the value and the rule, one at a time or all together."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from mlsd import checks
from mlsd.errors import InvalidValueError


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: checks.at_least("n", 0, 1), "n == 0, must be at least 1"),
        (lambda: checks.at_least("rate", math.nan, 0), "rate == nan, must be at least 0"),
        (lambda: checks.above("rate", 0.0, 0), "rate == 0.0, must be above 0"),
        (lambda: checks.above("rate", math.inf, 0), "rate == inf, must be above 0"),
        (lambda: checks.between("eta", 2, 0, 1), "eta == 2, must be between 0 and 1"),
        (lambda: checks.probability("p", 0.0), r"p == 0.0, must be a probability in \(0, 1\]"),
        (lambda: checks.share("share", 1.5), "share == 1.5, must be between 0 and 1"),
        (lambda: checks.one_of("loss", "bcee", ["bce", "softmax"]), "loss == 'bcee', .*; nearest is 'bce'"),
        (lambda: checks.not_empty("stages", {}), "stages == {}, must not be empty"),
    ],
)
def test_a_broken_rule_says_value_and_rule(check: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        check()


@pytest.mark.parametrize(
    ("kept", "value"),
    [
        (checks.at_least("n", 1, 1), 1),
        (checks.between("eta", 1, 0, 1), 1),
        (checks.probability("p", 1.0), 1.0),
        (checks.one_of("loss", "bce", ["bce"]), "bce"),
    ],
)
def test_a_kept_rule_gives_the_value_back(kept: object, value: object) -> None:
    assert kept == value


def test_collecting_finds_every_fault_and_ends_with_its_block() -> None:
    with checks.collecting() as faults:
        checks.at_least("n_out", 0, 1)
        checks.share("share", 7.0)
    assert [fault.name for fault in faults] == ["n_out", "share"]
    with pytest.raises(InvalidValueError):
        checks.at_least("n_out", 0, 1)
