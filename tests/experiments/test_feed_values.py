"""Arms, figures and the verdict by hand."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from types import ModuleType

import pytest

from mlsd.estimators.worlds import OverWorlds

RESULTS = Path(__file__).resolve().parents[2] / "experiments" / "results"
DECLARED = {"click": 0.2, "like": 1.0, "hide": -8.0, "report": -20.0}


def test_its_examples_are_right(experiment: ModuleType) -> None:
    assert doctest.testmod(experiment) == (0, 2)


def test_arms_are_the_declared_values_and_what_is_made_of_them(experiment: ModuleType) -> None:
    arms = experiment.arms_of(DECLARED)
    assert arms["declared"] == DECLARED
    assert arms["hides x 0"] == {"click": 0.2, "like": 1.0, "hide": 0.0, "report": 0.0}
    assert arms["hides x 10"] == {"click": 0.2, "like": 1.0, "hide": -80.0, "report": -200.0}
    assert arms["hides alone"] == {"hide": -8.0, "report": -20.0}
    assert arms["clicks alone"] == {"click": 1.0}
    assert (*arms, "newest first") == experiment.ARMS


def test_figures_by_hand(experiment: ModuleType) -> None:
    worlds = [
        {
            "declared": dict.fromkeys(experiment.SHOWN, 10.0),
            "clicks alone": dict.fromkeys(experiment.SHOWN, value),
        }
        for value in (9.0, 8.0, 7.0)
    ]
    figure = experiment.figures(worlds)["clicks alone"]["sessions_per_user"]
    assert (figure.value, figure.difference) == (8.0, -2.0)
    assert figure.high + 2.0 == pytest.approx(4.3027 * 1.0 / 3**0.5, rel=1e-4)


def test_nothing_beats_what_is_on_the_frontier(experiment: ModuleType) -> None:
    at = {"a": (2.0, 0.1), "b": (3.0, 0.2), "c": (3.0, 0.3), "d": (2.0, 0.1), "e": (1.0, 0.2)}
    found = {
        arm: {
            experiment.ENGAGEMENT: OverWorlds(gained, 0.0, 0.0, 0.0),
            experiment.NEGATIVE: OverWorlds(cost, 0.0, 0.0, 0.0),
        }
        for arm, (gained, cost) in at.items()
    }
    assert experiment.unbeaten(found) == ["a", "b", "d"]


def test_the_committed_table_and_chart_are_those_of_the_committed_figures(
    experiment: ModuleType, tmp_path: Path
) -> None:
    kept = json.loads((RESULTS / "feed_values.json").read_text(encoding="utf-8"))
    assert tuple(kept["seeds"]) == experiment.SEEDS
    found = {
        arm: {name: OverWorlds(**kept["figures"][arm][name]) for name in experiment.SHOWN}
        for arm in experiment.ARMS
    }
    written = (RESULTS / "feed_values.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(found, experiment.SEEDS) == written
    experiment.draw(found, tmp_path / "drawn.svg")
    assert (tmp_path / "drawn.svg").read_bytes() == (RESULTS / experiment.CHART).read_bytes()


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.3, -0.1, "holds"), (0.1, 0.3, "is wrong"), (-0.1, 0.1, "is not decided")],
)
def test_an_interval_decides_the_hypothesis_or_does_not(
    experiment: ModuleType, low: float, high: float, said: str
) -> None:
    assert f"**The hypothesis {said}" in experiment.verdict(OverWorlds(7.0, (low + high) / 2, low, high))
