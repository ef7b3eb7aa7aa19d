"""Slates against plain loops over one request, written from the papers, on generated candidates.

Loops add up in another order, so a choice is right where the loop's gain of it is the highest to 1e-9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from mlsd.diversifiers.base import Diversifier
from mlsd.diversifiers.dpp import DPP
from mlsd.diversifiers.mmr import MMR
from mlsd.diversifiers.xquad import XQuAD
from mlsd.fitting import Fitting
from mlsd.stages.base import TrainingData
from mlsd.stages.display import Display
from mlsd.text import analyze
from mlsd.types import Candidates, Catalog, Floats, RankingBatch, Requests

N_ITEMS, N_TOPICS, N_SHOWN = 9, 3, 4
TOLERANCE = 1e-9

Gain = Callable[[list[int], int], float]
"""What was chosen and a candidate -> what it adds."""


class Shelf(NamedTuple):
    """A catalog, and requests with candidates from it."""

    topics: list[int]
    titles: list[str]
    requests: list[dict[int, float]]
    """Item -> score for each request."""
    topic_prob: Floats
    """(n_requests, n_topics)."""


words = st.lists(st.sampled_from(["red", "car", "fast", "sea"]), max_size=3).map(" ".join)
scores = st.floats(-3, 3).map(lambda score: round(score, 3))


@st.composite
def shelves(draw: st.DrawFn) -> Shelf:
    """Up to four requests of nine items; topic -1 is none."""
    topics = draw(st.lists(st.integers(-1, N_TOPICS - 1), min_size=N_ITEMS, max_size=N_ITEMS))
    titles = draw(st.lists(words, min_size=N_ITEMS, max_size=N_ITEMS))
    requests = draw(st.lists(st.dictionaries(st.integers(0, N_ITEMS - 1), scores), min_size=1, max_size=4))
    weights = st.lists(st.integers(0, 9), min_size=N_TOPICS, max_size=N_TOPICS)
    rows = [draw(weights) for _ in requests]
    return Shelf(topics, titles, requests, (np.array(rows) + 0.01) / 30)


def orders(shelf: Shelf, diversifier: Diversifier) -> list[list[int]]:
    """All candidates of each request as the stage puts them."""
    columns = {"category": np.array(shelf.topics), "title": np.array(shelf.titles, object)}
    stage = Display(N_ITEMS, N_SHOWN, diversifier)
    stage.fit(TrainingData(Catalog(np.arange(N_ITEMS).astype(str), columns)), Fitting())
    ids = np.arange(len(shelf.requests))
    requests = Requests(ids, ids, ids, np.zeros(len(ids)), {"topic_prob": shelf.topic_prob})
    offsets = np.cumsum([0, *map(len, shelf.requests)])
    items = np.array([item for request in shelf.requests for item in request], np.int64)
    score = np.array([score for request in shelf.requests for score in request.values()], np.float64)
    out = stage(RankingBatch(requests, Candidates(offsets, items, {"score": score}))).candidates
    return [
        out.items[start:end].tolist() for start, end in zip(out.offsets[:-1], out.offsets[1:], strict=True)
    ]


def relevance_of(request: dict[int, float]) -> dict[int, float]:
    """Scores from 0 to 1, the best first."""
    low, high = min(request.values(), default=0), max(request.values(), default=0)
    ranked = sorted(request, key=lambda item: -request[item])
    return {item: (request[item] - low) / (high - low) if high > low else 1.0 for item in ranked}


def similarity_of(shelf: Shelf, topic_weight: float) -> Floats:
    """(n_items, n_items) with 0 for what is unknown of an item, its own diagonal too."""
    topics = np.array(shelf.topics)
    same = (topics[:, None] == topics) & (topics >= 0)
    cosine = np.zeros((N_ITEMS, N_ITEMS))
    if any(map(analyze, shelf.titles)):
        matrix = TfidfVectorizer(analyzer=analyze).fit_transform(shelf.titles)
        cosine = (matrix @ matrix.T).toarray()
    return np.asarray(topic_weight * same + (1 - topic_weight) * cosine)


def assert_greedy(
    shelf: Shelf, diversifier: Diversifier, gain_of: Callable[[int, dict[int, float]], Gain]
) -> None:
    """Every choice gains as much as anything that was left, and what is not shown keeps its order."""
    for row, (request, order) in enumerate(zip(shelf.requests, orders(shelf, diversifier), strict=True)):
        relevance = relevance_of(request)
        assert sorted(order) == sorted(request)
        gain = gain_of(row, relevance)
        for place in range(min(N_SHOWN, len(order))):
            gains = {item: gain(order[:place], item) for item in order[place:]}
            assert gains[order[place]] >= max(gains.values()) - TOLERANCE
        assert order[N_SHOWN:] == [item for item in relevance if item not in order[:N_SHOWN]]


trade_offs = st.sampled_from([0.0, 0.3, 0.7, 1.0])
topic_weights = st.sampled_from([0.0, 0.4, 1.0])


@given(shelves(), trade_offs, topic_weights)
def test_mmr(shelf: Shelf, trade_off: float, topic_weight: float) -> None:
    """Carbonell and Goldstein (1998): lambda Sim1(D, Q) - (1 - lambda) max Sim2(D, D')."""
    similarity, lambda_ = similarity_of(shelf, topic_weight), 1 - trade_off

    def gain_of(_: int, relevance: dict[int, float]) -> Gain:
        def gain(chosen: list[int], item: int) -> float:
            alike = max((similarity[item, other] for other in chosen), default=0.0)
            return float(lambda_ * relevance[item] - (1 - lambda_) * alike)

        return gain

    assert_greedy(shelf, MMR(trade_off, topic_weight), gain_of)


@given(shelves(), trade_offs, st.sampled_from(["candidates", "understood"]))
def test_xquad(shelf: Shelf, trade_off: float, aspects: str) -> None:
    """Santos et al. (2010): (1 - lambda) P(d|q) + lambda sum P(q_i|q) P(d|q_i) prod (1 - P(d_j|q_i))."""

    def gain_of(row: int, relevance: dict[int, float]) -> Gain:
        def serves(item: int, aspect: int) -> float:
            return relevance[item] if shelf.topics[item] == aspect else 0.0

        masses = [sum(serves(item, aspect) for item in relevance) for aspect in range(N_TOPICS)]
        estimated = [mass / sum(masses) if sum(masses) else 0.0 for mass in masses]
        prob = shelf.topic_prob[row] if aspects == "understood" else estimated

        def gain(chosen: list[int], item: int) -> float:
            diversity = sum(
                prob[aspect] * serves(item, aspect) * np.prod([1 - serves(other, aspect) for other in chosen])
                for aspect in range(N_TOPICS)
            )
            return float((1 - trade_off) * relevance[item] + trade_off * diversity)

        return gain

    assert_greedy(shelf, XQuAD(trade_off, aspects), gain_of)  # type: ignore[arg-type]


@given(shelves(), trade_offs, topic_weights)
def test_dpp(shelf: Shelf, trade_off: float, topic_weight: float) -> None:
    """Chen et al. (2018): theta sum r + (1 - theta) log det S; det S of one more is d^2 det S of what was."""
    kernel = similarity_of(shelf, topic_weight)
    np.fill_diagonal(kernel, 1.0)

    def gain_of(_: int, relevance: dict[int, float]) -> Gain:
        def gain(chosen: list[int], item: int) -> float:
            inside, across = kernel[np.ix_(chosen, chosen)], kernel[item, chosen]
            squared_distance = 1.0 - across @ np.linalg.pinv(inside, rcond=1e-12, hermitian=True) @ across
            volume = np.log(np.maximum(squared_distance, 1e-10))
            return float((1 - trade_off) * relevance[item] + trade_off * volume)

        return gain

    assert_greedy(shelf, DPP(trade_off, topic_weight), gain_of)
