"""The rewrite stage: what it hands on, what it keeps, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.metrics.base import Judged
from mlsd.rewriters.base import Rewriter, Rewritten
from mlsd.rewriters.expansion import Expansion
from mlsd.rewriters.relaxation import Relaxation
from mlsd.rewriters.spelling import Spelling
from mlsd.stages.base import TrainingData
from mlsd.stages.rewrite import Rewrite
from mlsd.testing.retriever_kit import clicks, music, requests_for
from mlsd.testing.rewriter_kit import ODD_TEXTS
from mlsd.testing.stage_kit import RequestStageKit
from mlsd.types import Catalog, Columns, RankingBatch, Requests, State


class Told(Rewriter):
    """Rewrites what it was told to, with confidence .5, and names its own terms for what it rewrites."""

    catalog_needs = frozenset({"title"})

    def __init__(self, told: Mapping[str, str], terms: str = "") -> None:
        self.told, self.terms = told, terms
        self.relates = bool(terms)  # type: ignore[misc]
        self.fitted_as = Fitting()
        self.asked: list[list[str]] = []

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> None:
        self.fitted_as = fitting

    def rewrite(self, texts: Sequence[str]) -> Rewritten:
        self.asked.append(list(texts))
        out = Rewritten.of([self.told.get(text, text) for text in texts])
        found = np.array([text in self.told for text in texts], bool)
        return out._replace(
            confidence=np.where(found, 0.5, 1.0), related=np.where(found, self.terms, "").astype(object)
        )

    def state(self) -> State:
        return {"terms": np.array(self.terms)}

    def load_state(self, state: State) -> None:
        self.terms = str(state["terms"])


class Corrects(Told):
    corrects = True


class TestRewrite(RequestStageKit):
    n = np.arange(400)
    truth: ClassVar[Columns] = {
        "intended_query": np.where(n % 3 == 0, "amber basin", "cedar").astype(object),
        "misspelled": n % 2 == 0,
    }

    def make(self) -> Rewrite:
        return Rewrite({"spelling": Spelling(), "expansion": Expansion(), "relaxation": Relaxation(1)})


def fitted(
    rewriters: Mapping[str, Rewriter | None], logged: Sequence[str] = ("jazz", "rock"), split: str = "ranking"
) -> Rewrite:
    stage = Rewrite(rewriters)
    log = clicks(numbered(logged), 5)
    log = Log(log.requests, log.impressions, np.full(len(logged), split))
    stage.fit(TrainingData(music(5), log), Fitting(name="rewrite", seed=3))
    return stage


def numbered(queries: Sequence[str]) -> Requests:
    """Requests whose query ids are 100, 101, ..."""
    return requests_for(list(queries)).with_columns(query_id=100 + np.arange(len(queries)))


def passed(stage: Rewrite, queries: Sequence[str]) -> Requests:
    return stage(RankingBatch.of(numbered(queries))).requests


def test_each_gets_what_the_one_before_made() -> None:
    stage = fitted(
        {"one": Told({"jaz": "jazz"}, "bop swing"), "two": Told({"jazz": "jazz music"}, "swing cool")}
    )
    out = passed(stage, ["jaz", "jazz", "rock"])
    assert out["query"].tolist() == ["jazz music", "jazz music", "rock"]
    assert out["original_query"].tolist() == ["jaz", "jazz", "rock"]
    assert out["rewrite_confidence"].tolist() == [0.25, 0.5, 1.0]
    assert out["expansion"].tolist() == ["bop swing cool", "swing cool", ""]


def test_a_changed_text_gets_the_id_it_has_in_the_log() -> None:
    stage = fitted(
        {"one": Told({"jaz": "jazz", "rok": "rock", "oper": "opera"})}, ["jazz", "jazz", "rock", "rok"]
    )
    out = passed(stage, ["jaz", "rok", "oper", "jazz", "pop"])
    assert out["query_id"].tolist() == [100, 102, 102, 103, 104]


def test_the_test_window_numbers_nothing() -> None:
    assert passed(fitted({"one": Told({"jaz": "jazz"})}, split="test"), ["jaz"])["query_id"].tolist() == [100]


def test_requests_without_an_id_get_none() -> None:
    stage = fitted({"one": Told({"jaz": "jazz"})})
    out = stage(RankingBatch.of(requests_for(["jaz"]))).requests
    assert out["query"].tolist() == ["jazz"]
    assert "query_id" not in out.columns


def test_no_column_for_terms_that_nobody_names() -> None:
    stage = fitted({"one": Told({})})
    assert "request.expansion" not in stage.produces
    assert "expansion" not in passed(stage, ["jazz"]).columns


def test_each_text_is_rewritten_once() -> None:
    one = Told({})
    passed(fitted({"one": one}), ["jazz", "rock", "jazz", "jazz"])
    assert one.asked == [["jazz", "rock"]]


def test_every_rewriter_has_a_name_and_a_seed_of_its_own() -> None:
    one, two = Told({}), Told({})
    fitted({"one": one, "two": two})
    assert (one.fitted_as.name, two.fitted_as.name) == ("rewrite.one", "rewrite.two")
    assert one.fitted_as.seed != two.fitted_as.seed


def test_null_switches_a_rewriter_off() -> None:
    stage = Rewrite({"one": Told({}), "two": None})
    assert list(stage.rewriters) == ["one"]
    assert stage.catalog_needs == {"title"}
    with pytest.raises(InvalidValueError, match=r"rewriters == \['two'\], must have one that is not null"):
        Rewrite({"two": None})


@pytest.mark.parametrize("name", ["a.b", "query_ids"])
def test_names_that_would_mix_up_states(name: str) -> None:
    with pytest.raises(InvalidValueError, match=f"rewriters == '{name}', must be a name of letters"):
        Rewrite({name: Told({})})


def test_state_keeps_texts_of_any_length_and_kind() -> None:
    texts = [*dict.fromkeys(ODD_TEXTS.values()), "jazz"]
    stage, again = fitted({"one": Told({"jaz": "jazz"})}, texts), Rewrite({"one": Told({"jaz": "jazz"})})
    state = stage.state()
    assert sum(array.nbytes for array in state.values()) < 60_000
    again.load_state(state)
    assert passed(again, ["jaz"])["query_id"].tolist() == [100 + len(texts) - 1]


def test_odd_texts_pass_through_all_of_it() -> None:
    stage = Rewrite({"spelling": Spelling(), "expansion": Expansion(), "relaxation": Relaxation()})
    stage.fit(TrainingData(music(50)), Fitting())
    out = passed(stage, [*ODD_TEXTS.values()])
    assert out["original_query"].tolist() == [*ODD_TEXTS.values()]
    assert np.isfinite(out["rewrite_confidence"]).all()


def test_a_query_that_is_missing_is_refused() -> None:
    stage = fitted({"one": Told({})})
    requests = numbered(["jazz"]).with_columns(query=np.array([None], object))
    with pytest.raises(InputError, match="text 0 of 1 is None, must be a string"):
        stage(RankingBatch.of(requests))


def judged(stage: Rewrite, asked: Requests, intended: Sequence[str], misspelled: Sequence[bool]) -> Judged:
    truth = {"intended_query": np.array(intended, object), "misspelled": np.array(misspelled)}
    return stage.judge(asked, stage(RankingBatch.of(asked)).requests, truth)


def test_judged_by_hand() -> None:
    """Misspelled: one put right, one made wrong, one left; the rest right: left, changed, relaxed."""
    told = {"jaz": "jazz", "rok": "rook", "opera": "operas"}
    relaxes = Told({"a b c": "a b"})
    stage = fitted({"spelling": Corrects(told), "relaxation": relaxes})
    asked = numbered(["jaz", "rok", "pian", "drums", "opera", "a b c"])
    found = judged(
        stage,
        asked,
        ["Jazz ", "rock", "piano", "drums", "opera", "a b c"],
        [True, True, True, False, False, False],
    )
    values = {name: float(figure.statistic(asked.user).value[0]) for name, figure in found.figures.items()}
    assert values == pytest.approx(
        {
            "CorrectionAccuracy": 1 / 3,
            "CorrectionRate": 2 / 3,
            "CorrectionPrecision": 1 / 3,
            "FalseCorrectionRate": 1 / 3,
            "ExactQuery(asked)": 3 / 6,
            "ExactQuery(corrected)": 3 / 6,
            "ExactQuery(passed)": 2 / 6,
        }
    )
    correction = found.predictions["correction"]
    assert correction.prob.tolist() == [0.5, 0.5, 1, 1, 0.5, 1]
    assert correction.outcome.tolist() == [1, 0, 0, 1, 0, 1]
    assert correction.unit.tolist() == asked.user.tolist()


def test_nothing_is_judged_where_nothing_corrects() -> None:
    found = judged(fitted({"one": Told({"jaz": "jazz"})}), numbered(["jaz"]), ["jazz"], [True])
    assert not found.figures
    assert not found.predictions


def test_without_some_rewriters_the_others_hand_on_to_each_other() -> None:
    chain = {"one": Told({"a": "b"}, "term"), "two": Told({"b": "c"}), "three": Told({"c": "d", "b": "e"})}
    stage = fitted(chain)
    assert {name: piece.group for name, piece in stage.pieces.items()} == {
        "one": "rewriter/one",
        "two": "rewriter/two",
        "three": "rewriter/three",
    }
    for less in (stage.without({"two"}), stage.muted({"two"})):
        out = passed(less, ["a"])
        assert out["query"].tolist() == ["e"]
        assert out["rewrite_confidence"].tolist() == [0.25]
        assert out["expansion"].tolist() == ["term"]
    assert passed(stage, ["a"])["query"].tolist() == ["d"]


def test_without_any_that_names_terms_there_is_no_expansion() -> None:
    stage = fitted({"plain": Told({"a": "b"}), "one": Told({}, "x"), "other": Told({}, "y")})
    assert "request.expansion" in stage.without({"one"}).produces
    for less in (stage.without({"one", "other"}), stage.muted({"one", "other"})):
        assert less.produces == {"request.original_query", "request.rewrite_confidence"}
        assert "expansion" not in passed(less, ["a"]).columns
