"""One trial: a config is fitted and judged. Knows no Optuna, so that worker processes need not load it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple

import numpy as np
from omegaconf import DictConfig

from mlsd import rng
from mlsd.config.check import examine, raise_faults
from mlsd.config.schema import System
from mlsd.config.variants import Variants
from mlsd.errors import ConfigError, MlsdError
from mlsd.estimators.base import Interval
from mlsd.evaluation import Evaluated
from mlsd.fitting import StoppedError, Watch, unwatched
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.progress import silent
from mlsd.runs import steps
from mlsd.runs.outcome import Logged
from mlsd.runs.rate import rate_for_labels
from mlsd.runs.steps import Config
from mlsd.store import Store, code_version, key_of
from mlsd.tuning import figures
from mlsd.tuning.figures import COSTS, MEASURED, WINDOW, Passed
from mlsd.tuning.fitted import Came, Stages, passed_on
from mlsd.tuning.quiet import Quiet
from mlsd.tuning.recent import Recent
from mlsd.types import Floats
from mlsd.worlds.base import World

State = Literal["complete", "pruned", "failed"]

Judge = Callable[[int, float], bool]
"""Told a step and a figure at it; whether the trial is to end there."""

N_WORLDS, N_LOGS = 2, 4
"""Worlds, and logs with their labels, that are held in memory."""


@dataclass(frozen=True)
class Plan:
    """What all trials of a study have in common; goes to worker processes as it is.

    Args:
        base: overrides.
        search: further folders of YAML.
        metrics: objective -> the figure that it improves.
        n_seeds: trainings that figures are the mean of.
        place: the study's folder.
        n_threads: that may rank; any number gives the same figures.
        prune_after: "epoch" or "training": when a trial may be ended.
    """

    base: tuple[str, ...]
    search: tuple[Path, ...]
    metrics: Mapping[str, str]
    n_seeds: int
    place: Path
    n_threads: int
    prune_after: str = "epoch"

    @property
    def is_timed(self) -> bool:
        """Whether a clock decides anything."""
        return any(metric in MEASURED for metric in self.metrics.values())


class Result(NamedTuple):
    """What became of a trial."""

    state: State
    values: tuple[float, ...] = ()
    """Of each objective, in order; none unless complete."""
    facts: Mapping[str, Any] = {}
    """Plain values for the storage: figures with intervals, stages, seconds."""
    reason: str = ""
    """Why it failed."""


class Workbench:
    """Runs the trials of a study one after another, and keeps in memory what the next one may need, too.

    Args:
        plan: of the study.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.variants = Variants(plan.base, plan.search)
        self.quiet = Quiet(plan.place / "quiet.lock") if plan.is_timed else None
        self._worlds, self._logs, self._labels, self._windows = (
            Recent[World](N_WORLDS),
            Recent[Logged](N_LOGS),
            Recent[Labels](N_LOGS),
            Recent[tuple[Log, Evaluated]](N_LOGS),
        )
        self._stages: dict[Path, Stages] = {}

    def run(self, overrides: Sequence[str], judge: Judge) -> Result:
        """Fit and judge the base under these overrides.

        Args:
            overrides: of the trial.
            judge: told how trainings go.
        """
        began = perf_counter()
        facts: dict[str, Any] = {"overrides": list(overrides), "code": code_version(), "stages": []}
        try:
            found = self._found(overrides, judge, facts)
        except StoppedError:
            return Result("pruned", facts={**facts, "seconds": perf_counter() - began})
        except MlsdError as error:
            reason = "; ".join(map(str, error.faults)) if isinstance(error, ConfigError) else str(error)
            return Result("failed", facts={**facts, "seconds": perf_counter() - began}, reason=reason)
        facts |= {"figures": found, "seconds": perf_counter() - began}
        values = tuple(found[name]["value"] for name in self.plan.metrics)
        undefined = [
            name for name, value in zip(self.plan.metrics, values, strict=True) if not isfinite(value)
        ]
        if undefined:
            listed = ", ".join(f"{name} ({self.plan.metrics[name]})" for name in undefined)
            return Result("failed", facts=facts, reason=f"undefined on the validation window: {listed}")
        return Result("complete", values, facts)

    def system(self, config: DictConfig) -> tuple[System, Config]:
        """The system of a composed config, its world the one that is held if it is the same.

        Raises:
            ConfigError: with everything that is wrong with it.
        """
        examined = examine(config)
        raise_faults(examined.faults)
        system = System(**examined.sections)
        world = self._worlds.get(key_of(examined.values["world"]), lambda: system.world)
        return replace(system, world=world, n_workers=self.plan.n_threads), examined.values

    def _found(self, overrides: Sequence[str], judge: Judge, facts: dict[str, Any]) -> dict[str, Any]:
        """Objective -> {value, low, high, n, of_seeds}."""
        of_seeds: list[dict[str, _Found]] = []
        for number in range(self.plan.n_seeds):
            composition = self.variants.of([*overrides, *self._seed_override(overrides, number)])
            system, config = self.system(composition.required())
            raise_faults(figures.metric_faults(self.plan.metrics, system))
            watched = number == 0 and self.plan.prune_after == "epoch"
            watch = _watched(system, judge) if watched else lambda _: unwatched
            with self.quiet.working() if self.quiet else nullcontext():
                passed = self._passed(system, config, watch, facts["stages"])
                wanted = {name: one for name, one in self.plan.metrics.items() if one not in MEASURED}
                found = {name: _find(metric, passed) for name, metric in wanted.items()}
            of_seeds.append({**found, **self._timed(passed)})
            self._judge_trainings(of_seeds, judge)
        bootstrap, user = system.bootstrap, passed.evaluated.requests.user
        return {
            name: _mean(
                [found[name] for found in of_seeds], lambda rows: bootstrap.means(rows[:, None], user)[0]
            )
            for name in self.plan.metrics
        }

    def _judge_trainings(self, of_seeds: Sequence[Mapping[str, _Found]], judge: Judge) -> None:
        """The mean so far is what the trial's figure would be if it ended here, whatever it chose."""
        if self.plan.prune_after != "training" or len(of_seeds) == self.plan.n_seeds:
            return
        first = next(iter(self.plan.metrics))
        if judge(len(of_seeds) - 1, float(np.mean([found[first].value for found in of_seeds]))):
            raise StoppedError

    def _seed_override(self, overrides: Sequence[str], number: int) -> list[str]:
        """The first training has the config's own seed, so that a run of the same config finds its stages."""
        if number == 0:
            return []
        seed = self.variants.of(overrides).required().training.seed
        return [f"training.seed={rng.derive(seed, f'training {number} of a trial')}"]

    def _passed(
        self, system: System, config: Config, watched: Callable[[str], Watch], came: list[Any]
    ) -> Passed:
        store = Store(system.store.folder)
        logged = self._logged(system, config, store)
        labels = self._made_labels(system, config, logged, store)
        lessons = steps.lessons_of(system, config, logged, labels)
        stages = self._stages.setdefault(system.store.folder, Stages(store))
        configs = config["funnel"]["stages"]
        fitted = stages.fit(system.funnel.active, configs, lessons, steps.fitting_of(system), watched)
        funnel, how, held = fitted
        came.append({name: _plain(one) for name, one in how.items()})
        log, evaluated = self._window(system, logged)
        batches = passed_on(held, evaluated.requests, system.n_workers)
        return Passed(system, log, labels, evaluated, funnel, dict(zip(funnel.stages, batches, strict=True)))

    def _logged(self, system: System, config: Config, store: Store) -> Logged:
        made_of = [config.get(name) for name in ("world", "logging", "market", "seed", "trainer", "training")]
        key = key_of(*made_of, system.problem.n_positions)
        return self._logs.get(key, lambda: steps.make_log(system, config, store, silent))

    def _made_labels(self, system: System, config: Config, logged: Logged, store: Store) -> Labels:
        """Labels; those of raters depend on what the funnel finds, so they are looked up anew each time."""
        if system.labels.programme is not None:
            rated = rate_for_labels(system, config, logged, store, silent)
            return system.labels.make(rated.log if rated else logged.log)
        key = steps.key_of_lessons(config, logged)
        return self._labels.get(key, lambda: system.labels.make(logged.log))

    def _window(self, system: System, logged: Logged) -> tuple[Log, Evaluated]:
        def made() -> tuple[Log, Evaluated]:
            log = logged.log.window(WINDOW)
            return log, steps.evaluated_on(system, log.requests)

        return self._windows.get(logged.key, made)

    def _timed(self, passed: Passed) -> dict[str, _Found]:
        """Latencies, measured while no other trial of the study is at work on this machine."""
        wanted = {name: metric for name, metric in self.plan.metrics.items() if metric in MEASURED}
        if not wanted or self.quiet is None:
            return {}
        with self.quiet.measuring():
            capacity = figures.measured(passed)
        return {name: _Found(figures.latency(metric, capacity)) for name, metric in wanted.items()}


class _Found(NamedTuple):
    """A figure of one training."""

    value: float
    rows: Floats | None = None
    """(n_requests,) what it is the mean of, where it is one."""
    interval: Interval | None = None


def _find(metric: str, passed: Passed) -> _Found:
    if metric in COSTS:
        return _Found(COSTS[metric](passed))
    if figures.is_predicted(metric, passed.system):
        interval = figures.predicted(metric, passed)
        return _Found(interval.value, interval=interval)
    rows = figures.values(metric, passed)
    known = rows[~np.isnan(rows)]
    return _Found(float(known.mean()) if len(known) else float("nan"), rows)


def _mean(found: Sequence[_Found], interval_of: Callable[[Floats], Interval]) -> dict[str, Any]:
    """The mean over trainings. Its interval is over users, as if trainings had no luck of their own."""
    of_seeds = [one.value for one in found]
    rows = [one.rows for one in found if one.rows is not None]
    interval = found[0].interval if len(found) == 1 else None
    if rows:
        interval = interval_of(np.mean(rows, axis=0))
    ends = {"low": interval.low, "high": interval.high, "n": interval.n} if interval else {}
    return {"value": float(np.mean(of_seeds)), **ends, "of_seeds": of_seeds}


def _watched(system: System, judge: Judge) -> Callable[[str], Watch]:
    """Steps of all stages on one line: a stage begins at its place in the order times the epochs of any."""
    order, max_epochs = list(system.funnel.order), system.trainer.max_epochs

    def of_stage(name: str) -> Watch:
        first = order.index(name) * max_epochs

        def watch(epoch: int, quality: float) -> None:
            if judge(first + epoch, quality):
                raise StoppedError

        return watch

    return of_stage


def _plain(came: Came) -> list[Any]:
    return [came.key, came.how, round(came.seconds, 4)]
