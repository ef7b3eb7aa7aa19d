from __future__ import annotations

from typing import Any, Protocol

import pytest

from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased


class MakeWorld(Protocol):
    def __call__(self, seed: int = 0, **changes: Any) -> AdsWorld: ...


@pytest.fixture(scope="session")
def make_world() -> MakeWorld:
    """Small worlds, with some parameters changed."""

    def make(seed: int = 0, **changes: Any) -> AdsWorld:
        sizes = {"n_users": 400, "n_campaigns": 100, "click_model": PositionBased()}
        return AdsWorld(**{"seed": seed, **sizes, **changes})

    return make


@pytest.fixture(scope="session")
def world(make_world: MakeWorld) -> AdsWorld:
    """One small world, made once: nothing about it changes."""
    return make_world()
