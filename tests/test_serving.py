from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from math import prod

import numpy as np
import pytest
from scipy import stats

from mlsd import ragged, rng
from mlsd.errors import InvalidValueError
from mlsd.fitting import Curves, Fitting
from mlsd.funnel import Funnel
from mlsd.logs import IMPRESSION_COLUMNS
from mlsd.serving import BLOCK, Explore, Greedy, Observing, collect_log, in_blocks, propensities, serve
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import (
    NO_ITEM,
    Array,
    Candidates,
    Columns,
    Ints,
    RankingBatch,
    Requests,
    Served,
    Slates,
    State,
    concat_requests,
)

SEED = 77
WORLD = TinyWorld(n_users=900, seed=SEED)
SHARES = {"retrieval": 0.25, "ranking": 0.25, "validation": 0.25, "test": 0.25}


def asking(n: int) -> Requests:
    return Requests(np.arange(n) + 5, np.arange(n), np.zeros(n, np.int64), np.zeros(n))


class ByLuck:
    """Up to `n_candidates` items in an order of each request's own; some requests find fewer."""

    def __init__(self, n_candidates: int) -> None:
        self.n_candidates = n_candidates

    def __call__(self, requests: Requests) -> RankingBatch:
        counts = rng.integers(SEED, "counts", self.n_candidates + 1, requests.request_id)
        offsets = ragged.offsets_of_counts(counts)
        rows = np.repeat(requests.request_id, counts)
        luck = rng.uniform(SEED, "order", rows, ragged.positions(offsets))
        items = ragged.positions(offsets)[ragged.order(luck, offsets)]
        return RankingBatch(requests, Candidates(offsets, items))


class Always:
    """These items in this order, whatever is asked."""

    def __init__(self, *items: int) -> None:
        self.items = np.array(items, np.int64)

    def __call__(self, requests: Requests) -> RankingBatch:
        offsets = np.arange(len(requests) + 1) * len(self.items)
        return RankingBatch(requests, Candidates(offsets, np.tile(self.items, len(requests))))


def all_slates(ordered: list[int], n_positions: int) -> Ints:
    """Every slate that can be shown, filled up with empty positions."""
    slates = list(permutations(ordered, min(n_positions, len(ordered))))
    filled = [list(slate) + [NO_ITEM] * (n_positions - len(slate)) for slate in slates]
    return np.array(filled, np.int64)


class TestPropensities:
    @pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 1.0])
    @pytest.mark.parametrize(("n_candidates", "n_positions"), [(5, 3), (4, 4), (3, 1), (2, 3), (1, 2)])
    def test_products_are_the_probabilities_of_slates(
        self, share: float, n_candidates: int, n_positions: int
    ) -> None:
        """Against all slates of a tiny catalogue, each with its probability by the mixture's definition."""
        own = list(range(10, 10 + n_candidates))
        explore = Explore(Always(*own), n_positions, share, depth=6)
        slates = all_slates(own, n_positions)
        ordered = np.full((len(slates), 6), NO_ITEM)
        ordered[:, :n_candidates] = own
        n_shown = min(n_positions, n_candidates)
        n_shuffles = prod(range(n_candidates - n_shown + 1, n_candidates + 1))
        is_own = (slates[:, :n_shown] == own[:n_shown]).all(axis=1)
        expected = (1 - share) * is_own + share / n_shuffles
        found = propensities(slates, ordered, explore.share)
        np.testing.assert_allclose(found.prod(axis=1), expected, rtol=1e-12, atol=1e-15)
        assert expected.sum() == pytest.approx(1)

    def test_each_position_is_the_conditional_probability(self) -> None:
        """P(item at k | those before) = sum of the mixture over slates that agree so far."""
        own, share = [3, 1, 2, 0], 0.3
        slates = all_slates(own, 3)
        is_own = (slates == own[:3]).all(axis=1)
        prob = (1 - share) * is_own + share / len(slates)
        found = propensities(slates, np.tile(own, (len(slates), 1)), share)
        for row, slate in enumerate(slates):
            for position in range(3):
                before = (slates[:, :position] == slate[:position]).all(axis=1)
                here = before & (slates[:, position] == slate[position])
                assert found[row, position] == pytest.approx(prob[here].sum() / prob[before].sum())

    def test_slates_come_as_often_as_their_propensities_say(self) -> None:
        """20,000 requests, chi-squared over 24 slates; alarm at 1 in 1,000."""
        explore = Explore(Always(0, 1, 2, 3), 3, share=0.4, depth=4, seed=SEED)
        served = explore.rank(asking(20_000))
        prob = served.columns["propensity"].prod(axis=1)
        _, rows, counts = np.unique(served.items, axis=0, return_index=True, return_counts=True)
        assert len(counts) == 24
        assert stats.chisquare(counts, prob[rows] * len(served)).pvalue > 0.001
        assert served.columns["explored"][:, 0].mean() == pytest.approx(0.4, abs=4 * 0.0035)

    def test_shallow_shuffles_leave_deeper_candidates_out(self) -> None:
        slates = Explore(Always(0, 1, 2, 3, 4), 2, share=1.0, depth=3).rank(asking(200))
        assert set(slates.items.ravel()) == {0, 1, 2}
        np.testing.assert_allclose(slates.columns["propensity"], np.tile([1 / 3, 1 / 2], (200, 1)))

    def test_very_long_slates_keep_finite_propensities(self) -> None:
        own = list(range(400))
        slates = Explore(Always(*own), 400, share=0.5, depth=400, seed=1).rank(asking(20))
        assert np.isfinite(slates.columns["propensity"]).all()
        assert (slates.columns["propensity"] > 0).all()


class TestExplore:
    def test_no_candidates_is_an_empty_slate(self) -> None:
        slates = Explore(Always(), 3, share=0.5, depth=5).rank(asking(4))
        np.testing.assert_array_equal(slates.items, np.full((4, 3), NO_ITEM))
        np.testing.assert_array_equal(slates.columns["propensity"], np.ones((4, 3)))

    def test_fewer_candidates_than_positions(self) -> None:
        slates = Explore(ByLuck(4), 6, share=0.5, depth=9).rank(asking(300))
        expected = [batch.candidates.counts for batch in in_blocks(ByLuck(4), asking(300))]
        np.testing.assert_array_equal(slates.shown.sum(axis=1), np.concatenate(expected))
        assert (np.diff(slates.shown.astype(int), axis=1) <= 0).all(), "empty positions come last"

    def test_only_the_declared_share_is_shuffled(self) -> None:
        own = list(range(8))
        slates = Explore(Always(*own), 8, share=0.2, depth=8, seed=3).rank(asking(2000))
        as_ordered = (slates.items == own).all(axis=1)
        explored = slates.columns["explored"]
        assert as_ordered[~explored[:, 0]].all()
        assert explored[:, 0].mean() == pytest.approx(0.2, abs=0.03)
        assert (explored == explored[:, :1]).all()

    def test_a_request_meets_the_same_shuffle_in_any_company(self) -> None:
        explore = Explore(ByLuck(7), 5, share=0.5, depth=7, seed=9)
        together = explore.rank(asking(50))
        alone = explore.rank(asking(50).take(np.array([31])))
        np.testing.assert_array_equal(alone.items[0], together.items[31])
        np.testing.assert_array_equal(alone.columns["propensity"][0], together.columns["propensity"][31])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"share": 1.5}, r"share == 1\.5, must be between 0 and 1"),
            ({"depth": 2}, "depth == 2, must be at least 3"),
            ({"n_positions": 0}, "n_positions == 0, must be at least 1"),
            ({"n_workers": 0}, "n_workers == 0, must be at least 1"),
        ],
    )
    def test_bad_values(self, arguments: dict[str, float], message: str) -> None:
        settings = {"n_positions": 3, "share": 0.1, "depth": 5, **arguments}
        with pytest.raises(InvalidValueError, match=message):
            Explore(ByLuck(3), **settings)  # type: ignore[arg-type]


class TestGreedy:
    def test_shows_the_first_candidates(self) -> None:
        slates = Greedy(Always(4, 2, 7), 2).rank(asking(3))
        np.testing.assert_array_equal(slates.items, [[4, 2]] * 3)
        assert slates.columns == {}

    def test_no_requests(self) -> None:
        assert Greedy(ByLuck(3), 4).rank(asking(0)).items.shape == (0, 4)
        explored = Explore(ByLuck(3), 4, share=0.5, depth=5).rank(asking(0))
        assert explored.items.shape == explored.columns["propensity"].shape == (0, 4)

    @pytest.mark.parametrize(
        ("n_positions", "n_workers", "message"),
        [(0, 1, "n_positions == 0, must be at least 1"), (3, 0, "n_workers == 0, must be at least 1")],
    )
    def test_bad_values(self, n_positions: int, n_workers: int, message: str) -> None:
        with pytest.raises(InvalidValueError, match=message):
            Greedy(ByLuck(3), n_positions, n_workers)


class Shy(CandidateStage):
    """Finds items that were not clicked before, three at most, by number."""

    needs: frozenset[str] = frozenset()
    produces: frozenset[str] = frozenset()
    clicked: frozenset[int] = frozenset()

    def observed(self, served: Served) -> Shy:
        newer = Shy(self.n_out)
        newer.clicked = self.clicked | set(served.slates.items[served.feedback["click"]].tolist())
        return newer

    def process(self, batch: RankingBatch) -> RankingBatch:
        left = np.array([item for item in range(9) if item not in self.clicked][: self.n_out], np.int64)
        offsets = np.arange(len(batch) + 1) * len(left)
        return RankingBatch(batch.requests, Candidates(offsets, np.tile(left, len(batch))))

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        return {}

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        """Nothing."""


class TestObserving:
    def test_a_funnel_knows_what_was_done_in_the_rounds_before(self) -> None:
        funnel = Funnel({"shy": Shy(3)})
        policy = Observing(funnel, lambda known: Greedy(known, 2))
        world, state = TinyWorld(n_users=50, seed=SEED), TinyWorld(n_users=50, seed=SEED).first_state()
        clicked: set[int] = set()
        for day in range(3):
            served, state = serve(world, policy, np.arange(50), day, state, latency_ms=5)
            left = [item for item in range(9) if item not in clicked]
            assert (served.slates.items == left[:2]).all()
            clicked |= set(served.slates.items[served.feedback["click"]].tolist())
        assert clicked
        assert funnel(asking(1)).candidates.items.tolist() == [0, 1, 2], (
            "the funnel it began with is as it was"
        )


class TestWorkers:
    @pytest.mark.parametrize("n_workers", [2, 5])
    def test_any_number_gives_the_same_slates(self, n_workers: int) -> None:
        requests = asking(3 * BLOCK + 11)
        one, many = (
            Explore(ByLuck(9), 6, 0.3, 9, seed=2, n_workers=n).rank(requests) for n in (1, n_workers)
        )
        assert one.items.tobytes() == many.items.tobytes()
        for name, column in one.columns.items():
            assert column.tobytes() == many.columns[name].tobytes()
        greedy = [Greedy(ByLuck(9), 6, n).rank(requests).items for n in (1, n_workers)]
        assert greedy[0].tobytes() == greedy[1].tobytes()

    def test_blocks_come_in_order(self) -> None:
        requests = asking(2 * BLOCK + 1)
        ids = [batch.requests.request_id for batch in in_blocks(ByLuck(2), requests, n_workers=2)]
        assert [len(block) for block in ids] == [BLOCK, BLOCK, 1]
        np.testing.assert_array_equal(np.concatenate(ids), requests.request_id)

    def test_a_failing_funnel_is_heard(self) -> None:
        def broken(requests: Requests) -> RankingBatch:
            raise InvalidValueError("n_requests", len(requests), "must be none")

        with pytest.raises(InvalidValueError, match="must be none"):
            Greedy(broken, 3, n_workers=2).rank(asking(BLOCK + 1))


class TestServe:
    def test_a_day_is_arrivals_ranked_and_answered(self) -> None:
        users, state = np.arange(WORLD.n_users), WORLD.first_state()
        policy = Greedy(Always(2, 0, 1), 3)
        served, after = serve(WORLD, policy, users, 2, state, latency_ms=50)
        requests = WORLD.arrivals(users, 2, state)
        np.testing.assert_array_equal(served.requests.request_id, requests.request_id)
        np.testing.assert_array_equal(served.slates.items, policy.rank(requests).items)
        feedback = WORLD.respond(requests, served.slates, state)
        np.testing.assert_array_equal(served.feedback["click"], feedback["click"])
        np.testing.assert_array_equal(after["mood"], WORLD.after(users, served, 50, state)["mood"])

    def test_what_is_noticed_in_one_part_of_a_day_matters_in_the_next(self) -> None:
        world = Tired(seed=3)
        users, state = np.arange(world.n_users), world.first_state()
        served, after = serve(world, Greedy(Always(2, 0, 1), 3), users, 0, state, latency_ms=0)
        np.testing.assert_array_equal(served.requests.request_id, world.arrivals(users, 0, state).request_id)
        early = served.requests.time_days < 0.25
        clicks = [served.feedback["click"][rows].sum() for rows in (early, ~early)]
        assert clicks[0] > 0
        assert clicks[1] == 0 < np.count_nonzero(~early)
        shown = np.bincount(served.requests.user, minlength=world.n_users) * 3
        np.testing.assert_array_equal(after["shown"], shown)

    def test_nobody_comes(self) -> None:
        state = WORLD.first_state()
        served, after = serve(WORLD, Greedy(ByLuck(3), 3), np.zeros(0, np.int64), 0, state, latency_ms=5)
        assert len(served.requests) == 0
        assert served.feedback["click"].shape == (0, 3)
        np.testing.assert_array_equal(after["mood"], state["mood"])


class Tired(TinyWorld):
    """Two sessions in two parts of the day; who has been shown anything clicks no more."""

    n_rounds = 4

    def first_state(self) -> dict[str, Array]:
        return {**super().first_state(), "shown": np.zeros(self.n_users)}

    def respond(self, requests: Requests, slates: Slates, state: Mapping[str, Array]) -> Columns:
        fresh = (state["shown"] == 0)[requests.user][:, None]
        return {name: done * fresh for name, done in super().respond(requests, slates, state).items()}

    def noticed(self, served: Served, state: State) -> State:
        shown = np.bincount(served.requests.user, served.slates.shown.sum(axis=1), self.n_users)
        return {**state, "shown": state["shown"] + shown}

    def after(
        self, users: Ints, served: Served, latency_ms: float, state: Mapping[str, Array]
    ) -> dict[str, Array]:
        return {**super().after(users, served, latency_ms, state), "shown": state["shown"]}


class Persistent(TinyWorld):
    """Who clicks nothing asks once more; the odd ids are left to those."""

    def arrivals(self, users: Ints, day: int, state: Mapping[str, Array]) -> Requests:
        requests = super().arrivals(users, day, state)
        return replace(requests, request_id=2 * requests.request_id)

    def follow_ups(self, served: Served) -> Requests:
        again = ~served.feedback["click"].any(axis=1) & (served.requests.request_id % 2 == 0)
        asked = served.requests.take(again)
        return replace(asked, request_id=asked.request_id + 1, time_days=asked.time_days + 0.01)


class TestRounds:
    def test_who_asks_again_is_served_on_the_same_day(self) -> None:
        world, policy = Persistent(seed=3), Explore(ByLuck(4), 3, 0.5, 4, seed=SEED)
        users, state = np.arange(world.n_users), world.first_state()
        served, after = serve(world, policy, users, 1, state, 20)
        ids = served.requests.request_id
        assert np.all(np.diff(ids) > 0)
        first = served.take(ids % 2 == 0)
        arrived = world.arrivals(users, 1, state)
        np.testing.assert_array_equal(first.requests.request_id, arrived.request_id)
        silent = np.flatnonzero(~first.feedback["click"].any(axis=1))
        assert 0 < len(silent) < len(first.requests)
        np.testing.assert_array_equal(ids[ids % 2 == 1], first.requests.take(silent).request_id + 1)
        np.testing.assert_array_equal(after["mood"], world.after(users, served, 20, state)["mood"])

    def test_every_row_is_what_it_is_alone(self) -> None:
        world, policy = Persistent(seed=3), Explore(ByLuck(4), 3, 0.5, 4, seed=SEED)
        served, _ = serve(world, policy, np.arange(world.n_users), 1, world.first_state(), 20)
        slates = policy.rank(served.requests)
        np.testing.assert_array_equal(served.slates.items, slates.items)
        for name, column in slates.columns.items():
            np.testing.assert_array_equal(served.slates.columns[name], column)
        feedback = world.respond(served.requests, slates, world.first_state())
        np.testing.assert_array_equal(served.feedback["click"], feedback["click"])

    def test_they_are_in_the_log(self) -> None:
        log, _ = collect_log(Persistent(seed=3), Greedy(ByLuck(3), 3), 2, SHARES, 20)
        assert np.any(log.requests.request_id % 2 == 1)


class TestCollectLog:
    def test_days_follow_one_another(self) -> None:
        told: list[tuple[int, int, str]] = []
        policy = Explore(Always(5, 3, 1, 0), 3, share=0.25, depth=4, seed=SEED)
        log, state = collect_log(WORLD, policy, 4, SHARES, 20, lambda *news: told.append(news))
        assert told == [(day, 4, "days logged") for day in (1, 2, 3, 4)]
        users, carried, days = np.arange(WORLD.n_users), WORLD.first_state(), []
        for day in range(4):
            served, carried = serve(WORLD, policy, users, day, carried, 20)
            days.append(served)
        np.testing.assert_array_equal(state["mood"], carried["mood"])
        requests = concat_requests([served.requests for served in days])
        np.testing.assert_array_equal(log.requests.request_id, requests.request_id)
        clicks = sum(int(served.feedback["click"].sum()) for served in days)
        assert log.impressions["click"].sum() == clicks

    def test_rows_are_what_was_shown(self) -> None:
        log, _ = collect_log(WORLD, Explore(ByLuck(4), 3, 0.5, 4), 4, SHARES, 20)
        shown = log.impressions
        assert tuple(shown.columns) == (*IMPRESSION_COLUMNS, "click", "dwell_s")
        assert (shown["item"] >= 0).all()
        assert shown["propensity"].between(0, 1, inclusive="right").all()
        assert not shown.duplicated(["request_id", "position"]).any()
        assert set(log.split[log.requests.day == 1]) == {"ranking"}

    def test_no_days(self) -> None:
        with pytest.raises(InvalidValueError, match="n_days == 0, must be at least 1"):
            collect_log(WORLD, Greedy(ByLuck(4), 3), 0, SHARES, 20)
