"""The steps of a run, one function each: what it needs of the system, and what came before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from mlsd.ablation.ablate import ablate as taken_apart
from mlsd.ablation.funnels import Learning, Whole
from mlsd.ablation.result import Ablation
from mlsd.ablation.worth import Judge
from mlsd.ad_server import AdServer, Giveaway
from mlsd.capacity import Capacity, measure
from mlsd.config.build import build_sections
from mlsd.config.schema import Exploration, FunnelPlan, Logging, System
from mlsd.errors import BudgetExceededError, InputError
from mlsd.evaluation import (
    Evaluated,
    Figures,
    RankingValues,
    component_figures,
    difference_figures,
    per_request,
    ranking_figures,
    ranking_values,
)
from mlsd.fitting import Fitting
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log, served_of
from mlsd.metrics.base import DiversityMetric, PredictionMetric, RankingMetric
from mlsd.online.ads_test import AdsTest
from mlsd.online.base import CONTROL, TREATMENT
from mlsd.online.frontier import FrontierPoint
from mlsd.online.policy_test import PolicyTest
from mlsd.online.result import ABResult
from mlsd.progress import Progress, silent
from mlsd.runs.outcome import Logged, Offline
from mlsd.runs.predicted import predicted_by
from mlsd.serving import Explore, Greedy, Observing, Policy, collect_log, in_blocks
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import RequestStage, Stage
from mlsd.store import (
    Store,
    code_version,
    key_of,
    load_requests,
    load_state,
    read_table,
    save_requests,
    save_state,
)
from mlsd.training import FittedFunnel, Lessons, fit_funnel, stage_in_blocks
from mlsd.types import RankingBatch, Requests, State, concat_batches
from mlsd.worlds.base import KnownProbs, LiveWorld, RecordedWorld

EXISTING, SHOWN = "logging", "funnel"
"""Names among the figures of the pre-existing system and of what the whole funnel shows."""

ANNOTATIONS = "annotations.parquet"

Config = Mapping[str, Any]
"""A run's resolved config as plain values."""


def make_log(system: System, config: Config, store: Store, progress: Progress) -> Logged:
    """Let the pre-existing system serve the world, or read what was recorded."""
    world_key = key_of(code_version(), config["world"], system.world.fingerprint)
    if isinstance(system.world, RecordedWorld):
        recorded = system.world.log()
        before = fit_existing(system, config, world_key, store, recorded)
        return Logged(recorded, before.funnel if before else None, {}, world_key)
    existing = fit_existing(system, config, world_key, store)
    logging = system.logging
    if existing is None or logging is None or logging.collect is None:
        raise InputError("logging.collect: users are live, so a pre-existing system must serve them first")
    sold = config["logging"], config.get("market")
    made_of = existing.fingerprint, system.seed, *sold, system.problem.n_positions
    key = key_of(world_key, *made_of)
    log, state = store.get_or_make(
        "log", key, lambda: _collected(system, logging, existing.funnel, progress), _save_log, _load_log
    )
    return Logged(log, existing.funnel.observed(served_of(log)), state, key)


def fit_existing(
    system: System, config: Config, key: str, store: Store, log: Log | None = None
) -> FittedFunnel | None:
    """The pre-existing system, which knows the catalog and what was recorded, if anything was.

    Args:
        system: what is run.
        config: as plain values.
        key: of the world.
        store: where fitted stages are kept.
        log: what was recorded; None where users are live, who were not served yet.
    """
    if system.logging is None:
        return None
    lessons = Lessons(system.world.catalog, log, None, key)
    stages = config["logging"]["funnel"]["stages"]
    return fit_funnel(system.logging.funnel.active, stages, lessons, fitting_of(system), store)


def fit(
    system: System, config: Config, logged: Logged, labels: Labels, store: Store, progress: Progress
) -> FittedFunnel:
    """Fit the funnel, each stage on what the one before it passes on."""
    lessons, stages = lessons_of(system, config, logged, labels), config["funnel"]["stages"]
    return fit_funnel(system.funnel.active, stages, lessons, fitting_of(system, progress), store)


def lessons_of(system: System, config: Config, logged: Logged, labels: Labels) -> Lessons:
    """What the funnel is fitted on."""
    return Lessons(system.world.catalog, logged.log, labels, key_of_lessons(config, logged))


def key_of_lessons(config: Config, logged: Logged) -> str:
    """Of what the funnel is fitted on."""
    return key_of(logged.key, config["labels"])


def evaluate(
    system: System,
    logged: Logged,
    labels: Labels,
    funnel: Funnel,
    progress: Progress,
    window: str = "test",
) -> Offline:
    """Rank a window's requests; judge every stage by the world's truth and by what the log shows.

    A window is a split of the log. What is chosen by its figures, as a sweep does, must be judged on
    "validation": the test window then has the last word.
    """
    held_out = logged.log.window(window)
    evaluated = evaluated_on(system, held_out.requests)
    ranked = ranked_by(system, logged, funnel, held_out.requests, progress)
    metrics = list_metrics(system)
    values = {name: ranking_values(batch, metrics, evaluated) for name, batch in ranked.items()}
    figures: dict[str, Figures] = {
        name: ranking_figures(value, evaluated, system.bootstrap) for name, value in values.items()
    }
    predicted = predicted_by(system, held_out, labels, funnel, ranked, evaluated)
    for stage, found in predicted.items():
        figures[stage] |= found.figures
    return Offline(
        figures,
        _components(system, funnel, evaluated),
        _difference(system, values, evaluated),
        per_request(values, evaluated),
        _counts(funnel, ranked, len(system.world.catalog)),
        {stage: found.reliability for stage, found in predicted.items()},
        {stage: found.coverage for stage, found in predicted.items()},
        {stage: found.by_item for stage, found in predicted.items()},
        _steps(system, funnel, values, evaluated),
        evaluated.fingerprint,
        _before_last(funnel, ranked),
        {stage: found.actions for stage, found in predicted.items()},
    )


def ablate(
    system: System,
    config: Config,
    logged: Logged,
    labels: Labels,
    funnel: Funnel,
    store: Store,
    progress: Progress,
) -> Ablation:
    """Take every part out of the funnel, on the test window's requests."""
    test, stages = logged.log.window("test"), config["funnel"]["stages"]
    lessons = lessons_of(system, config, logged, labels)
    learning = Learning(lambda: _designed_anew(config), stages, lessons, fitting_of(system), store)
    judge = Judge(
        evaluated_on(system, test.requests),
        list_metrics(system),
        system.metrics[system.problem.goals.offline].name,
        system.problem.n_positions,
        system.bootstrap,
    )
    whole = Whole(funnel.stages, test.requests, learning)
    options = system.ablation_options
    return taken_apart(whole, judge, options.n_refits, options.margin, system.funnel.costs, progress)


def sell_again(system: System, offline: Offline, funnel: Funnel) -> tuple[FrontierPoint, ...]:
    """The test window's pages on other terms."""
    frontier, batch, auction, world = system.frontier, offline.before_last, funnel.last, system.world
    if frontier and batch and isinstance(auction, AuctionStage) and isinstance(world, KnownProbs):
        return frontier.points(auction, batch, system.world.catalog, world, system.bootstrap)
    raise InputError("frontier: no auction sells pages to people whose world knows them; say frontier=none")


def try_online(system: System, logged: Logged, funnel: Funnel, progress: Progress) -> ABResult | None:
    """The pre-existing system against the funnel, in the days after the log."""
    online, world, logging = system.online, system.world, system.logging
    if online is None:
        return None
    if (
        logging is None
        or logging.collect is None
        or logged.existing is None
        or not isinstance(world, LiveWorld)
    ):
        raise InputError("online: nobody is live who could be served; say online=none")
    arms = {CONTROL: logged.existing, TREATMENT: funnel}
    latencies = {CONTROL: logging.latency_ms, TREATMENT: system.problem.latency_ms}
    since = logging.collect.n_days, logged.state, latencies, system.seed, progress
    if isinstance(online, AdsTest) and system.market is not None:
        market, catalog, n_workers = system.market, world.catalog, system.n_workers

        def server(arm: str, share: float) -> AdServer:
            return AdServer(arms[arm], catalog, market, budget_share=share, n_workers=n_workers)

        return online.run(world, server, *since)
    if isinstance(online, PolicyTest):
        options = system.problem.n_positions, system.n_workers
        shown = {arm: Observing(one, lambda funnel: Greedy(funnel, *options)) for arm, one in arms.items()}
        return online.run(world, shown[CONTROL], shown[TREATMENT], *since)
    raise InputError("online: an ads test sells, and nothing is sold without a market; say market=ads")


def measure_leaner(system: System, logged: Logged, ablation: Ablation | None) -> dict[str, Capacity]:
    """Time the funnel without each stage that is there to save work, by the name of that part."""
    leaner = ablation.leaner if ablation else {}
    return {part: measure_latency(system, logged, funnel) for part, funnel in leaner.items()}


def measure_latency(system: System, logged: Logged, funnel: Funnel) -> Capacity:
    """Time a funnel on requests of the test window."""
    n = system.budget.n_requests
    requests = logged.log.window("test").requests
    return measure(funnel, requests, system.problem.latency_ms, n, n_warm_up=max(1, n // 10))


def enforce(system: System, capacity: Capacity) -> None:
    """Fail a run whose funnel is over the budget, where the config wants that.

    Raises:
        BudgetExceededError: p99 is over the budget and `budget.enforce` is true.
    """
    if system.budget.enforce and not capacity.fits:
        raise BudgetExceededError(
            f"p99 of a request is {capacity.request.p99_ms:.1f} ms, "
            f"over problem.latency_ms == {capacity.budget_ms:g} (budget.enforce is true)"
        )


def _designed_anew(config: Config) -> dict[str, Stage]:
    """The funnel's stages as the config has them, not fitted."""
    plan: FunnelPlan = build_sections(OmegaConf.create(dict(config)), ["funnel"])["funnel"]
    return plan.active


def evaluated_on(system: System, requests: Requests) -> Evaluated:
    """Requests with what the world knows to be true of them."""
    world = system.world
    return Evaluated.of(
        requests, world.judgements(requests), world.segments(requests), world.subtopics(requests)
    )


def list_metrics(system: System) -> list[RankingMetric | DiversityMetric]:
    """Metrics of an order, as a run declares them."""
    return [each for each in system.metrics.values() if isinstance(each, RankingMetric | DiversityMetric)]


def fitting_of(system: System, progress: Progress = silent) -> Fitting:
    """How stages are trained."""
    options, seed = system.trainer, system.training.seed
    return Fitting(options, seed, progress=progress, n_workers=system.n_workers)


def _collected(system: System, logging: Logging, existing: Funnel, progress: Progress) -> tuple[Log, State]:
    world, collect = system.world, logging.collect
    if collect is None or not isinstance(world, LiveWorld):
        raise InputError("logging.collect needs a world with live users")
    policy = _exploring(system, existing, collect.explore)
    log, state = collect_log(world, policy, collect.n_days, collect.split_days, logging.latency_ms, progress)
    if collect.annotate is not None:
        log = replace(log, annotations=collect.annotate.annotate(world, log, system.seed))
    return log, state


def _exploring(system: System, existing: Funnel, explore: Exploration) -> Policy:
    """The pre-existing system, part of whose slates are shuffled."""
    if system.market is not None:
        giveaway = Giveaway(share=explore.share, depth=explore.depth)
        seed, n_workers = system.seed, system.n_workers
        catalog = system.world.catalog
        return AdServer(existing, catalog, system.market, giveaway=giveaway, seed=seed, n_workers=n_workers)
    options = system.problem.n_positions, explore.share, explore.depth, system.seed, system.n_workers
    return Observing(existing, lambda funnel: Explore(funnel, *options))


def ranked_by(
    system: System, logged: Logged, funnel: Funnel, requests: Requests, progress: Progress
) -> dict[str, RankingBatch]:
    """What each system passes on for the requests."""
    n_positions = system.problem.n_positions
    ranked: dict[str, RankingBatch] = {}
    if logged.existing is not None:
        existing = concat_batches(list(in_blocks(logged.existing, requests, system.n_workers)))
        ranked[EXISTING] = existing.first(n_positions)
    batch = RankingBatch.of(requests)
    for done, (name, stage) in enumerate(funnel.stages.items(), start=1):
        batch = stage_in_blocks(stage, batch, system.n_workers)
        if not isinstance(stage, RequestStage):
            ranked[name] = batch
        progress(done, len(funnel.stages), "stages evaluated")
    return {**ranked, SHOWN: batch.first(n_positions)}


def _components(system: System, funnel: Funnel, evaluated: Evaluated) -> dict[str, Figures]:
    """Stage that works on requests -> how well it did its own work, where the world knows the truth."""
    predicting = [metric for metric in system.metrics.values() if isinstance(metric, PredictionMetric)]
    metrics = [metric for metric in predicting if metric.judges_confidence]
    truth = system.world.truth_of(evaluated.requests)
    found, batch = {}, RankingBatch.of(evaluated.requests)
    for name, stage in funnel.stages.items():
        if not isinstance(stage, RequestStage):
            break
        passed = stage_in_blocks(stage, batch, system.n_workers)
        judged = stage.judge(batch.requests, passed.requests, truth)
        found[name] = component_figures(judged, metrics, evaluated, system.bootstrap)
        batch = passed
    return found


def _difference(system: System, values: Mapping[str, RankingValues], evaluated: Evaluated) -> Figures:
    if EXISTING not in values:
        return {}
    return difference_figures(values[SHOWN], values[EXISTING], evaluated, system.bootstrap)


def _steps(
    system: System, funnel: Funnel, values: Mapping[str, RankingValues], evaluated: Evaluated
) -> dict[str, Figures]:
    """Stage of candidates -> itself minus the one before it."""
    stages = [name for name in funnel.stages if name in values]
    return {
        after: difference_figures(values[after], values[before], evaluated, system.bootstrap)
        for before, after in pairwise(stages)
    }


def _before_last(funnel: Funnel, ranked: Mapping[str, RankingBatch]) -> RankingBatch | None:
    """What reaches the last stage."""
    names = [name for name in funnel.stages if name in ranked]
    return ranked[names[-2]] if len(names) > 1 else None


def _counts(
    funnel: Funnel, ranked: Mapping[str, RankingBatch], n_items: int
) -> dict[str, tuple[float, float]]:
    """Stage -> mean candidates in and out; into the first goes the catalog. NaN where they are left alone."""
    counts, entering = {}, float(n_items)
    for name, stage in funnel.stages.items():
        if isinstance(stage, RequestStage):
            counts[name] = (np.nan, np.nan)
            continue
        leaving = float(np.mean(ranked[name].candidates.counts)) if len(ranked[name]) else 0.0
        counts[name] = (entering, leaving)
        entering = leaving
    return counts


def _save_log(logged: tuple[Log, State], folder: Path) -> None:
    log, state = logged
    save_requests(log.requests.with_columns(split=log.split.astype(object)), folder / "requests.parquet")
    log.impressions.to_parquet(folder / "impressions.parquet", index=False)
    if log.annotations is not None:
        log.annotations.to_parquet(folder / ANNOTATIONS, index=False)
    save_state(state, folder / "users.npz")


def _load_log(folder: Path) -> tuple[Log, State]:
    columns = load_requests(folder / "requests.parquet").named_columns()
    split = columns.pop("split").astype(str)
    impressions = read_table(folder / "impressions.parquet")
    said = folder / ANNOTATIONS
    annotations = read_table(said).astype({"name": object, "value": object}) if said.exists() else None
    log = Log(Requests.of_columns(columns), impressions, split, annotations=annotations)
    return log, load_state(folder / "users.npz")
