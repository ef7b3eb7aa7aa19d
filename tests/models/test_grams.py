"""Texts as words and pieces of words, and their classes: by hand, alone and together, and strange texts."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from mlsd.models.bags import Vectors
from mlsd.models.grams import MAX_WORDS, Grams, TextClasses, words_of

TEXTS = ["how to rent", "jazz", "jazz piano news", "rent a piano"]
STRANGE = ["", " \t", "чай", "\x00\x1b", "<>&", "\ud800", "日本"]


def classes(texts: list[str] = TEXTS, temperature: float = 1.5) -> TextClasses:
    grams = Grams.of(texts)
    weights = np.random.default_rng(4).normal(size=(len(grams), 3)).astype(np.float32)
    bias, prior = np.array([0.5, 0, -1], np.float32), np.array([0.6, 0.3, 0.1], np.float32)
    return TextClasses(grams, weights, bias, prior, temperature)


def expected(text: str, fitted: TextClasses) -> Vectors:
    """By loops."""
    said = []
    for word in text.lower().split():
        marked = f"<{word}>"
        pieces = {marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)}
        for gram in [f"word {word}", *pieces]:
            said += [
                fitted.weights[row] for row, h in enumerate(fitted.grams.known) if h == crc32(gram.encode())
            ]
    return np.asarray(softmax((fitted.bias + np.mean(said, axis=0)) / fitted.temperature))


@pytest.mark.parametrize("text", [*TEXTS, "Jazz", "rental", "jazz jazz news"])
def test_probabilities_are_their_formula(text: str) -> None:
    fitted = classes()
    np.testing.assert_allclose(fitted.prob([text])[0], expected(text, fitted), atol=1e-6)


@given(st.lists(st.sampled_from([*TEXTS, *STRANGE, "rental", "a jaz", "x" * 200]), max_size=12))
def test_a_text_alone_gets_the_same_bits(texts: list[str]) -> None:
    fitted = classes()
    together = fitted.prob(texts)
    assert together.shape == (len(texts), 3)
    assert together.dtype == np.float32
    for row, text in enumerate(texts):
        assert fitted.prob([text]).tobytes() == together[row : row + 1].tobytes()


@pytest.mark.parametrize("text", STRANGE)
def test_a_text_of_which_nothing_is_known_gets_the_prior(text: str) -> None:
    fitted = classes()
    assert fitted.prob([text]).tobytes() == fitted.prior.tobytes()


def test_a_misspelt_word_shares_pieces_with_the_right_one() -> None:
    fitted = classes()
    assert len(fitted.grams.bags(["pianno"]).ids) > 0
    assert fitted.prob(["pianno"]).tobytes() != fitted.prior.tobytes()


def test_only_the_first_words_are_read() -> None:
    fitted, many = classes(), " ".join(["jazz"] * MAX_WORDS)
    assert fitted.prob([many + " rent"]).tobytes() == fitted.prob([many]).tobytes()
    assert words_of("x" * 10_000) == ["x" * 64] * MAX_WORDS
    assert np.isfinite(fitted.prob(["x" * 10_000])).all()


def test_nothing_known_at_all() -> None:
    fitted = TextClasses(Grams.of([]), np.zeros((0, 2), np.float32), *np.full((2, 2), 0.5, np.float32))
    assert fitted.prob(["jazz", ""]).tolist() == [[0.5, 0.5]] * 2


def test_state_restores_every_bit() -> None:
    fitted = classes()
    restored = TextClasses.from_state(fitted.state())
    assert restored.prob(TEXTS).tobytes() == fitted.prob(TEXTS).tobytes()
