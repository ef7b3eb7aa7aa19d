"""The section `tuning` of a sweep's config, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import BaseSampler

from mlsd import checks
from mlsd.config.parts import Builder
from mlsd.config.standin import STAND_IN
from mlsd.config.targets import allowed_prefixes
from mlsd.errors import Fault
from mlsd.tuning.external import External, external
from mlsd.tuning.parameter import Parameter
from mlsd.tuning.space import space_faults

PLACE = "tuning"

SEVERAL = ("NSGAII", "NSGAIII", "TPE", "Random", "QMC", "Grid", "BruteForce", "GP")
"""How the names of samplers begin that can weigh several objectives."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One figure that a sweep improves.

    Args:
        metric: such as `funnel.nDCG@10`, judged on the validation window, or `declared_ms`.
        direction: "maximize" or "minimize".
    """

    metric: str
    direction: Literal["maximize", "minimize"]


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How good configs are sought.

    Args:
        study: its name, and that of its folder.
        objectives: by name; the first one decides which config is called the best.
        space: parameters by name.
        n_trials: trials that are finished or pruned in the end, over all callers.
        n_seeds: trainings that a trial's figures are the mean of.
        prune_after: when a pruner is asked: after every "epoch" of the first training, by how good the ranker
            is, or after every "training" but the last, by the mean of the objective so far.
        n_workers: processes; with one there is only this one.
        seed: of the sampler.
        storage: URL of a database; None for a journal in the study's folder.
        folder: of all studies.
        max_failures: trials that may fail one after another before the sweep gives up.
    """

    study: str
    objectives: Mapping[str, Objective]
    space: Mapping[str, Parameter]
    n_trials: int = 30
    n_seeds: int = 1
    prune_after: Literal["epoch", "training"] = "epoch"
    n_workers: int = 1
    seed: int = 0
    storage: str | None = None
    folder: Path = Path("outputs/sweeps")
    max_failures: int = 10

    def __post_init__(self) -> None:
        plain = self.study.replace("-", "").replace("_", "").replace(".", "")
        rule = "must be letters, digits and -_. alone: it names a folder"
        checks.require(plain.isalnum(), "study", self.study, rule)
        checks.not_empty("objectives", self.objectives)
        checks.at_least("n_trials", self.n_trials, 1)
        checks.at_least("n_seeds", self.n_seeds, 1)
        checks.at_least("n_workers", self.n_workers, 1)
        checks.at_least("seed", self.seed, 0)
        checks.at_least("max_failures", self.max_failures, 1)

    @property
    def place(self) -> Path:
        """The study's folder."""
        return self.folder / self.study


@dataclass(frozen=True)
class Search:
    """What `tuning` says about how the next trial is chosen and when one is ended.

    Args:
        sampler: makes the sampler when called with `seed`.
        pruner: None where every trial is trained to its end.
    """

    sampler: External[BaseSampler]
    pruner: External[BasePruner] | None

    def made_pruner(self) -> BasePruner:
        return self.pruner.make() if self.pruner else NopPruner()


def read_tuning(section: Mapping[str, Any]) -> tuple[Tuning, Search] | list[Fault]:
    """The section, or everything that is wrong with it.

    Args:
        section: plain values.
    """
    builder = Builder(allowed_prefixes())
    given = {name: value for name, value in section.items() if name not in {"sampler", "pruner"}}
    tuning = builder.section(PLACE, given, Tuning)
    sampler = external(f"{PLACE}.sampler", section.get("sampler") or {}, BaseSampler)
    pruner = external(f"{PLACE}.pruner", section["pruner"], BasePruner) if section.get("pruner") else None
    faults = [*builder.faults, *(one for part in (sampler, pruner) if isinstance(part, list) for one in part)]
    if faults or tuning is STAND_IN or isinstance(sampler, list) or isinstance(pruner, list):
        return faults
    search = Search(sampler, pruner)
    faults = [
        *space_faults(tuning.space),
        *_objective_faults(tuning, search),
        *_pruner_faults(tuning, search),
    ]
    return faults or (tuning, search)


def _objective_faults(tuning: Tuning, search: Search) -> list[Fault]:
    """Not every sampler can weigh several objectives."""
    if len(tuning.objectives) == 1 or search.sampler.name.startswith(SEVERAL):
        return []
    rule = "cannot weigh several objectives: sampler@tuning.sampler=nsga2"
    return [Fault(f"{PLACE}.sampler", search.sampler.target, rule)]


def _pruner_faults(tuning: Tuning, search: Search) -> list[Fault]:
    """What a pruner compares must be one figure, there before a trial ends, and go the objective's way."""
    if search.pruner is None:
        return []
    if len(tuning.objectives) > 1:
        rule = "must be null with several objectives: no one figure can prune; pruner@tuning.pruner=none"
        return [Fault(f"{PLACE}.pruner", search.pruner.target, rule)]
    if tuning.prune_after == "training" and tuning.n_seeds == 1:
        rule = "needs trials of several trainings: tuning.n_seeds=3, or pruner@tuning.pruner=none"
        return [Fault(f"{PLACE}.prune_after", tuning.prune_after, rule)]
    (objective,) = tuning.objectives.values()
    if tuning.prune_after == "epoch" and objective.direction == "minimize":
        rule = (
            f"compares how good rankers are, and {objective.metric} is to be minimized: "
            "tuning.prune_after=training, or pruner@tuning.pruner=none"
        )
        return [Fault(f"{PLACE}.prune_after", tuning.prune_after, rule)]
    return []
