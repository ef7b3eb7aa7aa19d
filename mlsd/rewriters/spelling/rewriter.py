"""Spelling correction by a noisy channel over the collection's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from heapq import heappush, heappushpop, nlargest
from typing import NamedTuple

import numpy as np

from mlsd import checks
from mlsd.errors import NotFittedError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.rewriters.base import Rewriter, Rewritten
from mlsd.rewriters.spelling import channel
from mlsd.rewriters.spelling.index import DeleteIndex
from mlsd.rewriters.spelling.language import Language
from mlsd.rewriters.spelling.lattice import Arc, Lattice
from mlsd.types import Catalog, State

MAX_WORDS = 32
"""Texts of more words are no queries that somebody typed: they are left as they are."""

_MOST_TRIED = 2
"""Words that are aligned with the typed one, at most, for each that is weighed."""

_TYPED = re.compile(r"\w+")
_LONGEST = 64


class Spelling(Rewriter):
    """Corrects what was mistyped, where it is sure enough, with words of the catalog and of the log.

        P(meant | typed)  ~  P(meant) P(typed | meant)

    P(meant) is that of the words given the words before them (`Language`), P(typed | meant) that of the
    errors (`channel`). A typed word may be read as itself, as a word of the dictionary within
    `max_edits` edits (letters omitted, too many or replaced, neighbours exchanged), or as two words without
    their blank; two neighbours, as one word with a blank too many. All readings of a text together
    make a lattice. Of its best path, a change is made if the share of all paths that make it, its
    posterior probability, is at least `min_confidence`. The confidence in a text is the posterior
    probability of the whole reading that is passed on.

    Left alone for certain are words that the catalog has at least `min_in_catalog` times, words with a
    digit, words of fewer than `min_letters` letters, words with a letter of an alphabet that no word of the
    dictionary has, words of more than 64 letters, and texts of more than 32 words. What is
    between words, such as punctuation, is left where it is.

    Texts are worked on one by one, in Python: a few words each, and each different text once.

    Source: Kernighan, Church and Gale (COLING 1990); Cucerzan and Brill (EMNLP 2004) for what a log of
    queries and neighbours add; Garbe's SymSpell for finding words by their deletions.

    Args:
        max_edits: the most edits of a correction, 1 or 2. Words of four letters or fewer get one.
        min_confidence: the lowest posterior probability at which a change is made, in (0, 1].
        min_in_catalog: how often the catalog must have a word for it to be right.
        min_letters: of a word that is corrected, 2 or more.
        min_users: who must have typed a word for it to be one, if no item has it.
        n_candidates: readings of a word that are weighed, at most.
        pair_prior: how many pairs of neighbours the count of a single word is worth, above 0.
    """

    catalog_needs = frozenset({"title", "text"})
    corrects = True

    def __init__(
        self,
        max_edits: int = 2,
        min_confidence: float = 0.7,
        min_in_catalog: int = 1,
        min_letters: int = 4,
        min_users: int = 3,
        n_candidates: int = 8,
        pair_prior: float = 20.0,
    ) -> None:
        self.max_edits = checks.one_of("max_edits", max_edits, (1, 2))
        self.min_confidence = checks.probability("min_confidence", min_confidence)
        self.min_in_catalog = checks.at_least("min_in_catalog", min_in_catalog, 1)
        self.min_letters = checks.at_least("min_letters", min_letters, 2)
        self.min_users = checks.at_least("min_users", min_users, 1)
        self.n_candidates = checks.at_least("n_candidates", n_candidates, 1)
        self.pair_prior = checks.above("pair_prior", pair_prior, 0)
        self._dictionary: _Dictionary | None = None

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> None:  # noqa: ARG002
        self._use(Language.learn(catalog, log, self.min_users, self.pair_prior))

    def rewrite(self, texts: Sequence[str]) -> Rewritten:
        read = [self._read(text) for text in texts]
        rewritten = Rewritten.of([text for text, _ in read])
        return rewritten._replace(confidence=np.array([confidence for _, confidence in read], np.float64))

    def suggest(self, text: str, n: int) -> list[tuple[str, float]]:
        """The `n` best readings of a text with their posterior probabilities, best first, however unsure."""
        typed = list(_TYPED.finditer(text))
        lattice = self._lattice([one.group().lower() for one in typed])
        return [(_written(text, typed, path.arcs), lattice.prob(path)) for path in lattice.best(n)]

    def state(self) -> State:
        return self._known.language.state()

    def load_state(self, state: State) -> None:
        self._use(Language.from_state(state, self.pair_prior))

    def _use(self, language: Language) -> None:
        index = DeleteIndex(language.words.tolist(), self.max_edits)
        self._dictionary = _Dictionary(language, index, alphabets(language.words.tolist()))

    @property
    def _known(self) -> _Dictionary:
        if self._dictionary is None:
            raise NotFittedError("Spelling was used before fit or load_state")
        return self._dictionary

    def _read(self, text: str) -> tuple[str, float]:
        """What a text becomes, and the confidence in it."""
        dictionary = self._known
        typed = list(_TYPED.finditer(text))
        words = [one.group().lower() for one in typed]
        if len(words) > MAX_WORDS or not any(self._is_doubtful(word, dictionary) for word in words):
            return text, 1.0
        lattice = self._lattice(words)
        (best,) = lattice.best(1)
        kept = [part for arc in best.arcs for part in self._if_sure(lattice, arc, words)]
        passed = lattice.path_of(kept)
        return _written(text, typed, kept), lattice.prob(passed)

    def _if_sure(self, lattice: Lattice, arc: Arc, words: Sequence[str]) -> list[Arc]:
        if arc.typed or lattice.arc_prob(arc) >= self.min_confidence:
            return [arc]
        return [_as_typed(words, place) for place in range(arc.start, arc.end)]

    def _is_doubtful(self, word: str, dictionary: _Dictionary) -> bool:
        """Whether a word may be read as another."""
        return (
            self.min_letters <= len(word) <= _LONGEST
            and dictionary.language.n_in_items(word) < self.min_in_catalog
            and word.isalpha()
            and dictionary.alphabets.issuperset(map(_alphabet, word))
        )

    def _lattice(self, words: Sequence[str]) -> Lattice:
        dictionary = self._known
        arcs: list[Arc] = []
        for place, word in enumerate(words):
            arcs.append(_as_typed(words, place))
            if self._is_doubtful(word, dictionary):
                arcs += self._corrections(word, place, dictionary)
            if place + 1 < len(words):
                arcs += self._joined(words, place, dictionary)
        return Lattice(arcs, len(words), dictionary.language)

    def _corrections(self, word: str, place: int, dictionary: _Dictionary) -> Iterator[Arc]:
        """The best readings of a word as another, or as two."""
        for meant, cost in self._near(word, dictionary):
            yield Arc(place, place + 1, (meant,), cost, typed=False)
        for cut in range(2, len(word) - 1):
            parts = word[:cut], word[cut:]
            if all(dictionary.language.n_in_items(part) >= self.min_in_catalog for part in parts):
                yield Arc(place, place + 1, parts, -channel.BLANK, typed=False)

    def _near(self, word: str, dictionary: _Dictionary) -> list[tuple[str, float]]:
        """The best words near another, by P(meant) P(typed | meant), and log P(typed | meant) of each.

        Words are gone through from the one that could be best at most, until no other can be among the best.
        """
        prior, cheapest = dictionary.language.log_probs, channel.CHEAPEST
        bounds = [(prior[one] - cheapest * n_edits, one) for one, n_edits in dictionary.deletions.near(word)]
        best: list[tuple[float, str, float]] = []
        for bound, one in nlargest(_MOST_TRIED * self.n_candidates, bounds):
            if len(best) == self.n_candidates and bound <= best[0][0]:
                break
            cost = channel.log_prob(word, one)
            if one != word:
                (heappush if len(best) < self.n_candidates else heappushpop)(
                    best, (prior[one] + cost, one, cost)
                )
        return [(one, cost) for _, one, cost in sorted(best, reverse=True)]

    def _joined(self, words: Sequence[str], place: int, dictionary: _Dictionary) -> Iterator[Arc]:
        """Two neighbours as one word, unless the catalog has both."""
        pair, n_in_items = words[place : place + 2], dictionary.language.n_in_items
        whole = "".join(pair)
        known = [n_in_items(word) >= self.min_in_catalog for word in (*pair, whole)]
        if whole.isalpha() and known[-1] and not all(known):
            yield Arc(place, place + 2, (whole,), -channel.BLANK, typed=False)


class _Dictionary(NamedTuple):
    language: Language
    deletions: DeleteIndex
    alphabets: frozenset[str]


def alphabets(words: Sequence[str]) -> frozenset[str]:
    """The alphabets of all letters, by their Unicode names.

    Example:
        >>> sorted(alphabets(["müsli", "мюсли", "2"]))
        ['CYRILLIC', 'LATIN']
    """
    return frozenset(_alphabet(letter) for letter in set("".join(words)) if letter.isalpha())


@lru_cache(maxsize=1 << 12)
def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _as_typed(words: Sequence[str], place: int) -> Arc:
    return Arc(place, place + 1, (words[place],), 0.0, typed=True)


def _written(text: str, typed: Sequence[re.Match[str]], arcs: Sequence[Arc]) -> str:
    """The text with what its arcs read in the place of what was typed."""
    parts, done = [], 0
    for arc in arcs:
        if not arc.typed:
            parts += [text[done : typed[arc.start].start()], " ".join(arc.words)]
            done = typed[arc.end - 1].end()
    return "".join([*parts, text[done:]])
