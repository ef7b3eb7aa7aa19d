"""What people post: who, when, about what, and how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.relations import Relation
from mlsd.types import Catalog, Floats, Ints
from mlsd.worlds.feed.people import check_shares
from mlsd.worlds.visits.base import DAILY, HOURS

MEDIA = ("text", "image", "video", "link")
_DAYS_A_WEEK = 7


@dataclass(frozen=True)
class PostOptions:
    """What posts are like. Shares are scaled to sum to 1.

    Args:
        author_share: people who post at all, in (0, 1].
        posts_per_day: of an author, mean over authors.
        rate_sigma: standard deviation of the log of an author's rate, 0 to 5: a few post most.
        weekday_factors: posts by weekday, day 0 being the first, 7 of them; 1 is the mean.
        hour_shares: posts by hour, 24 of them.
        topic_focus: P(a post is about its author's own topic); else about any.
        media_shares: posts by kind of media: text, image, video, link.
        n_words, words_sigma: length, log-normal.
        author_quality_sigma: standard deviation of what an author's posts have in common in quality.
        quality_sigma: of what each has on its own.
        bait_prob: P(a post promises more than it holds); how much more is exponential with mean 1.
        heat_prob: P(a post is made to stir people up); how much is exponential with mean 1.
        horizon_days: posts are made until this day, as long as anybody is served.
        before_days: and from so many days before day 0 on.
    """

    author_share: float = 0.3
    posts_per_day: float = 1.5
    rate_sigma: float = 1.0
    weekday_factors: Sequence[float] = (1.1, 1.1, 1.1, 1.1, 1.0, 0.8, 0.8)
    hour_shares: Sequence[float] = DAILY
    topic_focus: float = 0.7
    media_shares: Sequence[float] = (0.45, 0.3, 0.15, 0.1)
    n_words: float = 30.0
    words_sigma: float = 0.7
    author_quality_sigma: float = 0.5
    quality_sigma: float = 0.7
    bait_prob: float = 0.15
    heat_prob: float = 0.1
    horizon_days: int = 42
    before_days: int = 3

    def __post_init__(self) -> None:
        checks.probability("author_share", self.author_share)
        checks.above("posts_per_day", self.posts_per_day, 0)
        for name in ("rate_sigma", "words_sigma", "author_quality_sigma", "quality_sigma"):
            checks.between(name, getattr(self, name), 0, 5)
        for name, n, each in (("weekday_factors", _DAYS_A_WEEK, "day"), ("hour_shares", HOURS, "hour"),
                              ("media_shares", len(MEDIA), "kind of media")):  # fmt: skip
            check_shares(name, getattr(self, name))
            found, rule = len(getattr(self, name)), f"must have {n} numbers, one for each {each}"
            checks.require(found == n, name, found, rule)
        for name in ("topic_focus", "bait_prob", "heat_prob"):
            checks.share(name, getattr(self, name))
        checks.above("n_words", self.n_words, 0)
        checks.at_least("horizon_days", self.horizon_days, 1)
        checks.at_least("before_days", self.before_days, 0)


class Authors(NamedTuple):
    """People who post; each (n_authors,)."""

    user: Ints
    """Who they are, ascending."""
    topic: Ints
    """What each posts about most."""
    rate: Floats
    """Posts a day."""
    quality: Floats
    """Hidden: what their posts have in common."""


class Posts(NamedTuple):
    """Everything that is ever posted, in order of time; each (n_posts,)."""

    author: Ints
    topic: Ints
    media: Ints
    n_words: Ints
    published_days: Floats
    quality: Floats
    """Hidden: how good it is."""
    bait: Floats
    """Hidden: how much more it promises than it holds, 0 for most."""
    heat: Floats
    """Hidden: how much it stirs people up, 0 for most."""
    taste: Floats
    """(n_posts, n_tastes) hidden: whom it pleases."""


def make_authors(options: PostOptions, topic: Ints, seed: int) -> Authors:
    """Draw who posts.

    Args:
        options: as declared.
        topic: (n_users,) what each person cares for most at the start.
        seed: of all draws.
    """
    users = np.arange(len(topic))
    posting = rng.uniform(seed, "authors", users) < options.author_share
    posting[0] = True  # somebody does
    user, sigma = users[posting], options.rate_sigma
    rate = options.posts_per_day * np.exp(sigma * rng.normal(seed, "rates", user) - sigma**2 / 2)
    quality = options.author_quality_sigma * rng.normal(seed, "author_quality", user)
    return Authors(user, topic[user], rate, quality)


def make_posts(options: PostOptions, authors: Authors, n_topics: int, n_tastes: int, seed: int) -> Posts:
    """Draw what they post. Draws are keyed by author, day and place among the author's posts of the day.

    Raises:
        InputError: an author makes more than 500 posts a day, on the mean.
    """
    days = np.arange(-options.before_days, options.horizon_days)
    factors = np.asarray(options.weekday_factors, np.float64)
    mean = authors.rate[:, None] * (factors / factors.mean())[days % _DAYS_A_WEEK]
    counts = rng.poisson(seed, "n_posts", mean, authors.user[:, None], days).reshape(-1)
    offsets = ragged.offsets_of_counts(counts)
    cell = ragged.segment_ids(offsets)
    place, day = cell // len(days), days[cell % len(days)]
    keys = authors.user[place], day, ragged.positions(offsets)

    def luck(stream: str) -> Floats:
        return rng.uniform(seed, stream, *keys)

    hour = rng.choice(seed, "post_hours", options.hour_shares, *keys)
    published = day + (hour + luck("post_minutes")) / HOURS
    own = luck("on_topic") < options.topic_focus
    words = options.n_words * np.exp(options.words_sigma * rng.normal(seed, "n_words", *keys))
    posts = Posts(
        authors.user[place],
        np.where(own, authors.topic[place], rng.integers(seed, "any_topic", n_topics, *keys)),
        rng.choice(seed, "media", options.media_shares, *keys),
        np.maximum(np.rint(words), 1).astype(np.int64),
        published,
        authors.quality[place] + options.quality_sigma * rng.normal(seed, "quality", *keys),
        np.where(luck("is_bait") < options.bait_prob, rng.exponential(seed, "bait", *keys), 0.0),
        np.where(luck("is_heated") < options.heat_prob, rng.exponential(seed, "heat", *keys), 0.0),
        _tastes(seed, keys, n_tastes),
    )
    order = np.argsort(published, kind="stable")
    return posts._replace(**{name: column[order] for name, column in posts._asdict().items()})


def make_catalog(posts: Posts, relations: dict[str, Relation]) -> Catalog:
    """What the platform knows of each post, and of people and authors."""
    columns = {
        name: getattr(posts, name) for name in ("author", "topic", "media", "n_words", "published_days")
    }
    names = np.array([f"post-{row}" for row in range(len(posts.author))])
    return Catalog(names, columns, relations)


def _tastes(seed: int, keys: tuple[Ints, Ints, Ints], n_tastes: int) -> Floats:
    of_each = (key[:, None] for key in keys)
    return np.asarray(rng.normal(seed, "post_tastes", *of_each, np.arange(n_tastes)) / np.sqrt(n_tastes))
