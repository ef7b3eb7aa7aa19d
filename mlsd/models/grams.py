"""Texts as bags of words and pieces of words, and their classes. NumPy only: it serves requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import softmax

from mlsd import ragged
from mlsd.models.bags import Bags, Vectors
from mlsd.types import Ints, State

GRAM_LENGTHS = (3, 4, 5)
"""Characters of a piece, the marks at both ends of a word counted in."""

MAX_WORDS = 32
"""Words of a text that are read; what follows them says nothing."""

_WORD = re.compile(r"\w{1,64}")

Hashes = NDArray[np.uint32]


@dataclass(frozen=True)
class Grams:
    """The words and pieces of words that a collection of texts has, by their hashes.

    A text is lower-cased and cut into words, of which the first `MAX_WORDS` are read; a run of more than 64
    letters is cut. A word stands for itself and for its pieces of 3 to 5 characters, with marks for its
    beginning and end, so that a misspelt word still shares most of what it is with the right one. Stop words
    and single characters count: "how to" is most of what there is to say about some queries.

    Args:
        known: (n_grams,) uint32, ascending.

    Source: Bojanowski et al., "Enriching Word Vectors with Subword Information" (TACL 2017).
    """

    known: Hashes

    def __len__(self) -> int:
        return len(self.known)

    @staticmethod
    def of(texts: Iterable[str]) -> Grams:
        """All grams of the texts.

        Example:
            "<a>" and "<ab>" as words; "<a>"; "<ab", "ab>" and "<ab>" as pieces.

            >>> len(Grams.of(["a", "ab"]))
            6
        """
        found = [grams_of(word) for text in texts for word in words_of(text)]
        return Grams(np.unique(np.concatenate([np.zeros(0, np.uint32), *found])))

    def bags(self, texts: Sequence[str]) -> Bags:
        """The known grams of each text; their weights sum to 1, and a gram that comes twice weighs double.

        Example:
            >>> bags = Grams.of(["jazz"]).bags(["jazz", "jazz rock", "rock", ""])
            >>> bags.counts.tolist(), bags.weights[:1].round(4).tolist()
            ([10, 10, 0, 0], [0.10000000149011612])
        """
        found = [self._rows_of(text) for text in texts]
        offsets = ragged.offsets_of_counts(np.array([len(rows) for rows in found], np.int64))
        keys = ragged.segment_ids(offsets) * max(len(self), 1) + np.concatenate([_NO_ROWS, *found])
        once, counts = np.unique(keys, return_counts=True)
        text, ids = np.divmod(once, max(len(self), 1))
        weights = counts / np.diff(offsets)[text]
        return Bags(np.searchsorted(text, np.arange(len(texts) + 1)), ids, weights.astype(np.float32))

    def _rows_of(self, text: str) -> Ints:
        words = words_of(text)
        if not words or not len(self):
            return _NO_ROWS
        hashes = np.concatenate([grams_of(word) for word in words])
        rows = np.minimum(np.searchsorted(self.known, hashes), len(self) - 1)
        return np.asarray(rows[self.known[rows] == hashes], np.int64)


_NO_ROWS: Ints = np.zeros(0, np.int64)


def words_of(text: str) -> list[str]:
    """The words of a text that are read.

    Example:
        >>> words_of("<b>How</b> to rent")
        ['b', 'how', 'b', 'to', 'rent']
    """
    return _WORD.findall(text.lower())[:MAX_WORDS]


@lru_cache(maxsize=1 << 16)
def grams_of(word: str) -> Hashes:
    """The hashes of a word and of its pieces, a piece that comes twice once."""
    marked = f"<{word}>"
    pieces = {marked[at : at + n] for n in GRAM_LENGTHS for at in range(len(marked) - n + 1)}
    named = [f"word {word}", *sorted(pieces)]
    return np.array([crc32(gram.encode("utf-8", "surrogatepass")) for gram in named], np.uint32)


@dataclass(frozen=True)
class TextClasses:
    """P(class | text), from the mean of what each known gram of the text says.

        P = softmax((bias + mean over known grams g of weights[g]) / temperature)

    A text of which no gram is known gets the prior, to the bit. A text's probabilities depend on no other
    text.

    Args:
        grams: those known.
        weights: (n_grams, n_classes) float32.
        bias: (n_classes,) float32.
        prior: (n_classes,) float32, the share of each class in training.
        temperature: of the calibration, above 0.
    """

    grams: Grams
    weights: Vectors
    bias: Vectors
    prior: Vectors
    temperature: float = 1.0

    def logits(self, bags: Bags) -> Vectors:
        """(n_texts, n_classes) before the temperature."""
        said = csr_array((bags.weights, bags.ids, bags.offsets), shape=(len(bags), len(self.weights)))
        return np.asarray(said @ self.weights + self.bias, np.float32)

    def prob(self, texts: Sequence[str]) -> Vectors:
        """(n_texts, n_classes) float32, each row summing to 1 up to rounding."""
        bags = self.grams.bags(texts)
        prob = softmax(self.logits(bags).astype(np.float64) / self.temperature, axis=1)
        known = (bags.counts > 0)[:, None]
        return np.where(known, prob.astype(np.float32), self.prior)

    def state(self) -> State:
        arrays = {"weights": self.weights, "bias": self.bias, "prior": self.prior}
        return {"grams": self.grams.known, **arrays, "temperature": np.array(self.temperature)}

    @staticmethod
    def from_state(state: State) -> TextClasses:
        arrays = state["weights"], state["bias"], state["prior"]
        return TextClasses(Grams(state["grams"]), *arrays, float(state["temperature"]))
