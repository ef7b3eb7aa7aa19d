"""All readings of a text at once, as paths from its first word to its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from math import exp, inf, log
from typing import NamedTuple

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
        found: list[list[Path]] = []
        for number, arc in enumerate(self.arcs):
            if arc.start == 0:
                found.append([Path(self._entry(arc, None), (arc,))])
                continue
            longer = (
                Path(path.score + self._steps[before, number], (*path.arcs, arc))
                for before in self._ending[arc.start]
                for path in found[before]
            )
            found.append(nlargest(n, longer, key=lambda path: path.score))
        whole = (path for number in self._ending[self.n_typed] for path in found[number])
        return nlargest(n, whole, key=lambda path: path.score)

    def prob(self, path: Path) -> float:
        """P(path | text)."""
        return min(exp(path.score - self.log_total), 1.0)

    def arc_prob(self, arc: Arc) -> float:
        """P(the text is read with this arc | text)."""
        number = self.arcs.index(arc)
        return min(exp(self._forward[number] + self._backward[number] - self.log_total), 1.0)

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
    def _steps(self) -> dict[tuple[int, int], float]:
        """(arc, next arc) -> what the next adds to the score."""
        return {
            (before, number): self._entry(arc, self.arcs[before])
            for number, arc in enumerate(self.arcs)
            for before in self._ending[arc.start]
        }

    def _entry(self, arc: Arc, before: Arc | None) -> float:
        """What an arc adds to the score after another."""
        score, word_before = arc.channel, before.words[-1] if before else None
        for word in arc.words:
            score += self.language.log_prob(word, word_before)
            word_before = word
        return score

    @cached_property
    def _forward(self) -> list[float]:
        """Logarithm of the sum over all beginnings that end with each arc."""
        sums: list[float] = []
        for number, arc in enumerate(self.arcs):
            if arc.start == 0:
                sums.append(self._entry(arc, None))
            else:
                befores = self._ending[arc.start]
                sums.append(log_sum([sums[before] + self._steps[before, number] for before in befores]))
        return sums

    @cached_property
    def _backward(self) -> list[float]:
        """Logarithm of the sum over all endings after each arc."""
        sums = [-inf] * len(self.arcs)
        for number in self._ending[self.n_typed]:
            sums[number] = 0.0
        for number in reversed(range(len(self.arcs))):
            for before in self._ending[self.arcs[number].start]:
                sums[before] = log_sum([sums[before], self._steps[before, number] + sums[number]])
        return sums


def log_sum(logs: Sequence[float]) -> float:
    """Logarithm of the sum of exponentials.

    Example:
        >>> round(exp(log_sum([log(0.25), log(0.5)])), 9)
        0.75
    """
    highest = max(logs, default=-inf)
    return highest if highest == -inf else highest + log(sum(exp(one - highest) for one in logs))
