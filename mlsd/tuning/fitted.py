"""Fitting the funnels of many configs that share most of their stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Literal, NamedTuple

from mlsd.fitting import Curves, Fitting, Watch
from mlsd.funnel import Funnel
from mlsd.stages.base import Stage
from mlsd.store import Store
from mlsd.training import STAGE, Lessons, Start, fit_stage, stage_in_blocks
from mlsd.tuning.figures import WINDOW
from mlsd.tuning.recent import Recent
from mlsd.types import RankingBatch, Requests

How = Literal["fitted", "read", "held"]
"""How a stage came about: trained, read from the store, or still in memory."""

N_HELD = 12
"""Fitted stages that are held in memory, with what they pass on."""


Watched = Callable[[str], Watch]
"""Who follows the training of a stage, by its name."""


class Came(NamedTuple):
    """How a stage of a trial came about."""

    key: str
    how: How
    seconds: float


@dataclass
class _Held:
    start: Start
    stage: Stage
    curves: Mapping[str, Curves]
    passed: RankingBatch | None = None


class Stages:
    """Fits funnels, each stage once for all configs in which it and what is before it are the same.

    Args:
        store: where fitted stages are kept for good.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._held = Recent[_Held](N_HELD)

    def fit(
        self,
        stages: Mapping[str, Stage],
        configs: Mapping[str, object],
        lessons: Lessons,
        fitting: Fitting,
        watched: Watched,
    ) -> tuple[Funnel, dict[str, Came], list[_Held]]:
        """The fitted funnel, how each stage came about, and what `passed_on` needs.

        Whoever watches is told the quality of every epoch, also where a training is looked up: a study goes
        the same way whatever the store already held.

        Raises:
            StoppedError: whoever watches has seen enough.
        """
        at, came, held = Start.of(lessons, fitting), {}, []
        for name, stage in stages.items():
            key, began = at.key_after(name, configs[name]), perf_counter()
            how = self._how(key)
            own = replace(fitting, watch=watched(name))
            make = partial(_fitted, name, stage, configs[name], at, lessons, own, self.store)
            one = self._held.get(key, make)
            came[name] = Came(key, how, perf_counter() - began)
            if how != "fitted":
                _tell(one.curves, own.watch)
            held.append(one)
            at = one.start
        return Funnel({name: one.stage for name, one in zip(stages, held, strict=True)}), came, held

    def _how(self, key: str) -> How:
        if key in self._held:
            return "held"
        return "read" if self.store.path(STAGE, key).exists() else "fitted"


def passed_on(held: list[_Held], requests: Requests, n_workers: int) -> list[RankingBatch]:
    """What each stage passes on for the validation window's requests, computed once while it is held."""
    batch = RankingBatch.of(requests)
    for one in held:
        if one.passed is None:
            made = one.start.passed.made
            one.passed = made[WINDOW] if made is not None else stage_in_blocks(one.stage, batch, n_workers)
        batch = one.passed
    return [one.passed for one in held if one.passed is not None]


def _fitted(
    name: str, stage: Stage, config: object, start: Start, lessons: Lessons, fitting: Fitting, store: Store
) -> _Held:
    after, curves = fit_stage(name, stage, config, start, lessons, fitting, store)
    return _Held(after, stage, curves)


def _tell(curves: Mapping[str, Curves], watch: Watch) -> None:
    """Of a stage's models the first is watched; of a rank stage that is its ranker, or the first member."""
    first = next(iter(curves.values()), Curves())
    for epoch, quality in enumerate(first.quality):
        watch(epoch, quality)
