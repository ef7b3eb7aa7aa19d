"""A tiny world by hand, and that the committed table says what the committed figures say."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mlsd.estimators.worlds import OverWorlds
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

RESULTS = Path(__file__).resolve().parents[2] / "experiments" / "results"


def test_what_is_left_by_a_loop(experiment: ModuleType) -> None:
    settings = experiment.Settings(n_users=60, n_campaigns=2000, n_judged=30)
    found = experiment.one_world(settings, 5)
    world = AdsWorld(seed=5, n_users=60, n_campaigns=2000, click_model=PositionBased())
    pages = world.arrivals(np.arange(60), experiment.DAY, world.people.first_state()).take(np.arange(30))
    catalog, judged = world.catalog, world.judgements(pages)
    offer = np.where(catalog["per_action"], 0.1, 1.0) * catalog["bid"]
    kept, whole = 0.0, 0.0
    for start, end in zip(judged.offsets[:-1].tolist(), judged.offsets[1:].tolist(), strict=True):
        order = np.argsort(-offer[judged.items[start:end]], kind="stable")
        grades = judged.grades[start:end][order]
        kept += np.sort(grades[:100])[-4:].sum()
        whole += np.sort(grades)[-4:].sum()
    assert found["best 4 of first 100"] == pytest.approx(kept / whole)
    assert found["best 30 of first 20000"] == 1
    assert found["eligible"] == pytest.approx(len(judged.items) / 30)


def test_the_committed_table_is_that_of_the_committed_figures(experiment: ModuleType) -> None:
    kept = json.loads((RESULTS / "target_depth.json").read_text(encoding="utf-8"))
    assert tuple(kept["seeds"]) == experiment.SEEDS
    settings = experiment.Settings(kept["n_users"], kept["n_campaigns"], kept["n_judged"])
    assert settings == experiment.Settings()
    found = {name: OverWorlds(**figure) for name, figure in kept["figures"].items()}
    written = (RESULTS / "target_depth.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(found, settings) == written
