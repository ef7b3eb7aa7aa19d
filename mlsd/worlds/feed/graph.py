"""Who follows whom, and whom people do not want to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.relations import Relation
from mlsd.types import Floats, Ints


@dataclass(frozen=True)
class GraphOptions:
    """What the follow graph is like.

    Args:
        n_follows: authors that a person follows, median, above 0 and at most 10,000.
        follows_sigma: standard deviation of its logarithm, 0 to 5.
        popularity_sigma: standard deviation of the log of how readily an author is followed, 0 to 5: some
            have many followers, most have few.
        homophily: P(a follow goes to an author of a topic that the person cares for); else to anybody.
        n_blocks: authors that a person has blocked, mean, 0 to 500.
        n_mutes: authors that a person follows and has muted, mean, 0 to 500.
    """

    n_follows: float = 25.0
    follows_sigma: float = 0.8
    popularity_sigma: float = 1.2
    homophily: float = 0.7
    n_blocks: float = 0.5
    n_mutes: float = 0.5

    def __post_init__(self) -> None:
        checks.above("n_follows", self.n_follows, 0)
        checks.between("n_follows", self.n_follows, 0, 10_000)
        checks.between("follows_sigma", self.follows_sigma, 0, 5)
        checks.between("popularity_sigma", self.popularity_sigma, 0, 5)
        checks.share("homophily", self.homophily)
        checks.between("n_blocks", self.n_blocks, 0, rng.MOST_MEAN)
        checks.between("n_mutes", self.n_mutes, 0, rng.MOST_MEAN)


def make_graph(
    options: GraphOptions, affinity: Floats, author: Ints, topic: Ints, seed: int
) -> dict[str, Relation]:
    """Draw `follows`, `blocks` and `mutes`: pairs of a person and an author.

    A person chooses authors one by one: with `homophily` first a topic, as likely as the person cares for it,
    then an author of that topic, as likely as that one is popular; else any author, as likely as popular.
    Nobody follows or blocks themselves, and whom one follows twice counts once. Blocked are authors at
    random by popularity whom the person does not follow; muted are some that the person does.

    Args:
        options: as declared.
        affinity: (n_users, n_topics) how much each person cares for each topic at the start.
        author: (n_authors,) people who post, ascending.
        topic: (n_authors,) what each posts about most.
        seed: of all draws.
    """
    n_users = len(affinity)
    popularity = np.exp(options.popularity_sigma * rng.normal(seed, "popularity", author))
    number = np.exp(options.follows_sigma * rng.normal(seed, "n_follows", np.arange(n_users)))
    user, slot = _slots(np.rint(options.n_follows * number).astype(np.int64))
    chosen = _by_topic(affinity, popularity, topic, user, slot, seed)
    anybody = rng.choice(seed, "follows_anybody", popularity, user, slot)
    alike = rng.uniform(seed, "homophily", user, slot) < options.homophily
    followed = author[np.where(alike & (chosen >= 0), chosen, anybody)]
    others = followed != user
    follows = Relation.of(user[others], followed[others])
    return {
        "follows": follows,
        "blocks": _blocks(options.n_blocks, popularity, author, follows, n_users, seed),
        "mutes": _mutes(options.n_mutes, follows, n_users, seed),
    }


def _slots(counts: Ints) -> tuple[Ints, Ints]:
    """Who, and the how-many-eth choice it is."""
    offsets = ragged.offsets_of_counts(counts)
    return ragged.segment_ids(offsets), ragged.positions(offsets)


def _by_topic(affinity: Floats, popularity: Floats, topic: Ints, user: Ints, slot: Ints, seed: int) -> Ints:
    """(n,) the place of the author chosen by topic; -1 where nobody posts about the topic."""
    cumulative = np.cumsum(affinity, axis=1)
    luck = rng.uniform(seed, "follows_topic", user, slot)
    wanted = np.sum((luck * cumulative[user, -1])[:, None] >= cumulative[user], axis=1)
    order = np.argsort(topic, kind="stable")
    total = np.append(0.0, np.cumsum(popularity[order]))
    starts = np.searchsorted(topic[order], np.arange(affinity.shape[1] + 1))
    low, high = total[starts[wanted]], total[starts[wanted + 1]]
    within = low + rng.uniform(seed, "follows_author", user, slot) * (high - low)
    place = np.minimum(np.searchsorted(total, within, side="right") - 1, len(order) - 1)
    return np.where(high > low, order[place], -1)


def _blocks(
    mean: float, popularity: Floats, author: Ints, follows: Relation, n_users: int, seed: int
) -> Relation:
    user, slot = _slots(rng.poisson(seed, "n_blocks", mean, np.arange(n_users)))
    blocked = author[rng.choice(seed, "blocks", popularity, user, slot)]
    followed = follows.held(user, blocked, np.full(len(user), np.inf))
    kept = (blocked != user) & ~followed
    return Relation.of(user[kept], blocked[kept])


def _mutes(mean: float, follows: Relation, n_users: int, seed: int) -> Relation:
    n_followed = np.bincount(follows.user, minlength=n_users)
    n_muted = rng.poisson(seed, "n_mutes", mean, np.arange(n_users))
    user, slot = _slots(np.minimum(n_muted, n_followed))
    first = ragged.offsets_of_counts(n_followed)[user]
    return Relation.of(user, follows.value[first + rng.integers(seed, "mutes", n_followed[user], user, slot)])
