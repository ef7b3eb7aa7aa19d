"""The one way to reach users: `serve` is the only loop in which slates meet them.

Collecting logs, the arms of an experiment, retraining and monitoring all call it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import pandas as pd

from mlsd import checks, rng
from mlsd.funnel import Funnel
from mlsd.logs import Log, impressions_of, split_by_time
from mlsd.progress import Progress, silent
from mlsd.types import (
    NO_ITEM,
    Array,
    Columns,
    Ints,
    RankingBatch,
    Requests,
    Served,
    Slates,
    State,
    concat_requests,
    concat_served,
)
from mlsd.worlds.base import LiveWorld

Part = TypeVar("Part")
Done = TypeVar("Done")

BLOCK = 512
"""Requests ranked at once. Fixed, so that figures do not depend on the number of workers."""


class Policy(Protocol):
    """Request -> slate."""

    def rank(self, requests: Requests) -> Slates:
        """What each request is shown."""


@runtime_checkable
class Settling(Protocol):
    """A policy that is told what became of what it showed, and books it: budgets are charged for clicks."""

    def settle(self, served: Served) -> Served:
        """A round as it was booked: with further columns of feedback, such as `paid`."""


class Ranked(Protocol):
    """Request -> ordered candidates, more than are shown: what an exploring policy chooses from."""

    def __call__(self, requests: Requests) -> RankingBatch:
        """Ordered candidates, best first."""


class Observing:
    """A policy whose funnel is told, round by round, what users did with what it showed.

    Args:
        funnel: as it is before the first round.
        showing: makes the policy that shows what a funnel ranks.
    """

    def __init__(self, funnel: Funnel, showing: Callable[[Funnel], Policy]) -> None:
        self.funnel, self.showing = funnel, showing

    def rank(self, requests: Requests) -> Slates:
        return self.showing(self.funnel).rank(requests)

    def settle(self, served: Served) -> Served:
        """A round as it was, once the funnel knows it."""
        self.funnel = self.funnel.observed(served)
        return served


@dataclass(frozen=True)
class Greedy:
    """Shows the first candidates of a funnel in their order.

    Args:
        funnel: orders candidates.
        n_positions: places on the page.
        n_workers: threads that rank; any number gives the same slates.
    """

    funnel: Ranked
    n_positions: int
    n_workers: int = 1

    def __post_init__(self) -> None:
        checks.at_least("n_positions", self.n_positions, 1)
        checks.at_least("n_workers", self.n_workers, 1)

    def rank(self, requests: Requests) -> Slates:
        parts = [batch.slates(self.n_positions) for batch in in_blocks(self.funnel, requests, self.n_workers)]
        if not parts:
            return Slates(np.zeros((0, self.n_positions), np.int64))
        return Slates(np.concatenate([part.items for part in parts]))


@dataclass(frozen=True)
class Explore:
    """Shows a declared share of requests a uniform shuffle of their first candidates.

    Of n = min(depth, candidates) items, a shuffled slate is drawn without replacement. The propensity of
    the item at position k, given the positions before it, is that of the mixture of both kinds of slate:

        w_k + (1 - w_k) / (n - k)  if the item is the one the funnel has at k, else  (1 - w_k) / (n - k)

    with w_k = P(not shuffled | positions before k), which is 0 unless these hold the funnel's own items, and
    then (1 - share) / (1 - share + share / (n (n - 1) ... (n - k + 1))).

    Args:
        funnel: orders candidates.
        n_positions: places on the page.
        share: of requests whose slate is shuffled, in [0, 1].
        depth: how many of the first candidates are shuffled; at least `n_positions`.
        seed: of the draws, which are keyed by request.
        n_workers: threads that rank.
    """

    funnel: Ranked
    n_positions: int
    share: float
    depth: int
    seed: int = 0
    n_workers: int = 1

    def __post_init__(self) -> None:
        checks.at_least("n_positions", self.n_positions, 1)
        checks.share("share", self.share)
        checks.at_least("depth", self.depth, self.n_positions)
        checks.at_least("n_workers", self.n_workers, 1)

    def rank(self, requests: Requests) -> Slates:
        blocks = in_blocks(self.funnel, requests, self.n_workers)
        parts = [batch.slates(self.depth).items for batch in blocks]
        ordered = np.concatenate([np.zeros((0, self.depth), np.int64), *parts])
        return explored_slates(requests.request_id, ordered, self.n_positions, self.share, self.seed)


def explored_slates(request_id: Ints, ordered: Ints, n_positions: int, share: float, seed: int) -> Slates:
    """What an exploring policy shows, with `propensity` and `explored`; see `Explore`.

    Args:
        request_id: (n_requests,) that draws are keyed by.
        ordered: (n_requests, depth) what may be shown, best first; -1 where there is nothing more.
        n_positions: places on the page, at most `depth`.
        share: of requests whose slate is a uniform shuffle.
        seed: of the draws.
    """
    explored = rng.uniform(seed, "explore", request_id) < share
    shown = np.where(explored[:, None], _shuffled(request_id, ordered, seed), ordered)[:, :n_positions]
    columns: Columns = {
        "propensity": propensities(shown, ordered, share),
        "explored": np.broadcast_to(explored[:, None], shown.shape),
    }
    return Slates(shown, columns)


def _shuffled(request_id: Ints, ordered: Ints, seed: int) -> Ints:
    """Each row's items in random order, its empty places last."""
    luck = rng.uniform(seed, "shuffle", request_id[:, None], ordered)
    luck = np.where(ordered == NO_ITEM, np.inf, luck)
    return np.take_along_axis(ordered, np.argsort(luck, axis=1, kind="stable"), axis=1)


def propensities(shown: Ints, ordered: Ints, share: float) -> Array:
    """(n_requests, n_positions) P(the item at this position | those before it), as `Explore` says.

    Args:
        shown: (n_requests, n_positions).
        ordered: (n_requests, depth) what could be shown, best first.
        share: of requests whose slate is a uniform shuffle.
    """
    n_positions = shown.shape[1]
    n_choices = np.count_nonzero(ordered != NO_ITEM, axis=1)[:, None] - np.arange(n_positions)
    uniform = 1.0 / np.maximum(n_choices, 1)
    own = shown == ordered[:, :n_positions]
    own_before = _before(np.logical_and.accumulate(own, axis=1))
    uniform_before = _before(np.cumprod(uniform, axis=1))
    greedy = (1 - share) * own_before
    greedy = greedy / np.maximum(greedy + share * uniform_before, np.finfo(float).tiny)
    return np.asarray(np.where(own, greedy, 0.0) + (1 - greedy) * uniform)


def _before(accumulated: Array) -> Array:
    """What had accumulated before each position: 1 before the first."""
    first = np.ones((len(accumulated), 1), accumulated.dtype)
    return np.concatenate([first, accumulated[:, :-1]], axis=1)


def in_blocks(ranked: Ranked, requests: Requests, n_workers: int = 1) -> Iterator[RankingBatch]:
    """Ordered candidates of all requests, a block at a time and in order."""
    rows = np.arange(len(requests))
    blocks = [requests.take(rows[start : start + BLOCK]) for start in range(0, len(requests), BLOCK)]
    yield from in_threads(ranked, blocks, n_workers)


def in_threads(work: Callable[[Part], Done], parts: Sequence[Part], n_workers: int) -> Iterator[Done]:
    """Each part's work, in order, by so many threads: NumPy, torch and faiss let each other run meanwhile."""
    if n_workers == 1:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(n_workers) as pool:
        yield from pool.map(work, parts)


def serve(
    world: LiveWorld, policy: Policy, users: Ints, day: int, state: State, latency_ms: float
) -> tuple[Served, State]:
    """One day of these users under a policy, and the state it leaves them in.

    Requests are served in rounds, since what users see decides what they do next: in each part of the day
    (`LiveWorld.n_rounds`) first all that arrive, then all that follow up on these, until nobody asks again.

    Args:
        world: whose users they are.
        policy: what they are served by.
        users: who could come.
        day: 0-based.
        state: of all users, before the day.
        latency_ms: how long a request takes, as declared: the clock stays out of results.

    Returns:
        All requests of the day by ascending `request_id`, and the state after it.
    """
    rounds = []
    for requests in _parts_of_day(world.arrivals(users, day, state), world.n_rounds):
        rounds.append(_answered(world, policy, requests, state))
        state = world.noticed(rounds[-1], state)
        while len(asked_again := world.follow_ups(rounds[-1])):
            rounds.append(_answered(world, policy, asked_again, state))
            state = world.noticed(rounds[-1], state)
    served = concat_served(rounds)
    served = served.take(np.argsort(served.requests.request_id, kind="stable"))
    return served, world.after(users, served, latency_ms, state)


def _parts_of_day(requests: Requests, n_parts: int) -> Iterator[Requests]:
    """The requests of each part of their day, in order; of an empty day, no requests once."""
    part = np.floor(requests.time_days % 1.0 * n_parts).astype(np.int64)
    for number in np.unique(part) if len(part) else [0]:
        yield requests.take(part == number)


def _answered(world: LiveWorld, policy: Policy, requests: Requests, state: State) -> Served:
    """One round: what these requests are shown, what users do, and what is booked for it."""
    slates = policy.rank(requests)
    served = Served(requests, slates, world.respond(requests, slates, state))
    return policy.settle(served) if isinstance(policy, Settling) else served


def collect_log(
    world: LiveWorld,
    policy: Policy,
    n_days: int,
    shares: Mapping[str, float],
    latency_ms: float,
    progress: Progress = silent,
) -> tuple[Log, State]:
    """What the pre-existing system logs in its first days, and the state it leaves all users in.

    Args:
        world: whose users are served, all of them.
        policy: the pre-existing system; it explores.
        n_days: length of the log.
        shares: split -> share of the days, in order of time.
        latency_ms: how long a request takes.
        progress: told after every day.
    """
    checks.at_least("n_days", n_days, 1)
    users, state = np.arange(world.n_users), world.first_state()
    days: list[Served] = []
    for day in range(n_days):
        served, state = serve(world, policy, users, day, state, latency_ms)
        days.append(served)
        progress(day + 1, n_days, "days logged")
    requests = concat_requests([served.requests for served in days])
    impressions = pd.concat([impressions_of(served) for served in days], ignore_index=True)
    return Log(requests, impressions, split_by_time(requests.time_days, n_days, shares)), state
