from __future__ import annotations

from typing import Any

import pytest

from mlsd.config.schema import Collection, Exploration, FunnelPlan, Logging, StageCost
from mlsd.errors import InvalidValueError
from mlsd.retrievers.popularity import Popularity
from mlsd.stages.retrieve import Retrieve


def stage(n_out: int = 5) -> Retrieve:
    return Retrieve(n_out, {"popularity": Popularity()})


def plan(**changed: Any) -> FunnelPlan:
    return FunnelPlan(
        **{"order": ("a", "b"), "stages": {"b": stage(), "a": stage(), "spare": stage()}, **changed}
    )


def test_active_stages_are_in_order_without_those_skipped() -> None:
    assert list(plan().active) == ["a", "b"]
    assert list(plan(skip=("a",)).active) == ["b"]
    assert list(plan().funnel.stages) == ["a", "b"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"order": ()}, r"order == \(\), must not be empty"),
        ({"order": ("a", "c")}, r"order\[1\] == 'c', must be one of b, a, spare"),
        ({"order": ("a", "a")}, r"order\[1\] == 'a', must not be named twice"),
        ({"skip": ("spare",)}, r"skip\[0\] == 'spare', must be one of a, b"),
        ({"skip": ("a", "b")}, "must leave at least one stage of the order"),
        (
            {"costs": {"c": StageCost(latency_share=0.5, fixed_ms=1)}},
            "costs == 'c', must be one of b, a, spare",
        ),
        (
            {"costs": {name: StageCost(latency_share=0.6, fixed_ms=1) for name in "ab"}},
            "costs == 1.2, latency shares must add up to at most 1",
        ),
    ],
)
def test_a_plan_refuses(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        plan(**changed)


def test_a_log_lasts_as_long_as_its_splits() -> None:
    days = {"retrieval": 7, "ranking": 9, "validation": 2, "test": 3}
    collect = Collection(split_days=days, explore=Exploration(share=0.1, depth=20))
    assert collect.n_days == 21
    assert Logging(latency_ms=100, funnel=plan(), collect=collect).collect is collect


def test_splits_must_be_in_order_of_time() -> None:
    days = {"ranking": 9, "retrieval": 7, "validation": 2, "test": 3}
    with pytest.raises(
        InvalidValueError, match="must have the days of retrieval, ranking, validation, test, in this"
    ):
        Collection(split_days=days, explore=Exploration(share=0.1, depth=20))


@pytest.mark.parametrize("share", [0.0, 0.04, 1.1])
def test_the_log_must_explore(share: float) -> None:
    with pytest.raises(InvalidValueError, match=r"share == .*, must be between 0.05 and 1"):
        Exploration(share=share, depth=20)
