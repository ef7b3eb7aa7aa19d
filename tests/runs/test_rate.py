"""Raters within a run: who is asked about what, and that training and evaluation stay apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mlsd.config.schema import System
from mlsd.labels.actions import ActionLabels
from mlsd.labels.both import BothLabels
from mlsd.labels.human import HumanLabels
from mlsd.progress import silent
from mlsd.ratings.programme import RatingProgramme
from mlsd.runner import run
from mlsd.runs import rate, steps
from mlsd.runs.outcome import RatedLabels, RatedTest
from mlsd.store import Store, read_json, read_table


def programme_of(trained: Any, budget: int = 2000) -> RatingProgramme:
    programme: RatingProgramme = trained.system.test_ratings
    return replace(programme, budget=budget)


def with_human(trained: Any, budget: int = 2000) -> tuple[System, dict[str, Any]]:
    """Labels by raters, with the run's own key of labels, so that the retrievers are in the store."""
    return replace(trained.system, labels=HumanLabels(programme_of(trained, budget))), trained.config


@pytest.fixture(scope="module")
def labelled(trained: Any) -> RatedLabels:
    system, config = with_human(trained)
    rated = rate.rate_for_labels(system, config, trained.logged, trained.store, silent)
    assert rated is not None
    return rated


@pytest.fixture(scope="module")
def tested(trained: Any) -> RatedTest:
    rated = rate.rate_test(trained.system, trained.config, trained.logged, trained.fitted, trained.store)
    assert rated is not None
    return rated


def splits_of(trained: Any, request_id: np.ndarray[Any, Any]) -> set[str]:
    log = trained.logged.log
    return set(log.split[np.isin(log.requests.request_id, request_id)])


def test_training_and_evaluation_are_rated_apart(
    trained: Any, labelled: RatedLabels, tested: RatedTest
) -> None:
    assert splits_of(trained, labelled.rated.requests) == {"ranking", "validation"}
    assert splits_of(trained, tested.rated.requests) == {"test"}
    assert not set(labelled.rated.requests) & set(tested.rated.requests)


def test_the_pool_for_labels_is_what_exists_before_labels(trained: Any, labelled: RatedLabels) -> None:
    """The first ten of the pre-existing system and of the retrievers, and what chance brought."""
    log, system, rated = trained.logged.log, trained.system, labelled.rated
    asked = log.requests.take(np.isin(log.requests.request_id, rated.requests))
    lists = [
        trained.logged.existing(asked).first(10),
        trained.fitted.funnel.trace(asked)["retrieve"].first(10),
    ]
    found = {
        pair
        for batch in lists
        for pair in zip(
            batch.requests.request_id[batch.candidates.request_rows].tolist(),
            batch.candidates.items.tolist(),
            strict=True,
        )
    }
    pairs = list(zip(rated.request_id.tolist(), rated.item.tolist(), strict=True))
    assert {pair for pair, chance in zip(pairs, rated.random, strict=True) if not chance} == found
    assert 0.1 <= rated.random.mean() < 0.2
    assert rated.item.max() < len(system.world.catalog)


def test_the_log_has_one_grade_for_each_rated_pair(labelled: RatedLabels) -> None:
    judged = labelled.log.judged
    assert judged is not None
    assert len(judged) == labelled.facts["n_pairs"]
    assert labelled.facts["n_ratings"] == 3 * len(judged) <= 2000
    assert labelled.facts["cost"] == pytest.approx(0.05 * 3 * len(judged))


def test_raters_know_more_than_chance_and_less_than_the_truth(labelled: RatedLabels) -> None:
    facts = labelled.facts
    assert 0.5 < facts["alpha"]["ordinal"]["value"] < 1
    assert 0.9 < facts["accuracy"]["DawidSkene"]["value"] < 1
    assert all(abs(one["estimated"] - one["true"]) < 0.1 for one in facts["raters"])


def test_every_system_is_judged_on_what_was_pooled_of_it(trained: Any, tested: RatedTest) -> None:
    """The pool is as deep as the metric looks, so everything that counts was rated."""
    of_stages = ["retrieve", "light_rank", "full_rank", "display"]
    assert list(tested.figures) == ["logging", *of_stages, "funnel"]
    for figures in tested.figures.values():
        assert figures["judged@10"]["all"]["value"] == 1
        by_ratings, condensed = (
            figures[f"nDCG@10 by ratings{end}"]["all"]["value"] for end in ("", ", condensed")
        )
        assert by_ratings == pytest.approx(condensed)
        assert 0 < figures["nDCG@10 by truth"]["all"]["value"] <= 1


def test_figures_by_the_truth_are_those_of_the_same_requests(trained: Any, tested: RatedTest) -> None:
    offline = steps.evaluate(trained.system, trained.logged, trained.labels, trained.fitted.funnel, silent)
    rated = offline.table["request_id"].isin(tested.rated.requests)
    for system, figures in tested.figures.items():
        mean = offline.table.loc[rated, f"{system}.nDCG@10"].mean()
        assert figures["nDCG@10 by truth"]["all"]["value"] == pytest.approx(mean)


def test_a_shallow_pool_leaves_some_unrated(trained: Any) -> None:
    system = replace(trained.system, test_ratings=replace(trained.system.test_ratings, depth=3))
    config = {**trained.config, "test_ratings": {"depth": 3}}
    rated = rate.rate_test(system, config, trained.logged, trained.fitted, trained.store)
    assert rated is not None
    shares = [figures["judged@10"]["all"]["value"] for figures in rated.figures.values()]
    assert 0.3 <= min(shares) < 1


def test_ratings_come_from_the_store_and_are_the_same_without(
    trained: Any, tested: RatedTest, tmp_path: Path
) -> None:
    anew = rate.rate_test(trained.system, trained.config, trained.logged, trained.fitted, Store(tmp_path))
    assert anew is not None
    assert anew.rated.table().equals(tested.rated.table())
    assert anew.facts == tested.facts
    assert len(list(tmp_path.rglob("ratings.parquet"))) == 1
    again = rate.rate_test(trained.system, trained.config, trained.logged, trained.fitted, Store(tmp_path))
    assert again is not None
    assert again.rated.table().equals(tested.rated.table())


def test_labels_are_those_of_rated_requests_alone_or_beside_actions(trained: Any) -> None:
    """From raters alone only rated requests have labels; from both, all that were shown have."""
    system, config = with_human(trained)
    rated = rate.rate_for_labels(system, config, trained.logged, trained.store, silent)
    assert rated is not None
    labels = system.labels.make(rated.log)
    assert set(labels.request_id) == set(rated.rated.requests)
    assert labels.label.max() <= 1
    assert len(labels.examination) == 10
    acted = trained.labels
    assert isinstance(trained.system.labels, ActionLabels)
    both = BothLabels(trained.system.labels, programme_of(trained)).make(rated.log)
    assert len(both.label) > len(acted.label)
    assert both.has(labels.request_id, labels.item).all()


@pytest.mark.parametrize("budget", [0, None])
def test_without_a_budget_nobody_is_asked(trained: Any, budget: int | None) -> None:
    none = None if budget is None else programme_of(trained, 0)
    actions = trained.system.labels
    labels = actions if none is None else BothLabels(actions, none)
    system = replace(trained.system, labels=labels, test_ratings=none)
    args = (system, trained.config, trained.logged)
    assert rate.rate_for_labels(*args, trained.store, silent) is None
    assert rate.rate_test(*args, trained.fitted, trained.store) is None


def test_a_whole_run_on_raters_alone(small_overrides: tuple[str, ...], tmp_path: Path) -> None:
    """Metrics, tables and pages have what was rated, for labels and of the test window."""
    simple = "ranker@funnel.stages.full_rank.ranker=logistic_regression"
    words = ("labels=human", "labels.programme.raters.accuracy_spread=0.05", "online=none", simple)
    folder = run([*small_overrides, *words], tmp_path / "run", Console(quiet=True)).folder
    metrics = read_json(folder / "metrics.json")
    assert set(metrics["ratings"]) == {"labels", "test"}
    assert set(metrics["offline_rated"]) == set(metrics["offline"])
    labels, test = (read_table(folder / "ratings" / f"{name}.parquet") for name in ("labels", "test"))
    assert len(labels) == metrics["ratings"]["labels"]["n_ratings"]
    assert not set(labels["request_id"]) & set(test["request_id"])
    judged = set(read_table(folder / "offline" / "per_request.parquet")["request_id"])
    assert set(test["request_id"]) <= judged
    assert not set(labels["request_id"]) & judged
    page = (folder / "report.md").read_text(encoding="utf-8")
    for said in ("Krippendorff's alpha", "By what raters said of a sample", "Rater by rater"):
        assert said in page
