"""Probabilities of several actions, judged by the log: which figures there are, and that they are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache, partial

import numpy as np
import pytest

from mlsd import rng
from mlsd.config.build import build
from mlsd.config.compose import compose_overrides
from mlsd.config.schema import System
from mlsd.errors import InputError
from mlsd.evaluation import Evaluated
from mlsd.features.item import ItemCategory
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log, impressions_of
from mlsd.losses.bce import BCE
from mlsd.rankers.mmoe import MMoE
from mlsd.runs.predicted import Predicted, predicted_by
from mlsd.stages.rank import ActionRank, Task
from mlsd.testing.tiny_funnel import ITEMS, Finding
from mlsd.types import Judgements, RankingBatch, Requests, Served, Slates

N_REQUESTS, N_USERS = 120, 15
TASKS = {"click": Task(1.0), "like": Task(2.0), "read": Task(1.0, "dwell_s", 20.0)}
EXAMINATION = np.array([1.0, 0.5])


class Foretelling(ActionRank):
    """Says of each action how likely it is, without having learnt anything."""

    def scored(self, batch: RankingBatch) -> RankingBatch:
        keys = batch.per_candidate("request.request_id"), batch.candidates.items
        prob = {f"{name}_prob": rng.uniform(1, name, *keys) for name in self.tasks}
        candidates = batch.candidates.with_columns(**prob, score=-batch.candidates.items.astype(np.float64))
        return RankingBatch(batch.requests, candidates)


@cache
def system() -> System:
    return build(compose_overrides(["problem=feed", "experiment=feed_small", "n_workers=1"]).required())


@cache
def requests() -> Requests:
    rows = np.arange(N_REQUESTS)
    return Requests(5 * rows, rows % N_USERS, rows, np.full(N_REQUESTS, 3.0))


@cache
def log() -> Log:
    """Two items a page, one of them no candidate on every second page; more is done where more is said."""
    rows = np.arange(N_REQUESTS)
    items = np.stack([rows % 4, np.where(rows % 2 == 0, 99, (rows + 1) % 4)], axis=1)
    keys = requests().request_id[:, None], items
    luck = {name: rng.uniform(2, name, *keys) < EXAMINATION * rng.uniform(1, name, *keys) for name in TASKS}
    done = {"click": luck["click"], "like": luck["like"], "dwell_s": np.where(luck["read"], 20.0, 19.0)}
    shown = impressions_of(Served(requests(), Slates(items), done))
    return Log(requests(), shown, np.full(N_REQUESTS, "test"))


def judged(tasks: Mapping[str, Task | None], examination: np.ndarray = EXAMINATION) -> dict[str, Predicted]:
    nothing = np.zeros(0, np.int64)
    labels = Labels(nothing, nothing, nothing.astype(np.float32), examination)
    stage = Foretelling(4, partial(MMoE), BCE(), {"topic": ItemCategory("topic")}, tasks)
    funnel = Funnel({"find": Finding(Counter()), "rank": stage})
    judgements = Judgements(np.zeros(N_REQUESTS + 1, np.int64), nothing, np.zeros(0))
    evaluated = Evaluated.of(requests(), judgements, {"even": np.array(["no", "yes"])[requests().user % 2]})
    return predicted_by(system(), log(), labels, funnel, {}, evaluated)


def by_hand(name: str, column: str, at_least: float) -> list[tuple[float, bool, int, int]]:
    """Probability at its position, whether it was done, user and item, of every candidate that was shown."""
    rows = []
    for shown in log().impressions.to_dict("records"):
        if shown["item"] in ITEMS:
            said = rng.uniform(1, name, np.array([shown["request_id"]]), np.array([shown["item"]]))
            prob = float(said[0]) * EXAMINATION[shown["position"]]
            rows.append((prob, bool(shown[column] >= at_least), int(shown["user"]), int(shown["item"])))
    return rows


def test_every_action_has_its_figures_and_those_of_clicks_have_plain_names() -> None:
    (found,) = judged(TASKS).values()
    metrics = {name.partition("(")[0] for name in found.figures if name.partition("(")[0] in ("AUC", "NE")}
    assert metrics == {"AUC", "NE"}
    for name in ("AUC", "LogLoss", "NE", "ECE", "CalibrationRatio"):
        assert {name, f"{name}(like)", f"{name}(read)"} <= set(found.figures)
        assert f"{name}(click)" not in found.figures
        assert set(found.figures[name]) == {"all", "even=no", "even=yes"}


@pytest.mark.parametrize(
    ("task", "column", "at_least"), [("click", "click", 1), ("like", "like", 1), ("read", "dwell_s", 20)]
)
def test_figures_are_those_of_loops_over_the_log(task: str, column: str, at_least: float) -> None:
    (found,) = judged(TASKS).values()
    named = "" if task == "click" else f"({task})"
    rows = by_hand(task, column, at_least)
    done, not_done = ([prob for prob, was, *_ in rows if was is wanted] for wanted in (True, False))
    above = sum((one > other) + 0.5 * (one == other) for one in done for other in not_done)
    auc = found.figures[f"AUC{named}"]["all"]
    assert auc["value"] == pytest.approx(above / len(done) / len(not_done))
    assert auc["n"] == N_USERS
    loss = -np.mean([np.log(prob if was else 1 - prob) for prob, was, *_ in rows])
    assert found.figures[f"LogLoss{named}"]["all"]["value"] == pytest.approx(loss)
    ratio = found.figures[f"CalibrationRatio{named}"]["even=yes"]["value"]
    odd = [(prob, was) for prob, was, user, _ in rows if user % 2]
    assert ratio == pytest.approx(sum(prob for prob, _ in odd) / sum(was for _, was in odd))


def test_bins_coverage_and_columns_of_the_catalog_are_of_clicks() -> None:
    (found,) = judged(TASKS).values()
    rows = by_hand("click", "click", 1)
    assert found.coverage == len(rows) / (2 * N_REQUESTS) == 0.75
    assert sum(one.n for one in found.reliability) == len(rows)
    assert set(found.by_item) == {"topic", "media"}
    topic = system().world.catalog["topic"][[item for *_, item in rows]]
    values, sizes = np.unique(topic, return_counts=True)
    figures = found.by_item["topic"].largest
    assert {name: one.n_impressions for name, one in figures.items()} == dict(
        zip(map(str, values.tolist()), sizes.tolist(), strict=True)
    )


def test_without_clicks_bins_and_columns_are_of_the_first_action() -> None:
    (found,) = judged({**TASKS, "click": None}).values()
    (whole,) = judged(TASKS).values()
    others = {name: one for name, one in whole.figures.items() if name.endswith(("(like)", "(read)"))}
    assert found.figures == others
    assert found.actions == ("like", "read")
    assert whole.actions == ("click", "like", "read")
    rows = by_hand("like", "like", 1)
    assert sum(one.n for one in found.reliability) == len(rows)
    n_done = sum(one.n * one.observed for one in found.reliability)
    assert n_done == pytest.approx(sum(was for _, was, *_ in rows))
    assert found.by_item["media"].every.observed.value == pytest.approx(n_done / len(rows))
    assert found.coverage == 0.75


def test_an_action_that_the_log_lacks_is_named() -> None:
    with pytest.raises(InputError, match=r"impressions have no column 'liked'; nearest is 'like'"):
        judged({"click": Task(1.0), "liked": Task(1.0)})


def test_stages_that_predict_nothing_are_left_out() -> None:
    assert set(judged(TASKS)) == {"rank"}
