"""The parts of a run in which people rate: for labels before anything is ranked, for evaluation after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np

from mlsd.config.schema import System
from mlsd.funnel import Funnel
from mlsd.judging import rated_figures, rating_facts
from mlsd.metrics.base import RankingMetric
from mlsd.progress import Progress, silent
from mlsd.ratings.programme import Arms, Rated, RatingProgramme
from mlsd.runs.outcome import Logged, RatedLabels, RatedTest
from mlsd.runs.steps import Config, fitting_of, key_of_lessons, ranked_by
from mlsd.store import Store, key_of, read_table
from mlsd.training import LEARNING_SPLITS, FittedFunnel, Lessons, fit_funnel
from mlsd.types import Candidates, RankingBatch, Requests


def rate_for_labels(
    system: System, config: Config, logged: Logged, store: Store, progress: Progress
) -> RatedLabels | None:
    """Have pools of the learning windows rated, if labels ask for it.

    Pooled is what exists before there are labels: the pre-existing system, and what the funnel's stages up to
    its first ranker find. These are fitted here and taken from the store when the funnel is.
    """
    programme = system.labels.programme
    if programme is None or programme.budget == 0:
        return None
    log = logged.log
    before = _before_labels(system, config, logged, store, progress)
    arms = _arms([*([logged.existing] if logged.existing else []), *([before.funnel] if before else [])])
    of_before = before.fingerprint if before else ""
    key = key_of(logged.key, config["labels"], of_before, system.seed)
    rated = _rated(programme, system, log.window(*LEARNING_SPLITS).requests, arms, store, key)
    judged = rated.judged(programme.aggregate(rated))
    return RatedLabels(replace(log, judged=judged), rated, _facts(system, programme, rated, log.requests))


def rate_test(
    system: System, config: Config, logged: Logged, fitted: FittedFunnel, store: Store
) -> RatedTest | None:
    """Have pools of the test window rated, if the config says so, and judge every system by them.

    Pooled are the pre-existing system, every stage's output and what the whole funnel shows.
    """
    programme = system.test_ratings
    if programme is None or programme.budget == 0:
        return None
    requests = logged.log.window("test").requests

    def ranked(asked: Requests) -> dict[str, RankingBatch]:
        return ranked_by(system, logged, fitted.funnel, asked, silent)

    def arms(asked: Requests) -> list[Candidates]:
        return [batch.candidates for batch in ranked(asked).values()]

    shown = system.problem.n_positions
    key = key_of(logged.key, fitted.fingerprint, config["test_ratings"], shown, system.seed)
    rated = _rated(programme, system, requests, arms, store, key)
    asked = requests.take(np.isin(requests.request_id, rated.requests))
    metric = system.metrics[system.problem.goals.offline]
    assert isinstance(metric, RankingMetric)  # noqa: S101  (the goals name a metric of an order)
    said, truth = rated.judgements(programme.aggregate(rated)), system.world.judgements(asked)
    n_looked_at = getattr(metric, "cutoff", None) or shown
    figures = rated_figures(ranked(asked), metric, n_looked_at, said, truth, system.bootstrap)
    return RatedTest(rated, _facts(system, programme, rated, requests), figures)


def _before_labels(
    system: System, config: Config, logged: Logged, store: Store, progress: Progress
) -> FittedFunnel | None:
    """The funnel's stages before the first that learns from labels; None where nothing is found by them.

    They learn from the log, and at most from how positions are examined, which no rating changes.
    """
    first = takewhile(lambda named: not named[1].learns_from_labels, system.funnel.active.items())
    stages = dict(first)
    if all(stage.n_out is None for stage in stages.values()):
        return None
    labels = system.labels.before_rating(logged.log)
    lessons = Lessons(system.world.catalog, logged.log, labels, key_of_lessons(config, logged))
    return fit_funnel(stages, config["funnel"]["stages"], lessons, fitting_of(system, progress), store)


def _arms(funnels: Sequence[Funnel]) -> Arms:
    return lambda requests: [funnel(requests).candidates for funnel in funnels]


def _rated(
    programme: RatingProgramme, system: System, requests: Requests, arms: Arms, store: Store, key: str
) -> Rated:
    """What raters said, from the store if it is there."""
    return store.get_or_make(
        "ratings",
        key,
        lambda: programme.collect(system.world, requests, arms, system.seed),
        lambda rated, folder: rated.table().to_parquet(folder / "ratings.parquet", index=False),
        lambda folder: programme.of_table(read_table(folder / "ratings.parquet")),
    )


def _facts(system: System, programme: RatingProgramme, rated: Rated, requests: Requests) -> dict[str, Any]:
    """How the ratings compare with the truth, which raters' programmes never see."""
    asked = requests.take(np.isin(requests.request_id, rated.requests))
    row = np.searchsorted(asked.request_id, rated.request_id)
    offsets = np.searchsorted(row, np.arange(len(asked) + 1)).astype(np.int64)
    truth = system.world.judgements(asked).grades_of(Candidates(offsets, rated.item)).astype(np.int64)
    consensus = programme.aggregate(rated)
    return rating_facts(programme, rated, consensus, truth, asked.user[row], system.bootstrap)
