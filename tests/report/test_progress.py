"""What a terminal, and what a file, shows of a run that goes on."""

from __future__ import annotations

import re
from io import StringIO
from time import sleep

import pytest
from rich.console import Console

from mlsd.report.progress import Steps


def console(*, terminal: bool) -> tuple[Console, StringIO]:
    out = StringIO()
    return Console(file=out, force_terminal=terminal, width=80, color_system=None), out


def test_a_file_gets_a_line_for_each_finished_step() -> None:
    to, out = console(terminal=False)
    steps = Steps(to)
    for name in ("log", "offline"):
        with steps(name) as told:
            told(1, 2, "days logged")
            told(2, 2, "days logged")
    lines = out.getvalue().splitlines()
    assert [re.sub(r"\d+\.\d", "0.0", line) for line in lines] == [
        "✓ log           0.0 s",
        "✓ offline       0.0 s",
    ]


def test_a_terminal_sees_how_far_a_step_is_and_keeps_one_line() -> None:
    to, out = console(terminal=True)
    with Steps(to)("funnel") as told:
        told(1, 4, "full_rank")
        sleep(0.25)
    shown = out.getvalue()
    assert "1 of 4 full_rank" in shown
    assert shown.rstrip().splitlines()[-1].endswith(" s")


def test_steps_are_timed_one_by_one() -> None:
    steps = Steps(console(terminal=False)[0])
    for name, seconds in {"quick": 0.0, "slow": 0.05}.items():
        with steps(name):
            sleep(seconds)
    assert list(steps.durations_s) == ["quick", "slow"]
    assert steps.durations_s["quick"] >= 0
    assert steps.durations_s["slow"] >= 0.05


def test_a_step_that_fails_says_nothing_and_lets_the_error_through() -> None:
    to, out = console(terminal=False)
    steps = Steps(to)
    with pytest.raises(KeyboardInterrupt), steps("log"):
        raise KeyboardInterrupt
    assert out.getvalue() == ""
    assert steps.durations_s == {}


@pytest.mark.parametrize("total", [0, 1])
def test_a_step_may_have_nothing_to_do(total: int) -> None:
    steps = Steps(console(terminal=True)[0])
    with steps("log") as told:
        told(total, total, "days logged")
    assert list(steps.durations_s) == ["log"]
