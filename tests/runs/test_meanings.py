from __future__ import annotations

from functools import cache

from mlsd.config.build import build
from mlsd.config.compose import compose_overrides
from mlsd.config.schema import System
from mlsd.online.outcomes import HIDDEN_METRICS, METRICS
from mlsd.runs.meanings import meanings_of, raters_words


@cache
def system() -> System:
    return build(compose_overrides(["problem=search"]).required())


def test_every_metric_of_a_run_has_a_meaning() -> None:
    said = meanings_of(system())
    assert {metric.name for metric in system().metrics.values()} <= set(said)
    assert set(METRICS) | set(HIDDEN_METRICS) <= set(said)
    assert all(text.endswith(".") and "_" not in text for text in said.values())


def test_what_counts_as_relevant_and_as_a_long_click_is_said() -> None:
    said = meanings_of(system())
    assert said["AP(rel=2)"].endswith("Relevant is a grade of 2 and more.")
    assert said["session_success"] == "Sessions with a click of 30 s or more, divided by sessions."
    assert said["oracle nDCG@10"].startswith("nDCG@10 of what a stage passes on")


def test_raters_say_how_they_err() -> None:
    online = system().online
    assert online is not None
    assert online.raters is not None
    words = raters_words(online.raters)
    assert "10% of the requests" in words
    assert "shrinks the effect" in words
