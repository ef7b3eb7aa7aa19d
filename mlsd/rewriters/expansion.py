"""Related terms, learnt from how users put their queries otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from mlsd import checks, ragged
from mlsd.errors import NotFittedError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.rewriters.base import Rewriter, Rewritten
from mlsd.text import Terms, distinct, is_stop_word, learn_words
from mlsd.types import Array, Catalog, Floats, Ints, State

MAX_WORDS = 32
"""Nothing is learnt from queries of more words."""


class Expansion(Rewriter):
    """Names words that users turned to from a word of the query; the text itself stays as it is.

    A reformulation is two different queries that a user asked one after the other in a session of the
    windows before the test; the same two count once for a user. Words of the first alone are dropped,
    words of the second alone are added. A dropped and an added word are associated by the log-likelihood
    ratio of independence, over all reformulations:

        G2 = 2 sum over the four cells of (drops a or not, adds b or not)  k ln(k / expected k)

    A word's related words are those added more often than by others when it was dropped, with
    G2 of at least `min_association`, by at least `min_users` users; strongest first, ties in alphabetical
    order. Stop words are neither. A text gets the `n_terms` strongest of all its words, none that it has
    itself. The confidence is 1, as nothing is changed.

    Source: Dunning (Computational Linguistics 1993), eq. 4 ff., for the ratio; Jones, Rey, Madani and
    Greiner (WWW 2006) for substitutions in sessions.

    Args:
        n_terms: related terms of a text, at most.
        min_users: who made the change, at least.
        min_association: lowest G2; 10.83 is exceeded by chance once in a thousand independent pairs.
    """

    relates = True

    def __init__(self, n_terms: int = 3, min_users: int = 3, min_association: float = 10.83) -> None:
        self.n_terms = checks.at_least("n_terms", n_terms, 1)
        self.min_users = checks.at_least("min_users", min_users, 1)
        self.min_association = checks.at_least("min_association", min_association, 0)
        self._related: dict[str, list[tuple[float, str]]] | None = None
        self._state: State = {}

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> None:  # noqa: ARG002
        changes = _no_changes() if log is None else _changes(log)
        pairs, association = self._associated(changes)
        kept, place = np.unique(pairs, return_inverse=True)
        numbers = place.reshape(pairs.shape).astype(np.int32)
        self.load_state({"words": changes.words[kept], "pairs": numbers, "association": association})

    def rewrite(self, texts: Sequence[str]) -> Rewritten:
        if self._related is None:
            raise NotFittedError("Expansion was used before fit or load_state")
        words, coded = learn_words(texts)
        ids, bounds = words[coded.ids].tolist(), coded.offsets.tolist()
        related = [self._related_to(ids[start:end]) for start, end in pairwise(bounds)]
        return Rewritten.of(texts)._replace(related=np.array([*related, None], object)[:-1])

    def state(self) -> State:
        if self._related is None:
            raise NotFittedError("Expansion was used before fit or load_state")
        return self._state

    def load_state(self, state: State) -> None:
        self._state = dict(state)
        words, related = state["words"].tolist(), dict[str, list[tuple[float, str]]]()
        for (dropped, added), strength in zip(
            state["pairs"].tolist(), state["association"].tolist(), strict=True
        ):
            related.setdefault(words[dropped], []).append((-strength, words[added]))
        self._related = related

    def _related_to(self, words: Sequence[str]) -> str:
        """The strongest related terms of all words of a text."""
        known = self._related or {}
        found = sorted({pair for word in set(words) for pair in known.get(word, ()) if pair[1] not in words})
        return " ".join(list(dict.fromkeys(word for _, word in found))[: self.n_terms])

    def _associated(self, changes: _Changes) -> tuple[Array, Floats]:
        """(n, 2) dropped and added words that belong together, and their G2."""
        n_words = max(len(changes.words), 1)
        dropped, added, change = _products(changes)
        users = _n_distinct(dropped * n_words + added, changes.user[change])
        keys, both = np.unique(dropped * n_words + added, return_counts=True)
        first, second = np.divmod(keys, n_words)
        n_dropped = np.bincount(changes.dropped.ids, minlength=n_words)[first]
        n_added = np.bincount(changes.added.ids, minlength=n_words)[second]
        n = len(changes.user)
        association = log_likelihood_ratio(both, n_dropped, n_added, n)
        kept = (users >= self.min_users) & (association >= self.min_association)
        kept &= both * n > n_dropped * n_added
        return np.stack([first, second], axis=1)[kept], association[kept]


def log_likelihood_ratio(both: Ints, first: Ints, second: Ints, n: int) -> Floats:
    """Dunning's G2 of two events among `n` trials, from how often both and each of them came.

    Example:
        >>> ten = np.array([10, 10])
        >>> log_likelihood_ratio(np.array([5, 10]), ten, ten, 20).round(2).tolist()
        [0.0, 27.73]
    """
    cells = [both, first - both, second - both, n - first - second + both]
    margins = [first, n - first, second, n - second]
    entropy = sum(xlogy(cell, cell) for cell in cells) - sum(xlogy(margin, margin) for margin in margins)
    return np.maximum(2 * (entropy + xlogy(n, n)), 0.0)


class _Changes(NamedTuple):
    """Reformulations, each once for every user who made it."""

    words: Array
    """(n_words,) str, ascending."""
    user: Ints
    """(n_changes,)."""
    dropped: Terms
    """Words of the first query alone, each once."""
    added: Terms
    """Words of the second query alone, each once."""


def _no_changes() -> _Changes:
    nothing = Terms(np.zeros(1, np.int64), np.zeros(0, np.int64))
    return _Changes(np.zeros(0, "U1"), np.zeros(0, np.int64), nothing, nothing)


def _changes(log: Log) -> _Changes:
    requests = log.until("validation").requests
    texts, row = distinct(requests["query"])
    order = np.lexsort((requests.request_id, requests.time_days, requests.session, requests.user))
    user, session, row = requests.user[order], requests.session[order], row[order]
    follows = (user[1:] == user[:-1]) & (session[1:] == session[:-1]) & (row[1:] != row[:-1])
    trials = np.stack([user[1:], row[:-1], row[1:]], axis=1)[follows]
    words, terms = learn_words(texts)
    trials = np.unique(trials, axis=0)
    short = np.diff(terms.offsets) <= MAX_WORDS
    trials = trials[short[trials[:, 1]] & short[trials[:, 2]]]
    stopped = np.array([is_stop_word(word) for word in words.tolist()], bool)
    before, after = (_without_repeats(terms.take(trials[:, side]), stopped) for side in (1, 2))
    return _Changes(words, trials[:, 0], _less(before, after), _less(after, before))


def _keys(terms: Terms) -> Ints:
    """(n_terms,) text and term as one integer."""
    return (ragged.segment_ids(terms.offsets) << 32) + terms.ids


def _without_repeats(terms: Terms, stopped: Array) -> Terms:
    """Each text's different terms, ascending, but those that are stopped."""
    keys = np.unique(_keys(terms))
    text, ids = keys >> 32, keys & 0xFFFFFFFF
    kept = ~stopped[ids]
    return Terms(np.searchsorted(text[kept], np.arange(len(terms) + 1)), ids[kept])


def _less(terms: Terms, others: Terms) -> Terms:
    """Each text's terms that the other text beside it does not have."""
    mask = ~np.isin(_keys(terms), _keys(others))
    return Terms(ragged.offsets_of_mask(mask, terms.offsets), terms.ids[mask])


def _products(changes: _Changes) -> tuple[Ints, Ints, Ints]:
    """Every dropped word with every word added in the same change: both, and the change."""
    change = ragged.segment_ids(changes.dropped.offsets)
    rows, offsets = ragged.take_segments(changes.added.offsets, change)
    counts = np.diff(offsets)
    return np.repeat(changes.dropped.ids, counts), changes.added.ids[rows], np.repeat(change, counts)


def _n_distinct(keys: Ints, values: Ints) -> Ints:
    """(n_keys,) how many different values each key comes with, keys ascending."""
    pairs = np.unique(np.stack([keys, values], axis=1), axis=0)
    return np.unique(pairs[:, 0], return_counts=True)[1]
