"""The understand stage: what it learns, what it says of strange queries, and how it is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from mlsd.errors import InputError, InvalidValueError, NotFittedError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.metrics.calibration_error import CalibrationError
from mlsd.metrics.f1 import F1
from mlsd.stages.base import RequestStage, TrainingData
from mlsd.stages.understand import Understand
from mlsd.testing.small_log import WORDS, SmallLog
from mlsd.testing.stage_kit import RequestStageKit
from mlsd.types import Array, RankingBatch, Requests

SMALL = SmallLog()
INTENTS = np.array(["informational", "navigational", "transactional"], object)
FITTING = Fitting(TrainerOptions(max_epochs=8, n_threads=1))


def intent_of(requests: Requests) -> Array:
    """By the first word of the query."""
    return INTENTS[np.array([WORDS.index(query.split()[0]) for query in requests["query"]], np.int64) % 3]


def topic_of(requests: Requests) -> Array:
    return np.array([WORDS.index(query.split()[0]) for query in requests["query"]], np.int64) % 4


def annotated(requests: Requests) -> pd.DataFrame:
    said = {"intent": intent_of(requests), "topic": topic_of(requests).astype(str).astype(object)}
    tables = [
        pd.DataFrame({"request_id": requests.request_id, "name": name, "value": value})
        for name, value in said.items()
    ]
    return pd.concat(tables, ignore_index=True)


def learning_data(said: pd.DataFrame | None = None) -> TrainingData:
    log = SMALL.log
    if said is None:
        said = annotated(log.window("retrieval", "validation").requests)
    batches = {split: RankingBatch.of(log.window(split).requests) for split in ("ranking", "validation")}
    return TrainingData(SMALL.catalog, replace(log, annotations=said), SMALL.labels, batches)


def asked(*queries: str) -> RankingBatch:
    requests = SMALL.requests.take(np.arange(len(queries)))
    return RankingBatch.of(requests.with_columns(query=np.array(queries, object)))


class Kit(RequestStageKit):
    truth = {"intent": intent_of(SMALL.requests), "topic": topic_of(SMALL.requests)}  # noqa: RUF012

    def training(self) -> TrainingData:
        return learning_data()


class TestFromClicks(Kit):
    def make(self) -> RequestStage:
        return Understand()


class TestFromAnnotators(Kit):
    def make(self) -> RequestStage:
        return Understand(topic_from="annotations")


class TestTopicsAlone(Kit):
    def make(self) -> RequestStage:
        return Understand(intent_from=None)


@pytest.fixture(scope="module")
def fitted() -> Understand:
    stage = Understand(topic_from="annotations", batch_texts=1)
    stage.fit(learning_data(), Fitting(TrainerOptions(max_epochs=30, n_threads=1)))
    return stage


def test_it_learns_what_annotators_say(fitted: Understand) -> None:
    requests = SMALL.log.window("test").requests
    out = fitted(RankingBatch.of(requests)).requests
    assert out["intent"].tolist() == intent_of(requests).tolist()
    assert out["topic"].tolist() == topic_of(requests).tolist()
    assert out["topic_prob"].shape == (len(requests), 4)
    assert out["topic_prob"].sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (out["intent_prob"] > 0.5).all()


def test_clicks_tell_topics() -> None:
    """A query of which nothing is known gets the shares of the clicks, weighted by examination."""
    stage = Understand(intent_from=None)
    stage.fit(learning_data(), FITTING)
    clicks = SMALL.log.window("retrieval").impressions
    categories = SMALL.catalog["category"][clicks["item"].to_numpy()[clicks["click"].to_numpy()]]
    prior = stage(asked("")).requests["topic_prob"][0]
    assert prior == pytest.approx(np.bincount(categories) / len(categories), abs=0.1)
    assert stage.produces == {"request.topic", "request.topic_prob"}
    assert set(stage.state()) == {f"topic.{n}" for n in
        ("classes", "grams", "weights", "bias", "prior", "temperature")}  # fmt: skip


def test_the_state_of_intents_is_text(fitted: Understand) -> None:
    assert fitted.state()["intent.classes"].tolist() == INTENTS.tolist()
    assert fitted.state()["topic.classes"].dtype == np.int64


STRANGE = ["", "   ", "чай чай", "\x00\x01", "&&& --", "\ud800", "qqqq zzzz"]


@pytest.mark.parametrize("query", STRANGE)
def test_a_query_of_which_nothing_is_known_gets_the_class_shares(fitted: Understand, query: str) -> None:
    out = fitted(asked(query)).requests
    said = annotated(SMALL.log.window("retrieval").requests)
    votes = said[said["name"] == "topic"]["value"].astype(int)
    shares = (np.bincount(votes) + 0.25) / (len(votes) + 1)
    assert out["topic_prob"][0] == pytest.approx(shares, abs=1e-6)
    assert out["topic"][0] == shares.argmax()
    counts = said[said["name"] == "intent"]["value"].value_counts()
    assert out["intent"][0] == counts.idxmax()
    assert out["intent_prob"][0] == pytest.approx((counts.max() + 1 / 3) / (counts.sum() + 1), abs=1e-6)


@pytest.mark.parametrize("query", ["a", "the of and", "<b>amber</b><script>", "amber\x07", "x" * 10_000,
    "amber " * 2_000, "ambre"])  # fmt: skip
def test_any_other_query_has_probabilities(fitted: Understand, query: str) -> None:
    out = fitted(asked(query)).requests
    assert out["topic_prob"].sum() == pytest.approx(1, abs=1e-6)
    assert 1 / 3 <= out["intent_prob"][0] <= 1


def test_markup_and_control_characters_do_not_hide_a_word(fitted: Understand) -> None:
    plain = fitted(asked("amber")).requests["topic_prob"]
    assert fitted(asked("\x07Amber\x00 >")).requests["topic_prob"].tobytes() == plain.tobytes()


def test_a_topic_with_one_document_has_its_column() -> None:
    catalog = SMALL.catalog
    category = np.where(np.arange(len(catalog)) == 7, 6, catalog["category"])
    lone = replace(
        learning_data(), catalog=replace(catalog, columns={**catalog.columns, "category": category})
    )
    stage = Understand(intent_from=None)
    stage.fit(lone, FITTING)
    prob = stage(asked("amber", "")).requests["topic_prob"]
    assert prob.shape == (2, 7)
    assert (prob > 0).all()
    assert np.isfinite(prob).all()


def test_topics_that_rewritten_queries_have_calibrate_it() -> None:
    """Validation reads queries as they arrive: all unknown leaves a temperature of 1."""
    data = learning_data()
    validation = data.batches["validation"].requests
    unknown = validation.with_columns(query=np.full(len(validation), "чай", object))
    stage = Understand(intent_from=None)
    stage.fit(replace(data, batches={"validation": RankingBatch.of(unknown)}), FITTING)
    assert stage.state()["topic.temperature"] == 1.0


def test_a_missing_query_is_named(fitted: Understand) -> None:
    requests = SMALL.requests.take(np.arange(2)).with_columns(query=np.array(["amber", None], object))
    with pytest.raises(InputError, match="text 1 of 2 is None, must be a string"):
        fitted(RankingBatch.of(requests))


def test_figures_are_those_of_scikit_learn(fitted: Understand) -> None:
    requests = SMALL.requests.take(np.arange(90))
    out = fitted(RankingBatch.of(requests)).requests
    rolled = {"intent": np.roll(intent_of(requests), 3), "topic": np.roll(topic_of(requests), 1)}
    figures, predictions = fitted.judge(requests, out, rolled)
    assert list(figures) == [
        "Accuracy(intent)", "MacroF1(intent)", "F1(informational)", "F1(navigational)", "F1(transactional)",
        "Accuracy(topic)",
    ]  # fmt: skip
    value = {name: float(figure.statistic(requests.user).value[0]) for name, figure in figures.items()}
    true, chosen = rolled["intent"].tolist(), out["intent"].tolist()
    assert value["Accuracy(intent)"] == pytest.approx(accuracy_score(true, chosen))
    assert value["Accuracy(topic)"] == pytest.approx(accuracy_score(rolled["topic"], out["topic"]))
    assert value["MacroF1(intent)"] == pytest.approx(f1_score(true, chosen, average="macro"))
    each = f1_score(true, chosen, average=None, labels=INTENTS.tolist())
    assert [value[f"F1({intent})"] for intent in INTENTS] == pytest.approx(each)
    rows = np.arange(90)
    assert predictions["topic"].prob == pytest.approx(out["topic_prob"][rows, out["topic"]].astype(float))
    assert predictions["intent"].outcome.tolist() == [
        float(a == b) for a, b in zip(true, chosen, strict=True)
    ]
    assert predictions["intent"].unit.tolist() == requests.user.tolist()


def test_an_intent_that_nothing_has_is_left_out_of_the_mean(fitted: Understand) -> None:
    requests = SMALL.requests.take(np.arange(60))
    out = fitted(RankingBatch.of(requests)).requests
    figures, _ = fitted.judge(requests, out, {"intent": out["intent"]})
    one = np.flatnonzero(out["intent"] == "navigational")
    assert float(figures["MacroF1(intent)"].take(one).statistic(requests.user[one]).value[0]) == 1.0
    absent = figures["F1(transactional)"].take(one).statistic(requests.user[one])
    assert np.isnan(absent.value[0])


def test_no_requests_have_no_figures_of_intents(fitted: Understand) -> None:
    nobody = SMALL.requests.take(np.zeros(0, np.int64))
    truth = {"intent": np.zeros(0, object), "topic": np.zeros(0, np.int64)}
    figures, predictions = fitted.judge(nobody, fitted(RankingBatch.of(nobody)).requests, truth)
    assert set(figures) == {"Accuracy(intent)", "Accuracy(topic)"}
    assert [len(prediction) for prediction in predictions.values()] == [0, 0]


def test_metrics_that_read_a_yes_from_a_probability_do_not_judge_a_choice() -> None:
    assert CalibrationError().judges_confidence
    assert not F1().judges_confidence


def only(value: str) -> pd.DataFrame:
    return annotated(SMALL.log.window("retrieval", "validation").requests).assign(value=value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            learning_data(only("navigational")),
            "retrieval window: every intent is navigational, must be of two",
        ),
        (replace(learning_data(), log=SMALL.log), "nobody annotated the intent of requests"),
        (replace(learning_data(), log=None), r"model\.intent learns from a log, and nothing has been logged"),
        (
            learning_data(annotated(SMALL.log.window("validation").requests)),
            r"model\.intent, retrieval window: no query has a known intent to learn from",
        ),
        (
            learning_data(annotated(SMALL.log.window("retrieval").requests)),
            r"model\.intent, validation window: no query has a known intent to learn from",
        ),
    ],
)
def test_what_cannot_be_learnt_is_said(data: TrainingData, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Understand().fit(data, FITTING)


def test_queries_without_a_word_teach_nothing() -> None:
    data = learning_data()
    assert data.log is not None
    requests = data.log.requests.with_columns(query=np.full(len(data.log.requests), "&&", object))
    with pytest.raises(InputError, match="no query has a word to tell its intent by"):
        Understand().fit(replace(data, log=replace(data.log, requests=requests)), FITTING)


def test_categories_are_checked() -> None:
    columns = {**SMALL.catalog.columns, "category": SMALL.catalog["category"] - 1}
    with pytest.raises(InputError, match=r"item\.category has the category -1, must be at least 0"):
        Understand(intent_from=None).fit(
            replace(learning_data(), catalog=replace(SMALL.catalog, columns=columns)), FITTING
        )
    said = annotated(SMALL.log.window("retrieval", "validation").requests)
    strange = said.assign(value=said["value"].where(said["name"] == "intent", "jazz"))
    with pytest.raises(InputError, match="an annotation of topic is 'jazz'"):
        Understand(intent_from=None, topic_from="annotations").fit(learning_data(strange), FITTING)


def test_sources_are_checked() -> None:
    with pytest.raises(InvalidValueError, match="intent_from == 'clicks', must be one of None, annotations"):
        Understand(intent_from="clicks")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="one of them must be understood"):
        Understand(intent_from=None, topic_from=None)
    assert Understand().annotation_needs == {"intent"}
    assert Understand(topic_from="annotations").annotation_needs == {"intent", "topic"}
    assert Understand(topic_from=None).catalog_needs == frozenset()


@pytest.mark.parametrize(("gone", "kept"), [("intent", "topic"), ("topic", "intent")])
def test_without_a_classifier_its_columns_are_gone_and_the_other_stays_as_it_is(gone: str, kept: str) -> None:
    """Neither learns from the other, so that fitting the rest anew changes no bit."""
    stage = Understand()
    stage.fit(learning_data(), FITTING)
    batch = RankingBatch.of(SMALL.log.window("test").requests)
    again = stage.without({gone})
    with pytest.raises(NotFittedError):
        again(batch)
    again.fit(learning_data(), FITTING)
    for less in (stage.muted({gone}), again):
        assert less.pieces.keys() == {kept}
        assert less.produces == {f"request.{kept}", f"request.{kept}_prob"}
        out = less(batch).requests
        assert not {gone, f"{gone}_prob"} & out.columns.keys()
        assert out[f"{kept}_prob"].tolist() == stage(batch).requests[f"{kept}_prob"].tolist()
    assert {name.partition(".")[0] for name in again.state()} == {kept}


def test_it_is_calibrated_on_what_earlier_stages_pass_on() -> None:
    """So a change before it needs a new fit of it, and it does not learn alone."""
    data = learning_data()
    validation = data.batches["validation"].requests
    others = validation.with_columns(query=np.roll(validation["query"], 1))
    changed = replace(data, batches={**data.batches, "validation": RankingBatch.of(others)})
    stage, moved = Understand(topic_from=None), Understand(topic_from=None)
    stage.fit(data, FITTING)
    moved.fit(changed, FITTING)
    assert not Understand.learns_alone
    assert stage.state()["intent.temperature"] != moved.state()["intent.temperature"]
