from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from mlsd import ragged
from mlsd.checks import collecting
from mlsd.errors import InputError, InvalidValueError
from mlsd.serving import serve
from mlsd.testing.world_kit import LiveWorldKit, assert_same_judgements, day_of, relevant_slates
from mlsd.types import Array, Ints, Requests, Served, Slates
from mlsd.worlds.base import World
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld
from mlsd.worlds.search.queries import INTENTS
from mlsd.worlds.search.vocabulary import LanguageOptions
from mlsd.worlds.search.wordings import ReformulationOptions, WordingOptions
from tests.worlds.built import built, parameters

if TYPE_CHECKING:
    from tests.worlds.search.conftest import MakeWorld

CONF = Path(__file__).parents[3] / "conf" / "world" / "search.yaml"
CLICK_MODEL = CONF.parents[1] / "click_model" / "pbm.yaml"


class TestSearchWorld(LiveWorldKit):
    def make_world(self, seed: int) -> SearchWorld:
        language = LanguageOptions(n_topics=6, concepts_per_topic=15, n_background=600)
        return SearchWorld(
            seed=seed,
            n_items=1000,
            n_queries=300,
            n_users=300,
            language=language,
            click_model=PositionBased(),
        )

    def relevant_to_somebody(self, world: World, requests: Requests) -> tuple[Ints, Ints]:
        """Of every query that is ever put in the words of the request."""
        assert isinstance(world, SearchWorld)
        has_text = world.all_forms.of_query[None] == requests["query_id"][:, None, None]
        rows, queries = np.nonzero(has_text.any(axis=2))
        offsets, items, grades = world.truth.relevant(queries, requests.time_days[rows])
        kept = grades >= world.relevant_grade
        return rows[ragged.segment_ids(offsets)[kept]], items[kept]


def test_the_config_says_what_the_code_does_by_default() -> None:
    node = yaml.safe_load(CONF.read_text(encoding="utf-8"))
    assert node.pop("seed") == "${seed}"
    assert node.pop("defaults") == [{"/click_model@click_model": "pbm"}, "_self_"]
    node["click_model"] = yaml.safe_load(CLICK_MODEL.read_text(encoding="utf-8"))
    assert parameters(built(node)) == parameters(SearchWorld(click_model=PositionBased()))


def test_the_config_begins_with_the_command_that_uses_it() -> None:
    assert CONF.read_text(encoding="utf-8").startswith("# mlsd run problem=search world=search\n")


def test_construction_makes_nothing() -> None:
    huge = SearchWorld(click_model=PositionBased(), n_items=10**12, n_queries=10**12, n_users=10**12)
    assert huge.n_users == 10**12


def test_sizes_are_checked_all_at_once() -> None:
    with collecting() as faults:
        SearchWorld(click_model=PositionBased(), n_items=0, n_queries=0, n_users=-1)
    assert [str(fault) for fault in faults] == [
        "n_items == 0, must be at least 1",
        "n_queries == 0, must be at least 1",
        "n_users == -1, must be at least 1",
    ]
    with pytest.raises(InvalidValueError):
        SearchWorld(click_model=PositionBased(), n_items=0)


def test_requests_carry_their_query(world: SearchWorld) -> None:
    requests = day_of(world, 0).requests
    assert set(requests.columns) == {"query", "query_id"}
    assert requests["query"].dtype == object
    assert requests["query_id"].dtype == np.int64
    assert np.array_equal(world.all_forms.text[requests["query_id"]], requests["query"])
    assert np.all(requests.session == 0)


def test_segments_are_the_truth_about_the_query(world: SearchWorld) -> None:
    requests = day_of(world, 0).requests
    segments = world.segments(requests)
    assert set(segments) == {"intent", "popularity", "wording", "ambiguity"}
    assert set(segments["intent"]) == set(INTENTS)
    assert set(segments["popularity"]) == {"head", "torso", "tail"}
    assert set(segments["wording"]) == {"clean", "misspelled", "synonym", "wordy"}
    assert set(segments["ambiguity"]) == {"clear", "ambiguous"}


def test_the_log_shows_clicks_and_dwell_but_not_satisfaction(world: SearchWorld) -> None:
    served = day_of(world, 1)
    hidden = world.hidden_responses(served.requests, served.slates)
    assert served.feedback["click"].dtype == np.bool_
    assert served.feedback["dwell_s"].dtype == np.float32
    assert np.array_equal(hidden.clicked, served.feedback["click"])
    assert np.any(hidden.satisfied)


def test_users_remember_their_hidden_satisfaction(world: SearchWorld) -> None:
    served, state = day_of(world, 0), world.first_state()
    after = world.after(np.arange(world.n_users), served, 100.0, state)
    happy = world.hidden_responses(served.requests, served.slates).satisfied.any(axis=1)
    single = np.bincount(served.requests.user, minlength=world.n_users)[served.requests.user] == 1
    change = (after["satisfaction"] - state["satisfaction"])[served.requests.user]
    assert np.all(change[single & happy] > 0)
    assert np.all(change[single & ~happy] < 0)


def test_two_policies_that_show_the_same_slate_meet_the_same_users(make_world: MakeWorld) -> None:
    first, second = make_world(3), make_world(3)
    everybody = np.arange(first.n_users)
    states = [first.first_state(), second.first_state()]
    for day in range(4):
        served = []
        for world, state in zip((first, second), states, strict=True):
            requests = world.arrivals(everybody, day, state)
            slates = Slates(relevant_slates(world, requests))
            served.append(Served(requests, slates, world.respond(requests, slates, state)))
        np.testing.assert_array_equal(served[0].feedback["dwell_s"], served[1].feedback["dwell_s"])
        states = [
            world.after(everybody, each, 100.0, states[0])
            for world, each in zip((first, second), served, strict=True)
        ]
        np.testing.assert_array_equal(states[0]["satisfaction"], states[1]["satisfaction"])


def test_better_slates_are_clicked_more(world: SearchWorld) -> None:
    requests = day_of(world, 0).requests
    judged = world.judgements(requests)
    best = np.array([
        judged.items[start + np.argmax(judged.grades[start:end])]
        for start, end in zip(judged.offsets[:-1], judged.offsets[1:], strict=True)
    ])  # fmt: skip
    worst = np.zeros(len(requests), np.int64)
    state = world.first_state()
    clicks = [
        world.respond(requests, Slates(items[:, None]), state)["click"].mean() for items in (best, worst)
    ]
    assert clicks[0] > 2 * clicks[1]


def test_examination_is_that_of_the_click_model(world: SearchWorld) -> None:
    assert world.examination_prob(3).tolist() == [0.68, 0.61, 0.48]


def test_a_request_of_another_world_is_refused(world: SearchWorld) -> None:
    zero = np.zeros(1, np.int64)
    requests = Requests(np.array([400]), zero, zero, np.zeros(1), {"query_id": zero})
    with pytest.raises(InputError, match=r"request\.request_id == 400, must be of a request of this world"):
        world.judgements(requests)


def plain(make_world: MakeWorld, **changes: Any) -> SearchWorld:
    """A world of clean texts, each about one thing, in which everybody tries once."""
    return make_world(
        language=LanguageOptions(n_topics=6, concepts_per_topic=15, n_background=600, homonym_share=0.0),
        wordings=WordingOptions(misspelled_share=0, synonym_share=0, wordy_share=0),
        reformulation=ReformulationOptions(prob=0),
        **changes,
    )


def two_rounds(world: SearchWorld) -> list[Served]:
    """A day's first tries under poor slates, and what follows."""
    served = day_of(world, 0)
    again = world.follow_ups(served)
    slates = Slates(relevant_slates(world, again))
    return [served, Served(again, slates, world.respond(again, slates, world.first_state()))]


def test_shares_of_zero_leave_clean_texts_and_one_try(make_world: MakeWorld) -> None:
    world = plain(make_world)
    served = day_of(world, 0)
    segments = world.segments(served.requests)
    assert set(segments["wording"]) == {"clean"}
    assert set(segments["ambiguity"]) == {"clear"}
    assert len(world.follow_ups(served)) == 0
    assert world.all_forms.text.tolist() == world.all_queries.text.tolist()
    assert np.array_equal(served.requests.request_id // 3, served.requests.user)
    truth = world.truth_of(served.requests)
    assert not np.any(truth["misspelled"])
    assert np.array_equal(truth["intended_query"], served.requests["query"])


def test_truth_is_known_by_the_request_whatever_its_text(world: SearchWorld) -> None:
    requests = day_of(world, 0).requests
    rewritten = requests.with_columns(
        query=np.full(len(requests), "nothing", dtype=object), query_id=np.full(len(requests), 10**6)
    )
    for name, values in world.truth_of(requests).items():
        np.testing.assert_array_equal(values, world.truth_of(rewritten)[name])
    assert_same_judgements(world.judgements(requests), world.judgements(rewritten))
    subtopics, again = world.subtopics(requests), world.subtopics(rewritten)
    np.testing.assert_array_equal(subtopics.items, again.items)


def test_what_was_meant(world: SearchWorld) -> None:
    requests = day_of(world, 0).requests
    truth, wording = world.truth_of(requests), world.segments(requests)["wording"]
    assert np.array_equal(truth["misspelled"], wording == "misspelled")
    assert np.array_equal(truth["intended_query"] != requests["query"], truth["misspelled"])
    assert truth["intended_query"].dtype == truth["intent"].dtype == object
    assert np.array_equal(truth["intent"], world.segments(requests)["intent"])
    judged = world.judgements(requests)
    # What is relevant is of the topic that was meant, for the most part.
    topics = world.catalog["category"][judged.items]
    assert np.mean(topics == np.repeat(truth["topic"], np.diff(judged.offsets))) > 0.6


def test_only_the_unsatisfied_ask_again_and_for_the_same(world: SearchWorld) -> None:
    first, second = two_rounds(world)
    satisfied: Array = np.asarray(world.hidden_responses(first.requests, first.slates).satisfied.any(axis=1))
    before = np.searchsorted(first.requests.request_id, second.requests.request_id - 1)
    assert np.array_equal(first.requests.request_id[before], second.requests.request_id - 1)
    assert not np.any(satisfied[before])
    assert np.array_equal(first.requests.user[before], second.requests.user)
    assert np.array_equal(first.requests.session[before], second.requests.session)
    assert np.all(first.requests["query"][before] != second.requests["query"])
    assert np.all(second.requests.time_days > first.requests.time_days[before])
    for name in ("intent", "topic"):
        once, again = (world.truth_of(served.requests)[name] for served in (first, second))
        assert np.array_equal(once[before], again)


def test_as_many_ask_again_as_declared(make_world: MakeWorld) -> None:
    # About 7,000 unsatisfied users: a share of .3 has a standard error of .0055.
    world = make_world(2, n_users=30_000)
    served = day_of(world, 0)
    satisfied = world.hidden_responses(served.requests, served.slates).satisfied.any(axis=1)
    assert abs(len(world.follow_ups(served)) / np.count_nonzero(~satisfied) - 0.3) < 0.0275


def test_there_are_no_more_tries_than_declared(make_world: MakeWorld) -> None:
    world = make_world(reformulation=ReformulationOptions(prob=1.0, max_tries=4))
    policy = Nothing()
    served, _ = serve(world, policy, np.arange(world.n_users), 0, world.first_state(), 100.0)
    attempts = world.all_users.numbering.moments(served.requests.request_id).attempt
    assert np.bincount(attempts).tolist() == [len(served.requests) // 4] * 4


class Nothing:
    """Shows nothing, so that nobody is satisfied."""

    def rank(self, requests: Requests) -> Slates:
        return Slates(np.full((len(requests), 2), -1))


def test_a_topic_with_one_document(make_world: MakeWorld) -> None:
    language = LanguageOptions(n_topics=12, concepts_per_topic=4, n_background=30)
    world = make_world(n_items=12, n_queries=60, language=language)
    requests = day_of(world, 0).requests
    assert np.bincount(world.catalog["category"], minlength=12).min() <= 1
    assert len(world.subtopics(requests).offsets) == len(requests) + 1
    assert set(world.segments(requests)) == {"intent", "popularity", "wording", "ambiguity"}


def test_nobody_comes_twice(world: SearchWorld) -> None:
    with pytest.raises(InputError, match="users must not repeat"):
        world.arrivals(np.array([1, 2, 1]), 0, world.first_state())


def test_worlds_of_one(make_world: MakeWorld) -> None:
    tiny = make_world(n_items=1, n_queries=1, n_users=1)
    requests = day_of(tiny, 0).requests
    assert len(tiny.catalog) == 1
    assert len(tiny.judgements(requests).offsets) == len(requests) + 1


def test_torch_is_not_needed() -> None:
    code = "import sys, mlsd.worlds.search, mlsd.worlds.click_models.pbm; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
