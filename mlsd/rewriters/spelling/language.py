"""Which words people mean, and after which: the language model of the noisy channel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from typing import NamedTuple

import numpy as np

from mlsd import ragged
from mlsd.logs import Log
from mlsd.text import Terms, distinct, learn_words
from mlsd.types import Array, Catalog, Ints, State

LETTER_NATS = 2.3
"""Information of a letter given the one before it: 3.32 bits (Shannon 1951, F2)."""

_PAIR = 1 << 32


@dataclass(frozen=True)
class Language:
    """Words with their counts, and pairs of neighbours.

        P(w)      = n(w) / (N + n1)                       w is a word of the dictionary
        P(w)      = n1 / (N + n1) * exp(-2.3 |w|)         w is new; 2.3 nats a letter
        P(w | v)  = (n(v, w) + mu P(w)) / (n(v, .) + mu)  v stands before w

    N is the sum of all counts, n1 the number of words that came once, at least 1 (Good and Turing's
    estimate of how much is new), n(v, .) the pairs that start with v.

    Source: Good (Biometrika 1953); MacKay and Bauman Peto (1995) for the smoothing of pairs; Shannon (1951),
    "Prediction and Entropy of Printed English", for the letters of new words.

    Args:
        words: (n_words,) str, ascending.
        counts: (n_words,) int64, how often each came in the catalog and in the log.
        n_in_catalog: (n_words,) int64, how often in the catalog.
        pairs: (n_pairs, 2) int32 rows of `words`, ascending.
        pair_counts: (n_pairs,) int64.
        mu: pairs' worth of belief in P(w), above 0.
    """

    words: Array
    counts: Ints
    n_in_catalog: Ints
    pairs: Array
    pair_counts: Ints
    mu: float

    @staticmethod
    def of_counts(words: Array, counts: Ints, mu: float) -> Language:
        """A published list of words with their counts, without pairs; each word once, in any order."""
        order = np.argsort(words)
        none = np.zeros((0, 2), np.int32)
        sorted_counts = counts[order].astype(np.int64)
        return Language(words[order], sorted_counts, sorted_counts, none, np.zeros(0, np.int64), mu)

    @staticmethod
    def learn(catalog: Catalog, log: Log | None, min_users: int, mu: float) -> Language:
        """Words of titles, texts and queries; pairs of titles and queries.

        A query counts once for each user who asked it before the test window. A word that no item has is
        of the dictionary if `min_users` users typed it.
        """
        asked = _asked(log)
        n_items = len(catalog)
        texts = [*catalog["title"].tolist(), *catalog["text"].tolist(), *asked.texts]
        words, terms = learn_words(texts)
        of_items = terms.take(np.arange(2 * n_items))
        of_queries = terms.take(np.arange(2 * n_items, len(terms)))
        n_in_catalog = np.bincount(of_items.ids, minlength=len(words))
        n_asked = np.bincount(of_queries.ids, asked.n_users[_rows(of_queries)], len(words))
        kept = (n_in_catalog > 0) | (_users_of_words(of_queries, asked, len(words)) >= min_users)
        weight = np.concatenate([np.ones(n_items, np.int64), asked.n_users])
        neighbours = terms.take(np.r_[np.arange(n_items), np.arange(2 * n_items, len(terms))])
        pairs, pair_counts = _pairs(neighbours, weight, kept)
        counts = n_in_catalog + n_asked.astype(np.int64)
        return Language(words[kept], counts[kept], n_in_catalog[kept], pairs, pair_counts, mu)

    def log_prob(self, word: str, before: str | None) -> float:
        """Logarithm of P(word | the word before it), in nats; `before` is None at the start of a text."""
        return self.log_probs_after((before,), word)[0]

    def log_probs_after(self, befores: Iterable[str | None], word: str) -> list[float]:
        """`log_prob` of one word after each of several."""
        number, mu, starts = self._ids.get(word), self.mu, self._starts
        if number is None:
            log_new = self._log_new - LETTER_NATS * len(word)
            return [log_new + log(mu / (starts.get(before, 0.0) + mu)) for before in befores]
        ids, n_pairs, alone = self._ids, self._pair_counts, self.log_probs[word]
        prior = mu * exp(alone)
        return [
            log((n_pairs.get(ids[before] * _PAIR + number, 0) + prior) / (starts[before] + mu))
            if before is not None and before in starts
            else alone
            for before in befores
        ]

    def has(self, word: str) -> bool:
        """Whether a word is of the dictionary."""
        return word in self._ids

    def n_in_items(self, word: str) -> int:
        """How often the catalog has a word."""
        number = self._ids.get(word)
        return 0 if number is None else int(self.n_in_catalog[number])

    def state(self) -> State:
        return {
            "words": self.words,
            "counts": self.counts,
            "n_in_catalog": self.n_in_catalog,
            "pairs": self.pairs,
            "pair_counts": self.pair_counts,
        }

    @staticmethod
    def from_state(state: State, mu: float) -> Language:
        names = ("words", "counts", "n_in_catalog", "pairs", "pair_counts")
        words, counts, n_in_catalog, pairs, pair_counts = (state[name] for name in names)
        return Language(words, counts, n_in_catalog, pairs, pair_counts, mu)

    @cached_property
    def _total(self) -> float:
        """N + n1."""
        return float(self.counts.sum() + self._n_once)

    @cached_property
    def _n_once(self) -> int:
        return max(int(np.count_nonzero(self.counts == 1)), 1)

    @cached_property
    def _log_new(self) -> float:
        """Logarithm of P(a word is new)."""
        return log(self._n_once / self._total)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words.tolist())}

    @cached_property
    def log_probs(self) -> dict[str, float]:
        """Word of the dictionary -> log P(word), in nats."""
        return dict(zip(self._ids, np.log(self.counts / self._total).tolist(), strict=True))

    @cached_property
    def _starts(self) -> dict[str | None, float]:
        """Word -> n(word, .), for words that start a pair."""
        started = np.bincount(self.pairs[:, 0], self.pair_counts, len(self.words))
        rows = np.flatnonzero(started)
        return dict(zip(self.words[rows].tolist(), started[rows].tolist(), strict=True))

    @cached_property
    def _pair_counts(self) -> dict[int, int]:
        keys = self.pairs[:, 0].astype(np.int64) * _PAIR + self.pairs[:, 1]
        return dict(zip(keys.tolist(), self.pair_counts.tolist(), strict=True))


class _Asked(NamedTuple):
    """What was asked before the test window."""

    texts: list[str]
    """Different queries."""
    n_users: Ints
    """(n_texts,) users who asked each."""
    text: Ints
    """(n_askings,) rows of `texts`: each text once for every user who asked it."""
    user: Ints
    """(n_askings,) who."""


def _asked(log: Log | None) -> _Asked:
    if log is None:
        nothing = np.zeros(0, np.int64)
        return _Asked([], nothing, nothing, nothing)
    requests = log.until("validation").requests
    texts, rows = distinct(requests["query"])
    users, user = np.unique(requests.user, return_inverse=True)
    text, of_user = np.divmod(np.unique(rows * max(len(users), 1) + user), max(len(users), 1))
    return _Asked(texts, np.bincount(text, minlength=len(texts)), text, of_user)


def _rows(terms: Terms) -> Ints:
    """(n_terms,) the text of each term."""
    return ragged.segment_ids(terms.offsets)


def _users_of_words(queries: Terms, asked: _Asked, n_words: int) -> Ints:
    """(n_words,) users who typed each word."""
    typed = queries.take(asked.text)
    pairs = np.unique(asked.user[_rows(typed)] * max(n_words, 1) + typed.ids)
    return np.bincount(pairs % max(n_words, 1), minlength=n_words)


def _pairs(texts: Terms, weight: Ints, kept: Array) -> tuple[Array, Ints]:
    """(n_pairs, 2) neighbours that are both kept, as rows of the kept words, and how often they came."""
    row = _rows(texts)
    first, second = texts.ids[:-1].astype(np.int64), texts.ids[1:]
    mask = (row[:-1] == row[1:]) & kept[first] & kept[second]
    new = np.cumsum(kept) - 1
    keys, place = np.unique(new[first[mask]] * _PAIR + new[second[mask]], return_inverse=True)
    counts = np.bincount(place, weight[row[:-1]][mask], len(keys)).astype(np.int64)
    return np.stack([keys // _PAIR, keys % _PAIR], axis=1).astype(np.int32), counts
