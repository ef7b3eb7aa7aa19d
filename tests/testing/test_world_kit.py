"""The kit passes a sound world, and finds what is wrong with others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlsd import ragged
from mlsd.testing.tiny_world import TinyWorld
from mlsd.testing.world_kit import LiveWorldKit
from mlsd.types import Array, Columns, Ints, Judgements, Requests, Served, Slates, State, Subtopics


class TestTinyWorld(LiveWorldKit):
    def make_world(self, seed: int) -> TinyWorld:
        return TinyWorld(n_users=60, seed=seed)


class Unsorted(TinyWorld):
    def judgements(self, requests: Requests) -> Judgements:
        judged = super().judgements(requests)
        return Judgements(judged.offsets, judged.items[::-1].copy(), judged.grades)


class Irrelevant(TinyWorld):
    def judgements(self, requests: Requests) -> Judgements:
        judged = super().judgements(requests)
        return Judgements(judged.offsets, judged.items, judged.grades - 1.0)


class Telling(TinyWorld):
    def arrivals(self, users: Ints, day: int, state: Mapping[str, Array]) -> Requests:
        requests = super().arrivals(users, day, state)
        return requests.with_columns(relevance=requests.time_days)


class LuckByRow(TinyWorld):
    def respond(self, requests: Requests, slates: Slates, state: Mapping[str, Array]) -> Columns:
        done = super().respond(requests, slates, state)
        return {**done, "click": np.roll(done["click"], 1, axis=0)}


class Forgetful(TinyWorld):
    def after(self, users: Ints, served: Served, latency_ms: float, state: Mapping[str, Array]) -> State:
        after = super().after(users, served, latency_ms, state)
        return {name: values * 0.5 for name, values in after.items()}


class OfIrrelevantItems(TinyWorld):
    def subtopics(self, requests: Requests) -> Subtopics:
        """Everything is said to serve every request."""
        n = len(requests)
        offsets, items = np.arange(n + 1) * self.n_items, np.tile(np.arange(self.n_items), n)
        return Subtopics(offsets, items, np.zeros_like(items), np.ones(len(items)))


class OfOddItems(TinyWorld):
    def subtopics(self, requests: Requests) -> Subtopics:
        """The others serve nobody."""
        listed = super().subtopics(requests)
        kept = listed.items % 2 == 1
        return Subtopics(
            ragged.offsets_of_mask(kept, listed.offsets),
            listed.items[kept],
            listed.subtopic[kept],
            listed.weight[kept],
        )


class OfUnevenWeights(TinyWorld):
    def subtopics(self, requests: Requests) -> Subtopics:
        listed = super().subtopics(requests)
        return replace(listed, weight=listed.weight / (2 + listed.items))


class ByCompany(TinyWorld):
    def subtopics(self, requests: Requests) -> Subtopics:
        listed = super().subtopics(requests)
        return replace(listed, weight=listed.weight / max(len(requests), 1))


def kit_of(kind: type[TinyWorld]) -> LiveWorldKit:
    class Kit(LiveWorldKit):
        def make_world(self, seed: int) -> TinyWorld:
            return kind(n_users=60, seed=seed)

    return Kit()


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (Unsorted, LiveWorldKit.test_judgements_list_each_relevant_item_once_and_in_order),
        (Irrelevant, LiveWorldKit.test_grades_are_positive_and_within_their_scale),
        (OfIrrelevantItems, LiveWorldKit.test_subtopics_are_of_relevant_items_in_order),
        (OfOddItems, LiveWorldKit.test_what_is_relevant_to_who_asks_is_of_a_subtopic),
        (OfUnevenWeights, LiveWorldKit.test_items_of_a_subtopic_have_its_weight),
        (ByCompany, LiveWorldKit.test_subtopics_of_a_request_are_alike_in_any_company),
        (Telling, LiveWorldKit.test_no_observed_column_tells_the_truth),
    ],
)
def test_a_fault_is_found(kind: type[TinyWorld], test: Callable[[LiveWorldKit], None]) -> None:
    with pytest.raises(AssertionError):
        test(kit_of(kind))


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (LuckByRow, LiveWorldKit.test_responses_do_not_depend_on_order_or_company),
        (Forgetful, LiveWorldKit.test_who_was_not_there_remembers_nothing_new),
    ],
)
def test_a_live_fault_is_found(kind: type[TinyWorld], test: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError):
        test(kit_of(kind), kind(n_users=60))
