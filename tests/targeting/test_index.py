"""The index against plain Python, ad by ad."""

from __future__ import annotations

from typing import NamedTuple

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import ragged, rng
from mlsd.errors import InputError, InvalidValueError
from mlsd.targeting.alive import Alive
from mlsd.targeting.bitmaps import pack_rows, rows_of
from mlsd.targeting.contexts import Contexts
from mlsd.targeting.index import TargetingIndex
from mlsd.targeting.keys import Key, ValueSets
from mlsd.targeting.postings import Postings
from mlsd.targeting.rules import Rules
from mlsd.types import Array, Requests

REGION = Key("region", ["north", "south", "west", "east"], exclusions=True)
INTERESTS = Key("interests", ["jazz", "rock", "opera", "folk"], multi_valued=True, exclusions=True)
HOUR = Key("hour", range(4))
KEYS = (REGION, INTERESTS, HOUR)

Ad = dict[str, list[object]]
Asked = dict[str, object]


def is_targeted(ad: Ad, asked: Asked) -> bool:
    """Key by key, with Python's sets."""
    for key in KEYS:
        given = asked[key.name] if key.multi_valued else [asked[key.name]]
        assert isinstance(given, list)
        values = {value for value in given if value in key.values}
        included, excluded = ad.get(key.name), ad.get(f"not_{key.name}")
        if (included or excluded) and not values:
            return False
        if (included and not values & set(included)) or (excluded and values & set(excluded)):
            return False
    return True


def some_of(key: Key) -> st.SearchStrategy[list[object]]:
    return st.lists(st.sampled_from(list(key.values)), min_size=1, max_size=3)


@st.composite
def an_ad(draw: st.DrawFn) -> Ad:
    ad: Ad = {}
    for key in KEYS:
        for name in key.names:
            if draw(st.booleans()):
                ad[name] = draw(some_of(key))
        both = {*ad.get(key.name, [])} & {*ad.get(f"not_{key.name}", [])}
        if both:
            del ad[f"not_{key.name}"]
    return ad


A_REQUEST = st.fixed_dictionaries(
    {
        "region": st.sampled_from([*REGION.values, "mars", None]),
        "interests": st.lists(st.sampled_from([*INTERESTS.values, "polka"]), max_size=4),
        "hour": st.sampled_from([*HOUR.values, 99]),
    }
)


class Case(NamedTuple):
    ads: list[Ad]
    asked: list[Asked]
    chosen: list[bool]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A few different ads, each many times, so that some values are frequent and others rare."""
    kinds = draw(st.lists(an_ad(), min_size=1, max_size=6))
    n_ads = draw(st.sampled_from([0, 1, 5, 64, 65, 400]))
    ads = [
        kinds[int(kind)]
        for kind in rng.integers(draw(st.integers(0, 99)), "kinds", len(kinds), np.arange(n_ads))
    ]
    asked = draw(st.lists(A_REQUEST, max_size=4))
    return Case(ads, asked, [row % 3 > 0 for row in range(n_ads)])


def requests_of(asked: list[Asked]) -> Requests:
    rows = np.arange(len(asked))
    columns = {}
    for key in KEYS:
        columns[key.name] = np.empty(len(asked), object)
        for row, each in enumerate(asked):
            columns[key.name][row] = each[key.name]
    return Requests(rows, rows, rows, rows / 1.0, columns)


@given(cases())
def test_finds_what_plain_python_finds(case: Case) -> None:
    index = TargetingIndex(Rules.read(KEYS, case.ads))
    contexts = Contexts.of(KEYS, requests_of(case.asked))
    found = index.candidates(contexts)
    bits = index.eligible(contexts)
    among = pack_rows(np.flatnonzero(np.array(case.chosen, bool)), len(case.ads))
    alive = index.candidates(contexts, among)
    assert found.n_requests == len(case.asked)
    for row, asked in enumerate(case.asked):
        expected = [place for place, ad in enumerate(case.ads) if is_targeted(ad, asked)]
        assert found.items[found.offsets[row] : found.offsets[row + 1]].tolist() == expected
        assert rows_of(bits[row]).tolist() == expected
        kept = [place for place in expected if case.chosen[place]]
        assert alive.items[alive.offsets[row] : alive.offsets[row + 1]].tolist() == kept


@given(cases())
def test_a_batch_is_its_requests_one_by_one(case: Case) -> None:
    index = TargetingIndex(Rules.read(KEYS, case.ads))
    contexts = Contexts.of(KEYS, requests_of(case.asked))
    together, bits = index.candidates(contexts), index.eligible(contexts)
    for row in range(len(case.asked)):
        alone = contexts.take(np.array([row]))
        rows, _ = ragged.take_segments(together.offsets, np.array([row]))
        np.testing.assert_array_equal(index.candidates(alone).items, together.items[rows])
        np.testing.assert_array_equal(index.eligible(alone)[0], bits[row])


def ask(ads: list[Ad], among: Array | None = None, **asked: object) -> list[int]:
    request = {"region": None, "interests": [], "hour": None, **asked}
    index = TargetingIndex(Rules.read(KEYS, ads))
    return list(index.candidates(Contexts.of(KEYS, requests_of([request])), among).items.tolist())


def test_what_is_not_known_matches_only_anybody() -> None:
    ads: list[Ad] = [{}, {"region": ["north"]}, {"not_region": ["north"]}, {"hour": [1]}]
    for region in (None, "mars"):
        assert ask(ads, region=region, hour=2) == [0]
    assert ask(ads, region="south") == [0, 2]
    assert ask(ads, region="north", hour=1) == [0, 1, 3]


def test_a_value_that_nobody_targets_finds_those_for_anybody() -> None:
    ads: list[Ad] = [{"interests": ["jazz"]}, {}, {"not_interests": ["jazz"]}]
    assert ask(ads, interests=["folk"]) == [1, 2]


def test_any_interest_in_common_will_do_and_any_excluded_one_will_not() -> None:
    ads: list[Ad] = [{"interests": ["jazz", "rock"]}, {"interests": ["jazz"], "not_interests": ["folk"]}]
    assert ask(ads, interests=["rock", "opera"]) == [0]
    assert ask(ads, interests=["jazz"]) == [0, 1]
    assert ask(ads, interests=["jazz", "folk"]) == [0]


def test_no_eligible_ads_is_an_empty_answer() -> None:
    assert ask([{"hour": [1]}, {"hour": [2]}], hour=3) == []
    assert ask([], hour=3) == []
    assert ask([{}, {}], among=np.zeros(1, np.uint64), hour=3) == []


def test_without_keys_every_ad_is_for_everybody() -> None:
    index = TargetingIndex(Rules(70, (), {}))
    assert index.candidates(Contexts(2, {})).items.tolist() == 2 * list(range(70))


def test_follows_what_is_alive_without_being_made_again() -> None:
    index = TargetingIndex(Rules.read(KEYS, [{"hour": [1]}, {}, {"hour": [2]}]))
    alive = Alive(np.array([0.0, 0.0, 0.0]), np.array([9.0, 5.0, 9.0]), now_days=1.0)
    contexts = Contexts.of(KEYS, requests_of([{"region": None, "interests": [], "hour": 1}]))
    assert index.candidates(contexts, alive.words).items.tolist() == [0, 1]
    alive.set_funded(np.array([0]), funded=False)
    assert index.candidates(contexts, alive.words).items.tolist() == [1]
    alive.set_time(5.0)
    assert index.candidates(contexts, alive.words).items.tolist() == []
    assert index.candidates(contexts).items.tolist() == [0, 1]


def test_answers_do_not_change_the_index() -> None:
    index = TargetingIndex(Rules.read(KEYS, [{"hour": [1]}, {}]))
    unknown = Contexts.of(KEYS, requests_of([{"region": None, "interests": [], "hour": None}]))
    index.eligible(unknown)[:] = 0
    assert index.candidates(unknown).items.tolist() == [1]


def test_says_what_it_cannot_answer() -> None:
    index = TargetingIndex(Rules(70, KEYS, {}))
    with pytest.raises(InputError, match="contexts lack the keys region, hour"):
        index.eligible(Contexts(1, {"interests": ValueSets.empty(1)}))
    contexts = Contexts(1, {key.name: ValueSets.empty(1) for key in KEYS})
    with pytest.raises(InputError, match=r"among has shape \(1,\), must be \(2,\)"):
        index.candidates(contexts, np.zeros(1, np.uint64))
    for codes, message in (
        ([-1], r"context\.hour == -1, must be a code in \[0, 4\)"),
        ([4], r"context\.hour == 4, must be a code in \[0, 4\)"),
        ([1, 2], r"context\.hour == \[1, 2\], must be one value for a request"),
    ):
        hours = ValueSets(np.array([0, len(codes)]), np.array(codes))
        with pytest.raises(InvalidValueError, match=message):
            index.candidates(Contexts(1, {**contexts.values, "hour": hours}))


def test_frequent_values_are_bitmaps_and_rare_ones_postings() -> None:
    """With 12,800 rows a bitmap has 200 words, as many as 100 postings."""
    codes = np.concatenate([np.full(101, 0), np.full(100, 1), np.full(64, 2)])
    rows = np.concatenate([np.arange(101) * 64, np.arange(100) * 128, np.arange(64)])
    order = np.argsort(rows, kind="stable")
    offsets = ragged.offsets_of_counts(np.bincount(rows, minlength=12_800))
    postings = Postings.of(ValueSets(offsets, codes[order]), 4)
    assert postings.bitmap_of.tolist() == [0, -1, -1, -1]
    assert np.diff(postings.offsets).tolist() == [0, 100, 1, 0]
    for value in range(4):
        words = np.zeros(200, np.uint64)
        postings.add(value, words)
        np.testing.assert_array_equal(rows_of(words), rows[codes == value])
        full = np.full(200, np.iinfo(np.uint64).max)
        postings.remove(value, full)
        np.testing.assert_array_equal(~full, words)


def test_the_bits_are_those_of_faiss() -> None:
    """A search among the eligible ads alone, by the exact scores of all of them."""
    ads: list[Ad] = [{"hour": [row % 4]} for row in range(1000)]
    index = TargetingIndex(Rules.read(KEYS, ads))
    words = index.eligible(Contexts.of(KEYS, requests_of([{"region": None, "interests": [], "hour": 2}])))[0]
    draws = np.random.default_rng(7)
    vectors, query = (
        draws.normal(size=(1000, 8)).astype(np.float32),
        draws.normal(size=(1, 8)).astype(np.float32),
    )
    flat = faiss.IndexFlatIP(8)
    flat.add(vectors)
    selector = faiss.IDSelectorBitmap(words.view(np.uint8))  # type: ignore[call-arg]
    among = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
    _, found = flat.search(query, 10, params=among)
    eligible = np.arange(2, 1000, 4)
    best = eligible[np.argsort(-(vectors[eligible] @ query[0]))[:10]]
    assert found[0].tolist() == best.tolist()
