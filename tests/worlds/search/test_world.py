from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from mlsd.checks import collecting
from mlsd.errors import InputError, InvalidValueError
from mlsd.testing.world_kit import LiveWorldKit, day_of, relevant_slates
from mlsd.types import Requests, Served, Slates
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld
from mlsd.worlds.search.queries import INTENTS
from mlsd.worlds.search.vocabulary import LanguageOptions

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


def built(node: dict[str, Any]) -> Any:
    """A config node and the nodes in it, made."""
    module, name = node["_target_"].rsplit(".", 1)
    arguments = {
        key: built(value) if isinstance(value, dict) and "_target_" in value else value
        for key, value in node.items()
        if key != "_target_"
    }
    return getattr(importlib.import_module(module), name)(**arguments)


def parameters(part: object) -> dict[str, Any]:
    """The stored parameters of a part and of its parts, sequences as lists."""
    return {
        name: parameters(value) if hasattr(value, "__dataclass_fields__") else _plain(value)
        for name, value in vars(part).items()
        if name in part.__dataclass_fields__  # type: ignore[attr-defined]
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


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
            served.append(Served(requests, slates, world.respond(requests, slates)))
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
    clicks = [world.respond(requests, Slates(items[:, None]))["click"].mean() for items in (best, worst)]
    assert clicks[0] > 2 * clicks[1]


def test_examination_is_that_of_the_click_model(world: SearchWorld) -> None:
    assert world.examination_prob(3).tolist() == [0.68, 0.61, 0.48]


def test_a_request_of_another_world_is_refused(world: SearchWorld) -> None:
    zero = np.zeros(1, np.int64)
    requests = Requests(np.array([400]), zero, zero, np.zeros(1), {"query_id": zero})
    with pytest.raises(InputError, match=r"request\.request_id == 400, must be of a request of this world"):
        world.judgements(requests)


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
