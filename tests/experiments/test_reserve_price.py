"""Figures by hand, a tiny world, and that the committed table says what the committed figures say."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from mlsd.estimators.worlds import OverWorlds
from mlsd.store import Store

RESULTS = Path(__file__).resolve().parents[2] / "experiments" / "results"


def test_figures_by_hand(experiment: ModuleType) -> None:
    worlds = [
        {"0.0": dict.fromkeys(experiment.SHOWN, 10.0), "0.2": dict.fromkeys(experiment.SHOWN, value)}
        for value in (11.0, 12.0, 13.0)
    ]
    figure = experiment.figures(worlds)["0.2"]["ad_load"]
    assert (figure.value, figure.difference) == (12.0, 2.0)
    assert figure.high - 2.0 == pytest.approx(4.3027 * 1.0 / 3**0.5, rel=1e-4)


def test_a_world_is_kept_and_reserves_matter(experiment: ModuleType, tmp_path: Path) -> None:
    settings = experiment.Settings(n_users=60, n_campaigns=40, n_days=9)
    found = experiment.kept(Store(tmp_path), settings, "this code", 5)
    assert found == experiment.one_world(settings, 5)
    file = next(tmp_path.rglob("found.json"))
    changed = file.stat().st_mtime_ns
    assert experiment.kept(Store(tmp_path), settings, "this code", 5) == found
    assert file.stat().st_mtime_ns == changed
    loads = [found[str(reserve)]["ad_load"] for reserve in experiment.RESERVES]
    assert loads[-1] < loads[0]


def test_the_committed_table_is_that_of_the_committed_figures(experiment: ModuleType) -> None:
    kept = json.loads((RESULTS / "reserve_price.json").read_text(encoding="utf-8"))
    assert tuple(kept["seeds"]) == experiment.SEEDS
    settings = experiment.Settings(kept["n_users"], kept["n_campaigns"], kept["n_days"])
    assert settings == experiment.Settings()
    found = {
        str(reserve): {name: OverWorlds(**kept["figures"][str(reserve)][name]) for name in experiment.SHOWN}
        for reserve in experiment.RESERVES
    }
    written = (RESULTS / "reserve_price.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(found, settings) == written
