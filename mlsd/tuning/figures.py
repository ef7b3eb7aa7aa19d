"""The figures that a sweep can improve: what a run measures offline, and what a funnel costs.

Everything is judged on the validation window, which trainings look at only to choose their epoch and to
calibrate; the test window is left to the run that the best config gets afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlsd.capacity import Capacity, measure
from mlsd.config.schema import System
from mlsd.errors import Fault, InputError, nearest
from mlsd.estimators.base import Interval
from mlsd.evaluation import ALL, ORACLE, Evaluated, action_predictions, prediction_figures, ranking_values
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.metrics.base import PredictionMetric, RankingMetric
from mlsd.runs.predicted import CLICK
from mlsd.runs.steps import SHOWN, list_metrics
from mlsd.stages.base import RequestStage
from mlsd.stages.rank import RankStage
from mlsd.training import stage_in_blocks
from mlsd.types import Floats, RankingBatch

WINDOW = "validation"

MEASURED = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
"""Figures that a clock measures: no other moment gives the same."""


@dataclass(frozen=True)
class Passed:
    """What a fitted funnel makes of the validation window.

    Args:
        system: that it is part of.
        log: of the window.
        labels: that it learnt from.
        evaluated: the window's requests.
        funnel: fitted.
        batches: stage -> what it passes on.
    """

    system: System
    log: Log
    labels: Labels
    evaluated: Evaluated
    funnel: Funnel
    batches: Mapping[str, RankingBatch]

    def before(self, name: str) -> RankingBatch:
        """What enters a stage."""
        names = list(self.batches)
        place = names.index(name)
        return self.batches[names[place - 1]] if place else RankingBatch.of(self.evaluated.requests)

    def n_in(self, name: str) -> float:
        """Mean candidates of a request that enter a stage; of the one that finds them, the catalog's size."""
        stages = [one for one, stage in self.funnel.stages.items() if not isinstance(stage, RequestStage)]
        if name not in stages:
            return 0.0
        if name == stages[0]:
            return float(len(self.system.world.catalog))
        counts = self.before(name).candidates.counts
        return float(np.mean(counts)) if len(counts) else 0.0


Cost = Callable[[Passed], float]


def _parameters(passed: Passed) -> float:
    """Numbers that the rankers of the funnel have learnt."""
    ranks = [stage for stage in passed.funnel.stages.values() if isinstance(stage, RankStage)]
    rankers = [ranker for rank in ranks for ranker in rank.fitted_rankers]
    return float(sum(array.size for ranker in rankers for array in ranker.state().values()))


def _candidates_scored(passed: Passed) -> float:
    """Mean candidates of a request that rankers score, over all rank stages."""
    ranks = [name for name, stage in passed.funnel.stages.items() if isinstance(stage, RankStage)]
    return float(sum(passed.n_in(name) for name in ranks))


def _declared_ms(passed: Passed) -> float:
    """Time of a request by `funnel.costs`: of each stage fixed_ms + candidate_us x candidates / 1000."""
    costs = passed.system.funnel.costs
    return float(
        sum(
            costs[name].fixed_ms + costs[name].candidate_us * passed.n_in(name) / 1000
            for name in passed.funnel.stages
        )
    )


COSTS: dict[str, Cost] = {
    "parameters": _parameters,
    "candidates_scored": _candidates_scored,
    "declared_ms": _declared_ms,
}
"""Figures of what a funnel costs; they are the same wherever they are computed."""


def measured(passed: Passed) -> Capacity:
    """How long the window's requests take, one by one."""
    n = passed.system.budget.n_requests
    budget_ms = passed.system.problem.latency_ms
    return measure(passed.funnel, passed.evaluated.requests, budget_ms, n, n_warm_up=max(1, n // 10))


def latency(name: str, capacity: Capacity) -> float:
    """One of `MEASURED`."""
    return float(getattr(capacity.request, name.removeprefix("latency_")))


def known(system: System) -> set[str]:
    """The figures that a system has, as `STAGE.METRIC`, `funnel.METRIC` or the name of a cost."""
    metrics = [metric.name for metric in list_metrics(system)]
    first = next(metric.name for metric in list_metrics(system) if isinstance(metric, RankingMetric))
    predicted = [metric.name for metric in system.metrics.values() if isinstance(metric, PredictionMetric)]
    found = {f"{SHOWN}.{name}" for name in (*metrics, ORACLE + first)}
    for name, stage in system.funnel.active.items():
        if not isinstance(stage, RequestStage):
            found |= {f"{name}.{metric}" for metric in (*metrics, ORACLE + first)}
        if isinstance(stage, RankStage) and CLICK in stage.predictions:
            found |= {f"{name}.{metric}" for metric in predicted}
    undeclared = set(system.funnel.active) - set(system.funnel.costs)
    return found | set(MEASURED) | ({*COSTS} - ({"declared_ms"} if undeclared else set()))


def metric_faults(metrics: Mapping[str, str], system: System) -> list[Fault]:
    """What is asked for that a system does not have.

    Args:
        metrics: objective -> metric.
        system: a run's.
    """
    names = known(system)
    missing = {objective: metric for objective, metric in metrics.items() if metric not in names}
    return [
        Fault(f"tuning.objectives.{objective}.metric", metric, _rule(metric, system), nearest(metric, names))
        for objective, metric in missing.items()
    ]


def _rule(metric: str, system: System) -> str:
    if metric == "declared_ms":
        undeclared = sorted(set(system.funnel.active) - set(system.funnel.costs))
        return f"funnel.costs declares nothing for {', '.join(undeclared)}"
    stages = [name for name, stage in system.funnel.active.items() if not isinstance(stage, RequestStage)]
    costs = ", ".join([*COSTS, *MEASURED])
    return f"no such figure: there are {SHOWN}.METRIC, STAGE.METRIC of {', '.join(stages)}, and {costs}"


def values(metric: str, passed: Passed) -> Floats:
    """(n_requests,) a metric of an order, NaN where it says nothing about a request.

    Args:
        metric: as `STAGE.METRIC` or `funnel.METRIC`.
        passed: what the funnel passes on.

    Raises:
        InputError: the world does not tell what the metric needs.
    """
    stage, _, name = metric.partition(".")
    shown = stage == SHOWN
    batch = passed.batches[list(passed.batches)[-1] if shown else stage]
    batch = batch.first(passed.system.problem.n_positions) if shown else batch
    names, columns = ranking_values(batch, _needed(passed.system, name), passed.evaluated)
    if name not in names:
        raise InputError(f"{metric}: the world does not tell subtopics apart, which this metric needs")
    return columns[:, names.index(name)]


def _needed(system: System, name: str) -> list[RankingMetric]:
    """The metric of that name, after the first, whose ceiling comes along."""
    first, *others = list_metrics(system)
    return [first, *(metric for metric in others if metric.name == name)]  # type: ignore[list-item]


def is_predicted(metric: str, system: System) -> bool:
    """Whether a metric judges predicted probabilities rather than an order."""
    predicted = {one.name for one in system.metrics.values() if isinstance(one, PredictionMetric)}
    return metric.partition(".")[2] in predicted


def predicted(metric: str, passed: Passed) -> Interval:
    """A metric of a rank stage's click probabilities.

    Raises:
        InputError: labels say nothing about clicks by position.
    """
    name, _, wanted = metric.partition(".")
    stage = passed.funnel.stages[name]
    assert isinstance(stage, RankStage)  # noqa: S101  (`known` says so)
    if not len(passed.labels.examination):
        raise InputError(f"{metric}: the labels estimate no examination, so clicks cannot be predicted")
    scored = stage_in_blocks(stage.scored, passed.before(name), passed.system.n_workers)
    clicks = action_predictions(scored, stage.predictions[CLICK], passed.log, passed.labels, passed.evaluated)
    metrics: Sequence[PredictionMetric] = [
        one
        for one in passed.system.metrics.values()
        if isinstance(one, PredictionMetric) and one.name == wanted
    ]
    figure = prediction_figures(clicks, metrics, passed.system.bootstrap)[wanted][ALL]
    return Interval(**figure)
