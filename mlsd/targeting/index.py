"""Which ads are for a request: an inverted index from the values of requests to ads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import ragged
from mlsd.errors import InputError, InvalidValueError
from mlsd.targeting.bitmaps import Words, n_words, pack, rows_of
from mlsd.targeting.contexts import Contexts
from mlsd.targeting.keys import Key, ValueSets
from mlsd.targeting.postings import Postings
from mlsd.targeting.rules import Rules, Targets
from mlsd.types import Candidates, Ints


@dataclass(frozen=True)
class _KeyIndex:
    """Ads by what they say about one key.

    Args:
        silent: (n_words,) ads that say nothing about it.
        open: (n_words,) ads that include no value: any will do that they do not exclude.
        included, excluded: value -> ads; None where no ad excludes anything.
    """

    silent: Words
    open: Words
    included: Postings
    excluded: Postings | None

    @staticmethod
    def of(targets: Targets, n_values: int) -> _KeyIndex:
        included, excluded = targets
        is_open = ~included.filled
        open_ = pack(is_open)
        postings = Postings.of(included, n_values)
        if not len(excluded.codes):
            return _KeyIndex(open_, open_, postings, None)
        return _KeyIndex(pack(is_open & ~excluded.filled), open_, postings, Postings.of(excluded, n_values))

    @property
    def nbytes(self) -> int:
        if self.excluded is None:
            return self.open.nbytes + self.included.nbytes
        return self.silent.nbytes + self.open.nbytes + self.included.nbytes + self.excluded.nbytes

    def matching(self, values: Ints) -> Words:
        """(n_words,) ads for which these known values of a request will do; not to be written to."""
        if not len(values):
            return self.silent
        words = self.open.copy()
        for value in values.tolist():
            self.included.add(value, words)
        if self.excluded is not None:
            for value in values.tolist():
                self.excluded.remove(value, words)
        return words


def _check_values(key: Key, sets: ValueSets) -> None:
    """A key has all values of the requests, and each request as many as it may."""
    sets.check_codes(f"context.{key.name}", len(key))
    counts = np.diff(sets.offsets)
    if not key.multi_valued and counts.max(initial=0) > 1:
        several = sets.of(int(np.argmax(counts > 1))).tolist()
        raise InvalidValueError(f"context.{key.name}", several, "must be one value for a request")


def _joined(parts: list[Ints]) -> Ints:
    """All rows of the parts; a single part, which may be long, is not copied."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


class TargetingIndex:
    """Answers which ads are targeted at a request.

        eligible      = among AND matching[key] for each key
        matching[key] = silent[key]   if no value is known, else
                        (open[key] OR included[value] for each value) AND NOT excluded[value] for each value

    An ad is a bit. A request costs a pass over n_ads / 64 words for each key and each frequent value, and a
    step for each posting of its rare values, whatever the number of ads found. It is never written to after
    it is made: what changes with every request, such as budgets, comes in as `among`.

    Source: inverted lists as in Whang et al., "Indexing Boolean Expressions" (VLDB 2009). They count, list by
    list, how many keys of an ad are met; with few keys, and bits for lists, the count is an AND.

    Args:
        rules: whom each ad is for.

    Example:
        >>> from mlsd.types import Requests
        >>> keys = [Key("region", ["north", "south"]), Key("hour", range(24))]
        >>> index = TargetingIndex(Rules.read(keys, [{"region": ["north"]}, {"hour": [8, 9]}, {}]))
        >>> zero = np.zeros(1, np.int64)
        >>> columns = {"region": np.array(["south"]), "hour": np.array([9])}
        >>> request = Requests(zero, zero, zero, zero / 1.0, columns)
        >>> index.candidates(Contexts.of(keys, request)).items.tolist()
        [1, 2]
    """

    def __init__(self, rules: Rules) -> None:
        self.n_ads = len(rules)
        self.keys: tuple[Key, ...] = rules.keys
        self._everybody = pack(np.ones(self.n_ads, bool))
        self._by_key = {key.name: _KeyIndex.of(rules.of(key.name), len(key)) for key in rules.keys}

    def __len__(self) -> int:
        return self.n_ads

    @property
    def nbytes(self) -> int:
        """Memory of the index in bytes."""
        return self._everybody.nbytes + sum(each.nbytes for each in self._by_key.values())

    def eligible(self, contexts: Contexts, among: Words | None = None) -> Words:
        """(n_requests, n_words) the ads for each request, as bits.

        Args:
            contexts: n_requests, with every key.
            among: (n_words,) the ads to choose from, such as `Alive.words`; None: all.

        Raises:
            InputError: `contexts` lack a key, or `among` is of another number of ads.
            InvalidValueError: a key has no such value, or one value a request, and a request has several.
        """
        self._check(contexts, among)
        eligible = np.empty((len(contexts), n_words(self.n_ads)), np.uint64)
        for row in range(len(contexts)):
            eligible[row] = self._eligible(contexts, row, among)
        return eligible

    def candidates(self, contexts: Contexts, among: Words | None = None) -> Candidates:
        """The ads for each request, ascending, ragged; arguments as for `eligible`."""
        self._check(contexts, among)
        found = [rows_of(self._eligible(contexts, row, among)) for row in range(len(contexts))]
        offsets = ragged.offsets_of_counts(np.array([len(rows) for rows in found], np.int64))
        return Candidates(offsets, _joined(found))

    def _eligible(self, contexts: Contexts, row: int, among: Words | None) -> Words:
        words = self._everybody.copy() if among is None else self._everybody & among
        for name, index in self._by_key.items():
            words &= index.matching(contexts.values[name].of(row))
        return words

    def _check(self, contexts: Contexts, among: Words | None) -> None:
        missing = [key.name for key in self.keys if key.name not in contexts.values]
        if missing:
            raise InputError(f"contexts lack the keys {', '.join(missing)}")
        for key in self.keys:
            _check_values(key, contexts.values[key.name])
        if among is not None and among.shape != (n_words(self.n_ads),):
            raise InputError(f"among has shape {among.shape}, must be ({n_words(self.n_ads)},)")
