"""The lattice, against every path through it."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd.rewriters.spelling.language import Language
from mlsd.rewriters.spelling.lattice import Arc, Lattice

WORDS = ["jazz", "rock", "club", "concert"]
LANGUAGE = Language(
    np.array(sorted(WORDS)),
    np.array([5, 3, 9, 1]),
    np.array([5, 3, 9, 1]),
    np.array([[0, 1], [2, 0], [2, 1]], np.int32),
    np.array([2, 7, 1]),
    mu=3.0,
)
COSTS = st.sampled_from([-9.0, -6.0, -2.5])


@st.composite
def lattices(draw: st.DrawFn) -> Lattice:
    n = draw(st.integers(1, 4))
    arcs = []
    for place in range(n):
        arcs.append(Arc(place, place + 1, (f"typed{place}",), 0.0, typed=True))
        for _ in range(draw(st.integers(0, 3))):
            end = draw(st.integers(place + 1, min(place + 2, n)))
            words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2))
            arcs.append(Arc(place, end, tuple(words), draw(COSTS), typed=False))
    return Lattice(list(dict.fromkeys(arcs)), n, LANGUAGE)


def every_path(lattice: Lattice, start: int = 0) -> Iterator[tuple[Arc, ...]]:
    if start == lattice.n_typed:
        yield ()
    for arc in lattice.arcs:
        if arc.start == start:
            yield from ((arc, *rest) for rest in every_path(lattice, arc.end))


def score(path: tuple[Arc, ...]) -> float:
    words = [word for arc in path for word in arc.words]
    befores = [None, *words[:-1]]
    language = sum(LANGUAGE.log_prob(word, before) for before, word in zip(befores, words, strict=True))
    return language + sum(arc.channel for arc in path)


@settings(max_examples=80, deadline=None)
@given(lattice=lattices(), n=st.integers(1, 4))
def test_best_paths_and_probabilities_are_those_of_all_paths(lattice: Lattice, n: int) -> None:
    scores = sorted((score(path) for path in every_path(lattice)), reverse=True)
    best = lattice.best(n)
    assert [path.score for path in best] == pytest.approx(scores[:n])
    total = sum(map(exp, scores))
    for path in best:
        assert score(path.arcs) == pytest.approx(path.score)
        assert lattice.path_of(path.arcs).score == pytest.approx(path.score)
        assert lattice.prob(path) == pytest.approx(exp(path.score) / total)
    for arc in lattice.arcs:
        through = sum(exp(score(path)) for path in every_path(lattice) if arc in path)
        assert lattice.arc_prob(arc) == pytest.approx(through / total)
