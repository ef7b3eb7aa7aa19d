"""The same funnel without a part, ready to serve; what lies before the part is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from mlsd import rng
from mlsd.ablation.parts import SERVING, Part, Plan, Removal
from mlsd.fitting import Fitting
from mlsd.stages.base import Stage
from mlsd.store import Store
from mlsd.training import Lessons, Start, fit_stage, stage_in_blocks
from mlsd.types import RankingBatch, Requests

Stages = Mapping[str, Stage]


@dataclass(frozen=True)
class Learning:
    """How stages of another design are fitted.

    Args:
        design: makes the funnel's stages anew, not fitted.
        configs: stage -> the plain config it is built from; part of its key.
        lessons: what to learn from.
        fitting: how; a stage draws from the stream of its name, whatever is taken out.
        store: where fitted stages are kept.
    """

    design: Callable[[], Stages]
    configs: Mapping[str, object]
    lessons: Lessons
    fitting: Fitting
    store: Store


class Trace(NamedTuple):
    """Requests on their way through a funnel."""

    passed: RankingBatch
    """What comes out at its end."""
    n_in: Mapping[str, float]
    """Stage -> mean number of candidates that enter it."""


class Whole:
    """A fitted funnel on the requests that it is judged on, and what becomes of it without a part.

    Args:
        stages: fitted, in order.
        requests: to rank.
        learning: how other designs are fitted.
    """

    def __init__(self, stages: Stages, requests: Requests, learning: Learning) -> None:
        self.stages = dict(stages)
        self.names = list(stages)
        self.learning = learning
        self._entering: list[RankingBatch] = [RankingBatch.of(requests)]

    @property
    def available(self) -> frozenset[str]:
        """Columns that the requests have."""
        return self._entering[0].column_names

    @cached_property
    def trace(self) -> Trace:
        """The requests through all stages."""
        for stage in self.stages.values():
            self._entering.append(stage_in_blocks(stage, self._entering[-1], self._n_workers))
        n_in = {name: _mean(batch) for name, batch in zip(self.names, self._entering, strict=False)}
        return Trace(self._entering[-1], n_in)

    def without(self, part: Part, plan: Plan, removal: Removal) -> dict[str, Stage]:
        """The stages that are left, fitted.

        Raises:
            InputError: nothing can be learnt without the part.
        """
        return self._served(part, plan) if removal == SERVING else self._redesigned(part, plan)

    def refitted(self, times: int) -> Iterator[dict[str, Stage]]:
        """The same design fitted again, each time from another seed; what learns alone stays as it is.

        None at all where everything learns alone.
        """
        for again in range(1, times + 1) if self._n_settled < len(self.names) else ():
            seed = rng.derive(self.learning.fitting.seed, f"refit {again}")
            at, fresh = self._starts[self._n_settled], self.learning.design()
            stages = {name: self.stages[name] for name in self.names[: self._n_settled]}
            for name in self.names[self._n_settled :]:
                config = [self.learning.configs[name], "seed", seed]
                if self.stages[name].learns_alone:
                    stages[name] = self.stages[name]
                    at = at.after(name, config, stages[name])
                else:
                    at, stages[name] = self._fitted(name, fresh[name], config, at, seed)
            yield stages

    @property
    def _n_workers(self) -> int:
        return self.learning.fitting.n_workers

    @property
    def _n_settled(self) -> int:
        """How many stages learn alone before the first one that does not."""
        return sum(1 for _ in takewhile(lambda stage: stage.learns_alone, self.stages.values()))

    def trace_of_refitted(self, stages: Stages) -> Trace:
        """The requests through the same design, fitted again."""
        return self._trace_from(self._n_settled, stages)

    def trace_of(self, part: Part, left: Stages) -> Trace:
        """The requests through what is left without a part, starting where it makes a difference."""
        return self._trace_from(part.first(self.names), left)

    def _trace_from(self, first: int, left: Stages) -> Trace:
        whole = self.trace
        batch, n_in = self._entering[first], {name: whole.n_in[name] for name in self.names[:first]}
        for name in self.names[first:]:
            if name in left:
                n_in[name] = _mean(batch)
                batch = stage_in_blocks(left[name], batch, self._n_workers)
        return Trace(batch, n_in)

    def _served(self, part: Part, plan: Plan) -> dict[str, Stage]:
        kept = ((name, stage) for name, stage in self.stages.items() if name != part.stage)
        return {name: _muted(stage, plan.removed.get(name)) for name, stage in kept}

    def _redesigned(self, part: Part, plan: Plan) -> dict[str, Stage]:
        first, learning = part.first(self.names), self.learning
        stages = {name: self.stages[name] for name in self.names[:first]}
        at, fresh = self._starts[first], learning.design()
        for name in self.names[first:]:
            if name == part.stage or name in plan.emptied:
                continue
            gone = plan.removed.get(name, frozenset())
            config = [learning.configs[name], "without", *sorted(gone)] if gone else learning.configs[name]
            if self.stages[name].learns_alone:
                stages[name] = _muted(self.stages[name], gone)
                at = at.after(name, config, stages[name])
            else:
                stage = fresh[name].without(gone) if gone else fresh[name]
                at, stages[name] = self._fitted(name, stage, config, at, learning.fitting.seed)
        return stages

    def _fitted(self, name: str, stage: Stage, config: object, at: Start, seed: int) -> tuple[Start, Stage]:
        """The stage, fitted on what comes to it, and what is behind it."""
        learning = self.learning
        fitting = replace(learning.fitting, seed=seed)
        behind, _ = fit_stage(name, stage, config, at, learning.lessons, fitting, learning.store)
        return behind, stage

    @cached_property
    def _starts(self) -> list[Start]:
        """Before each stage, where fitting the next one starts."""
        starts = [Start.of(self.learning.lessons, self.learning.fitting)]
        for name, stage in self.stages.items():
            starts.append(starts[-1].after(name, self.learning.configs[name], stage))
        return starts


def _muted(stage: Stage, pieces: frozenset[str] | None) -> Stage:
    return stage.muted(pieces) if pieces else stage


def _mean(batch: RankingBatch) -> float:
    return float(np.mean(batch.candidates.counts)) if len(batch) else 0.0
