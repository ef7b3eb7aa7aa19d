"""A made-up comparison of three runs, and one whose every word is hostile."""

from __future__ import annotations

from typing import Any

import pytest

from mlsd.report.paired.base import ComparedRun, Difference, PairedComparison
from mlsd.report.parts import Changed, Changes

HOSTILE = '<script>alert("x")</script>[red]&amp;\x1b[31m|`*_\u202e'


def own(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.02, "high": value + 0.02, "n": 65}


def against(value: float, p_value: float) -> dict[str, Any]:
    tests = {"p_value": p_value, "p_holm": min(1, 2 * p_value), "p_bh": p_value}
    beside = {"p_t": p_value, "p_wilcoxon": p_value / 2, "wins": 40, "ties": 5, "losses": 20}
    return {"value": value, "low": value - 0.01, "high": value + 0.01, "n": 65, **tests, **beside}


def made_up(baseline: str, first: str, second: str, query: str) -> PairedComparison:
    def figures(value: float, p_value: float) -> dict[str, Any]:
        by_segment = {"all": against(value, p_value), "intent=navigational": against(value / 2, p_value)}
        unknown = {**against(float("nan"), float("nan")), "low": None, "high": None}
        return {"nDCG@10": by_segment, "AP": {"all": against(value, p_value)}, "RR": {"all": unknown}}

    changes = Changes(50, 30, 20, (Changed(query, 2, 0.25, 0.75),), (Changed(f"{query} 2", 1, 0.5, 0.125),))
    means = {
        name: {"nDCG@10": {"all": own(0.6), "intent=navigational": own(0.8)}, "AP": {"all": own(0.4)}}
        for name in (baseline, first, second)
    }
    return PairedComparison(
        f"{baseline} compared",
        baseline,
        "funnel",
        "nDCG@10",
        ("nDCG@10", "AP", "RR"),
        ("intent=navigational",),
        "user",
        183,
        65,
        0.95,
        means,
        (
            ComparedRun(first, figures(0.03, 0.001), changes),
            ComparedRun(second, figures(0.003, 0.4), changes),
        ),
        (Difference(f"funnel.{query}", ([], ["light_rank"], None)), Difference("seed", (0, 1, query))),
        (Difference("numpy", ("2.4", "2.4", "2.5")),),
    )


@pytest.fixture
def comparison() -> PairedComparison:
    return made_up("base", "better", "alike", "tides")


@pytest.fixture
def hostile() -> PairedComparison:
    return made_up(f"0{HOSTILE}", f"1{HOSTILE}", f"2{HOSTILE}", HOSTILE)
