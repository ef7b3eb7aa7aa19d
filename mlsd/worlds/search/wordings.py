"""How users of the search world put what they ask for, at first and when they ask again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from mlsd import checks, rng
from mlsd.types import Floats, Ints
from mlsd.worlds.search.forms import CLEAN, MISSPELLED, SYNONYM, WORDINGS, WORDY, Forms
from mlsd.worlds.search.queries import Queries
from mlsd.worlds.search.spelling import SpellingOptions
from mlsd.worlds.visits.base import Moments

_SECOND_BEST = (CLEAN, SYNONYM, WORDY, MISSPELLED)
"""What is taken where a query has no form of the wording that was drawn."""


@dataclass(frozen=True)
class WordingOptions:
    """How what is asked for is put.

    Args:
        misspelled_share: of first tries.
        synonym_share: of first tries, in another word than the usual; clean where there is no other.
        wordy_share: of first tries.
        n_variants: different misspellings, synonyms and wordy texts of each query, at most.
        spelling: how words are misspelled.
    """

    misspelled_share: float = 0.12
    synonym_share: float = 0.1
    wordy_share: float = 0.096
    n_variants: int = 2
    spelling: SpellingOptions = field(default_factory=SpellingOptions)

    def __post_init__(self) -> None:
        for name in ("misspelled_share", "synonym_share", "wordy_share"):
            checks.share(name, getattr(self, name))
        checks.share("misspelled_share + synonym_share + wordy_share", sum(self.shares.values()))
        checks.at_least("n_variants", self.n_variants, 1)

    @property
    def shares(self) -> dict[int, float]:
        """Wording, the clean one left out -> its share of first tries."""
        return {MISSPELLED: self.misspelled_share, SYNONYM: self.synonym_share, WORDY: self.wordy_share}


@dataclass(frozen=True)
class ReformulationOptions:
    """Who asks again, and how.

    Args:
        prob: that a user whom nothing satisfied asks again; 0 for nobody.
        max_tries: for the same thing, the first included.
        corrected_prob: that a misspelled query is put right; else it is misspelled again.
        shortened_prob: that a wordy query is put in its clean words; else in a synonym.
        lengthened_prob: that another query is made wordy; else it is put in another word, where there is one.
    """

    prob: float = 0.3
    max_tries: int = 3
    corrected_prob: float = 0.8
    shortened_prob: float = 0.8
    lengthened_prob: float = 0.3

    def __post_init__(self) -> None:
        checks.share("prob", self.prob)
        checks.at_least("max_tries", self.max_tries, 1)
        for name in ("corrected_prob", "shortened_prob", "lengthened_prob"):
            checks.share(name, getattr(self, name))

    @property
    def n_tries(self) -> int:
        """Tries that happen, at most."""
        return self.max_tries if self.prob > 0 else 1


def n_variants(options: WordingOptions, again: ReformulationOptions) -> dict[int, int]:
    """Wording -> forms of it that each query needs: none where nobody ever puts it so."""
    used = {wording for wording, share in options.shares.items() if share > 0}
    if again.n_tries > 1:
        used |= {SYNONYM, WORDY}
    return dict.fromkeys(used, options.n_variants)


class Wordings:
    """Which form of a query each request has. Every draw is keyed by user, day, place and try.

        P(misspelled | query) = 1 - (1 - q) ** n    at the first try, for a clean text with n letters but the
                                                    first of each word, and q such that the share is right
        P(wording | query)    = share * P(not misspelled | query) / (1 - misspelled_share)    for the others

    A user who asks again never puts it as just before; see `ReformulationOptions`.

    Args:
        options: as declared.
        again: as declared.
        queries: what is asked for.
        forms: the texts there are.
        seed: of all draws.
    """

    def __init__(
        self, options: WordingOptions, again: ReformulationOptions, queries: Queries, forms: Forms, seed: int
    ) -> None:
        self.options, self.again, self.queries, self.forms = options, again, queries, forms
        self.seed = seed

    def of(self, query: Ints, moments: Moments) -> Ints:
        """(n_requests,) the form of each query at its moment."""
        first = moments._replace(attempt=np.zeros_like(moments.attempt))
        form = self._chosen(query, self._first(query, first), np.full(len(query), -1), first)
        for attempt in range(1, int(moments.attempt.max(initial=0)) + 1):
            rows = np.flatnonzero(moments.attempt >= attempt)
            now = moments.take(rows)._replace(attempt=np.full(len(rows), attempt))
            wording = self._next(self.forms.wording[form[rows]], now)
            form[rows] = self._chosen(query[rows], wording, form[rows], now)
        return form

    @cached_property
    def misspelled_prob(self) -> Floats:
        """(n_queries,) P(misspelled) at the first try."""
        share = self.options.misspelled_share
        if share in (0.0, 1.0):
            return np.full(len(self.queries), share)
        n_letters = np.array([len(text) - 2 * text.count(" ") - 1 for text in self.queries.text.tolist()])

        def prob(log_right: float) -> Floats:
            return np.asarray(-np.expm1(log_right * np.maximum(n_letters, 1)))

        log_right = brentq(lambda log: float(prob(log) @ self.queries.weight) - share, -50.0, 0.0)
        return prob(log_right)

    def _first(self, query: Ints, moments: Moments) -> Ints:
        """(n_requests,) the wording of first tries."""
        misspelled = self.misspelled_prob[query]
        others = (1.0 - misspelled) / max(1.0 - self.options.misspelled_share, np.finfo(float).tiny)
        synonym_end = misspelled + others * self.options.synonym_share
        wordy_end = synonym_end + others * self.options.wordy_share
        luck = rng.uniform(self.seed, "wording", *moments)
        ends = [luck < misspelled, luck < synonym_end, luck < wordy_end]
        return np.asarray(np.select(ends, [MISSPELLED, SYNONYM, WORDY], CLEAN), dtype=np.int64)

    def _next(self, before: Ints, moments: Moments) -> Ints:
        """(n_requests,) the wording of those who ask again."""
        again = self.again
        luck = rng.uniform(self.seed, "wording", *moments)
        corrected = np.where(luck < again.corrected_prob, CLEAN, MISSPELLED)
        shortened = np.where(luck < again.shortened_prob, CLEAN, SYNONYM)
        others = np.where(luck < again.lengthened_prob, WORDY, SYNONYM)
        kinds = [before == MISSPELLED, before == WORDY]
        return np.asarray(np.select(kinds, [corrected, shortened], others), dtype=np.int64)

    def _chosen(self, query: Ints, wording: Ints, before: Ints, moments: Moments) -> Ints:
        """(n_requests,) a form of the wording, or of the next best, whose text is another than before's."""
        texts = self.forms.of_query[query]
        said = np.where(before < 0, -1, texts[np.arange(len(query)), before])
        usable = (texts >= 0) & (texts != said[:, None])
        keys = (part[:, None] for part in moments)
        luck = rng.uniform(self.seed, "form", *keys, np.arange(texts.shape[1]))
        cost = np.where(usable, self._distance[wording] + luck, np.inf)
        return np.asarray(np.argmin(cost, axis=1), dtype=np.int64)

    @cached_property
    def _distance(self) -> Floats:
        """(n_wordings, n_forms) 0 for forms of the wording, then 1, 2, ... down the next best."""
        place = np.argsort(_SECOND_BEST)[self.forms.wording]
        same = np.arange(len(WORDINGS))[:, None] == self.forms.wording
        return np.where(same, 0.0, 1.0 + place)
