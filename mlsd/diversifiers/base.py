"""Diversifiers choose a slate a position at a time: what is relevant, and not what was chosen already.

    chosen_k = argmax over what is left of  (1 - trade_off) * relevance + trade_off * diversity(item | chosen)

The slates of all requests grow together: a round is a few operations on the candidates of all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from mlsd import checks, ragged
from mlsd.columns import whole_numbers
from mlsd.errors import NotFittedError
from mlsd.text import Vocabulary
from mlsd.types import Array, Candidates, Catalog, Floats, Ints, Requests, State

NO_TOPIC = -1
"""The `category` of an item that belongs to no topic; so is any negative one."""


@dataclass(frozen=True)
class Pool:
    """What slates are chosen from: candidates best first, at least one for each request.

    Args:
        requests: n_requests of them.
        candidates: theirs.
        relevance: (n_candidates,) in [0, 1], falling within a request.
    """

    requests: Requests
    candidates: Candidates
    relevance: Floats

    def of_request(self, values: Array) -> Array:
        """(n_candidates,) the (n_requests,) value of each candidate's request."""
        return np.repeat(values, self.candidates.counts, axis=0)


class Choice:
    """Slates in the making, by relevance alone.

    Args:
        pool: what there is to choose from.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    def gains(self) -> Floats:
        """(n_candidates,) what each candidate is worth to its slate as it stands; finite."""
        return self.pool.relevance

    def add(self, chosen: Ints) -> None:
        """Put one candidate on every slate.

        Args:
            chosen: (n_candidates,) the row of the candidate just chosen for each candidate's request. A
                request that has none left repeats one.
        """


class Diversifier(ABC):
    """Says what each candidate adds to a slate, given what stands on it.

    Args:
        trade_off: how much diversity counts against relevance, in [0, 1]; 0 leaves the order as it is.
    """

    needs: frozenset[str] = frozenset()
    """Columns it reads, as `request.<name>` or `candidate.<name>`."""

    def __init__(self, trade_off: float) -> None:
        self.trade_off = checks.share("trade_off", trade_off)

    @property
    @abstractmethod
    def catalog_needs(self) -> frozenset[str]:
        """Columns of the catalog that it is fitted on."""

    @abstractmethod
    def fit(self, catalog: Catalog) -> None:
        """Take from the catalog what says how items differ."""

    @abstractmethod
    def begin(self, pool: Pool) -> Choice:
        """Empty slates for the requests of a pool."""

    @abstractmethod
    def state(self) -> State:
        """What `fit` took."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` took."""

    def weighed(self, relevance: Floats, diversity: Floats) -> Floats:
        """Both in one figure: exactly the relevance at a trade-off of 0."""
        return (1 - self.trade_off) * relevance + self.trade_off * diversity


class SimilarityDiversifier(Diversifier):
    """Keeps apart items that are alike.

        similarity(i, j) = topic_weight * [i and j have the same topic]
                         + (1 - topic_weight) * cosine of the TF-IDF vectors of their titles

    in [0, 1]. The topic is the catalog's `category`. An item without a topic, or without a word in its
    title, is like no other in that respect. As a sum of inner products, similarity is a kernel.

    Args:
        trade_off: how much diversity counts against relevance, in [0, 1].
        topic_weight: of the topic; 1 leaves titles out, 0 topics.
    """

    def __init__(self, trade_off: float, topic_weight: float) -> None:
        super().__init__(trade_off)
        self.topic_weight = checks.share("topic_weight", topic_weight)
        self._state: State | None = None

    @property
    def catalog_needs(self) -> frozenset[str]:
        needed = {"category": self.topic_weight > 0, "title": self.topic_weight < 1}
        return frozenset(name for name, is_needed in needed.items() if is_needed)

    def fit(self, catalog: Catalog) -> None:
        state: State = {}
        if self.topic_weight > 0:
            state["topic"] = topics_of(catalog)
        if self.topic_weight < 1:
            state |= TitleVectors.of(catalog["title"]).state()
        self.load_state(state)

    def state(self) -> State:
        if self._state is None:
            raise NotFittedError(f"{type(self).__name__} was used before fit or load_state")
        return self._state

    def load_state(self, state: State) -> None:
        self._state = dict(state)

    def similarities(self, candidates: Candidates) -> Similarities:
        """Of these candidates to each other."""
        state = self.state()
        topic = state["topic"][candidates.items] if self.topic_weight > 0 else None
        titles = TitleVectors.from_state(state).among(candidates) if self.topic_weight < 1 else None
        return Similarities(self.topic_weight, topic, titles)


@dataclass(frozen=True)
class Similarities:
    """How alike candidates of one request are.

    Args:
        topic_weight: in [0, 1].
        topic: (n_candidates,) None where topics do not count.
        titles: None where titles do not count.
    """

    topic_weight: float
    topic: Ints | None
    titles: TitleCosines | None

    def to(self, chosen: Ints) -> Floats:
        """(n_candidates,) similarity of each candidate to the one at row `chosen` (n_candidates,)."""
        similarity = np.zeros(len(chosen))
        if self.topic is not None:
            similarity += self.topic_weight * same_topic(self.topic, chosen)
        if self.titles is not None:
            similarity += (1 - self.topic_weight) * self.titles.to(chosen)
        return similarity


@dataclass(frozen=True)
class TitleVectors:
    """Titles as sparse vectors of length 1, TF-IDF weights of their terms.

        weight(t, title) ~ tf * (1 + ln((1 + n_items) / (1 + df(t))))

    A title without a word is the zero vector.

    Source: Salton and Buckley (1988), Information Processing and Management 24(5); smoothed as in
    scikit-learn.

    Args:
        offsets: (n_items + 1,) int64, of the terms of each title.
        terms: (n_terms,) int64, ascending within a title, each once.
        weights: (n_terms,) float64.
    """

    offsets: Ints
    terms: Ints
    weights: Floats

    @staticmethod
    def of(titles: Array) -> TitleVectors:
        """The vectors of (n_items,) titles.

        Example:
            >>> vectors = TitleVectors.of(np.array(["red car", "car"], object))
            >>> vectors.terms.tolist(), vectors.weights.round(3).tolist()
            ([0, 1, 0], [0.58, 0.815, 1.0])
        """
        vocabulary, words = Vocabulary.learn(titles.tolist())
        width = max(len(vocabulary), 1)
        pairs = ragged.segment_ids(words.offsets) * width + words.ids
        pairs, tf = np.unique(pairs, return_counts=True)
        terms = pairs % width
        offsets = np.searchsorted(pairs, np.arange(len(titles) + 1) * width)
        idf = 1 + np.log((1 + len(titles)) / (1 + np.bincount(terms, minlength=width)))
        weights = tf * idf[terms]
        lengths = np.sqrt(ragged.sums(weights**2, offsets))
        return TitleVectors(offsets, terms, weights / np.repeat(lengths, np.diff(offsets)))

    def among(self, candidates: Candidates) -> TitleCosines:
        """The vectors of candidates, ready to be held against each other."""
        rows, offsets = ragged.take_segments(self.offsets, candidates.items)
        terms, request = self.terms[rows], np.repeat(candidates.request_rows, np.diff(offsets))
        codes, _ = pd.factorize(request * (1 + int(terms.max(initial=0))) + terms)
        return TitleCosines(candidates.offsets, offsets, codes, self.weights[rows])

    def state(self) -> State:
        return {"title_offsets": self.offsets, "title_terms": self.terms, "title_weights": self.weights}

    @staticmethod
    def from_state(state: State) -> TitleVectors:
        return TitleVectors(state["title_offsets"], state["title_terms"], state["title_weights"])


@dataclass(frozen=True)
class TitleCosines:
    """Cosines between the titles of the candidates of one request.

    Args:
        of_requests: (n_requests + 1,) int64, of candidates; no request without any.
        offsets: (n_candidates + 1,) int64, of terms.
        codes: (n_terms,) a number for each pair of request and term.
        weights: (n_terms,) of unit vectors.
    """

    of_requests: Ints
    offsets: Ints
    codes: Ints
    weights: Floats

    def to(self, chosen: Ints) -> Floats:
        """(n_candidates,) cosine with the candidate at row `chosen` (n_candidates,), at most 1."""
        rows, _ = ragged.take_segments(self.offsets, chosen[self.of_requests[:-1]])
        weight_of_chosen = np.zeros(self._n_codes)
        weight_of_chosen[self.codes[rows]] = self.weights[rows]
        products = weight_of_chosen[self.codes] * self.weights
        return np.minimum(ragged.sums(products, self.offsets), 1.0)

    @cached_property
    def _n_codes(self) -> int:
        return 1 + int(self.codes.max(initial=-1))


def topics_of(catalog: Catalog) -> Ints:
    """(n_items,) the topic of each item; negative for none.

    Raises:
        InputError: the catalog's `category` is no column of integers.
    """
    return whole_numbers(catalog, "category")


def same_topic(topic: Ints, chosen: Ints) -> Array:
    """(n_candidates,) whether a candidate has the topic of the one at row `chosen`; none equals none."""
    return np.asarray((topic == topic[chosen]) & (topic > NO_TOPIC))
