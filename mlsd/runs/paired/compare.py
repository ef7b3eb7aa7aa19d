"""Finished runs against the first of them, as a report shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlsd import checks
from mlsd.config.build import build_sections
from mlsd.errors import InputError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.evaluation import ORACLE
from mlsd.metrics.base import DiversityMetric, PredictionMetric, RankingMetric
from mlsd.problems.base import Problem
from mlsd.report.paired.base import ComparedRun, PairedComparison
from mlsd.report.parts import Changes
from mlsd.runs.changes import changes_of
from mlsd.runs.paired.comparable import require_comparable
from mlsd.runs.paired.differences import differences_of
from mlsd.runs.paired.figures import differences, means
from mlsd.runs.paired.side import Side, read_sides
from mlsd.runs.provenance import CONFIG, UNIT
from mlsd.runs.steps import SHOWN
from mlsd.types import Array


class _Plan(NamedTuple):
    """The sections of the baseline's config that say how to compare."""

    problem: Problem
    metrics: Mapping[str, RankingMetric | DiversityMetric | PredictionMetric]
    bootstrap: Bootstrap


def compare(folders: Sequence[Path], metric: str | None = None, system: str = SHOWN) -> PairedComparison:
    """Hold runs against the first of them, paired by request.

    Args:
        folders: of two or more finished runs; the first is the baseline.
        metric: that decides; the baseline's goal unless given.
        system: whose rankings are compared: a stage's, "logging" (the pre-existing system), or what the
            whole funnel shows.

    Raises:
        InputError: a folder holds no whole finished run, or the runs are not of the same requests, truth and
            metrics; the message says what differs and where.
        ConfigError: the baseline's config is not one that could be run.
    """
    if len(folders) < 2:
        raise InputError(f"{len(folders)} run given, must be two or more: the first is the baseline")
    baseline, *others = sides = read_sides(folders)
    for other in others:
        require_comparable(baseline, other)
    plan = _Plan(**build_sections(baseline.run.config, _Plan._fields))
    for side in sides:
        checks.one_of(f"--stage ({side.name})", system, side.systems)
    decides = metric or _goal(plan)
    metrics = _shared(sides, system, decides)
    found = differences(baseline, others, system, metrics, plan.bootstrap)
    query = _query(plan.problem, baseline)
    return PairedComparison(
        title=f"{plan.problem.name.capitalize()}: {len(sides)} runs compared",
        baseline=baseline.name,
        system=system,
        metric=decides,
        metrics=metrics,
        segments=baseline.segments,
        unit=str(baseline.provenance[UNIT]),
        n_requests=len(baseline.table),
        n_units=int(baseline.table["user"].nunique()),
        confidence=plan.bootstrap.confidence,
        means={side.name: means(side, system, metrics, plan.bootstrap) for side in sides},
        runs=tuple(
            ComparedRun(other.name, found[other.name], _changes(baseline, other, system, decides, query))
            for other in others
        ),
        config_differences=differences_of([side.config for side in sides]),
        provenance_differences=differences_of([_made(side) for side in sides]),
    )


def _goal(plan: _Plan) -> str:
    """Name of the metric that the problem says decides."""
    key = plan.problem.goals.offline
    return plan.metrics[checks.one_of("problem.goals.offline", key, list(plan.metrics))].name


def _shared(sides: Sequence[Side], system: str, decides: str) -> tuple[str, ...]:
    """Metrics that all runs have of a system, the deciding one first; ceilings only of what is passed on."""
    for side in sides:
        checks.one_of(f"--metric ({side.name})", decides, side.metrics(system))
    every = [set(side.metrics(system)) for side in sides]
    names = [name for name in sides[0].metrics(system) if name in set.intersection(*every)]
    kept = [name for name in names if system != SHOWN or not name.startswith(ORACLE)]
    return (decides, *(name for name in kept if name != decides))


def _query(problem: Problem, side: Side) -> Array | None:
    """(n_requests,) the text of each request; None where requests have none, or several."""
    texts = [name for name, kind in problem.columns.items() if kind == "text"]
    return side.requests[texts[0]] if len(texts) == 1 else None


def _changes(baseline: Side, other: Side, system: str, metric: str, query: Array | None) -> Changes:
    return changes_of(baseline.values(system, metric), other.values(system, metric), query)


def _made(side: Side) -> Mapping[str, Any]:
    """Its provenance without the date and what the config's own differences say."""
    said = {"date", CONFIG}
    return {
        name: value
        for name, value in side.provenance.items()
        if name not in said and not name.endswith("seed")
    }
