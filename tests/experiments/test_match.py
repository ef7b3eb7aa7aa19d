"""Figures by hand, a tiny world, and that the committed table says what the committed figures say."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml

from mlsd.estimators.worlds import OverWorlds
from mlsd.stages.match import Match
from mlsd.store import Store
from mlsd.types import Candidates, RankingBatch, Requests

RESULTS = Path(__file__).resolve().parents[2] / "experiments" / "results"


def test_what_is_left_by_hand(experiment: ModuleType) -> None:
    """40 ads worth 1 to 40 in the wrong order: of the first 30 the best 4 are 30, 29, 28, 27."""
    n = np.zeros(1, np.int64)
    batch = RankingBatch(Requests(n, n, n, np.zeros(1)), Candidates(np.array([0, 40]), np.arange(40)))
    value = np.arange(1.0, 41.0)
    found = experiment.left(batch, -value, value)
    assert found["best 4 of first 30"] == pytest.approx((30 + 29 + 28 + 27) / (40 + 39 + 38 + 37))
    assert found["best 30 of first 30"] == pytest.approx(sum(range(1, 31)) / sum(range(11, 41)))
    assert found["best 30 of first 100"] == 1


def test_a_world_is_kept_and_the_truth_leaves_more(experiment: ModuleType, tmp_path: Path) -> None:
    settings = experiment.Settings(n_users=80, n_campaigns=300, n_days=3, n_first_days=2, n_judged=20)
    found = experiment.kept_world(Store(tmp_path), settings, "this code", 5)
    assert found == experiment.kept_world(Store(tmp_path), settings, "this code", 5)
    assert set(found) == {*experiment.ARMS, "world"}
    name = experiment.name_of(4, 30)
    assert all(0 < found[arm][name] <= 1 for arm in experiment.ARMS)
    assert found[experiment.KNOWN][name] > found[experiment.OFFERS][name]
    assert found["world"]["clicks, first days"] < found["world"]["clicks, all days"]


def test_the_options_are_those_of_the_stage(experiment: ModuleType) -> None:
    """What is not said in the study is a default of `Match`, and so it is in `stage=match`."""
    stage = yaml.safe_load((RESULTS.parents[1] / "conf" / "stage" / "match.yaml").read_text("utf-8"))
    assert tuple(stage["request"]) == experiment.REQUEST
    assert tuple(stage["item"]) == experiment.ITEM
    assert stage["same"] == experiment.SAME
    defaults = {name: option.default for name, option in signature(Match).parameters.items()}
    for name in ("worth", "dim", "hidden", "sigma", "learning_rate"):
        assert stage[name] == defaults[name]


def test_the_committed_table_is_that_of_the_committed_figures(experiment: ModuleType) -> None:
    kept = json.loads((RESULTS / "match.json").read_text(encoding="utf-8"))
    assert tuple(kept["seeds"]) == experiment.SEEDS
    settings = experiment.Settings(**{name: kept[name] for name in vars(experiment.Settings())})
    assert settings == experiment.Settings()
    found = {
        arm: {name: OverWorlds(**figure) for name, figure in kept["figures"][arm].items()}
        for arm in experiment.ARMS
    }
    written = (RESULTS / "match.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(found, kept["sizes"], settings) == written
