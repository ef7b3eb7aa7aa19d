"""What every world must keep, as tests to inherit.

    class TestMyWorld(LiveWorldKit):
        def make_world(self, seed):
            return MyWorld(seed=seed, n_users=300)

Worlds in tests should be small, yet large enough for some hundred requests a day.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import pytest

from mlsd import ragged, rng
from mlsd.types import NO_ITEM, Columns, Ints, Judgements, Requests, Served, Slates, State, concat_requests
from mlsd.worlds.base import KnownProbs, LiveWorld, World

N_POSITIONS = 5
N_DAYS = 3
MOST_ROUNDS = 100
"""Of a day; more are taken for ever."""


class WorldKit(ABC):
    """For any world."""

    hidden_names: ClassVar[frozenset[str]] = frozenset({
        "relevance", "grade", "grades", "satisfied", "satisfaction", "examined", "examination", "attraction",
        "intent", "popularity", "affinity", "interest", "spam", "official", "concept", "concepts", "wording",
        "ambiguity", "intended_query", "misspelled",
    })  # fmt: skip
    """Names that no observed column may have, since they stand for truth."""

    @abstractmethod
    def make_world(self, seed: int) -> World:
        """A small world; a world that has no seed ignores it."""

    @abstractmethod
    def some_requests(self, world: World) -> Requests:
        """Requests that its users make or made, at least 20."""

    def relevant_to_somebody(self, world: World, requests: Requests) -> tuple[Ints, Ints]:
        """Rows of requests and items: what is relevant to anybody who might ask with the same text.

        That is what is relevant to who asks, unless texts may mean several things: say so by overriding this.
        """
        judged = world.judgements(requests)
        return ragged.segment_ids(judged.offsets), judged.items

    def test_making_it_again_changes_nothing(self) -> None:
        first, again = self.make_world(0), self.make_world(0)
        assert first.catalog.item_id.tolist() == again.catalog.item_id.tolist()
        assert_same_columns(first.catalog.columns, again.catalog.columns)
        requests = self.some_requests(first)
        assert_same_columns(requests.named_columns(), self.some_requests(again).named_columns())
        assert_same_judgements(first.judgements(requests), again.judgements(requests))
        assert_same_columns(first.segments(requests), again.segments(requests))

    def test_judgements_list_each_relevant_item_once_and_in_order(self) -> None:
        world = self.make_world(0)
        requests = self.some_requests(world)
        judged = world.judgements(requests)
        assert len(judged.offsets) == len(requests) + 1
        assert judged.offsets[0] == 0
        assert judged.offsets[-1] == len(judged.items) == len(judged.grades) > 0
        steps = np.diff(judged.items)
        within = np.ones(len(steps), bool)
        inner = judged.offsets[1:-1]
        within[inner[(inner > 0) & (inner < len(judged.items))] - 1] = False
        assert np.all(steps[within] > 0)
        assert judged.items.min() >= 0
        assert judged.items.max() < len(world.catalog)

    def test_grades_are_positive_and_within_their_scale(self) -> None:
        world = self.make_world(0)
        grades = world.judgements(self.some_requests(world)).grades
        assert grades.dtype == np.float64
        assert grades.min() > 0
        assert grades.max() <= world.max_grade
        assert np.any(grades >= world.relevant_grade)

    def test_a_request_is_judged_alike_in_any_company(self) -> None:
        world = self.make_world(0)
        requests = self.some_requests(world)
        rows = np.arange(len(requests))[::-3]
        assert_same_judgements(world.judgements(requests.take(rows)), world.judgements(requests).take(rows))
        nobody = world.judgements(requests.take(rows[:0]))
        assert nobody.offsets.tolist() == [0]

    def test_subtopics_are_of_relevant_items_in_order(self) -> None:
        world = self.make_world(0)
        requests = self.some_requests(world)
        listed = world.subtopics(requests)
        if listed is None:
            return
        request = np.repeat(np.arange(len(requests)), np.diff(listed.offsets))
        rows = np.stack([request, listed.items, listed.subtopic])
        assert np.array_equal(rows, np.unique(rows, axis=1))
        n_items = len(world.catalog)
        somebodys, items = self.relevant_to_somebody(world, requests)
        assert np.isin(request * n_items + listed.items, somebodys * n_items + items).all()

    def test_what_is_relevant_to_who_asks_is_of_a_subtopic(self) -> None:
        world = self.make_world(0)
        requests = self.some_requests(world)
        listed = world.subtopics(requests)
        if listed is None:
            return
        judged = world.judgements(requests)
        relevant = judged.grades >= world.relevant_grade
        for row, start in enumerate(judged.offsets[:-1]):
            mine = slice(start, judged.offsets[row + 1])
            serving = listed.items[listed.offsets[row] : listed.offsets[row + 1]]
            assert np.isin(judged.items[mine][relevant[mine]], serving).all()

    def test_items_of_a_subtopic_have_its_weight(self) -> None:
        world = self.make_world(0)
        requests = self.some_requests(world)
        listed = world.subtopics(requests)
        if listed is None:
            return
        for start, end in itertools.pairwise(listed.offsets):
            _, first, of_rows = np.unique(listed.subtopic[start:end], return_index=True, return_inverse=True)
            weights = listed.weight[start:end][first]
            assert np.array_equal(listed.weight[start:end], weights[of_rows])
            assert np.all(weights > 0)
            assert weights.sum() <= 1 + 1e-9

    def test_subtopics_of_a_request_are_alike_in_any_company(self) -> None:
        world = self.make_world(0)
        requests = self.some_requests(world)
        rows = np.arange(len(requests))[::-3]
        some, whole = world.subtopics(requests.take(rows)), world.subtopics(requests)
        if some is None or whole is None:
            assert some is whole
            return
        assert_same_columns(vars(some), vars(whole.take(rows)))

    def test_segments_cover_every_request(self) -> None:
        world = self.make_world(0)
        requests = self.some_requests(world)
        for segment in world.segments(requests).values():
            assert segment.shape == (len(requests),)
            assert segment.dtype.kind == "U"
            assert np.all(np.char.str_len(segment) > 0)

    def test_the_catalog_has_the_columns_it_promises(self) -> None:
        world = self.make_world(0)
        assert world.catalog_columns <= world.catalog.names

    def test_no_observed_column_tells_the_truth(self) -> None:
        world = self.make_world(0)
        assert not self.hidden_names & set(world.catalog.columns)
        assert not self.hidden_names & set(self.some_requests(world).columns)


class LiveWorldKit(WorldKit):
    """For worlds whose users answer what they are shown."""

    @abstractmethod
    def make_world(self, seed: int) -> LiveWorld:
        """A small world."""

    def some_requests(self, world: World) -> Requests:
        assert isinstance(world, LiveWorld)
        state = world.first_state()
        return concat_requests(
            [world.arrivals(np.arange(world.n_users), day, state) for day in range(N_DAYS)]
        )

    def state_of(self, world: LiveWorld, users: Ints, state: State) -> State:  # noqa: ARG002
        """What a state says about these users, ascending: their rows.

        A state that has rows of another kind says whose they are by overriding this.
        """
        return {name: values[users] for name, values in state.items()}

    @pytest.fixture
    def world(self) -> LiveWorld:
        return self.make_world(0)

    def test_another_seed_is_another_world(self, world: LiveWorld) -> None:
        mine, other = (day_of(each, 0).requests.request_id.tolist() for each in (world, self.make_world(1)))
        assert mine != other

    def test_arrivals_are_numbered_in_order_and_never_twice(self, world: LiveWorld) -> None:
        everybody, state = np.arange(world.n_users), world.first_state()
        days = [world.arrivals(everybody, day, state) for day in range(N_DAYS)]
        for day, requests in enumerate(days):
            assert np.all(np.diff(requests.request_id) > 0)
            assert np.all(requests.day == day)
            assert np.all(np.isin(requests.user, everybody))
        every_id = np.concatenate([requests.request_id for requests in days])
        assert len(np.unique(every_id)) == len(every_id) > 0

    def test_only_those_who_could_come_come(self, world: LiveWorld) -> None:
        users = np.arange(1, world.n_users, 2)
        assert np.all(np.isin(world.arrivals(users, 0, world.first_state()).user, users))
        assert len(world.arrivals(users[:0], 0, world.first_state())) == 0

    def test_follow_ups_are_new_requests_of_the_same_users_and_end(self, world: LiveWorld) -> None:
        served = day_of(world, 0)
        seen, rounds = set(served.requests.request_id.tolist()), 0
        while len(requests := world.follow_ups(served)):
            ids = requests.request_id
            assert np.all(np.diff(ids) > 0)
            assert not seen & set(ids.tolist())
            assert np.all(requests.day == 0)
            assert set(requests.named_columns()) == set(served.requests.named_columns())
            asked = set(zip(served.requests.user.tolist(), served.requests.session.tolist(), strict=True))
            assert set(zip(requests.user.tolist(), requests.session.tolist(), strict=True)) <= asked
            seen |= set(ids.tolist())
            served, rounds = _shown(world, requests, world.first_state()), rounds + 1
            assert rounds < MOST_ROUNDS

    def test_follow_ups_do_not_depend_on_order_or_company(self, world: LiveWorld) -> None:
        served = day_of(world, 0)
        again = world.follow_ups(served)
        order = np.argsort(rng.uniform(0, "order", np.arange(len(served.requests))))
        assert_same_columns(again.named_columns(), world.follow_ups(served.take(order)).named_columns())
        for half in (0, 1):
            mine = world.follow_ups(served.take(served.requests.user % 2 == half))
            expected = again.take(again.user % 2 == half)
            assert_same_columns(expected.named_columns(), mine.named_columns())

    def test_users_served_apart_do_what_they_do_together(self, world: LiveWorld) -> None:
        together, after_all = days_of(world, np.arange(world.n_users))
        halves = [days_of(world, np.arange(half, world.n_users, 2)) for half in (0, 1)]
        for day, whole in enumerate(together):
            for half, (served, _) in enumerate(halves):
                mine = np.flatnonzero(whole.requests.user % 2 == half)
                assert_same_columns(
                    whole.requests.take(mine).named_columns(), served[day].requests.named_columns()
                )
                assert_same_columns(
                    {action: done[mine] for action, done in whole.feedback.items()}, served[day].feedback
                )
        for half, (_, after_half) in enumerate(halves):
            mine = np.arange(half, world.n_users, 2)
            assert_same_columns(self.state_of(world, mine, after_all), self.state_of(world, mine, after_half))

    def test_the_same_slate_meets_the_same_luck(self, world: LiveWorld) -> None:
        served = day_of(world, 0)
        again = self.make_world(0).respond(served.requests, served.slates, world.first_state())
        assert_same_columns(served.feedback, again)

    def test_responses_do_not_depend_on_order_or_company(self, world: LiveWorld) -> None:
        served = day_of(world, 0)
        order = np.argsort(rng.uniform(0, "order", np.arange(len(served.requests))))
        for rows in (order, order[:1], order[:0], order[: len(order) // 3]):
            slates = Slates(served.slates.items[rows])
            done = world.respond(served.requests.take(rows), slates, world.first_state())
            assert_same_columns({name: values[rows] for name, values in served.feedback.items()}, done)

    def test_feedback_has_the_declared_actions(self, world: LiveWorld) -> None:
        served = day_of(world, 0)
        assert set(served.feedback) == set(world.actions)
        for done in served.feedback.values():
            assert done.shape == served.slates.items.shape
            assert np.all(np.isfinite(done.astype(np.float64)))
        assert any(np.any(done) for done in served.feedback.values())

    def test_nothing_is_done_where_nothing_is_shown(self, world: LiveWorld) -> None:
        served = day_of(world, 0)
        items = served.slates.items.copy()
        items[:, ::2] = NO_ITEM
        done = world.respond(served.requests, Slates(items), world.first_state())
        assert all(not np.any(values[:, ::2]) for values in done.values())

    def test_what_is_likely_are_probabilities_of_what_is_shown(self, world: LiveWorld) -> None:
        if not isinstance(world, KnownProbs):
            return
        served = day_of(world, 0)
        items = served.slates.items.copy()
        items[:, ::2] = NO_ITEM
        probs = world.action_probs(served.requests, Slates(items), world.first_state())
        assert set(probs) <= set(world.actions)
        for prob in probs.values():
            assert prob.shape == items.shape
            assert np.all((prob >= 0) & (prob <= 1))
            assert not prob[:, ::2].any()
            assert prob.any()

    def test_state_is_arrays_about_users(self, world: LiveWorld) -> None:
        before = world.first_state()
        kept = {name: values.copy() for name, values in before.items()}
        served = day_of(world, 0)
        after = world.after(np.arange(world.n_users), served, 100.0, world.noticed(served, before))
        assert set(after) == set(before)
        assert_same_columns(after, self.state_of(world, np.arange(world.n_users), after))
        for name, values in after.items():
            assert values.dtype == before[name].dtype
            assert values.dtype.kind != "O"
        assert_same_columns(before, kept)

    def test_who_was_not_there_remembers_nothing_new(self, world: LiveWorld) -> None:
        users, state = np.arange(0, world.n_users, 2), world.first_state()
        requests = world.arrivals(users, 0, state)
        slates = Slates(relevant_slates(world, requests))
        served = Served(requests, slates, world.respond(requests, slates, state))
        after = world.after(users, served, 5000.0, world.noticed(served, state))
        others = np.arange(1, world.n_users, 2)
        assert_same_columns(self.state_of(world, others, after), self.state_of(world, others, state))

    def test_examination_is_a_probability_by_position(self, world: LiveWorld) -> None:
        prob = world.examination_prob(12)
        assert prob.shape == (12,)
        assert np.all((prob > 0) & (prob <= 1))
        np.testing.assert_array_equal(world.examination_prob(4), prob[:4])


def relevant_slates(world: LiveWorld, requests: Requests) -> Ints:
    """(n_requests, N_POSITIONS) items at random, with a relevant one first where there is one."""
    positions = np.arange(N_POSITIONS)
    items = rng.integers(0, "slates", len(world.catalog), requests.request_id[:, None], positions)
    judged = world.judgements(requests)
    some = np.flatnonzero(np.diff(judged.offsets))
    items[some, 0] = judged.items[judged.offsets[some]]
    return items


def day_of(world: LiveWorld, day: int, users: Ints | None = None, state: State | None = None) -> Served:
    """A day of users, everybody by default, who are shown `relevant_slates`."""
    users = np.arange(world.n_users) if users is None else users
    state = world.first_state() if state is None else state
    return _shown(world, world.arrivals(users, day, state), state)


def _shown(world: LiveWorld, requests: Requests, state: State) -> Served:
    slates = Slates(relevant_slates(world, requests))
    return Served(requests, slates, world.respond(requests, slates, state))


def days_of(world: LiveWorld, users: Ints) -> tuple[list[Served], State]:
    """Some days of these users, and the state they end in."""
    state, days = world.first_state(), []
    for day in range(N_DAYS):
        days.append(day_of(world, day, users, state))
        state = world.after(users, days[-1], 250.0, world.noticed(days[-1], state))
    return days, state


def assert_same_columns(first: Columns, second: Columns) -> None:
    """The same names with the same values, to the last bit."""
    assert set(first) == set(second)
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)


def assert_same_judgements(first: Judgements, second: Judgements) -> None:
    """The same grades of the same items."""
    np.testing.assert_array_equal(first.offsets, second.offsets)
    np.testing.assert_array_equal(first.items, second.items)
    np.testing.assert_array_equal(first.grades, second.grades)
