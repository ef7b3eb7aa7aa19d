"""What every rewriter must keep, as tests to inherit.

    class TestMyRewriter(RewriterKit):
        def make(self):
            return MyRewriter()

The kit's catalog speaks of music, and its log has queries in every window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pytest

from mlsd.errors import NotFittedError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.rewriters.base import Rewriter, Rewritten
from mlsd.testing.retriever_kit import N_ITEMS, clicks, music, phrases, requests_for
from mlsd.types import Catalog

FITTING = Fitting(name="kit")

ODD_TEXTS = {
    "empty": "",
    "blanks": " \t\n",
    "stop words": "the of and to",
    "unknown words": "zzxqv qqwxz",
    "one letter": "j",
    "10,000 letters": "j" * 10_000,
    "10,000 words": "jaz " * 10_000,
    "another script": "музыка 音楽 μουσική",
    "control characters": "jazz\x00\x07 rock\x1b[0m",
    "markup": "<b>jazz</b> &amp; <script>rock()</script>",
    "number": "2019 3.14",
    "capitals": "JAZZ ROCK",
    "lone surrogate": "jazz \ud800",
}
"""What somebody may type."""


class RewriterKit(ABC):
    """Conformance tests of a rewriter."""

    @abstractmethod
    def make(self) -> Rewriter:
        """A rewriter that is not fitted."""

    def make_catalog(self) -> Catalog:
        """What is searched; override where the rewriter needs other columns."""
        return music(N_ITEMS)

    def make_texts(self) -> list[str]:
        """What is asked, some of it mistyped or over-long."""
        long = " ".join(phrases("long", 1, 40))
        return [
            *phrases("query", 30, 2),
            "jaz concrt",
            "festivalticket",
            "con cert",
            long,
            *ODD_TEXTS.values(),
        ]

    def make_log(self) -> Log:
        """What was asked before, in every window."""
        return clicks(requests_for(phrases("query", 80, 2)), len(self.make_catalog()))

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls) -> Rewriter:
        """Fitted once for all tests that only use it."""
        kit = cls()
        rewriter = kit.make()
        rewriter.fit(kit.make_catalog(), kit.make_log(), FITTING)
        return rewriter

    def test_says_what_it_needs(self) -> None:
        assert self.make().catalog_needs <= set(self.make_catalog().columns)

    def test_refuses_to_work_before_it_is_fitted(self) -> None:
        rewriter = self.make()
        for use in (lambda: rewriter.rewrite(["jazz"]), rewriter.state):
            with pytest.raises(NotFittedError, match="before fit or load_state"):
                use()

    def test_every_text_gets_a_text_a_confidence_and_related_terms(self, fitted: Rewriter) -> None:
        texts = self.make_texts()
        rewritten = fitted.rewrite(texts)
        assert [len(column) for column in rewritten] == [len(texts)] * 3
        assert rewritten.texts.dtype == rewritten.related.dtype == object
        assert all(isinstance(text, str) for text in [*rewritten.texts, *rewritten.related])
        assert rewritten.confidence.dtype == np.float64
        assert np.all((rewritten.confidence >= 0) & (rewritten.confidence <= 1))
        assert fitted.relates or not any(rewritten.related)

    @pytest.mark.parametrize("kind", ODD_TEXTS)
    def test_odd_texts_lose_no_content_and_gain_none(self, fitted: Rewriter, kind: str) -> None:
        """Nothing that is typed makes a rewriter fail, and it makes nothing of what has no known word."""
        text = ODD_TEXTS[kind]
        (rewritten,) = fitted.rewrite([text]).texts
        has_words_of_the_catalog = "ja" in text.lower() and kind != "10,000 letters"
        assert rewritten == text or has_words_of_the_catalog

    def test_a_text_is_rewritten_the_same_in_any_company(self, fitted: Rewriter) -> None:
        texts = self.make_texts()
        together = fitted.rewrite(texts)
        for row in range(len(texts)):
            assert_same(fitted.rewrite([texts[row]]), _row(together, row))
        assert len(fitted.rewrite([]).texts) == 0

    def test_state_is_plain_arrays_that_make_it_again(self, fitted: Rewriter) -> None:
        state, again = fitted.state(), self.make()
        assert all(isinstance(array, np.ndarray) and not array.dtype.hasobject for array in state.values())
        again.load_state(state)
        assert_same(again.rewrite(self.make_texts()), fitted.rewrite(self.make_texts()))
        assert_same_state(again, fitted)

    def test_fitting_again_changes_nothing(self, fitted: Rewriter) -> None:
        again = self.make()
        again.fit(self.make_catalog(), self.make_log(), FITTING)
        assert_same_state(again, fitted)

    def test_never_reads_the_test_window(self, fitted: Rewriter) -> None:
        again = self.make()
        again.fit(self.make_catalog(), self.make_log().until("validation"), FITTING)
        assert_same_state(again, fitted)

    @pytest.mark.parametrize("n_items", [0, 1])
    def test_next_to_nothing_to_learn_from(self, n_items: int) -> None:
        """No log, or one without requests, and a catalog of one item or none: everything stays as it is."""
        catalog, texts = music(N_ITEMS).columns, ["zzxqv", "the", ""]
        little = Catalog(
            np.arange(n_items).astype(str), {name: values[:n_items] for name, values in catalog.items()}
        )
        for log in (None, self.make_log().window()):
            rewriter, again = self.make(), self.make()
            rewriter.fit(little, log, FITTING)
            again.load_state(rewriter.state())
            assert again.rewrite(texts).texts.tolist() == texts


def assert_same(one: Rewritten, other: Rewritten) -> None:
    """The same texts, confidences and terms, to the last bit."""
    for mine, yours in zip(one, other, strict=True):
        assert mine.tolist() == yours.tolist()


def assert_same_state(one: Rewriter, other: Rewriter) -> None:
    """The same arrays, to the last bit."""
    mine, yours = one.state(), other.state()
    assert mine.keys() == yours.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], yours[name], err_msg=name)


def _row(rewritten: Rewritten, row: int) -> Rewritten:
    return Rewritten(*(column[row : row + 1] for column in rewritten))
