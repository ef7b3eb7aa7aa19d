from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlsd.report.base import Capacity, Decides, Estimate, Latency, RunResult
from mlsd.report.verdicts import headline, offline_verdict, online_verdict, tone_of, verdicts


def run_with(difference: tuple[float, float, float] | None, p99_ms: float = 5.0) -> RunResult:
    metrics: dict[str, Any] = {"offline": {"funnel": {"nDCG@10": {"all": {"value": 0.5}}}}}
    if difference:
        value, low, high = difference
        metrics["offline_difference"] = {"nDCG@10": {"all": {"value": value, "low": low, "high": high}}}
    return RunResult("t", "p", "w", metrics=metrics, capacity=Capacity(Latency(p99_ms=p99_ms), 10.0))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.03, "good"),
        (-0.03, -0.01, "bad"),
        (-0.01, 0.03, "open"),
        (0.0, 0.03, "open"),
        (-0.03, 0.0, "open"),
    ],
)
def test_only_an_interval_off_zero_decides(low: float, high: float, expected: str) -> None:
    assert tone_of(Estimate((low + high) / 2, low, high), lower_is_better=False) == expected


def test_where_less_is_better_the_sign_turns() -> None:
    assert tone_of(Estimate(-0.02, -0.03, -0.01), lower_is_better=True) == "good"
    assert tone_of(Estimate(0.02, 0.01, 0.03), lower_is_better=True) == "bad"


def test_a_point_without_an_interval_decides_nothing() -> None:
    assert tone_of(Estimate(0.5), lower_is_better=False) == "none"
    assert tone_of(None, lower_is_better=False) == "none"


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        ((0.02, 0.01, 0.03), "ranks better than the pre-existing system offline"),
        ((-0.02, -0.03, -0.01), "ranks worse than the pre-existing system offline"),
        ((0.01, -0.01, 0.03), "cannot be told from the pre-existing system offline"),
        (None, "was not held against the pre-existing system offline"),
    ],
)
def test_the_headline_answers_both_questions(
    difference: tuple[float, float, float] | None, said: str
) -> None:
    assert headline(run_with(difference, 5)) == f"The funnel {said} and fits the latency budget."
    assert headline(run_with(difference, 50)) == f"The funnel {said} and exceeds the latency budget."


def test_a_run_that_gains_on_everything(result: RunResult) -> None:
    assert [verdict.tone for verdict in verdicts(result)] == ["good"] * 4
    assert verdicts(result)[3].figure == "3 of 3"


def test_without_a_baseline_the_funnels_own_figure_is_shown() -> None:
    verdict = offline_verdict(run_with(None))
    assert (verdict.answer, verdict.tone, verdict.figure) == ("Not compared", "none", "0.5000")


def test_a_guardrail_that_breaks_is_named(result: RunResult) -> None:
    online = {**result.metrics["online"]}
    online["abandonment"] = {**online["abandonment"], "effect": 0.02, "low": 0.01, "high": 0.03}
    verdict = verdicts(replace(result, metrics={**result.metrics, "online": online}))[3]
    assert (verdict.tone, verdict.figure) == ("bad", "2 of 3")
    assert "abandonment" in verdict.detail


def test_a_guardrail_that_was_not_measured_does_not_hold(result: RunResult) -> None:
    verdict = verdicts(replace(result, decides=Decides("nDCG@10", "ctr", ("revenue",))))[3]
    assert verdict.tone == "none"
    assert "revenue" in verdict.detail


def test_no_metric_named_means_no_online_verdict(result: RunResult) -> None:
    verdict = online_verdict(replace(result, decides=Decides("nDCG@10")))
    assert verdict.tone == "none"
    assert "no metric was named" in verdict.detail
