"""Each step of a run by itself."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlsd.capacity import Capacity, Latency
from mlsd.config.schema import Budget, System, Training
from mlsd.diversifiers.xquad import XQuAD
from mlsd.errors import BudgetExceededError, InputError
from mlsd.fitting import TrainerOptions
from mlsd.funnel import Funnel
from mlsd.progress import silent
from mlsd.retrievers.bm25 import BM25
from mlsd.runs import steps
from mlsd.runs.outcome import Offline
from mlsd.serving import in_blocks
from mlsd.stages.base import CandidateStage
from mlsd.stages.display import Display
from mlsd.stages.retrieve import Retrieve
from mlsd.store import Store, write_json
from mlsd.training import Lessons, fit_funnel
from mlsd.types import RankingBatch, Requests, Subtopics

REQUEST_STAGES = ["rewrite", "understand"]
CANDIDATE_STAGES = ["retrieve", "light_rank", "full_rank", "display"]


@pytest.fixture(scope="module")
def offline(trained: Any) -> Offline:
    return steps.evaluate(trained.system, trained.logged, trained.labels, trained.fitted.funnel, silent)


def test_a_log_comes_back_from_the_store_as_it_was_collected(trained: Any, tmp_path: Path) -> None:
    anew = steps.make_log(trained.system, trained.config, Store(tmp_path), silent)
    assert anew.key == trained.logged.key
    pd.testing.assert_frame_equal(anew.log.impressions, trained.logged.log.impressions)
    for name, column in anew.log.requests.named_columns().items():
        np.testing.assert_array_equal(column, trained.logged.log.requests[name], err_msg=name)
    assert anew.log.annotations is not None
    pd.testing.assert_frame_equal(anew.log.annotations, trained.logged.log.annotations)
    for name, array in anew.state.items():
        np.testing.assert_array_equal(array, trained.logged.state[name], err_msg=name)


def test_who_annotates_changes_nothing_else_of_a_log(trained: Any, tmp_path: Path) -> None:
    logging = replace(trained.system.logging, collect=replace(trained.system.logging.collect, annotate=None))
    config = changed(trained.config, "logging", "collect", "annotate", value=None)
    without = steps.make_log(replace(trained.system, logging=logging), config, Store(tmp_path), silent)
    assert without.log.annotations is None
    pd.testing.assert_frame_equal(without.log.impressions, trained.logged.log.impressions)


def changed(config: Mapping[str, Any], *path: str, value: object) -> dict[str, Any]:
    name, *rest = path
    return {**config, name: changed(config[name], *rest, value=value) if rest else value}


@pytest.mark.parametrize(
    ("system_change", "path", "value"),
    [
        ({"seed": 1}, ("seed",), 1),
        ({}, ("logging", "latency_ms"), 20.0),
        ({}, ("logging", "collect", "explore", "share"), 0.2),
        ({}, ("logging", "collect", "annotate", "n_requests"), 7),
        ({}, ("logging", "funnel", "stages", "retrieve", "n_out"), 21),
        ({}, ("world", "n_users"), 151),
    ],
)
def test_another_log_has_another_key(
    trained: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    system_change: dict[str, Any],
    path: tuple[str, ...],
    value: object,
) -> None:
    monkeypatch.setattr(steps, "_collected", lambda *_: (trained.logged.log, trained.logged.state))
    system = replace(trained.system, **system_change)
    config = changed(trained.config, *path, value=value)
    assert steps.make_log(system, config, Store(tmp_path), silent).key != trained.logged.key


@pytest.mark.parametrize("path", [("n_workers",), ("report", "title"), ("funnel", "skip"), ("metrics",)])
def test_what_does_not_change_a_log_is_not_in_its_key(trained: Any, path: tuple[str, ...]) -> None:
    config = changed(trained.config, *path, value="changed")
    made = steps.make_log(replace(trained.system, n_workers=2), config, trained.store, silent)
    assert made.key == trained.logged.key


def test_how_models_are_trained_changes_no_log_that_no_model_ranked(trained: Any) -> None:
    """BM25 learns nothing by gradients: other options leave the pre-existing system as it was."""
    system = replace(trained.system, trainer=TrainerOptions(max_epochs=1), training=Training(seed=7))
    assert steps.make_log(system, trained.config, trained.store, silent).key == trained.logged.key


def test_nobody_is_there_to_be_logged_without_a_pre_existing_system(trained: Any, tmp_path: Path) -> None:
    system = replace(trained.system, logging=None)
    with pytest.raises(InputError, match=r"logging\.collect: users are live, so a pre-existing system must"):
        steps.make_log(system, trained.config, Store(tmp_path), silent)
    with pytest.raises(InputError, match="nobody is live who could be served; say online=none"):
        steps.try_online(system, trained.logged, trained.fitted.funnel, silent)


def test_what_leaves_a_stage_enters_the_next(trained: Any, offline: Offline) -> None:
    """Into the first that finds candidates goes the catalog; before it there are none to count."""
    stages = trained.fitted.funnel.stages
    finding = {name: stage for name, stage in stages.items() if isinstance(stage, CandidateStage)}
    assert list(offline.counts) == list(stages)
    assert [name for name, counts in offline.counts.items() if np.isnan(counts).all()] == REQUEST_STAGES
    counts = [offline.counts[name] for name in finding]
    assert counts[0][0] == len(trained.system.world.catalog)
    assert [entering for entering, _ in counts[1:]] == [leaving for _, leaving in counts[:-1]]
    assert all(leaving <= min(entering, stage.n_out) for (entering, leaving), stage in
               zip(counts, finding.values(), strict=True))  # fmt: skip


def test_only_the_test_window_is_evaluated(trained: Any, offline: Offline) -> None:
    log = trained.logged.log
    assert offline.table["request_id"].tolist() == log.requests.request_id[log.split == "test"].tolist()


def test_predictions_are_judged_for_every_rank_stage(trained: Any, offline: Offline) -> None:
    assert set(offline.reliability) == set(offline.coverage) == {"light_rank", "full_rank"}
    for bins in offline.reliability.values():
        assert [bin_.predicted for bin_ in bins] == sorted(bin_.predicted for bin_ in bins)
    assert 0 < offline.coverage["full_rank"] < offline.coverage["light_rank"] <= 1


def test_without_a_pre_existing_system_there_is_no_difference(trained: Any) -> None:
    logged = replace(trained.logged, existing=None)
    offline = steps.evaluate(trained.system, logged, trained.labels, trained.fitted.funnel, silent)
    assert offline.difference == {}
    assert "logging" not in offline.figures


def test_each_stage_is_held_against_the_one_before_it(trained: Any, offline: Offline) -> None:
    assert list(offline.steps) == CANDIDATE_STAGES[1:]
    table = offline.table
    for before, after in pairwise(CANDIDATE_STAGES):
        figures = offline.steps[after]
        assert set(figures) == set(offline.figures["retrieve"])
        for name in ("nDCG@10", "oracle nDCG@10"):
            expected = (table[f"{after}.{name}"] - table[f"{before}.{name}"]).mean()
            assert figures[name]["all"]["value"] == pytest.approx(expected)
            assert set(figures[name]) == set(offline.figures[after][name])


def test_without_subtopics_no_metric_of_diversity_is_shown(trained: Any, offline: Offline) -> None:
    declared = {metric.name for metric in trained.system.metrics.values()}
    assert {"alpha_nDCG@10", "StRecall@10"} <= declared
    if trained.system.world.subtopics(trained.logged.log.requests) is None:
        assert not {"alpha_nDCG@10", "StRecall@10"} & set(offline.figures["funnel"])


def test_a_display_stage_is_judged_by_the_meanings_it_serves(trained: Any, tmp_path: Path) -> None:
    """Every topic is a meaning, and any of its items serves it: what xQuAD spreads is what recall counts."""

    class Ambiguous(type(trained.system.world)):  # type: ignore[misc]
        def subtopics(self, requests: Requests) -> Subtopics:
            n_requests, n_items = len(requests), len(self.catalog)
            topic = np.tile(self.catalog["category"], n_requests)
            items = np.tile(np.arange(n_items), n_requests)
            weight = np.full(len(topic), 1 / (1 + topic.max()))
            return Subtopics(np.arange(n_requests + 1) * n_items, items, topic, weight)

    world = copy(trained.system.world)
    world.__class__ = Ambiguous
    system = replace(trained.system, world=world)
    lessons = Lessons(world.catalog, trained.logged.log, trained.labels, "display")
    stages = {"retrieve": Retrieve(100, {"bm25": BM25()}), "display": Display(20, 10, XQuAD(0.9))}
    funnel = fit_funnel(
        stages, dict.fromkeys(stages), lessons, steps.fitting_of(system), Store(tmp_path)
    ).funnel
    offline = steps.evaluate(system, trained.logged, trained.labels, funnel, silent)
    for name in ("alpha_nDCG@10", "StRecall@10"):
        assert f"display.{name}" in offline.table.columns
        assert set(offline.figures["display"][name]) == set(offline.figures["display"]["nDCG@10"])
        assert name in offline.difference
    requests = trained.logged.log.window("test").requests
    category, shown = world.catalog["category"], funnel(requests).first(10).candidates
    topics = [set(category[items]) for items in np.split(shown.items, shown.offsets[1:-1])]
    served = np.array([len(each) for each in topics]) / len(set(category))
    np.testing.assert_allclose(offline.table["display.StRecall@10"], served)
    assert offline.steps["display"]["StRecall@10"]["all"]["low"] > 0
    assert offline.counts["display"][1] <= 20


def test_a_request_without_candidates_counts_as_nothing_found(trained: Any, tmp_path: Path) -> None:
    """Its metrics are 0 and it is among the mean, as long as there was something to find."""
    system, logged = trained.system, trained.logged
    asked = logged.log.requests["query"].copy()
    silenced = np.flatnonzero(logged.log.split == "test")[::2]
    asked[silenced] = "qqqq"
    log = replace(logged.log, requests=logged.log.requests.with_columns(query=asked))
    lessons = Lessons(system.world.catalog, log, trained.labels, "other")
    stages = {"retrieve": Retrieve(100, {"bm25": BM25()})}
    funnel = fit_funnel(stages, {"retrieve": 0}, lessons, steps.fitting_of(system), Store(tmp_path)).funnel
    offline = steps.evaluate(system, replace(logged, log=log), trained.labels, funnel, silent)
    of_silenced = offline.table["request_id"].isin(log.requests.request_id[silenced])
    metric = offline.table["funnel.nDCG@10"]
    assert set(metric[of_silenced].dropna()) == {0.0}
    assert offline.figures["funnel"]["nDCG@10"]["all"]["value"] == pytest.approx(metric.mean())
    assert metric[~of_silenced].mean() > 0.3


def test_workers_change_no_slate(trained: Any) -> None:
    requests: Requests = trained.logged.log.requests
    existing: Funnel = trained.logged.existing
    one, three = ([batch.candidates.items for batch in in_blocks(existing, requests, n)] for n in (1, 3))
    assert len(one) == -(-len(requests) // 512)
    for mine, theirs in zip(one, three, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_an_experiment_that_is_not_declared_is_not_run(trained: Any) -> None:
    assert steps.try_online(replace(trained.system, online=None), trained.logged, None, silent) is None  # type: ignore[arg-type]


def measured(p99_ms: float) -> Capacity:
    latency = Latency(p99_ms / 2, p99_ms, p99_ms)
    return Capacity(latency, {"retrieve": latency}, 10, 100.0, 512, 100.0)


@pytest.mark.parametrize(("p99_ms", "enforce"), [(100.0, True), (101.0, False), (5.0, False)])
def test_a_budget_that_is_kept_or_not_enforced(trained: Any, p99_ms: float, enforce: bool) -> None:
    system: System = replace(trained.system, budget=Budget(enforce=enforce))
    capacity = measured(p99_ms)
    steps.enforce(system, capacity)
    assert capacity.fits or not system.budget.enforce


def test_a_budget_that_is_enforced(trained: Any) -> None:
    system: System = replace(trained.system, budget=Budget(enforce=True))
    message = r"p99 of a request is 100\.1 ms, over problem\.latency_ms == 100 \(budget\.enforce is true\)"
    with pytest.raises(BudgetExceededError, match=message):
        steps.enforce(system, measured(100.1))


def test_as_many_requests_are_timed_as_the_config_says(trained: Any) -> None:
    system = replace(trained.system, budget=Budget(n_requests=3))
    capacity = steps.measure_latency(system, trained.logged, trained.fitted.funnel)
    assert capacity.n_requests == 3
    assert list(capacity.stages) == [*REQUEST_STAGES, *CANDIDATE_STAGES]


def test_a_window_without_requests_cannot_be_timed(trained: Any) -> None:
    log = trained.logged.log
    nothing = replace(
        trained.logged, log=replace(log, split=np.where(log.split == "test", "ranking", log.split))
    )
    with pytest.raises(InputError, match="no requests to measure latency with"):
        steps.measure_latency(trained.system, nothing, trained.fitted.funnel)


def test_a_funnel_serves_as_it_was_evaluated(trained: Any) -> None:
    """A stage in blocks, and the whole funnel in blocks of its own, give the same candidates and scores."""
    requests = trained.logged.log.window("test").requests
    funnel: Funnel = trained.fitted.funnel
    stage_by_stage = RankingBatch.of(requests)
    for stage in funnel.stages.values():
        stage_by_stage = stage(stage_by_stage)
    at_once = funnel(requests)
    np.testing.assert_array_equal(at_once.candidates.items, stage_by_stage.candidates.items)
    for name in ("score", "click_prob"):
        np.testing.assert_array_equal(at_once.candidates[name], stage_by_stage.candidates[name])


def test_sizes_of_blocks_and_threads_change_nothing(
    trained: Any, offline: Offline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many requests are served, answered and ranked at a time: the same log, figures and A/B test."""
    before = steps.try_online(trained.system, trained.logged, trained.fitted.funnel, silent)
    for name in ("mlsd.serving.BLOCK", "mlsd.training.BLOCK", "mlsd.stages.rank.scoring.BLOCK"):
        monkeypatch.setattr(name, 61)
    monkeypatch.setattr("mlsd.worlds.search.responses._BLOCK", 97)
    system = replace(trained.system, n_workers=3)
    logged = steps.make_log(system, trained.config, Store(tmp_path), silent)
    pd.testing.assert_frame_equal(logged.log.impressions, trained.logged.log.impressions)
    funnel = trained.fitted.funnel
    anew = steps.evaluate(system, logged, trained.labels, funnel, silent)
    online = steps.try_online(system, logged, funnel, silent)
    assert before is not None
    assert online is not None
    for name, found, expected in (
        ("offline", anew.figures, offline.figures),
        ("online", online.to_metrics(), before.to_metrics()),
    ):
        write_json(tmp_path / f"{name}.json", found)
        write_json(tmp_path / f"{name}_before.json", expected)
        assert (tmp_path / f"{name}.json").read_bytes() == (tmp_path / f"{name}_before.json").read_bytes()
