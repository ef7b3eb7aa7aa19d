"""All readings of a text at once, as paths from its first word to its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from itertools import pairwise
from math import exp, inf, log
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from mlsd.rewriters.spelling.language import Language


class Arc(NamedTuple):
    """One reading of one typed word, or of two neighbours."""

    start: int
    """The first typed word that it reads."""
    end: int
    """The typed word after the last."""
    words: tuple[str, ...]
    """What was meant."""
    channel: float
    """log P(typed | meant), in nats."""
    typed: bool
    """Whether this is what stands there."""


class Path(NamedTuple):
    """A reading of the whole text."""

    score: float
    """log P(meant) + log P(typed | meant), in nats."""
    arcs: tuple[Arc, ...]


_Step: TypeAlias = "tuple[float, int, _Step | None]"
"""The score of a path so far, the number of its last arc, and the path before that."""


@dataclass(frozen=True)
class Lattice:
    """The readings of a text of `n_typed` words.

        score(path) = sum over its arcs  log P(typed | meant) + sum over its words  log P(word | word before)
        P(path | text) = exp(score(path)) / sum over all paths  exp(score)

    Sums over paths run forward and backward over arcs (Rabiner 1989), so that they take as many steps as
    there are pairs of arcs that follow each other.

    Args:
        arcs: ascending by their start; every place of the text is read by an arc that is `typed`.
        n_typed: words of the text.
        language: what people mean.
    """

    arcs: Sequence[Arc]
    n_typed: int
    language: Language

    def best(self, n: int) -> list[Path]:
        """The `n` best paths, best first; ties in the order of arcs."""
        found: list[list[_Step]] = []
        for number, steps in enumerate(self._steps):
            if self.arcs[number].start == 0:
                found.append([(self._entry(self.arcs[number], None), number, None)])
                continue
            longer = [(path[0] + step, number, path) for before, step in steps for path in found[before]]
            found.append(_best(longer, n))
        whole = [path for number in self._ending[self.n_typed] for path in found[number]]
        return [Path(path[0], self._arcs_of(path)) for path in _best(whole, n)]

    def prob(self, path: Path) -> float:
        """P(path | text)."""
        return min(exp(path.score - self.log_total), 1.0)

    def arc_prob(self, arc: Arc) -> float:
        """P(the text is read with this arc | text)."""
        number = self.arcs.index(arc)
        return min(exp(self._forward[number] + self._backward[number] - self.log_total), 1.0)

    def _arcs_of(self, path: _Step | None) -> tuple[Arc, ...]:
        arcs: list[Arc] = []
        while path is not None:
            _, number, path = path
            arcs.append(self.arcs[number])
        return tuple(reversed(arcs))

    def path_of(self, arcs: Sequence[Arc]) -> Path:
        """The path through these arcs."""
        befores = (None, *arcs[:-1])
        score = sum(self._entry(arc, before) for before, arc in zip(befores, arcs, strict=True))
        return Path(score, tuple(arcs))

    @cached_property
    def log_total(self) -> float:
        """Logarithm of the sum over all paths."""
        return log_sum([self._forward[number] for number in self._ending[self.n_typed]])

    @cached_property
    def _ending(self) -> list[list[int]]:
        """The numbers of the arcs that end before each place."""
        ending: list[list[int]] = [[] for _ in range(self.n_typed + 1)]
        for number, arc in enumerate(self.arcs):
            ending[arc.end].append(number)
        return ending

    @cached_property
    def _steps(self) -> list[list[tuple[int, float]]]:
        """For each arc, the arcs that may stand before it and what it adds to the score after each."""
        last_words = [arc.words[-1] for arc in self.arcs]
        words_before = [[last_words[number] for number in ending] for ending in self._ending]
        return [
            list(zip(self._ending[arc.start], self._entries(arc, words_before[arc.start]), strict=True))
            for arc in self.arcs
        ]

    def _entry(self, arc: Arc, before: Arc | None) -> float:
        """What an arc adds to the score after another, or at the start."""
        return self._entries(arc, [before.words[-1] if before else None])[0]

    def _entries(self, arc: Arc, words_before: Sequence[str | None]) -> list[float]:
        """What an arc adds to the score after each of several words."""
        first = self.language.log_probs_after(words_before, arc.words[0])
        rest = sum(self.language.log_prob(word, before) for before, word in pairwise(arc.words))
        return [arc.channel + one + rest for one in first]

    @cached_property
    def _forward(self) -> list[float]:
        """Logarithm of the sum over all beginnings that end with each arc."""
        sums: list[float] = []
        for arc, steps in zip(self.arcs, self._steps, strict=True):
            if arc.start == 0:
                sums.append(self._entry(arc, None))
            else:
                sums.append(log_sum([sums[before] + step for before, step in steps]))
        return sums

    @cached_property
    def _backward(self) -> list[float]:
        """Logarithm of the sum over all endings after each arc."""
        sums = [0.0] * len(self.arcs)
        endings: list[list[float]] = [[] for _ in self.arcs]
        for number in reversed(range(len(self.arcs))):
            if self.arcs[number].end < self.n_typed:
                sums[number] = log_sum(endings[number])
            for before, step in self._steps[number]:
                endings[before].append(step + sums[number])
        return sums


def _best(paths: Sequence[_Step], n: int) -> list[_Step]:
    return nlargest(n, paths, key=itemgetter(0))


def log_sum(logs: Sequence[float]) -> float:
    """Logarithm of the sum of exponentials.

    Example:
        >>> round(exp(log_sum([log(0.25), log(0.5)])), 9)
        0.75
    """
    highest = max(logs, default=-inf)
    return highest if highest == -inf else highest + log(sum([exp(one - highest) for one in logs]))
