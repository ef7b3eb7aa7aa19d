from __future__ import annotations

from typing import Any

import pytest

from mlsd.errors import InvalidValueError
from mlsd.problems.base import Goals, Monitoring, Problem, Scale

SCALE = {
    "n_items": 1000,
    "requests_per_second": 10.0,
    "peak_factor": 3.0,
    "n_matching": 100,
    "n_ranked": 50,
    "item_index_bytes": 8,
    "embedding_bytes": 4,
    "utilisation": 0.5,
}


def scale(**changed: Any) -> Scale:
    return Scale(**{**SCALE, **changed})


def problem(**changed: Any) -> Problem:
    given: dict[str, Any] = {
        "name": "toy",
        "purpose": "to be small",
        "n_positions": 10,
        "presentation": "a list",
        "latency_ms": 100.0,
        "scale": scale(),
        "goals": Goals(objective="o", online="ctr", offline="ndcg_10", guardrails={}),
        "actions": {"click": "liked"},
        "request_columns": {"query": "text"},
        "monitoring": Monitoring(watched={}, retraining="never"),
    }
    return Problem(**{**given, **changed})


def test_the_peak_is_the_mean_times_its_factor() -> None:
    assert scale().peak_requests_per_second == 30.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n_items": 0}, "n_items == 0, must be at least 1"),
        ({"requests_per_second": 0.0}, "requests_per_second == 0.0, must be above 0"),
        ({"requests_per_second": float("inf")}, "requests_per_second == inf, must be above 0"),
        ({"peak_factor": 0.5}, "peak_factor == 0.5, must be at least 1"),
        ({"n_matching": 1001}, "n_matching == 1001, must be at most n_items == 1000"),
        ({"n_ranked": 1001}, "n_ranked == 1001, must be at most n_items == 1000"),
        ({"utilisation": 0.0}, r"utilisation == 0.0, must be a probability in \(0, 1\]"),
    ],
)
def test_a_scale_refuses(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        scale(**changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": ""}, "name == '', must not be empty"),
        ({"n_positions": 0}, "n_positions == 0, must be at least 1"),
        ({"latency_ms": 0.0}, "latency_ms == 0.0, must be above 0"),
        ({"actions": {}}, "actions == {}, must not be empty"),
    ],
)
def test_a_problem_refuses(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        problem(**changed)


def test_a_problem_has_no_further_answers_of_its_own() -> None:
    assert problem().answers == []
