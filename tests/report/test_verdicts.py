from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlsd.report.base import RunResult
from mlsd.report.estimate import Estimate
from mlsd.report.numbers import MINUS
from mlsd.report.parts import Capacity, Decides, Latency
from mlsd.report.verdicts import (
    catalog_caveat,
    headline,
    judged,
    offline_verdict,
    online_verdict,
    tone_of,
    verdicts,
)


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
    said = verdicts(result)
    assert [verdict.tone for verdict in said] == ["good", "good", "good", "open"]
    assert (said[3].answer, said[3].figure) == ("No harm found", "0 of 3")


def test_a_guardrail_that_is_not_decided_is_not_said_to_hold(result: RunResult) -> None:
    detail = verdicts(result)[3].detail
    assert "Abandonment: better." in detail
    assert f"7-day retention: not decided; {MINUS}1.9 pp is not ruled out." in detail


def test_a_comparison_that_does_not_decide_says_what_it_could_have_found(result: RunResult) -> None:
    # Half the interval is 0.081; (1.96 + 0.84) / 1.96 of it is 0.116.
    verdict = online_verdict(replace(result, decides=Decides("nDCG@10", "sessions_per_user")))
    assert "a true difference of 0.116 is found four times in five" in verdict.detail
    assert "four times" not in online_verdict(result).detail


def test_other_metrics_of_the_test_are_counted(result: RunResult) -> None:
    # Abandonment, click-through and the raters' nDCG are better; sessions and retention are not decided.
    assert "Of the other 5 metrics: 3 better, 2 not decided." in online_verdict(result).detail


def test_more_requests_are_neither_better_nor_worse(result: RunResult) -> None:
    more = Estimate(0.3, 0.1, 0.5)
    assert judged(result, "requests_per_user", more) == ("none", "higher")
    assert judged(result, "requests_per_user", Estimate(0.1, -0.1, 0.3)) == ("open", "not decided")
    assert judged(result, "sessions_per_user", more) == ("good", "better")


def test_a_smaller_catalog_than_planned_is_said(result: RunResult) -> None:
    assert "20,000 items; the problem plans for 100,000,000" in verdicts(result)[2].detail
    assert catalog_caveat(run_with(None)) == ""


def test_without_a_baseline_the_funnels_own_figure_is_shown() -> None:
    verdict = offline_verdict(run_with(None))
    assert (verdict.answer, verdict.tone, verdict.figure) == ("Not compared", "none", "0.500")


def test_a_guardrail_that_breaks_is_named(result: RunResult) -> None:
    online = {**result.metrics["online"]}
    online["abandonment"] = {**online["abandonment"], "effect": 0.02, "low": 0.01, "high": 0.03}
    verdict = verdicts(replace(result, metrics={**result.metrics, "online": online}))[3]
    assert (verdict.tone, verdict.figure) == ("bad", "1 of 3")
    assert "Abandonment: worse." in verdict.detail


def test_a_guardrail_that_was_not_measured_does_not_hold(result: RunResult) -> None:
    verdict = verdicts(replace(result, decides=Decides("nDCG@10", "ctr", ("revenue",))))[3]
    assert verdict.tone == "none"
    assert "Revenue: not measured." in verdict.detail


def test_no_metric_named_means_no_online_verdict(result: RunResult) -> None:
    verdict = online_verdict(replace(result, decides=Decides("nDCG@10")))
    assert verdict.tone == "none"
    assert "no metric was named" in verdict.detail
