"""Annotators: who is asked, how often they err, and what they cannot know."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.labels.annotations import Annotators
from mlsd.logs import Log
from mlsd.testing.small_log import SmallLog
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import Array, Requests

SMALL = SmallLog()
LOG: Log = SMALL.log


class Knowing(TinyWorld):
    """Knows an intent, one in three, and a topic of each request."""

    def truth_of(self, requests: Requests) -> Mapping[str, Array]:
        intents = np.array(["buy", "go", "look"], object)
        return {"intent": intents[requests.request_id % 3], "topic": requests.request_id % 5}


def truth(request_id: Array) -> Array:
    return np.array(["buy", "go", "look"], object).take(request_id % 3)


def test_who_never_errs_tells_the_truth() -> None:
    said = Annotators(n_requests=30, accuracy={"topic": 1.0, "intent": 1.0}).annotate(Knowing(), LOG, seed=0)
    assert said.columns.tolist() == ["request_id", "name", "value"]
    assert said["name"].tolist() == ["intent", "topic"] * 30
    assert said["request_id"].is_monotonic_increasing
    intents, topics = (said[said["name"] == name] for name in ("intent", "topic"))
    assert intents["value"].tolist() == truth(intents["request_id"].to_numpy()).tolist()
    assert topics["value"].tolist() == [str(request_id % 5) for request_id in topics["request_id"]]


def test_only_the_windows_that_request_stages_learn_from_are_annotated() -> None:
    said = Annotators(n_requests=10_000, accuracy={"intent": 0.9}).annotate(Knowing(), LOG, seed=0)
    known = LOG.window("retrieval", "validation").requests.request_id
    assert said["request_id"].tolist() == known.tolist()


def test_a_larger_sample_holds_a_smaller_one_with_the_same_answers() -> None:
    few, many = (
        Annotators(n_requests=n, accuracy={"intent": 0.6}).annotate(Knowing(), LOG, seed=3) for n in (20, 90)
    )
    both = few.merge(many, on="request_id", suffixes=("_few", "_many"))
    assert len(both) == 20
    assert both["value_few"].tolist() == both["value_many"].tolist()
    other = Annotators(n_requests=20, accuracy={"intent": 0.6}).annotate(Knowing(), LOG, seed=4)
    assert other["request_id"].tolist() != few["request_id"].tolist()


def test_errors_come_as_often_as_declared_and_every_other_value_as_often() -> None:
    """6,000 answers at an accuracy of .7: the standard error of a share is .006, the tolerance four of it."""
    annotators = Annotators(n_requests=150, accuracy={"intent": 0.7})
    steps = []
    for seed in range(40):
        said = annotators.annotate(Knowing(), LOG, seed)
        values = ["buy", "go", "look"]
        true = truth(said["request_id"].to_numpy())
        pairs = zip(said["value"], true, strict=True)
        steps += [(values.index(value) - values.index(right)) % 3 for value, right in pairs]
    shares = np.bincount(steps) / len(steps)
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.025)


def test_where_one_value_alone_is_true_nobody_errs() -> None:
    class One(Knowing):
        def truth_of(self, requests: Requests) -> Mapping[str, Array]:
            return {"intent": np.full(len(requests), "buy", object)}

    said = Annotators(n_requests=50, accuracy={"intent": 0.1}).annotate(One(), LOG, seed=0)
    assert set(said["value"]) == {"buy"}


def test_what_the_world_does_not_know_is_named() -> None:
    with pytest.raises(
        InputError, match=r"knows no 'intnt' of its requests, only intent, topic; nearest is 'intent'"
    ):
        Annotators(n_requests=5, accuracy={"intnt": 0.9}).annotate(Knowing(), LOG, seed=0)
    with pytest.raises(InputError, match="knows no 'intent' of its requests, only nothing"):
        Annotators(n_requests=5, accuracy={"intent": 0.9}).annotate(TinyWorld(), LOG, seed=0)


@pytest.mark.parametrize(
    ("n_requests", "accuracy", "message"),
    [
        (0, {"intent": 0.9}, "n_requests == 0, must be at least 1"),
        (5, {}, "accuracy == {}, must not be empty"),
        (5, {"intent": 0.0}, r"accuracy\.intent == 0\.0, must be a probability"),
    ],
)
def test_options_are_checked(n_requests: int, accuracy: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Annotators(n_requests=n_requests, accuracy=accuracy)
