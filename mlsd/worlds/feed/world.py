"""The synthetic feed world: people who follow each other, and what they post, with the truth known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlsd import checks, ragged
from mlsd.types import Array, Catalog, Columns, Floats, Ints, Judgements, Requests, Served, Slates, State
from mlsd.worlds.base import LiveWorld, judged_in_blocks
from mlsd.worlds.feed.graph import GraphOptions, make_graph
from mlsd.worlds.feed.people import People, PeopleOptions
from mlsd.worlds.feed.posts import MEDIA, Authors, PostOptions, Posts, make_authors, make_catalog, make_posts
from mlsd.worlds.feed.responses import Probs, ResponseModel, ResponseOptions, Responses, Suits
from mlsd.worlds.memory.base import Seen
from mlsd.worlds.visits.base import HOURS, ascending, moments_of

DEVICES = ("phone", "computer", "tablet")

_BLOCK = 256
"""Requests judged at once."""

_FIFTHS = 5

_NOBODY = np.zeros(0, np.int64)


@dataclass(kw_only=True, eq=False)
class FeedWorld(LiveWorld):
    """People who read what others post, follow some of them, and come back where the feed is worth it.

    Nothing is made before it is first asked for. How each part is made stands with it: `people`, `graph`,
    `posts`, `responses`. An item is a post; a request is a page of the feed.

    A grade is how likely a post satisfies, in fifths, rounded down: 0 to 4, where 2 and more is relevant.

        grade = floor(5 P(satisfied | looked at for the first time))

    of posts that are there and at most `lifetime_hours` old, by others whom the person has not blocked. Whom
    the person follows is taken as at the start of the log.

    Args:
        seed: of everything; another seed is another world with other people and other luck.
        n_users: people, authors among them.
        n_topics: what posts are about and people care for.
        lifetime_hours: posts that are older are of no interest to judges.
        people: who the people are.
        graph: whom they follow.
        posts: what is posted.
        responses: what people do with posts they look at.
    """

    actions = ("click", "like", "reply", "repost", "follow", "hide", "report", "dwell_s")
    catalog_columns = frozenset({
        "author", "topic", "media", "n_words", "published_days",
        "relation.follows", "relation.blocks", "relation.mutes",
    })  # fmt: skip
    relevant_grade = 2.0
    n_rounds = HOURS

    seed: int = 0
    n_users: int = 1_500
    n_topics: int = 12
    lifetime_hours: float = 48.0
    people: PeopleOptions = field(default_factory=PeopleOptions)
    graph: GraphOptions = field(default_factory=GraphOptions)
    posts: PostOptions = field(default_factory=PostOptions)
    responses: ResponseOptions = field(default_factory=ResponseOptions)

    def __post_init__(self) -> None:
        checks.at_least("n_users", self.n_users, 2)
        checks.at_least("n_topics", self.n_topics, 1)
        checks.above("lifetime_hours", self.lifetime_hours, 0)

    @property
    def name(self) -> str:
        return f"synthetic feed world, {self.n_users:,} people, {self.n_topics} topics"

    @property
    def max_grade(self) -> float:
        return float(_FIFTHS - 1)

    @property
    def horizons(self) -> Mapping[str, int]:
        return {"posts.horizon_days": self.posts.horizon_days}

    @property
    def notes(self) -> tuple[str, ...]:
        graded = f"A grade is how likely a post satisfies, in fifths; {self.relevant_grade:g} is relevant."
        return (
            f"People and posts are made up, so every probability is known. {graded}",
            "People care for topics, which slowly change, follow authors, and tire as they scroll.",
            "Some posts promise more than they hold: they are opened more, and satisfy less.",
            "People come back where posts satisfied them and were not all alike, less where they annoyed.",
        )

    @cached_property
    def everybody(self) -> People:
        """Who reads the feed."""
        return People(self.people, self.n_topics, len(MEDIA), self.n_users, self.seed)

    @cached_property
    def first_affinity(self) -> Floats:
        """(n_users, n_topics) how much people care for topics on day 0."""
        users, topics = np.arange(self.n_users)[:, None], np.arange(self.n_topics)
        return np.exp(self.everybody.log_affinity(users, topics, np.zeros(1, np.int64)))

    @cached_property
    def authors(self) -> Authors:
        """Who posts."""
        return make_authors(self.posts, self.first_affinity.argmax(axis=1), self.seed)

    @cached_property
    def all_posts(self) -> Posts:
        """Everything that is ever posted, what is hidden about it included."""
        return make_posts(self.posts, self.authors, self.n_topics, self.people.n_tastes, self.seed)

    @cached_property
    def catalog(self) -> Catalog:
        authors = self.authors
        relations = make_graph(self.graph, self.first_affinity, authors.user, authors.topic, self.seed)
        return make_catalog(self.all_posts, relations)

    def first_state(self) -> State:
        """What people remember, which posts they saw, and whom they follow since."""
        seen = Seen.nothing(len(self.catalog)).state()
        return {**self.everybody.first_state(), **seen, "followed_pair": np.zeros(0, np.int64)}

    def arrivals(self, users: Ints, day: int, state: State) -> Requests:
        people = self.everybody
        moments = people.come(ascending(users), day, state)
        ids, time = people.numbering.ids(moments), people.time_of(moments)
        return Requests(ids, moments.user, moments.day, time, {"device": people.device(moments)})

    def respond(self, requests: Requests, slates: Slates, state: State) -> Columns:
        done = self.responses_to(requests, slates, state)
        return {action: getattr(done, action) for action in self.actions}

    def responses_to(self, requests: Requests, slates: Slates, state: State) -> Responses:
        """All that people do, also what no log shows: what they look at, what satisfies and annoys them."""
        moments_of(requests, self.everybody.numbering)
        words = self.all_posts.n_words[np.maximum(slates.items, 0)]
        probs = self.probs_of(requests, slates, state)
        return self._model(requests.request_id, slates.items, words, probs)

    def action_probs(self, requests: Requests, slates: Slates, state: State) -> Columns:
        return self._model.action_probs(slates.shown, self.probs_of(requests, slates, state))

    def probs_of(self, requests: Requests, slates: Slates, state: State) -> Probs:
        """(n_requests, n_positions) the truth about what is shown; that of any post where nothing is."""
        items = np.maximum(slates.items, 0)
        rows = np.broadcast_to(np.arange(len(requests))[:, None], items.shape)
        user, author = requests.user[rows], self.all_posts.author[items]
        follows = self.follows(user, author, state["followed_pair"])
        seen = Seen.of_state(state, len(self.catalog)).of(user, items)
        return self.probs(requests, rows, items, follows, seen)

    def probs(self, requests: Requests, rows: Ints, items: Ints, follows: Array, seen: Floats) -> Probs:
        """The truth about pairs of a request and a post.

        Args:
            requests: n_requests.
            rows: of the requests, of any shape.
            items: posts, the same shape.
            follows: the same shape, whether the person follows the author.
            seen: the same shape, times the person has seen the post.
        """
        people, posts, user = self.everybody, self.all_posts, requests.user[rows]
        age_days = requests.time_days[rows] - posts.published_days[items]
        return self._model.probs(
            Suits(
                people.log_affinity(user, posts.topic[items], requests.day[rows]),
                (people.taste[user] * posts.taste[items]).sum(axis=-1),
                people.media_taste[user, posts.media[items]],
                follows,
                posts.quality[items],
                posts.bait[items],
                posts.heat[items],
                HOURS * np.maximum(age_days, 0.0),
                seen,
            )
        )

    def noticed(self, served: Served, state: State) -> State:
        done = self.responses_to(served.requests, served.slates, state)
        user, items = served.requests.user, served.slates.items
        rows, positions = np.nonzero(done.examined)
        seen = Seen.of_state(state, len(self.catalog)).added(user[rows], items[rows, positions])
        fans, places = np.nonzero(done.follow)
        followed = user[fans] * self.n_users + self.all_posts.author[items[fans, places]]
        felt = {
            "joy": done.satisfied.sum(axis=1).astype(np.float64),
            "variety": self._variety(items, done.examined),
            "annoyance": done.annoyed.sum(axis=1).astype(np.float64),
        }
        pairs = np.union1d(state["followed_pair"], followed)
        return {
            **self.everybody.felt(user, served.requests.day, felt, state),
            **seen.state(),
            "followed_pair": pairs,
        }

    def after(self, users: Ints, served: Served, latency_ms: float, state: State) -> State:
        del users
        return self.everybody.remember(served.requests.user, latency_ms, state)

    def felt_on(self, day: int, state: State) -> Mapping[str, Floats]:
        """How many posts of a day satisfied and annoyed each user, by the state after it."""
        on_day = state["felt_day"] == day
        named = {"satisfied": "joy_today", "annoyed": "annoyance_today"}
        return {name: np.where(on_day, state[column], 0.0) for name, column in named.items()}

    def judgements(self, requests: Requests) -> Judgements:
        moments_of(requests, self.everybody.numbering)
        return judged_in_blocks(requests, self._judged, _BLOCK)

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        n_follows = np.bincount(self.catalog.relations["follows"].user, minlength=self.n_users)
        many = np.median(n_follows)
        return {
            "device": np.array(DEVICES)[requests["device"]],
            "follows": np.where(n_follows[requests.user] > many, "many", "few"),
        }

    def examination_prob(self, n_positions: int) -> Floats:
        return self._model.examination_prob(n_positions)

    @cached_property
    def _model(self) -> ResponseModel:
        return ResponseModel(self.responses, self.seed)

    def _judged(self, requests: Requests) -> tuple[Ints, Ints, Floats]:
        """Posts of each request with a grade above 0, which they are, and the grades."""
        rows, items = self.there(requests)
        user, author = requests.user[rows], self.all_posts.author[items]
        theirs = (author != user) & ~self.catalog.relations["blocks"].held(
            user, author, requests.time_days[rows]
        )
        rows, items, user, author = (column[theirs] for column in (rows, items, user, author))
        probs = self.probs(requests, rows, items, self.follows(user, author), np.zeros(len(rows)))
        grades = np.floor(_FIFTHS * probs.satisfied)
        relevant = grades > 0
        return np.bincount(rows[relevant], minlength=len(requests)), items[relevant], grades[relevant]

    def there(self, requests: Requests) -> tuple[Ints, Ints]:
        """Rows of requests, and the posts that are there and not too old, ascending."""
        published, time = self.all_posts.published_days, requests.time_days
        first = np.searchsorted(published, time - self.lifetime_hours / HOURS)
        offsets = ragged.offsets_of_counts(np.searchsorted(published, time) - first)
        rows = ragged.segment_ids(offsets)
        return rows, first[rows] + ragged.positions(offsets)

    def follows(self, user: Ints, author: Ints, since: Ints = _NOBODY) -> Array:
        """Whether people follow authors, at the start or by the pairs `since` then; of any shape."""
        pair = user * self.n_users + author
        return _among(self._first_followed, pair) | _among(since, pair)

    @cached_property
    def _first_followed(self) -> Ints:
        """(n_pairs,) who follows whom at the start, ascending."""
        follows = self.catalog.relations["follows"]
        return np.asarray(follows.user * self.n_users + follows.value)

    def _variety(self, items: Ints, examined: Array) -> Floats:
        """(n_requests,) different topics over posts, of those looked at."""
        topic = np.where(examined, self.all_posts.topic[np.maximum(items, 0)], self.n_topics)
        there = np.zeros((len(items), self.n_topics + 1), bool)
        there[np.arange(len(items))[:, None], topic] = True
        return np.asarray(there[:, :-1].sum(axis=1) / np.maximum(examined.sum(axis=1), 1))


def _among(ascending_numbers: Ints, numbers: Ints) -> Array:
    """Whether numbers, of any shape, are among ascending ones."""
    if not len(ascending_numbers):
        return np.zeros(np.shape(numbers), bool)
    places = np.minimum(ascending_numbers.searchsorted(numbers), len(ascending_numbers) - 1)
    return np.asarray(ascending_numbers[places] == numbers)
