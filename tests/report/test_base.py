from __future__ import annotations

import math
from typing import Any

from mlsd.report.base import RunResult
from mlsd.report.estimate import Estimate
from mlsd.report.parts import Capacity, Decides, Latency, StageResult


def test_missing_and_none_read_as_unknown() -> None:
    estimate = Estimate.of({"value": 0.5, "low": None})
    assert estimate.is_known
    assert not estimate.has_interval
    assert not Estimate.of(None).is_known
    assert not Estimate.of({"value": math.inf}).is_known


def test_systems_run_from_logging_by_stages_to_the_funnel(result: RunResult) -> None:
    assert result.systems == ("logging", "retrieve", "light_rank", "full_rank", "funnel")


def test_systems_that_are_no_stage_stand_before_the_funnel() -> None:
    metrics: dict[str, Any] = {"offline": {"funnel": {}, "ablation": {}, "b": {}}}
    run = RunResult("t", "p", "w", metrics=metrics, stages=(StageResult("b", "rank"),))
    assert run.systems == ("b", "ablation", "funnel")


def test_the_deciding_metric_comes_first_and_ceilings_last(result: RunResult) -> None:
    assert result.offline_metrics[0] == "nDCG@10"
    assert result.offline_metrics[-1] == "oracle nDCG@10"
    assert result.online_metrics[:2] == ("session_success", "abandonment")


def test_the_ceiling_is_that_of_the_deciding_metric() -> None:
    offline = {"a": {"oracle AP": {"all": {"value": 0.1}}, "oracle RR": {"all": {"value": 0.2}}}}
    run = RunResult("t", "p", "w", metrics={"offline": offline}, decides=Decides("RR"))
    found = run.ceiling("a")
    assert found is not None
    assert (found[0], found[1].value) == ("oracle RR", 0.2)
    assert run.ceiling("b") is None


def test_the_budget_is_met_up_to_equality() -> None:
    assert Capacity(Latency(p99_ms=100), 100).fits is True
    assert Capacity(Latency(p99_ms=100.1), 100).fits is False
    assert Capacity(Latency(), 100).fits is None
    assert Capacity(Latency(p99_ms=1)).fits is None
