"""What the declared scale and costs of a design come to: arithmetic only, every figure with its formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10

from mlsd.config.schema import FunnelPlan, StageCost
from mlsd.problems.base import SECONDS_A_DAY, Problem
from mlsd.report.numbers import count, milliseconds, significant
from mlsd.stages.base import RequestStage

UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Derived:
    """A figure that follows from a config.

    Args:
        name: what it is.
        text: its value with its unit.
        how: the formula, in keys of the config.
    """

    name: str
    text: str
    how: str


@dataclass(frozen=True)
class StageLoad:
    """What one stage has to do, and whether its declared cost fits its share of the latency.

    Args:
        name: of the stage.
        n_in: candidates of a request that enter it; 0 where a stage works on requests alone.
        n_out: candidates that it passes on, at most; 0 likewise.
        budget_ms: its share of the latency budget; None where no cost is declared.
        declared_ms: its time for a request at the declared cost; None likewise.
        affordable: the most candidates that its share allows; None where one costs nothing, or likewise.
        cores: busy at the peak, at the planned utilisation; None likewise.
        scored_per_second: candidates that enter it at the peak.
    """

    name: str
    n_in: int
    n_out: int
    budget_ms: float | None
    declared_ms: float | None
    affordable: int | None
    cores: float | None
    scored_per_second: float

    @property
    def fits(self) -> bool | None:
        """Whether the declared time is within the share; None where no cost is declared."""
        if self.budget_ms is None or self.declared_ms is None:
            return None
        return self.declared_ms <= self.budget_ms


def stage_loads(problem: Problem, plan: FunnelPlan) -> list[StageLoad]:
    """The load of each stage that requests pass, in order."""
    loads, n_in = [], problem.scale.n_matching
    for name, stage in plan.active.items():
        n_out = n_in if stage.n_out is None else stage.n_out
        candidates = (0, 0) if isinstance(stage, RequestStage) else (n_in, n_out)
        loads.append(_load(name, *candidates, plan.costs.get(name), problem))
        n_in = n_out
    return loads


def _load(name: str, n_in: int, n_out: int, cost: StageCost | None, problem: Problem) -> StageLoad:
    peak = problem.scale.peak_requests_per_second
    if cost is None:
        return StageLoad(name, n_in, n_out, None, None, None, None, n_in * peak)
    budget_ms = problem.latency_ms * cost.latency_share
    declared_ms = time_ms(cost, n_in)
    cores = peak * declared_ms / 1000 / problem.scale.utilisation
    return StageLoad(
        name, n_in, n_out, budget_ms, declared_ms, affordable(cost, budget_ms), cores, n_in * peak
    )


def time_ms(cost: StageCost, n_candidates: int) -> float:
    """fixed_ms + candidate_us * n_candidates / 1000.

    Example:
        >>> time_ms(StageCost(latency_share=0.3, fixed_ms=0.5, candidate_us=10.0), 100)
        1.5
    """
    return cost.fixed_ms + cost.candidate_us * n_candidates / 1000


def affordable(cost: StageCost, budget_ms: float) -> int | None:
    """The most candidates that a stage has the time for; None where a candidate costs nothing.

    Example:
        >>> affordable(StageCost(latency_share=0.3, fixed_ms=0.5, candidate_us=10.0), 30.0)
        2950
    """
    if cost.candidate_us == 0:
        return None
    return max(0, floor((budget_ms - cost.fixed_ms) * 1000 / cost.candidate_us))


def scale_figures(problem: Problem, plan: FunnelPlan, embedding_dims: Mapping[str, int]) -> list[Derived]:
    """Traffic, memory, time and cores of the whole system.

    Args:
        problem: its scale.
        plan: the funnel with its declared costs.
        embedding_dims: full key -> length of the embeddings that an index keeps for every item.
    """
    loads = stage_loads(problem, plan)
    return [*_traffic(problem), *_memory(problem, embedding_dims), *_time(problem, loads), *_cores(loads)]


def _traffic(problem: Problem) -> list[Derived]:
    scale, rate = problem.scale, "problem.scale.requests_per_second"
    a_day = scale.requests_per_second * SECONDS_A_DAY
    return [
        Derived("requests a day", count(a_day), f"{rate} * {SECONDS_A_DAY:,} s"),
        Derived(
            "requests a second at the peak", count(scale.peak_requests_per_second), f"{rate} * peak_factor"
        ),
        Derived(
            "impressions logged a day, at most",
            count(a_day * problem.n_positions),
            "requests a day * problem.n_positions",
        ),
        Derived(
            "items ranked of those that match",
            _percent(scale.n_ranked / scale.n_matching),
            "problem.scale.n_ranked / n_matching",
        ),
    ]


def _memory(problem: Problem, embedding_dims: Mapping[str, int]) -> list[Derived]:
    scale = problem.scale
    index = Derived(
        "memory of the term index",
        size(scale.n_items * scale.item_index_bytes),
        "problem.scale.n_items * item_index_bytes",
    )
    return [
        index,
        *(
            Derived(
                f"memory of the embeddings of {key.rpartition('.')[0].rpartition('.')[2]}",
                size(scale.n_items * dim * scale.embedding_bytes),
                f"problem.scale.n_items * {key} * problem.scale.embedding_bytes",
            )
            for key, dim in embedding_dims.items()
        ),
    ]


def _time(problem: Problem, loads: list[StageLoad]) -> list[Derived]:
    declared = sum(load.declared_ms or 0 for load in loads)
    given = sum(load.budget_ms or 0 for load in loads)
    return [
        Derived("time of a request, declared", milliseconds(declared), "sum of the stages' declared times"),
        Derived("latency budget", milliseconds(problem.latency_ms), "problem.latency_ms"),
        Derived(
            "of it not given to any stage",
            milliseconds(problem.latency_ms - given),
            "latency budget - the stages' shares",
        ),
    ]


def _cores(loads: list[StageLoad]) -> list[Derived]:
    cores = sum(load.cores or 0 for load in loads)
    return [Derived("cores at the peak", count(cores), "sum of the stages' cores")]


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2)}%"


def size(n_bytes: float) -> str:
    """Bytes in the decimal unit that fits.

    Example:
        >>> size(1600), size(25.6e9)
        ('1.6 kB', '25.6 GB')
    """
    power = min(len(UNITS) - 1, max(0, floor(log10(n_bytes) / 3)) if n_bytes else 0)
    return f"{n_bytes / 1000**power:,.1f}".removesuffix(".0") + f" {UNITS[power]}"
