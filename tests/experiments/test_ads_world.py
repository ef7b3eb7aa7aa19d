"""The look at the ads world, at a tiny size and by hand."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from mlsd.testing.world_kit import day_of
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased


def test_the_best_are_shown_and_only_who_is_eligible(experiment: ModuleType) -> None:
    world = AdsWorld(seed=2, n_users=60, n_campaigns=40, click_model=PositionBased())
    requests = day_of(world, 0).requests
    eligible = world.eligible(requests)
    for at_random in (True, False):
        items = experiment.Knowing(world, at_random).rank(requests).items
        shown = items >= 0
        rows = np.broadcast_to(np.arange(len(requests))[:, None], items.shape)
        assert np.all(eligible[rows[shown], items[shown]])
        np.testing.assert_array_equal(shown.sum(axis=1), np.minimum(eligible.sum(axis=1), items.shape[1]))


def test_it_writes_what_it_saw(experiment: ModuleType, tmp_path: Path) -> None:
    experiment.main(["--n-users=80", f"--out={tmp_path}"])
    written = (tmp_path / "ads_world.md").read_text(encoding="utf-8")
    assert "80 people" in written
    assert "| clicks per ad shown |" in written
