from __future__ import annotations

from typing import Any, Protocol

import pytest

from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld
from mlsd.worlds.search.vocabulary import LanguageOptions


class MakeWorld(Protocol):
    def __call__(self, seed: int = 0, **changes: Any) -> SearchWorld: ...


@pytest.fixture(scope="session")
def make_world() -> MakeWorld:
    """Small worlds, with some parameters changed."""

    def make(seed: int = 0, **changes: Any) -> SearchWorld:
        sizes = {"n_items": 2000, "n_queries": 400, "n_users": 300}
        language = LanguageOptions(n_topics=6, concepts_per_topic=15, n_background=600)
        parts = {"click_model": PositionBased(), "language": language}
        return SearchWorld(**{"seed": seed, **sizes, **parts, **changes})

    return make


@pytest.fixture(scope="session")
def world(make_world: MakeWorld) -> SearchWorld:
    """One small world, made once: nothing about it changes."""
    return make_world()
