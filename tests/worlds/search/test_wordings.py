from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.types import Array, Ints
from mlsd.worlds.search.forms import CLEAN, MISSPELLED, SYNONYM, WORDY, Forms, make_forms
from mlsd.worlds.search.queries import Queries, QueryOptions, make_queries
from mlsd.worlds.search.spelling import SpellingOptions
from mlsd.worlds.search.vocabulary import LanguageOptions, make_lexicon
from mlsd.worlds.search.wordings import ReformulationOptions, WordingOptions, Wordings, n_variants
from mlsd.worlds.visits.base import Moments

N = 40_000


@pytest.fixture(scope="module")
def made() -> tuple[Queries, Forms]:
    lexicon = make_lexicon(LanguageOptions(n_topics=8, n_background=200), n_entities=80, seed=4)
    queries = make_queries(QueryOptions(), lexicon, 600, seed=4)
    variants = {MISSPELLED: 2, SYNONYM: 2, WORDY: 2}
    return queries, make_forms(variants, SpellingOptions(), queries, lexicon, seed=4)


def wordings_of(
    made: tuple[Queries, Forms],
    options: Mapping[str, float] | None = None,
    again: Mapping[str, float] | None = None,
) -> Wordings:
    parts = WordingOptions(**(options or {})), ReformulationOptions(**(again or {}))  # type: ignore[arg-type]
    return Wordings(*parts, *made, seed=9)


def moments_of(n: int, attempt: int = 0) -> Moments:
    rows = np.arange(n)
    return Moments(rows % 997, rows // 997, rows % 3, np.full(n, attempt))


def asked(made: tuple[Queries, Forms]) -> Ints:
    """Queries by their popularity."""
    return rng.choice(1, "asked", made[0].weight, np.arange(N))


def test_wordings_come_in_their_declared_shares(made: tuple[Queries, Forms]) -> None:
    queries, forms = made
    query = asked(made)
    wording = forms.wording[wordings_of(made).of(query, moments_of(N))]
    shares = np.bincount(wording, minlength=4) / N
    has_synonym: Array = np.asarray(np.any(forms.of_query[:, forms.of_wording(SYNONYM)] >= 0, axis=1))
    # Standard errors below .0017; synonyms among those that have one.
    assert abs(shares[MISSPELLED] - 0.12) < 0.0085
    assert abs(shares[WORDY] - 0.096) < 0.0085
    assert abs(np.mean(wording[has_synonym[query]] == SYNONYM) - 0.1) < 0.01
    assert np.all(wording[~has_synonym[query]] != SYNONYM)
    assert len(queries) == 600


def test_longer_texts_are_misspelled_more_often(made: tuple[Queries, Forms]) -> None:
    queries, _ = made
    prob = wordings_of(made).misspelled_prob
    np.testing.assert_allclose(prob @ queries.weight, 0.12, atol=1e-9)
    n_letters = np.array([sum(len(word) - 1 for word in text.split()) for text in queries.text])
    # The same error rate per letter for all: log(1 - p) / n.
    rate = np.log1p(-prob) / n_letters
    np.testing.assert_allclose(rate, rate[0], rtol=1e-9)


def test_both_misspellings_are_used(made: tuple[Queries, Forms]) -> None:
    form = wordings_of(made, {"misspelled_share": 1.0, "synonym_share": 0, "wordy_share": 0}).of(
        asked(made), moments_of(N)
    )
    shares = np.bincount(form, minlength=7) / N
    # All but the few without a misspelling; halves, with a standard error of .0025.
    np.testing.assert_allclose(shares[1:3], 0.5, atol=0.0175)


def test_who_asks_again_puts_it_in_another_way(made: tuple[Queries, Forms]) -> None:
    _, forms = made
    wordings, query = wordings_of(made), asked(made)
    tries = [wordings.of(query, moments_of(N, attempt)) for attempt in range(3)]
    for before, after in pairwise(tries):
        assert np.all(forms.of_query[query, before] != forms.of_query[query, after])
        assert np.all(forms.of_query[query, after] >= 0)


def test_what_follows_what(made: tuple[Queries, Forms]) -> None:
    _, forms = made
    wordings, query = wordings_of(made), asked(made)
    before, after = (forms.wording[wordings.of(query, moments_of(N, attempt))] for attempt in (0, 1))
    has_synonym: Array = np.asarray(np.any(forms.of_query[:, forms.of_wording(SYNONYM)] >= 0, axis=1))[query]

    def share(was: int, becomes: int, among: Array) -> float:
        return float(np.mean(after[(before == was) & among] == becomes))

    # Thousands of each kind: standard errors below .0075.
    assert abs(share(MISSPELLED, CLEAN, has_synonym) - 0.8) < 0.035
    assert abs(share(MISSPELLED, MISSPELLED, has_synonym) - 0.2) < 0.035
    assert abs(share(WORDY, CLEAN, has_synonym) - 0.8) < 0.035
    assert abs(share(WORDY, SYNONYM, has_synonym) - 0.2) < 0.035
    assert abs(share(CLEAN, WORDY, has_synonym) - 0.3) < 0.02
    assert abs(share(CLEAN, SYNONYM, has_synonym) - 0.7) < 0.02
    assert share(CLEAN, WORDY, ~has_synonym) == 1.0


def test_a_request_alone_is_put_as_it_is_in_company(made: tuple[Queries, Forms]) -> None:
    wordings, query = wordings_of(made), asked(made)[:60]
    rows = np.arange(60)
    moments = Moments(rows, rows * 0, rows % 2, rows % 3)
    together = wordings.of(query, moments)
    for row in rows:
        assert wordings.of(query[[row]], moments.take(rows[[row]]))[0] == together[row]
    assert len(wordings.of(query[:0], moments.take(rows[:0]))) == 0


def test_forms_are_made_where_somebody_uses_them() -> None:
    nobody = ReformulationOptions(prob=0.0)
    none = WordingOptions(misspelled_share=0, synonym_share=0, wordy_share=0)
    assert n_variants(none, nobody) == {}
    assert n_variants(none, ReformulationOptions(max_tries=1)) == {}
    assert n_variants(none, ReformulationOptions()) == {SYNONYM: 2, WORDY: 2}
    assert n_variants(WordingOptions(synonym_share=0, wordy_share=0), nobody) == {MISSPELLED: 2}


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (WordingOptions, {"misspelled_share": -0.1}, "misspelled_share == -0.1, must be between 0 and 1"),
        (
            WordingOptions,
            {"misspelled_share": 0.5, "synonym_share": 0.5, "wordy_share": 0.25},
            "misspelled_share + synonym_share + wordy_share == 1.25, must be between 0 and 1",
        ),
        (WordingOptions, {"n_variants": 0}, "n_variants == 0, must be at least 1"),
        (ReformulationOptions, {"prob": 1.5}, "prob == 1.5, must be between 0 and 1"),
        (ReformulationOptions, {"max_tries": 0}, "max_tries == 0, must be at least 1"),
        (ReformulationOptions, {"corrected_prob": 2.0}, "corrected_prob == 2.0, must be between 0 and 1"),
    ],
)
def test_bad_values(kind: type, arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        kind(**arguments)
    assert str(caught.value) == message
