"""Where requests and responses come from.

A live world has users who answer whatever they are shown, so a policy can be tried on them. A recorded
world has what somebody logged or judged. Both know what is relevant; nothing that is trained may ask.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from mlsd import ragged
from mlsd.logs import Log
from mlsd.types import (
    Array,
    Catalog,
    Columns,
    Floats,
    Ints,
    Judgements,
    Requests,
    Served,
    Slates,
    State,
    Subtopics,
)


class World(ABC):
    """A catalog, and the truth about what is relevant to a request."""

    unit: ClassVar[str] = "user"
    """What `Requests.user` stands for: the independent unit that intervals resample."""

    catalog_columns: ClassVar[frozenset[str]] = frozenset()
    """Columns of its catalog known before anything is drawn or read; none where only the data tells."""

    relevant_grade: float = 1.0
    """The lowest grade that counts as relevant where a metric is binary."""

    @property
    def name(self) -> str:
        """What a report calls it."""
        return type(self).__name__

    @property
    def max_grade(self) -> float:
        """The highest grade there is."""
        return 1.0

    @property
    def fingerprint(self) -> str:
        """Tells the data of one recorded world from another's; empty where the config says everything."""
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its figures should know, a sentence each."""
        return ()

    @property
    @abstractmethod
    def catalog(self) -> Catalog:
        """Everything that can be shown."""

    @abstractmethod
    def judgements(self, requests: Requests) -> Judgements:
        """The true grade of every relevant item of the catalog for each request."""

    def truth_of(self, requests: Requests) -> Columns:
        """What is true of requests that no system is told, (n_requests,) each; nothing unless a world knows.

        Names are those of what request stages put out, such as `intent`, or say what was meant, such as
        `intended_query`. For judging these stages only.
        """
        del requests
        return {}

    def subtopics(self, requests: Requests) -> Subtopics | None:
        """What each item is relevant to, of all that the text of a request may mean, to its user or others.

        None where a world does not tell subtopics apart; metrics of diversity then say nothing.
        """
        del requests
        return None

    @abstractmethod
    def segments(self, requests: Requests) -> Mapping[str, Array]:
        """Segmentation -> (n_requests,) name of the segment, such as `intent` -> `navigational`."""


class LiveWorld(World):
    """A world whose users answer what they are shown.

    Users carry a state from day to day: named arrays, with a row for each user or with rows that say whose
    they are. Every draw is keyed by user, day, session and item, so that the same users under two policies
    meet the same luck.
    """

    actions: ClassVar[tuple[str, ...]]
    """What users can do with an item; the columns of `respond`."""

    n_rounds: ClassVar[int] = 1
    """Equal parts of a day whose requests are served one after the other: what users saw in one may matter to
    what they do in the next."""

    n_users: int

    @property
    def horizons(self) -> Mapping[str, int]:
        """Parameter of this world, such as `posts.horizon_days` -> the day from which it brings nothing new.

        Nobody should be served after any of them; there are none where a world does not end.
        """
        return {}

    @abstractmethod
    def first_state(self) -> State:
        """The users' state before their first day."""

    @abstractmethod
    def arrivals(self, users: Ints, day: int, state: State) -> Requests:
        """The requests that these users make on a day, with ascending `request_id`.

        Args:
            users: who could come, in any order, nobody twice.
            day: 0-based.
            state: of all users, before the day.
        """

    @abstractmethod
    def respond(self, requests: Requests, slates: Slates, state: State) -> Columns:
        """Action -> (n_requests, n_positions) what users did with each item shown.

        Args:
            requests: of one round.
            slates: what they are shown.
            state: of all users, before the round.
        """

    def noticed(self, served: Served, state: State) -> State:
        """The state of all users after a round of a day; the same unless a world says otherwise.

        Args:
            served: the requests of the round, what they were shown and what users did.
            state: before the round.
        """
        del served
        return state

    def follow_ups(self, served: Served) -> Requests:
        """What users ask again after a round of a day's requests; nobody does unless a world says so.

        Args:
            served: what `arrivals` or `follow_ups` returned, what it was shown and what users did.

        Returns:
            Requests of the same users on the same day, with ascending `request_id` that no other request has;
            after some rounds there must be none.
        """
        return served.requests.take(np.zeros(0, np.int64))

    @abstractmethod
    def after(self, users: Ints, served: Served, latency_ms: float, state: State) -> State:
        """The state of all users after these users' day; the others keep theirs.

        Args:
            users: everybody who could have come that day, whether they did or not.
            served: all their requests of the day, what they were shown and what they did.
            latency_ms: how long a request took.
            state: the state after the day's last round.
        """

    @abstractmethod
    def examination_prob(self, n_positions: int) -> Floats:
        """(n_positions,) the true P(the user looks at this position | nothing above it attracts a click).

        For judging estimates only.
        """


@runtime_checkable
class KnownProbs(Protocol):
    """A live world that knows how likely its users are to do what they can do. For judging only."""

    def first_state(self) -> State:
        """The users' state before their first day."""

    def action_probs(self, requests: Requests, slates: Slates, state: State) -> Columns:
        """Action -> (n_requests, n_positions) P(the user does it: its column of `respond` is above 0).

        Args:
            requests: n_requests.
            slates: what they are shown; where nothing is, nothing is done.
            state: of all users.
        """


class RecordedWorld(World):
    """A world that was recorded once: nobody answers anything new."""

    unit = "query"

    assumption: ClassVar[str] = (
        "Relevance is what the collection's judges said: "
        "what none of them saw counts against whoever shows it."
    )
    """What its figures take for granted, a sentence."""

    @abstractmethod
    def log(self) -> Log:
        """What was recorded, with its published split."""


def judged_in_blocks(
    requests: Requests, judged: Callable[[Requests], tuple[Ints, Ints, Floats]], n_requests: int
) -> Judgements:
    """Judgements of some requests at a time, so that the work stays in memory; no result depends on it.

    Args:
        requests: that are judged.
        judged: of a block, how many items each of its requests has, which these are, and their grades.
        n_requests: of a block.
    """
    if not len(requests):
        return Judgements(np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
    rows = np.arange(len(requests))
    starts = range(0, len(requests), n_requests)
    parts = [judged(requests.take(rows[start : start + n_requests])) for start in starts]
    counts, items, grades = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Judgements(ragged.offsets_of_counts(counts), items, grades)
