"""The retrieve stage: fusion by hand and by loops, and what it passes to its retrievers."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd import checks, ragged
from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.retrievers.base import Retriever
from mlsd.retrievers.bm25 import BM25
from mlsd.retrievers.popularity import Popularity
from mlsd.stages.base import TrainingData
from mlsd.stages.retrieve import Retrieve
from mlsd.testing.retriever_kit import clicks, music, phrases, requests_for
from mlsd.types import Candidates, Catalog, RankingBatch, Requests, State

Lists = list[list[int]]
LISTS = st.lists(
    st.lists(st.lists(st.integers(0, 9), max_size=6, unique=True), min_size=4, max_size=4),
    min_size=1,
    max_size=4,
)


class Fixed(Retriever):
    """Finds the same items for each request as it was told; the score of an item is minus its number."""

    catalog_needs = frozenset({"title"})

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self.fitted_as = Fitting()
        self.weight = 1

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        self.fitted_as = fitting
        return Curves(train=(float(len(catalog)),))

    def retrieve(self, requests: Requests, n: int) -> Candidates:
        lists = [self.lists[row][:n] for row in requests.request_id]
        items = np.array([item for found in lists for item in found], np.int64)
        offsets = ragged.offsets_of_counts(np.array([len(found) for found in lists], np.int64))
        return Candidates(offsets, items, {"score": -items.astype(np.float32)})

    def score(
        self, requests: Requests, candidates: Candidates
    ) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return -candidates.items.astype(np.float32)

    def state(self) -> State:
        return {"weight": np.array(self.weight)}

    def load_state(self, state: State) -> None:
        self.weight = int(state["weight"])


def stage_of(*lists: Lists, n_out: int = 100, **options: int) -> Retrieve:
    return Retrieve(n_out, {f"r{i}": Fixed(each) for i, each in enumerate(lists)}, **options)


def process(stage: Retrieve, n_requests: int) -> RankingBatch:
    return stage(RankingBatch.of(requests_for(["jazz"] * n_requests)))


def fused_by_loops(lists: list[list[int]], k: int) -> list[tuple[int, float]]:
    """(item, score) of one request, best first."""
    scores: dict[int, float] = defaultdict(float)
    for found in lists:
        for rank, item in enumerate(found, start=1):
            scores[item] += 1 / (k + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def test_fusion_by_hand() -> None:
    batch = process(stage_of([[7, 3]], [[3, 5, 9]], rrf_k=1), 1)
    assert batch.candidates.items.tolist() == [3, 7, 5, 9]
    np.testing.assert_allclose(batch.candidates["score"], [1 / 3 + 1 / 2, 1 / 2, 1 / 3, 1 / 4])
    assert batch.candidates["r0_score"].tolist() == [-3, -7, -5, -9]
    assert batch.candidates["r1_score"].tolist() == [-3, -7, -5, -9]


@settings(max_examples=100, deadline=None)
@given(lists=LISTS, n_out=st.integers(1, 12), k=st.sampled_from([0, 1, 60]))
def test_equals_fusion_by_loops(lists: list[Lists], n_out: int, k: int) -> None:
    candidates = process(stage_of(*lists, n_out=n_out, rrf_k=k, n_each=6), 4).candidates
    for row in range(4):
        own = slice(candidates.offsets[row], candidates.offsets[row + 1])
        expected = fused_by_loops([each[row] for each in lists], k)[:n_out]
        assert candidates.items[own].tolist() == [item for item, _ in expected]
        assert candidates["score"][own].tolist() == [score for _, score in expected]


def test_each_retriever_looks_for_its_own_number() -> None:
    lists = ([[1, 2, 3]], [[4, 5, 6]])
    assert sorted(process(stage_of(*lists, n_each=1), 1).candidates.items) == [1, 4]
    stage = Retrieve(3, {"a": Fixed(lists[0]), "b": Fixed(lists[1])}, n_each={"b": 1})
    assert stage.n_each == {"a": 3, "b": 1}
    assert sorted(process(stage, 1).candidates.items) == [1, 2, 4]


def test_one_retriever_keeps_its_order() -> None:
    assert process(stage_of([[5, 1, 8]], n_out=2), 1).candidates.items.tolist() == [5, 1]


def test_who_finds_nothing_keeps_nothing() -> None:
    candidates = process(stage_of([[], [4], []], [[], [], []]), 3).candidates
    assert candidates.offsets.tolist() == [0, 0, 1, 1]
    assert len(process(stage_of([[]]), 1).candidates) == 0
    empty = process(stage_of([[1]]), 0)
    assert len(empty) == len(empty.candidates) == 0
    assert "candidate.r0_score" in empty.column_names


def test_a_retriever_that_is_null_is_off() -> None:
    stage = Retrieve(5, {"a": None, "b": Fixed([[3]])})
    assert stage.produces == {"candidate.score", "candidate.fused_score", "candidate.b_score"}
    assert process(stage, 1).column_names >= stage.produces
    assert "candidate.a_score" not in process(stage, 1).column_names


def test_earlier_candidates_are_replaced() -> None:
    requests = requests_for(["jazz"])
    before = RankingBatch(requests, Candidates(np.array([0, 1]), np.array([99]), {"old": np.array([1.0])}))
    after = stage_of([[2]])(before)
    assert after.candidates.items.tolist() == [2]
    assert "candidate.old" not in after.column_names


def test_every_retriever_is_fitted_under_its_own_name(tmp_path: Path) -> None:
    stage = stage_of([[1]], [[2]])
    curves = stage.fit(TrainingData(music(3)), Fitting(name="retrieve", folder=tmp_path, seed=5))
    assert curves == {"r0": Curves(train=(3.0,)), "r1": Curves(train=(3.0,))}
    first, second = (each.fitted_as for each in stage.retrievers.values() if isinstance(each, Fixed))
    assert (first.name, second.name) == ("retrieve.r0", "retrieve.r1")
    assert (first.folder, second.folder) == (tmp_path / "r0", tmp_path / "r1")
    assert len({first.seed, second.seed, 5}) == 3
    stage.fit(TrainingData(music(3)), Fitting())
    assert [each.fitted_as.folder for each in stage.retrievers.values() if isinstance(each, Fixed)] == [
        None,
        None,
    ]


def test_states_of_retrievers_do_not_meet() -> None:
    stage, again = stage_of([[1]], [[2]]), stage_of([[1]], [[2]])
    for weight, each in enumerate(stage.retrievers.values(), start=7):
        assert isinstance(each, Fixed)
        each.weight = weight
    again.load_state(stage.state())
    assert stage.state() == {"r0.weight": np.array(7), "r1.weight": np.array(8)}
    assert again.state() == stage.state()


def test_bm25_and_popularity_together() -> None:
    requests = requests_for([*phrases("query", 30, 2), "zzz"])
    catalog, stage = music(150), Retrieve(20, {"bm25": BM25(), "popularity": Popularity()})
    assert stage.needs == {"request.query"}
    assert stage.catalog_needs == {"title", "text"}
    stage.fit(TrainingData(catalog, clicks(requests, len(catalog))), Fitting())
    batch = stage(RankingBatch.of(requests))
    assert batch.candidates.counts.tolist() == [20] * 31
    for name, retriever in stage.retrievers.items():
        scores = retriever.score(requests, batch.candidates)
        np.testing.assert_array_equal(batch.candidates[f"{name}_score"], scores)
    assert not batch.take(np.array([30])).candidates["bm25_score"].any()
    alone = stage(RankingBatch.of(requests.take(np.array([4]))))
    np.testing.assert_array_equal(alone.candidates.items, batch.take(np.array([4])).candidates.items)


def test_says_which_column_is_missing() -> None:
    stage = Retrieve(5, {"bm25": BM25()})
    rows = np.arange(1)
    with pytest.raises(InputError, match=r"Retrieve needs request\.query; there are"):
        stage(RankingBatch.of(Requests(rows, rows, rows, np.zeros(1))))


def test_options_keep_their_rules() -> None:
    with pytest.raises(InvalidValueError, match=r"retrievers == \['a'\], must have one that is not null"):
        Retrieve(5, {"a": None})
    with pytest.raises(
        InvalidValueError, match="n_each == 'bm26', must be one of bm25, b; nearest is 'bm25'"
    ):
        Retrieve(5, {"bm25": BM25(), "b": None}, n_each={"bm26": 3})
    with pytest.raises(InvalidValueError, match=r"n_each\.bm25 == 0, must be at least 1"):
        Retrieve(5, {"bm25": BM25()}, n_each={"bm25": 0})
    with pytest.raises(InvalidValueError, match=r"retrievers == 'a\.b', must be a name of letters"):
        Retrieve(5, {"a.b": BM25()})
    with checks.collecting() as faults:
        Retrieve(0, {"a": None}, n_each=-1, rrf_k=-2)
    assert [fault.name for fault in faults] == ["n_out", "retrievers", "n_each", "rrf_k"]
