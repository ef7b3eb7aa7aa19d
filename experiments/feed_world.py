"""What the feed world is like: newest first, posts at random, and the best by two kinds of truth.

    python experiments/feed_world.py

Pages are made of posts that are there, at most `lifetime_hours` old, by others, and not seen before. *Newest*
shows those of followed authors, newest first; *at random* any; *opened* those that the person is likeliest to
open, *satisfying* those likeliest to satisfy. What comes out is written to `experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlsd import ragged, rng
from mlsd.online.base import total, totals
from mlsd.online.feed_test import HIDDEN, METRICS, FeedCounter, FeedTest
from mlsd.online.outcomes import served_days
from mlsd.relations import Relation
from mlsd.store import write_text
from mlsd.types import Candidates, Floats, RankingBatch, Requests, Served, Slates
from mlsd.worlds.feed import FeedWorld
from mlsd.worlds.feed.responses import Probs

SEED, N_DAYS, N_POSITIONS = 0, 14, 10
LATENCY_MS = 200.0
SHOWN = {
    "posts opened per page": "click_rate",
    "likes per page": "like_rate",
    "posts hidden or reported per page": "negative_rate",
    "seconds read per page": "dwell_s_per_page",
    "satisfying posts per page": "satisfied_per_page",
    "annoying posts per page": "annoyed_per_page",
    "visits of a person in two weeks": "sessions_per_user",
}
PER_PAGE = ("click_rate", "like_rate", "negative_rate")
_NONE = np.zeros(0, np.int64)


@dataclass
class Knowing:
    """Shows the posts that are first by what is true of them, of those that a person has not seen.

    Args:
        world: whose truth it is.
        score: of candidates; -inf where one is not to be shown.
    """

    world: FeedWorld
    score: Callable[[RankingBatch, Probs], Floats]

    def __post_init__(self) -> None:
        self.seen = Relation(_NONE, _NONE, np.zeros(0))

    def rank(self, requests: Requests) -> Slates:
        rows, items = self.world.there(requests)
        user, author = requests.user[rows], self.world.all_posts.author[items]
        fresh = (author != user) & ~self.seen.known(user, items, requests.hour[rows])
        rows, items, user, author = (column[fresh] for column in (rows, items, user, author))
        follows = self.world.follows(user, author)
        probs = self.world.probs(requests, rows, items, follows, np.zeros(len(rows)))
        offsets = ragged.offsets_of_counts(np.bincount(rows, minlength=len(requests)))
        batch = RankingBatch(requests, Candidates(offsets, items, {"follows": follows}))
        score = self.score(batch, probs)
        return batch.keep(score > -np.inf).top(score[score > -np.inf], N_POSITIONS).slates(N_POSITIONS)

    def settle(self, served: Served) -> Served:
        """Remember what was shown."""
        rows, positions = np.nonzero(served.slates.shown)
        items = served.slates.items[rows, positions]
        self.seen = self.seen.joined(served.requests.user[rows], items, served.requests.hour[rows])
        return served


def newest(batch: RankingBatch, probs: Probs) -> Floats:
    """Of followed authors, by number, which is by time."""
    del probs
    return np.where(batch.candidates["follows"], batch.candidates.items, -np.inf)


def at_random(batch: RankingBatch, probs: Probs) -> Floats:
    """Any."""
    del probs
    request = batch.requests.request_id[batch.candidates.request_rows]
    return rng.uniform(SEED, "any post", request, batch.candidates.items)


def opened(batch: RankingBatch, probs: Probs) -> Floats:
    """By P(opened | looked at)."""
    del batch
    return probs.click


def satisfying(batch: RankingBatch, probs: Probs) -> Floats:
    """By P(satisfied | looked at)."""
    del batch
    return probs.satisfied


ORDERS: dict[str, Callable[[RankingBatch, Probs], Floats]] = {
    "newest": newest,
    "at random": at_random,
    "opened": opened,
    "satisfying": satisfying,
}


def look(world: FeedWorld, score: Callable[[RankingBatch, Probs], Floats]) -> dict[str, float]:
    """Two weeks of everybody."""
    counter, users = FeedCounter(world, FeedTest(values={"like": 1.0})), np.arange(world.n_users)
    days = served_days(counter, Knowing(world, score), users, range(N_DAYS), world.first_state(), LATENCY_MS)
    counts, ratios = totals(days), {**METRICS, **HIDDEN}
    pages = counts["impressions"].sum() / counts["requests"].sum()
    return {
        words: total(counts, ratios[name]) * (pages if name in PER_PAGE else 1.0)
        for words, name in SHOWN.items()
    }


def sizes(world: FeedWorld) -> str:
    """Who follows how many, and how much is posted."""
    follows, authors = world.catalog.relations["follows"], world.authors.user
    out, into = (np.bincount(column, minlength=world.n_users) for column in (follows.user, follows.value))
    requests = world.arrivals(np.arange(world.n_users), 7, world.first_state())
    rows, items = world.there(requests)
    related = world.follows(requests.user[rows], world.all_posts.author[items])
    n_days = world.posts.horizon_days + world.posts.before_days
    posting = (
        f"{len(authors)} of {world.n_users:,} people post, {len(world.catalog) / n_days:.0f} posts a day."
    )
    most = f"one in ten {np.quantile(out, 0.9):.0f} and more"
    following = f"A person follows {np.median(out):.0f} authors (median; {most})"
    followed = f"an author has {np.median(into[authors]):.0f} followers, the best followed {into.max()}."
    there = f"For a page there are {len(rows) / len(requests):.0f} posts"
    theirs = f"{related.sum() / len(requests):.0f} of them by those whom the person follows."
    return (
        f"{posting} {following}, {followed} {there}, {theirs} {len(requests):,} pages are asked for on a day."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Look and write down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-users", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    world = FeedWorld(seed=SEED, n_users=options.n_users)
    found = {name: look(world, score) for name, score in ORDERS.items()}
    rows = "".join(
        f"| {words} | {' | '.join(f'{of[words]:.3g}' for of in found.values())} |\n" for words in SHOWN
    )
    made = f"Made by `experiments/feed_world.py`: {world.n_users:,} people, {N_DAYS} days, seed {SEED}."
    table = f"\n| | {' | '.join(found)} |\n|---|{'---|' * len(found)}\n{rows}\n{sizes(world)}\n"
    write_text(options.out / "feed_world.md", f"# What the feed world is like\n\n{made}\n{table}")


if __name__ == "__main__":
    main()
