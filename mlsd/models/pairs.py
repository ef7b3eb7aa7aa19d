"""Queries and items that belong together: what two towers learn from. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsd import rng
from mlsd.errors import InputError
from mlsd.logs import Log
from mlsd.models.bags import Bags, Vectors
from mlsd.text import Vocabulary, distinct
from mlsd.types import Ints

HELD_OUT_SHARE = 0.1
"""Of the queries that are learnt from, how many only tell when to stop."""


@dataclass(frozen=True)
class Pairs:
    """Queries and the items that answer them.

    Args:
        queries: bags of n_queries texts.
        titles: bags of every item's title.
        texts: bags of every item's text.
        query: (n_pairs,) row of the query of each pair.
        item: (n_pairs,) its item.
        weight: (n_pairs,) float32, how much it counts, above 0.
        hides_title: (n_pairs,) whether the item shows its text only, its title being the query.
    """

    queries: Bags
    titles: Bags
    texts: Bags
    query: Ints
    item: Ints
    weight: Vectors
    hides_title: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.query)

    def followed_by(self, other: Pairs) -> Pairs:
        """These pairs, then others of the same items."""
        return Pairs(
            self.queries.followed_by(other.queries),
            self.titles,
            self.texts,
            np.concatenate([self.query, other.query + len(self.queries)]),
            np.concatenate([self.item, other.item]),
            np.concatenate([self.weight, other.weight]),
            np.concatenate([self.hides_title, other.hides_title]),
        )

    def split(self, seed: int, name: str) -> tuple[Ints, Ints]:
        """Rows to learn from, and rows of other queries that tell when to stop.

        Raises:
            InputError: there are fewer than two queries.
        """
        queries = np.unique(self.query)
        if len(queries) < 2:
            raise InputError(
                f"{name}: {len(queries)} queries have an item that answers them, must be at least 2 to learn"
            )
        kept_back = held_out(self.query, queries, seed)
        return np.flatnonzero(~kept_back), np.flatnonzero(kept_back)


def held_out(of_rows: Ints, units: Ints, seed: int) -> NDArray[np.bool_]:
    """(n_rows,) which rows tell when to stop: those of a tenth of the units, of one at least.

    Args:
        of_rows: (n_rows,) the unit of each row, such as its query or request.
        units: the different ones.
        seed: of the draw.
    """
    luck = rng.uniform(seed, "held out", units)
    n_held_out = max(int(HELD_OUT_SHARE * len(units)), 1)
    return np.isin(of_rows, units[np.argsort(luck)[:n_held_out]])


def title_pairs(titles: Bags, texts: Bags) -> Pairs:
    """Every item's title as a query for its own text."""
    item = np.flatnonzero((titles.counts > 0) & (texts.counts > 0))
    weight = np.ones(len(item), np.float32)
    return Pairs(titles, titles, texts, item, item, weight, np.ones(len(item), bool))


def click_pairs(
    log: Log, weights: Vectors, vocabulary: Vocabulary, rarity: Vectors, titles: Bags, texts: Bags
) -> Pairs:
    """Every query of a log with every item clicked for it, weighing as much as its clicks together.

    Args:
        log: requests with `query`.
        weights: (n_impressions,) how much the click of each impression weighs; 0 without a click.
        vocabulary: of the items.
        rarity: (n_terms,) see `rarity_of`.
        titles: bags of every item's title.
        texts: bags of every item's text.
    """
    asked, rows = distinct(log.requests["query"])
    queries = Bags.of(vocabulary.encode(asked), rarity)
    query, item = rows[log.request_rows], log.impressions["item"].to_numpy()
    clicked = (weights > 0) & (queries.counts[query] > 0)
    keys, pair = np.unique(query[clicked] * len(texts) + item[clicked], return_inverse=True)
    weight = np.bincount(pair, weights[clicked], len(keys)).astype(np.float32)
    query, item = np.divmod(keys, len(texts))
    return Pairs(queries, titles, texts, query, item, weight, np.zeros(len(keys), bool))
