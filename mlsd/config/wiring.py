"""Rules that no part can keep alone: what one part needs, another must provide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np

from mlsd import checks
from mlsd.ad_server import Market
from mlsd.config.keys import join
from mlsd.config.schema import Collection, FunnelPlan, Logging
from mlsd.config.standin import stands_in
from mlsd.errors import Fault, nearest
from mlsd.features.sets.base import FeatureSet
from mlsd.funnel import Funnel, missing_columns
from mlsd.labels.annotations import Annotators
from mlsd.metrics.base import PredictionMetric
from mlsd.online.ads_test import AdsTest
from mlsd.online.base import OnlineTest
from mlsd.online.frontier import Frontier
from mlsd.pacing.base import MINUTES_OF_A_DAY, Pacer
from mlsd.problems.base import Goals, Problem
from mlsd.ratings.programme import RatingProgramme
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import CandidateStage, Stage
from mlsd.types import RankingBatch, Requests
from mlsd.worlds.base import KnownProbs, LiveWorld, RecordedWorld, World

_NONE = np.zeros(0, np.int64)

BUILT_IN = RankingBatch.of(Requests(_NONE, _NONE, _NONE, np.zeros(0))).column_names
"""Columns that every request has, and a candidate before any stage."""

MAX_NAMED = 3
"""How many parts that need a column are named."""

Sections = Mapping[str, Any]
"""The built sections of a config by name; something stands in for those that could not be built."""


def wiring_faults(sections: Sections) -> list[Fault]:
    """Everything wrong between sections. What could not be built is passed over."""
    found = [*_funnel(sections, "funnel", sections.get("funnel"))]
    logging = sections.get("logging")
    if isinstance(logging, Logging):
        found += _funnel(sections, "logging.funnel", logging.funnel)
        found += _depth(logging, sections.get("problem"))
    found += [*_users(sections), *_positions(sections), *_metrics(sections), *_item_segments(sections)]
    found += [*_horizons(sections), *_annotations(sections), *_ratings(sections), *_market(sections)]
    return [fault for fault in found if not stands_in(fault.value, fault.rule)]


def _funnel(sections: Sections, key: str, plan: object) -> Iterator[Fault]:
    if not _is_built(plan):
        return
    stages = plan.active
    if not stages or not all(isinstance(stage, Stage) for stage in stages.values()):
        return
    yield from _narrowing(key, stages)
    yield from _dry_run(key, stages, sections)
    yield from _leakage(key, stages)
    yield from _catalog(key, stages, sections.get("world"))


def _narrowing(key: str, stages: Mapping[str, Stage]) -> Iterator[Fault]:
    if not all(isinstance(stage.n_out, int | None) for stage in stages.values()):
        return
    with checks.collecting() as broken:
        Funnel(stages)
    yield from (Fault(join(key, fault.name), fault.value, fault.rule) for fault in broken)


def _dry_run(key: str, stages: Mapping[str, Stage], sections: Sections) -> Iterator[Fault]:
    """Columns that stages need and nobody provides, found without a row of anything."""
    problem = sections.get("problem")
    if not isinstance(problem, Problem):
        return
    requests = BUILT_IN | {f"request.{name}" for name in problem.columns}
    provided = requests | {column for stage in stages.values() for column in stage.produces}
    for name, columns in missing_columns(stages, requests).items():
        for column in sorted(columns):
            readers = _by(column, stages[name], "needs")
            rule = f"is needed{readers}, but no request and no earlier stage has it"
            yield Fault(f"{key}.stages.{name}", column, rule, nearest(column, provided - columns))


def _leakage(key: str, stages: Mapping[str, Stage]) -> Iterator[Fault]:
    """Columns that a stage reads and an earlier one learnt from the same labels: they have seen them."""
    learnt: dict[str, str] = {}
    for name, stage in stages.items():
        if not stage.learns_from_labels:
            continue
        for column in sorted(stage.needs & learnt.keys()):
            readers = _by(column, stage, "needs")
            rule = f"is read{readers}, but {learnt[column]} learnt it from the same labels"
            yield Fault(f"{key}.stages.{name}", column, rule)
        learnt |= dict.fromkeys(stage.produces, name)


def _catalog(key: str, stages: Mapping[str, Stage], world: object) -> Iterator[Fault]:
    """Columns of the catalog that stages are fitted on and the world does not have."""
    known = world.catalog_columns if isinstance(world, World) else frozenset()
    for name, stage in stages.items() if known else ():
        for column in sorted(stage.catalog_needs - known):
            readers = _by(column, stage, "catalog_needs")
            rule = f"is needed of the catalog{readers}, which has {', '.join(sorted(known))}"
            yield Fault(f"{key}.stages.{name}", column, rule, nearest(column, known))


def _item_segments(sections: Sections) -> Iterator[Fault]:
    """Columns that predictions are judged by, and the world does not have."""
    problem, world = sections.get("problem"), sections.get("world")
    known = world.catalog_columns if isinstance(world, World) else frozenset()
    if not known or not isinstance(problem, Problem):
        return
    for place, column in enumerate(problem.item_segments):
        if column not in known:
            rule = f"must be a column of the catalog: {', '.join(sorted(known))}"
            yield Fault(f"problem.item_segments[{place}]", column, rule, nearest(column, known))


def _by(column: str, stage: Stage, needs: str) -> str:
    """Which of a stage's named parts read a column."""
    holders = (value.features if isinstance(value, FeatureSet) else value for value in vars(stage).values())
    parts = (pair for held in holders if isinstance(held, Mapping) for pair in held.items())
    readers = [str(name) for name, part in parts if column in getattr(part, needs, ())]
    more = f" and {len(readers) - MAX_NAMED} more" if len(readers) > MAX_NAMED else ""
    return f" by {', '.join(readers[:MAX_NAMED])}{more}" if readers else ""


def _users(sections: Sections) -> Iterator[Fault]:
    """Users who are live are served and logged first; where nobody is, nobody can be served."""
    world, logging, online = (sections.get(name) for name in ("world", "logging", "online"))
    collect = logging.collect if isinstance(logging, Logging) else logging
    if isinstance(world, LiveWorld) and collect is None:
        yield Fault("logging.collect", None, "must be given: users are live, so they are served first")
    if isinstance(world, RecordedWorld) and isinstance(collect, Collection):
        yield Fault("logging.collect", _name(collect), "must be null: nobody is live who could be served")
    if isinstance(world, RecordedWorld) and isinstance(online, OnlineTest):
        yield Fault("online", _name(online), "must be none: nobody is live who could be served")


def _horizons(sections: Sections) -> Iterator[Fault]:
    """A world goes on as long as anybody is served."""
    world, logging, online = (sections.get(name) for name in ("world", "logging", "online"))
    collect = logging.collect if isinstance(logging, Logging) else None
    if not isinstance(world, LiveWorld) or not isinstance(collect, Collection):
        return
    days = {"logging.collect": collect.n_days}
    if isinstance(online, OnlineTest):
        days["online"] = online.n_days
    served = sum(days.values())
    listed = " and ".join(f"{n} of {key}" for key, n in days.items())
    for parameter, ends in world.horizons.items():
        if ends < served:
            yield Fault(
                join("world", parameter),
                ends,
                f"must be at least {served}, as long as anybody is served: {listed}",
            )


def _market(sections: Sections) -> Iterator[Fault]:
    """Where pages are sold every funnel ends in an auction, and the day has the pacer's intervals."""
    market, world, online = (sections.get(name) for name in ("market", "world", "online"))
    yield from _frontier(sections)
    if market is None and isinstance(online, AdsTest):
        yield Fault("online", _name(online), "must be none: nothing is sold without a market")
    if not isinstance(market, Market):
        return
    if isinstance(online, OnlineTest) and not isinstance(online, AdsTest):
        yield Fault("online", _name(online), "must be ads_test or none: pages are sold")
    logging = sections.get("logging")
    before = logging.funnel if isinstance(logging, Logging) else None
    for key, plan in {"funnel": sections.get("funnel"), "logging.funnel": before}.items():
        if _is_built(plan) and not _ends_in_auction(plan):
            yield Fault(f"{key}.order", list(plan.active), "must end in an auction, since pages are sold")
    if isinstance(world, LiveWorld) and isinstance(market.pacer, Pacer):
        n, minutes = market.pacer.n_intervals, market.pacer.update_minutes
        if world.n_rounds % n:
            rule = f"must be at least {MINUTES_OF_A_DAY // world.n_rounds}: that often people are served"
            yield Fault("market.pacer.update_minutes", minutes, rule)


def _frontier(sections: Sections) -> Iterator[Fault]:
    """What is sold again is sold in the first place, and judged by a world that knows its users."""
    frontier, plan, world = (sections.get(name) for name in ("frontier", "funnel", "world"))
    if not isinstance(frontier, Frontier):
        return
    if _is_built(plan) and not _ends_in_auction(plan):
        yield Fault("frontier", _name(frontier), "must be none: the funnel does not end in an auction")
    if isinstance(world, World) and not isinstance(world, KnownProbs):
        rule = f"must be none: {_name(world)} has no action_probs, by which it would be judged"
        yield Fault("frontier", _name(frontier), rule)


def _is_built(plan: object) -> TypeGuard[FunnelPlan]:
    """Whether it is a funnel with its stages, and nothing that stands in for them."""
    return isinstance(plan, FunnelPlan) and isinstance(plan.stages, Mapping)


def _ends_in_auction(plan: FunnelPlan) -> bool:
    return isinstance(next(reversed(plan.active.values()), None), AuctionStage)


def _annotations(sections: Sections) -> Iterator[Fault]:
    """What stages learn from annotators is asked of them when the log is collected."""
    plan, asked = sections.get("funnel"), _asked(sections.get("logging"))
    if asked is None or not _is_built(plan):
        return
    for name, stage in plan.active.items():
        for needed in sorted(stage.annotation_needs) if isinstance(stage, Stage) else ():
            if needed not in asked:
                rule = "is learnt from annotations, and logging.collect.annotate.accuracy does not name it"
                yield Fault(f"funnel.stages.{name}", needed, rule)


def _asked(logging: object) -> tuple[str, ...] | None:
    """What annotators are asked; None where something could not be built."""
    collect: object = logging.collect if isinstance(logging, Logging) else logging
    annotate: object = collect.annotate if isinstance(collect, Collection) else collect
    if annotate is None:
        return ()
    return tuple(annotate.accuracy) if isinstance(annotate, Annotators) else None


def _name(part: object) -> str:
    return type(part).__name__


def _depth(logging: Logging, problem: object) -> Iterator[Fault]:
    """The shuffle covers the slate, and reaches no deeper than the pre-existing system ranks."""
    if not isinstance(logging.collect, Collection) or not _is_built(logging.funnel):
        return
    key, depth = "logging.collect.explore.depth", logging.collect.explore.depth
    widths, sold = _widths(logging.funnel), _ends_in_auction(logging.funnel)
    n_out = (widths[:-1] if sold else widths)[-1:]
    if n_out and depth > n_out[0] > 0:
        ranked = "has before its auction" if sold else "returns"
        yield Fault(key, depth, f"must be at most {n_out[0]}, what the pre-existing funnel {ranked}")
    if isinstance(problem, Problem) and depth < problem.n_positions:
        yield Fault(key, depth, f"must be at least problem.n_positions == {problem.n_positions}")


def _ratings(sections: Sections) -> Iterator[Fault]:
    """Raters need a world that can be asked, and guidelines for each of its grades."""
    world, labels = sections.get("world"), sections.get("labels")
    programmes = {
        "labels.programme": getattr(labels, "programme", None),
        "test_ratings": sections.get("test_ratings"),
    }
    for key, programme in programmes.items():
        if not isinstance(programme, RatingProgramme) or not isinstance(world, World):
            continue
        if isinstance(world, RecordedWorld):
            rule = "must be none: a recorded world has its published judgements (labels=judgements)"
            yield Fault(key, _name(programme), rule)
        elif programme.max_grade != world.max_grade:
            n_grades = len(programme.guidelines)
            rule = f"must have a sentence for each grade from 0 to {world.max_grade:g}"
            yield Fault(f"{key}.guidelines", n_grades, rule)


def _positions(sections: Sections) -> Iterator[Fault]:
    """A slate cannot be longer than what the funnel returns."""
    problem, plan = sections.get("problem"), sections.get("funnel")
    n_out = _n_out(plan) if isinstance(plan, FunnelPlan) else None
    if isinstance(problem, Problem) and n_out is not None and problem.n_positions > n_out:
        rule = f"must be at most {n_out}, what the funnel returns"
        yield Fault("problem.n_positions", problem.n_positions, rule)


def _n_out(plan: FunnelPlan) -> int | None:
    """What the last stage of candidates passes on; None where it could not be built."""
    widths = _widths(plan)
    return widths[-1] if widths and widths[-1] > 0 else None


def _widths(plan: FunnelPlan) -> list[int]:
    """What each stage of candidates passes on; none where one could not be built."""
    stages = list(plan.active.values()) if isinstance(plan.stages, Mapping) else []
    if not all(isinstance(stage, Stage) for stage in stages):
        return []
    widths = [stage.n_out for stage in stages if isinstance(stage, CandidateStage)]
    return widths if all(isinstance(width, int) for width in widths) else []


def _metrics(sections: Sections) -> Iterator[Fault]:
    """No metric looks at more candidates than any stage returns; the goals name metrics that there are."""
    plan, metrics, problem = sections.get("funnel"), sections.get("metrics"), sections.get("problem")
    metrics = metrics if isinstance(metrics, Mapping) else {}
    if isinstance(plan, FunnelPlan):
        yield from _cutoffs(plan, metrics)
    if not isinstance(problem, Problem) or not isinstance(problem.goals, Goals):
        return
    yield from _named("offline", problem.goals.offline, list(metrics))
    if sections.get("ablation") is True and isinstance(metrics.get(problem.goals.offline), PredictionMetric):
        rule = "must be a metric of an order where ablation is true"
        yield Fault("problem.goals.offline", problem.goals.offline, rule)
    online = sections.get("online")
    if isinstance(online, OnlineTest):
        known = [*online.metrics, *online.further]
        yield from _named("online", problem.goals.online, known)
        for name in problem.goals.guardrails:
            yield from _named("guardrails", name, known)


def _named(key: str, name: str, known: list[str]) -> Iterator[Fault]:
    if name not in known:
        yield Fault(f"problem.goals.{key}", name, f"must be one of {', '.join(known)}", nearest(name, known))


def _cutoffs(plan: FunnelPlan, metrics: Mapping[str, object]) -> Iterator[Fault]:
    widths = _widths(plan)
    if not widths:
        return
    for name, metric in metrics.items():
        cutoff = getattr(metric, "cutoff", None)
        if isinstance(cutoff, int) and cutoff > max(widths):
            yield Fault(
                f"metrics.{name}.cutoff", cutoff, f"must be at most {max(widths)}: no stage returns more"
            )
