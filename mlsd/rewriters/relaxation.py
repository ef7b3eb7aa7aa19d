"""Over-long queries, without what says least."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import NotFittedError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.rewriters.base import Rewriter, Rewritten
from mlsd.text import Vocabulary, analyze, item_texts
from mlsd.types import Catalog, State

_WORD = re.compile(r"\w{2,64}")


class Relaxation(Rewriter):
    """Leaves an over-long query its `max_words` most informative words, in their order.

        idf(t) = log(1 + (n_items - df(t) + 0.5) / (df(t) + 0.5))

    Words that no item has go first, then those of the lowest idf; of equals the later one. Words count by
    their stems, each once, and stop words do not. Of a text that is relaxed nothing else is left: no stop
    words, repetitions or punctuation. A text of `max_words` or fewer is left as it is. The confidence is
    the share of the summed idf of the known words that is kept, 1 where only unknown ones went.

    Source: Kumaran and Carvalho (SIGIR 2009) for reducing long queries; Robertson and Zaragoza (2009) for
        idf.

    Args:
        max_words: content words that a query keeps, 1 or more.
    """

    catalog_needs = frozenset({"title", "text"})

    def __init__(self, max_words: int = 6) -> None:
        self.max_words = checks.at_least("max_words", max_words, 1)
        self._idf: dict[str, float] | None = None
        self._state: State = {}

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> None:  # noqa: ARG002
        vocabulary, terms = Vocabulary.learn(item_texts(catalog))
        item = ragged.segment_ids(terms.offsets)
        once = np.unique(terms.ids.astype(np.int64) * max(len(terms), 1) + item)
        df = np.bincount(once // max(len(terms), 1), minlength=len(vocabulary))
        idf = np.log1p((len(catalog) - df + 0.5) / (df + 0.5))
        self.load_state({"terms": vocabulary.terms, "idf": idf})

    def rewrite(self, texts: Sequence[str]) -> Rewritten:
        relaxed = [self._relaxed(text) for text in texts]
        confidence = np.array([confidence for _, confidence in relaxed], np.float64)
        return Rewritten.of([text for text, _ in relaxed])._replace(confidence=confidence)

    def state(self) -> State:
        if self._idf is None:
            raise NotFittedError("Relaxation was used before fit or load_state")
        return self._state

    def load_state(self, state: State) -> None:
        self._state = dict(state)
        self._idf = dict(zip(state["terms"].tolist(), state["idf"].tolist(), strict=True))

    def _relaxed(self, text: str) -> tuple[str, float]:
        """A text without its least informative words, and the share of information kept."""
        if self._idf is None:
            raise NotFittedError("Relaxation was used before fit or load_state")
        words: dict[str, str] = {}
        for word in _WORD.findall(text.lower()):
            for stem in analyze(word):
                words.setdefault(stem, word)
        if len(words) <= self.max_words:
            return text, 1.0
        idf = [self._idf.get(stem, 0.0) for stem in words]
        kept = sorted(sorted(range(len(idf)), key=lambda place: -idf[place])[: self.max_words])
        listed, total = list(words.values()), sum(idf)
        share = sum(idf[place] for place in kept) / total if total else 1.0
        return " ".join(listed[place] for place in kept), min(share, 1.0)
