"""Blending a page: against a greedy loop, and where its rules meet their limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError, InvalidValueError, NotFittedError
from mlsd.fitting import Fitting
from mlsd.stages.base import TrainingData
from mlsd.stages.blend import Blend
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import CandidateStageKit
from mlsd.types import Candidates, Catalog, RankingBatch, Requests

SMALL = SmallLog()
N_ITEMS = 12
NOW = 5.0


class TestBlend(CandidateStageKit):
    def make(self) -> Blend:
        return Blend(
            self.n_out,
            3,
            {"source": 0.7, "category": 0.9},
            half_life_hours=500.0,
            max_share=0.5,
            near="candidate.fused_score",
        )

    def batch(self) -> RankingBatch:
        batch = super().batch()
        near = batch.candidates["fused_score"] - 0.5
        return RankingBatch(batch.requests, batch.candidates.with_columns(fused_score=near))


class TestBlendByLimitAlone(CandidateStageKit):
    """Nothing of the catalog is read."""

    learns = True

    def make(self) -> Blend:
        return Blend(self.n_out, 2, max_share=0.0, near="candidate.bm25_score")


class Post(NamedTuple):
    """A candidate."""

    item: int
    score: float
    near: float = 1.0


def catalog(days: list[float] | None = None) -> Catalog:
    numbers = np.arange(N_ITEMS)
    columns = {
        "author": numbers % 4,
        "topic": numbers // 4,
        "published_days": np.array(days or (NOW - numbers).tolist()),
    }
    return Catalog(numbers.astype(str), columns)


def asked(*requests: list[Post]) -> RankingBatch:
    ids = np.arange(len(requests))
    posts = [post for request in requests for post in request]
    candidates = Candidates(
        np.cumsum([0, *map(len, requests)]),
        np.array([post.item for post in posts], np.int64),
        {
            "score": np.array([post.score for post in posts], np.float64),
            "near": np.array([post.near for post in posts], np.float32),
        },
    )
    return RankingBatch(Requests(ids, ids, ids, np.full(len(ids), NOW)), candidates)


def ready(days: list[float] | None = None, **options: Any) -> Blend:
    stage = Blend(**{"n_out": N_ITEMS, "near": "candidate.near", **options})
    stage.fit(TrainingData(catalog(days)), Fitting())
    return stage


def lists(batch: RankingBatch) -> list[list[int]]:
    offsets = batch.candidates.offsets
    return [batch.candidates.items[start:end].tolist() for start, end in pairwise(offsets)]


def greedy(posts: list[Post], stage: Blend, items: Catalog) -> list[int]:
    """One position after the other: the allowed candidate of highest gain, the earlier ranked of several."""
    left = sorted(posts, key=lambda post: -post.score)
    page: list[Post] = []
    share = 1.0 if stage.max_share is None else stage.max_share
    most = ceil(round(share * stage.n_positions, 9))

    def gain(post: Post) -> float:
        factor = 1.0
        if stage.half_life_hours is not None:
            age = max(24 * (NOW - items["published_days"][post.item]), 0)
            factor = 2.0 ** (-age / stage.half_life_hours)
        for column, decay in stage.decays.items():
            for shown in page:
                factor *= decay if items[column][shown.item] == items[column][post.item] else 1.0
        return post.score * factor if post.score >= 0 else post.score / factor

    while left and len(page) < stage.n_positions:
        n_afar = sum(not post.near > 0 for post in page)
        allowed = [post for post in left if post.near > 0 or n_afar < most] or left
        best = max(allowed, key=gain)
        page.append(best)
        left.remove(best)
    return [post.item for post in [*page, *left]]


posts = st.lists(
    st.builds(
        Post,
        st.integers(0, N_ITEMS - 1),
        st.integers(-3, 4).map(float),
        st.sampled_from([0.0, 0.5, -1.0]),
    ),
    unique_by=lambda post: post.item,
    max_size=N_ITEMS,
)


@given(
    st.lists(posts, min_size=1, max_size=3),
    st.integers(1, 7),
    st.fixed_dictionaries({}, optional={"author": st.sampled_from([0.25, 0.5, 1.0]), "topic": st.just(0.5)}),
    st.none() | st.sampled_from([8.0, 24.0]),
    st.none() | st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)
def test_a_page_is_what_a_loop_makes_it(
    requests: list[list[Post]],
    n_positions: int,
    decays: dict[str, float],
    half_life_hours: float | None,
    max_share: float | None,
) -> None:
    """Scores below 0 and equal ones, pages longer than what there is, requests without a candidate.

    Posts are whole days old, so that all factors are powers of one half and nothing is rounded.
    """
    if not decays and half_life_hours is None and max_share is None:
        max_share = 0.5
    stage = ready(
        n_positions=n_positions, decays=decays, half_life_hours=half_life_hours, max_share=max_share
    )
    assert lists(stage(asked(*requests))) == [greedy(one, stage, catalog()) for one in requests]


def test_discounts_by_hand() -> None:
    """Items 0, 4 and 8 are by one author; the second of them counts half, the third a quarter."""
    page = [Post(0, 8.0), Post(4, 7.0), Post(8, 6.0), Post(1, 3.6), Post(2, 3.4)]
    out = ready(n_positions=4, decays={"author": 0.5})(asked(page)).candidates
    assert out.items.tolist() == [0, 1, 4, 2, 8]
    assert out["score"].tolist() == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert out["ranked_score"].tolist() == [8.0, 3.6, 7.0, 3.4, 6.0]


def test_a_discount_raises_nothing_that_is_worth_less_than_nothing() -> None:
    """-1 twice by one author is -2 the second time, which is below -1.5 by another."""
    out = ready(n_positions=3, decays={"author": 0.5})(asked([Post(0, -1.0), Post(4, -1.0), Post(1, -1.5)]))
    assert lists(out) == [[0, 1, 4]]


def test_the_old_count_less_and_those_from_the_future_are_new() -> None:
    days = [NOW - 2.0, NOW - 1.0, NOW, NOW + 9.0, *[NOW] * 8]
    stage = ready(days, n_positions=4, half_life_hours=24.0)
    assert lists(stage(asked([Post(0, 8.0), Post(1, 5.0), Post(2, 2.6), Post(3, 2.2)]))) == [[2, 1, 3, 0]]
    assert lists(stage(asked([Post(0, 8.0), Post(1, 5.3), Post(2, 2.5), Post(3, 2.2)]))) == [[1, 2, 3, 0]]


def test_from_afar_come_so_many_and_more_where_nothing_else_is_left() -> None:
    """Half of four positions; a candidate without a known source, NaN, comes from afar."""
    afar = [Post(0, 9.0, 0.0), Post(1, 8.0, -1.0), Post(2, 7.0, np.nan), Post(3, 6.0, 0.0)]
    near = [Post(4, 1.0), Post(5, -2.0)]
    stage = ready(n_positions=4, max_share=0.5)
    assert lists(stage(asked([*afar, *near], afar, near, [near[0]], []))) == [
        [0, 1, 4, 5, 2, 3],
        [0, 1, 2, 3],
        [4, 5],
        [4],
        [],
    ]


@pytest.mark.parametrize(
    ("share", "n", "most"), [(0.55, 20, 11), (0.6, 10, 6), (0.01, 10, 1), (0.0, 5, 0), (1.0, 3, 3)]
)
def test_shares_are_rounded_up_but_for_what_floats_lack(share: float, n: int, most: int) -> None:
    """.55 * 20 is 11.000000000000002."""
    items = np.arange(2 * n)
    near = np.where(items < n, 0.0, 1.0)
    columns = {"score": -items.astype(np.float64), "near": near}
    requests = Requests(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, NOW))
    batch = RankingBatch(requests, Candidates(np.array([0, 2 * n]), items, columns))
    stage = Blend(2 * n, n, max_share=share, near="candidate.near")
    stage.fit(TrainingData(catalog()), Fitting())
    assert np.count_nonzero(stage(batch).candidates["near"][:n] == 0) == most


def test_without_a_limit_no_column_of_sources_is_read() -> None:
    stage = ready(n_positions=2, decays={"author": 0.5})
    batch = asked([Post(0, 2.0), Post(4, 1.5), Post(1, 1.0)])
    bare = Candidates(batch.candidates.offsets, batch.candidates.items, {"score": batch.candidates["score"]})
    assert stage.needs == {"candidate.score"}
    assert lists(stage(RankingBatch(batch.requests, bare))) == [[0, 1, 4]]
    with pytest.raises(InputError, match=r"Blend needs candidate\.near"):
        ready(max_share=0.5)(RankingBatch(batch.requests, bare))


@pytest.mark.parametrize("scores", [(1e300, -1e300, -1e290), (0.0, -0.0, -5.0), (1e-300, 0.0, -1e-300)])
def test_no_age_is_too_great_and_no_score(scores: tuple[float, float, float]) -> None:
    """A factor of 2^-20000 is 0 in double precision; nothing overflows, and everybody gets a place."""
    page = [Post(item, score) for item, score in enumerate(scores)]
    days = [NOW - 20_000 / 24] * N_ITEMS
    out = ready(days, n_positions=3, half_life_hours=1.0, decays={"topic": 0.5})(asked(page))
    assert sorted(lists(out)[0]) == [0, 1, 2]
    assert out.candidates["ranked_score"].tolist()[0] == scores[0]


def test_scores_must_be_finite() -> None:
    with pytest.raises(InputError, match=r"candidate.score of 1 of 2 candidates is not finite"):
        ready(decays={"author": 0.5})(asked([Post(0, np.nan), Post(1, 0.0)]))


def test_rules_can_be_left_out_one_by_one() -> None:
    stage = ready(n_positions=3, decays={"author": 0.5, "topic": 0.9}, half_life_hours=5.0, max_share=0.5)
    assert {name: piece.group for name, piece in stage.pieces.items()} == {
        "author": "blend/author",
        "topic": "blend/topic",
        "freshness": "blend/freshness",
        "max_share": "blend/max_share",
    }
    page = [Post(0, 4.0, 0.0), Post(4, 3.5, 0.0), Post(1, 3.0, 0.0), Post(9, 0.1), Post(5, -1.0)]
    for name in stage.pieces:
        less = stage.muted({name})
        assert lists(less(asked(page))) == [greedy(page, less, catalog())]
        again = stage.without({name})
        again.fit(TrainingData(catalog()), Fitting())
        assert lists(again(asked(page))) == lists(less(asked(page)))
    assert stage.muted({"max_share"}).needs == {"candidate.score", "request.time_days"}
    assert stage.muted({"freshness"}).catalog_needs == {"author", "topic"}


def test_what_cannot_be_is_said() -> None:
    for options, message in (
        ({}, "decays == None, must have one where nothing else is blended"),
        ({"decays": {"author": None}}, "must have one where nothing else is blended"),
        ({"decays": {"author": 0.0}}, r"decays.author == 0.0, must be a probability in \(0, 1\]"),
        ({"decays": {"author": 1.5}}, r"decays.author == 1.5, must be a probability"),
        ({"decays": {"freshness": 0.5}}, r"decays == 'freshness', must be no column called freshness or max"),
        ({"half_life_hours": 0.0}, "half_life_hours == 0.0, must be above 0"),
        ({"half_life_hours": float("nan")}, "half_life_hours == nan, must be above 0"),
        ({"max_share": 1.1}, "max_share == 1.1, must be between 0 and 1"),
        ({"max_share": 0.5, "n_positions": 13}, "n_positions == 13, must be at most n_out == 12"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            Blend(**{"n_out": 12, **options})  # type: ignore[arg-type]
    with pytest.raises(NotFittedError, match="a blending stage was used before fit or load_state"):
        Blend(3, decays={"author": 0.5})(asked([]))
    whole = replace(catalog(), columns={**catalog().columns, "author": np.full(N_ITEMS, 0.5)})
    with pytest.raises(InputError, match=r"item.author is float64, must be of integers"):
        Blend(3, decays={"author": 0.5}).fit(TrainingData(whole), Fitting())
    with pytest.raises(InputError, match=r"item.published_days\[2\] == nan, must be finite; 1 rows break"):
        ready([0.0, 1.0, np.nan, *[0.0] * 9], half_life_hours=3.0)
