"""The display stage: what it keeps of the order, caps on sources, scales of relevance, bad input."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import ragged
from mlsd.config.check import TORCH, all_faults
from mlsd.config.compose import compose_overrides
from mlsd.diversifiers.base import Diversifier
from mlsd.diversifiers.dpp import DPP
from mlsd.diversifiers.mmr import MMR
from mlsd.diversifiers.xquad import XQuAD
from mlsd.errors import InputError, InvalidValueError, NotFittedError
from mlsd.fitting import Fitting
from mlsd.stages.base import Stage, TrainingData
from mlsd.stages.display import Display
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import CandidateStageKit, same_batch
from mlsd.types import Array, Candidates, Catalog, RankingBatch, Requests

SMALL = SmallLog()
N_ITEMS = 10


class TestDisplayByMMR(CandidateStageKit):
    def make(self) -> Stage:
        return Display(self.n_out, 3, MMR(), max_per_source=1)


class TestDisplayByXQuAD(CandidateStageKit):
    def make(self) -> Stage:
        return Display(self.n_out, None, XQuAD(aspects="understood"), relevance="click_prob")

    def batch(self) -> RankingBatch:
        batch = super().batch()
        prob = 0.1 + 0.8 * batch.candidates["score"]
        topic_prob = np.tile([0.4, 0.3, 0.2, 0.1], (len(batch), 1)).astype(np.float32)
        requests = batch.requests.with_columns(topic_prob=topic_prob)
        return RankingBatch(requests, batch.candidates.with_columns(click_prob=prob))


class TestDisplayByDPP(CandidateStageKit):
    def make(self) -> Stage:
        return Display(self.n_out, 4, DPP(), relevance="softmax")


class TestDisplayByCapsAlone(CandidateStageKit):
    def make(self) -> Stage:
        return Display(self.n_out, 2, max_per_source=1)


def catalog(source: list[int] | None = None, category: list[int] | None = None) -> Catalog:
    numbers = np.arange(N_ITEMS)
    columns: dict[str, Array] = {
        "source": numbers % 3 if source is None else np.array(source),
        "category": numbers % 2 if category is None else np.array(category),
        "title": np.array([f"{'red' if n % 4 else 'blue'} car" for n in numbers], object),
    }
    return Catalog(numbers.astype(str), columns)


def asked(*requests: dict[int, float], **columns: Any) -> RankingBatch:
    """A request for each mapping of item to score."""
    ids = np.arange(len(requests))
    offsets = np.cumsum([0, *map(len, requests)])
    items = np.array([item for request in requests for item in request], np.int64)
    score = np.array([score for request in requests for score in request.values()], np.float64)
    return RankingBatch(
        Requests(ids, ids, ids, np.zeros(len(ids))), Candidates(offsets, items, {"score": score, **columns})
    )


def ready(stage: Display, items: Catalog | None = None) -> Display:
    stage.fit(TrainingData(items or catalog()), Fitting())
    return stage


def lists(batch: RankingBatch) -> list[list[int]]:
    offsets = batch.candidates.offsets
    return [batch.candidates.items[start:end].tolist() for start, end in pairwise(offsets)]


DIVERSIFIERS: list[Diversifier | None] = [None, MMR(), MMR(1.0), XQuAD(), DPP(), DPP(1.0)]
diversifiers = st.sampled_from(DIVERSIFIERS)
rules = st.sampled_from(["min_max", "softmax"])
request_lists = st.lists(
    st.dictionaries(st.integers(0, N_ITEMS - 1), st.integers(-3, 3).map(float)), min_size=1, max_size=4
)
sources = st.lists(st.integers(-1, 3), min_size=N_ITEMS, max_size=N_ITEMS)


@given(request_lists, diversifiers, rules, st.randoms(use_true_random=False))
def test_the_order_that_candidates_come_in_is_of_no_account(
    requests: list[dict[int, float]], diversifier: Diversifier | None, rule: Any, luck: Any
) -> None:
    """Scores made distinct, so that no tie is left to it."""
    distinct = [{item: score + item / 100 for item, score in request.items()} for request in requests]
    stage = ready(Display(N_ITEMS, 4, diversifier, max_per_source=2, relevance=rule))
    shuffled = [dict(luck.sample(sorted(request.items()), len(request))) for request in distinct]
    one, other = stage(asked(*distinct)), stage(asked(*shuffled))
    assert lists(one) == lists(other)
    assert one.candidates["ranked_score"].tolist() == other.candidates["ranked_score"].tolist()


@given(request_lists, diversifiers, st.integers(1, 6), st.integers(1, 3), sources)
def test_caps_hold_wherever_they_can_and_no_item_is_lost_or_doubled(
    requests: list[dict[int, float]],
    diversifier: Diversifier | None,
    n_positions: int,
    cap: int,
    source: list[int],
) -> None:
    stage = ready(Display(N_ITEMS, n_positions, diversifier, max_per_source=cap), catalog(source))
    for request, order in zip(requests, lists(stage(asked(*requests))), strict=True):
        assert sorted(order) == sorted(request)
        shown = [source[item] for item in order[:n_positions]]
        left = [source[item] for item in order]
        for place, own in enumerate(shown):
            over = own >= 0 and shown[:place].count(own) >= cap
            others = [one for one in left[place:] if one < 0 or shown[:place].count(one) < cap]
            assert not (over and others)


@given(request_lists, st.integers(1, 6), st.integers(1, 3), sources)
def test_caps_alone_are_a_loop_over_the_ranking(
    requests: list[dict[int, float]], n_positions: int, cap: int, source: list[int]
) -> None:
    """Take the best whose source is not full; where all are, the best."""
    stage = ready(Display(N_ITEMS, n_positions, max_per_source=cap), catalog(source))
    for request, order in zip(requests, lists(stage(asked(*requests))), strict=True):
        shown: list[int] = []
        left = sorted(request, key=lambda item: -request[item])
        while left and len(shown) < n_positions:
            of_source = [source[item] for item in shown]
            free = [item for item in left if source[item] < 0 or of_source.count(source[item]) < cap]
            shown.append((free or left)[0])
            left.remove(shown[-1])
        assert order == shown + left


@given(request_lists, st.sampled_from([MMR(0.0), XQuAD(0.0), DPP(0.0)]), rules)
def test_without_trade_off_the_order_stays(
    requests: list[dict[int, float]], diversifier: Diversifier, rule: Any
) -> None:
    ranked = [dict(sorted(request.items(), key=lambda pair: -pair[1])) for request in requests]
    out = ready(Display(N_ITEMS, 5, diversifier, relevance=rule))(asked(*ranked))
    assert lists(out) == [list(request) for request in ranked]


def test_the_score_falls_with_the_position_and_the_ranker_is_kept() -> None:
    """Items 1 and 3 share topic and title; item 0 differs and comes second of what is shown."""
    out = ready(Display(3, 2, MMR(0.5)))(asked({1: 3.0, 3: 2.9, 0: 2.0, 2: 1.0})).candidates
    assert out.items.tolist() == [1, 0, 3]
    assert out["score"].tolist() == [1, 1 / 2, 1 / 3]
    assert out["ranked_score"].tolist() == [3.0, 2.0, 2.9]


def test_relevance_by_its_rules() -> None:
    """Worked by hand: a trade-off of 0 makes the gain the relevance itself."""
    seen: dict[str, list[float]] = {}

    class Watched(XQuAD):
        def begin(self, pool: Any) -> Any:
            seen[stage.relevance] = pool.relevance.tolist()
            return super().begin(pool)

    batch = asked({1: 2.0, 2: 0.0, 3: 1.0}, click_prob=np.array([0.3, 0.1, 0.2], np.float32))
    for rule in ("min_max", "softmax", "click_prob"):
        stage = ready(Display(3, 3, Watched(0.0), relevance=rule))
        stage(batch)
    odds = np.exp([0.0, -1.0, -2.0])
    assert seen["min_max"] == [1.0, 0.5, 0.0]
    assert seen["softmax"] == pytest.approx((odds / odds.sum()).tolist())
    assert seen["click_prob"] == pytest.approx([0.3, 0.2, 0.1])


def test_scores_that_are_all_equal_are_all_as_relevant() -> None:
    out = ready(Display(3, 3, MMR(0.0)))(asked({4: 1.0, 2: 1.0, 6: 1.0}, {5: 0.0}))
    assert lists(out) == [[4, 2, 6], [5]]


@pytest.mark.parametrize("diversifier", DIVERSIFIERS)
def test_fewer_candidates_than_positions_are_all_shown(diversifier: Diversifier | None) -> None:
    stage = ready(Display(9, 8, diversifier, max_per_source=1), catalog(source=[5] * N_ITEMS))
    out = stage(asked({4: 1.0, 2: 3.0}, {}, {5: 0.0, 1: 7.0, 2: 2.0, 3: 4.0}))
    assert [sorted(items) for items in lists(out)] == [[2, 4], [], [1, 2, 3, 5]]


def test_one_source_for_everything_caps_nothing() -> None:
    stage = ready(Display(4, 4, max_per_source=2), catalog(source=[5] * N_ITEMS))
    assert lists(stage(asked({4: 1.0, 2: 3.0, 1: 2.0, 3: 0.0}))) == [[2, 1, 4, 3]]


@given(request_lists, st.sampled_from(DIVERSIFIERS[1:]))
def test_a_cap_that_is_given_up_leaves_the_choice_to_the_diversifier(
    requests: list[dict[int, float]], diversifier: Diversifier | None
) -> None:
    items, batch = catalog(source=[5] * N_ITEMS), asked(*requests)
    capped = ready(Display(N_ITEMS, 4, diversifier, max_per_source=1), items)(batch)
    assert lists(capped) == lists(ready(Display(N_ITEMS, 4, diversifier), items)(batch))


@pytest.mark.parametrize("diversifier", [MMR(0.9, 1.0), XQuAD(0.9), DPP(0.9, 1.0)])
def test_items_without_a_topic_are_told_apart_by_relevance_alone(diversifier: Diversifier) -> None:
    stage = ready(Display(4, 4, diversifier), catalog(category=[-1] * N_ITEMS))
    assert lists(stage(asked({4: 1.0, 2: 3.0, 1: 2.0, 3: 0.0}))) == [[2, 1, 4, 3]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match=r"candidate\.score of 1 of 2 candidates is not finite"):
        ready(Display(3, 3, MMR()))(asked({1: 1.0, 2: bad}))


def test_click_probabilities_that_are_none_are_refused() -> None:
    stage = ready(Display(3, 3, MMR(), relevance="click_prob"))
    with pytest.raises(InputError, match=r"candidate\.click_prob\[0\] == 1\.5, must be in \[0, 1\]"):
        stage(asked({1: 1.0, 2: 2.0}, click_prob=np.array([0.2, 1.5])))


def test_click_probabilities_of_another_order_are_refused() -> None:
    """Those that a stage before the last ranker left behind, which has none of its own."""
    stage = ready(Display(3, 3, MMR(), relevance="click_prob"))
    with pytest.raises(InputError, match=r"candidate\.click_prob rises where candidate\.score falls"):
        stage(asked({1: 1.0}, {1: 1.0, 2: 2.0}, click_prob=np.array([0.5, 0.2, 0.1])))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_out": 3, "n_positions": 4, "max_per_source": 1}, "n_positions == 4, must be at most n_out == 3"),
        ({"n_out": 3, "max_per_source": 0}, "max_per_source == 0, must be at least 1"),
        ({"n_out": 3}, "diversifier == None, must be given where max_per_source is null"),
        ({"n_out": 3, "max_per_source": 1, "relevance": "minmax"}, "nearest is 'min_max'"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Display(**arguments)


def test_it_asks_for_what_it_reads_and_no_more() -> None:
    assert Display(3, max_per_source=1).catalog_needs == {"source"}
    assert Display(3, diversifier=XQuAD()).catalog_needs == {"category"}
    assert Display(3, diversifier=MMR(topic_weight=0)).catalog_needs == {"title"}
    understood = Display(3, diversifier=XQuAD(aspects="understood"), relevance="click_prob")
    assert understood.needs == {"candidate.score", "candidate.click_prob", "request.topic_prob"}


XQUAD = "diversifier@funnel.stages.display.diversifier=xquad"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "diversifier.aspects=understood",
            "funnel.stages.display == 'request.topic_prob': is needed, but no request and no earlier",
        ),
        ("n_out=30", "must be at most full_rank's n_out == 20: a funnel only narrows"),
        ("n_positions=21", "n_positions == 21: must be at most n_out == 20"),
        ("max_per_source=none", "funnel.stages.display.max_per_source"),
    ],
)
def test_faults_are_found_before_anything_is_drawn(override: str, message: str) -> None:
    overrides = ["problem=search", XQUAD, "funnel.skip=[understand]", f"funnel.stages.display.{override}"]
    found = "; ".join(str(fault) for fault in all_faults(compose_overrides(overrides), TORCH))
    assert message in found


def test_a_collection_without_topics_is_refused_and_its_titles_will_do(tmp_path: Path) -> None:
    lines = {
        "corpus.jsonl": {"_id": "d1", "title": "tides", "text": "the moon pulls the sea"},
        "queries.jsonl": {"_id": "q1", "text": "how do tides work"},
    }
    for name, row in lines.items():
        (tmp_path / name).write_text(json.dumps(row) + "\n", encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n", encoding="utf-8")
    stage = ("+stage@funnel.stages.display=display", XQUAD, "funnel.order=[retrieve,display]")
    overrides = ["problem=search", "world=beir", f"world.path={tmp_path}", *stage]
    (fault,) = map(str, all_faults(compose_overrides(overrides), TORCH))
    assert "'category': is needed of the catalog, which has text, title" in fault
    titles = [XQUAD.replace("xquad", "mmr"), "funnel.stages.display.diversifier.topic_weight=0"]
    others = [override for override in overrides if override != XQUAD]
    assert not all_faults(compose_overrides([*others, *titles]), TORCH)


def test_positions_of_a_batch_are_those_of_its_requests_alone() -> None:
    batch = SMALL.candidates(SMALL.requests.take(np.arange(30)))
    stage = ready(Display(12, 6, XQuAD(), max_per_source=2), SMALL.catalog)
    whole = stage(batch).candidates
    places, _ = ragged.take_segments(whole.offsets, np.array([7]))
    assert stage(batch.take(np.array([7]))).candidates.items.tolist() == whole.items[places].tolist()


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ("diversifier", {"max_per_source": 1}),
        ("max_per_source", {"diversifier": MMR()}),
    ],
)
def test_without_a_piece_it_is_the_stage_that_never_had_it(gone: str, left: dict[str, Any]) -> None:
    batch = asked(dict.fromkeys(range(N_ITEMS), 1.0), {item: float(item) for item in range(N_ITEMS)})
    both, other = ready(Display(N_ITEMS, 4, MMR(), 1)), ready(Display(N_ITEMS, 4, **left))
    assert {name: piece.group for name, piece in both.pieces.items()} == {
        "diversifier": "display/diversifier",
        "max_per_source": "display/max_per_source",
    }
    for less in (both.muted({gone}), ready(both.without({gone}))):
        assert same_batch(less(batch), other(batch))
        assert less.catalog_needs == other.catalog_needs
    assert not same_batch(both(batch), other(batch))
    with pytest.raises(NotFittedError):
        both.without({gone})(batch)


def test_what_the_diversifier_reads_is_not_read_without_it() -> None:
    stage = Display(N_ITEMS, 4, XQuAD(aspects="understood"), 1)
    assert stage.pieces["diversifier"].needs == {"request.topic_prob"}
    assert stage.without({"diversifier"}).needs == {"candidate.score"}
