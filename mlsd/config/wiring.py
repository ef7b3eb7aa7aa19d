"""Rules that no part can keep alone: what one part needs, another must provide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlsd import checks
from mlsd.config.keys import join
from mlsd.config.schema import FunnelPlan, Logging
from mlsd.config.standin import STAND_IN
from mlsd.errors import Fault, nearest
from mlsd.features.base import Feature
from mlsd.funnel import Funnel, missing_columns
from mlsd.problems.base import Problem
from mlsd.stages.base import Stage
from mlsd.types import RankingBatch, Requests

Sections = Mapping[str, Any]
"""The built sections of a config by name; something stands in for those that could not be built."""


def wiring_faults(sections: Sections) -> list[Fault]:
    """Everything wrong between sections. What could not be built is passed over."""
    found = [*_funnel(sections, "funnel", sections.get("funnel"))]
    logging = sections.get("logging")
    if isinstance(logging, Logging):
        found += _funnel(sections, "logging.funnel", logging.funnel)
        found += _depth(logging)
    return [*found, *_positions(sections), *_metrics(sections)]


def _funnel(sections: Sections, key: str, plan: object) -> Iterator[Fault]:
    if not isinstance(plan, FunnelPlan) or not isinstance(plan.stages, Mapping):
        return
    stages = plan.active
    if not stages or not all(isinstance(stage, Stage) for stage in stages.values()):
        return
    yield from _narrowing(key, stages)
    yield from _dry_run(key, stages, sections)


def _narrowing(key: str, stages: Mapping[str, Stage]) -> Iterator[Fault]:
    if any(stage.n_out is STAND_IN for stage in stages.values()):
        return
    with checks.collecting() as broken:
        Funnel(stages)
    yield from (Fault(join(key, fault.name), fault.value, fault.rule) for fault in broken)


def _dry_run(key: str, stages: Mapping[str, Stage], sections: Sections) -> Iterator[Fault]:
    """Columns that stages need and nobody provides, found without a row of anything."""
    problem = sections.get("problem")
    if not isinstance(problem, Problem):
        return
    at_first = RankingBatch.of(Requests.none()).column_names
    requests = at_first | {f"request.{name}" for name in problem.request_columns}
    produced = frozenset().union(*(stage.produces for stage in stages.values()))
    for name, columns in missing_columns(stages, requests).items():
        for column in sorted(columns):
            rule = f"is needed{_by(column, sections)} but provided by no request and no earlier stage"
            yield Fault(f"{key}.stages.{name}", column, rule, nearest(column, requests | produced - columns))


def _by(column: str, sections: Sections) -> str:
    """Which of the declared features read a column."""
    features = sections.get("features") or {}
    readers = [
        name for name, one in features.items() if isinstance(one, Feature) and column in one.needs
    ] if isinstance(features, Mapping) else []
    return f" by features.{', features.'.join(readers)}" if readers else ""


def _depth(logging: Logging) -> Iterator[Fault]:
    """The shuffled slice cannot reach deeper than the pre-existing system ranks."""
    n_out = _n_out(logging.funnel)
    if n_out is not None and logging.explore.depth > n_out:
        rule = f"must be at most {n_out}, what the pre-existing funnel returns"
        yield Fault("logging.explore.depth", logging.explore.depth, rule)


def _positions(sections: Sections) -> Iterator[Fault]:
    """A slate cannot be longer than what the funnel returns."""
    problem, plan = sections.get("problem"), sections.get("funnel")
    n_out = _n_out(plan) if isinstance(plan, FunnelPlan) else None
    if isinstance(problem, Problem) and n_out is not None and problem.n_positions > n_out:
        rule = f"must be at most {n_out}, what the funnel returns"
        yield Fault("problem.n_positions", problem.n_positions, rule)


def _n_out(plan: FunnelPlan) -> int | None:
    """What the last stage passes on; None where it could not be built."""
    stages = list(plan.active.values()) if isinstance(plan.stages, Mapping) else []
    last = stages[-1] if stages else None
    return last.n_out if isinstance(last, Stage) and isinstance(last.n_out, int) else None
