"""The measuring of the search world at a tiny size, and that its committed results are whole."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def test_policies_fare_as_they_must(experiment: ModuleType) -> None:
    tables = experiment.measured(0, n_items=800, n_users=100)
    chance, bm25, oracle = (tables[name] for name in ("random items", "BM25", "oracle"))
    assert chance["nDCG@10"] < bm25["nDCG@10"] < oracle["nDCG@10"] == 1.0
    assert chance["satisfied requests"] < bm25["satisfied requests"] < oracle["satisfied requests"]
    assert oracle["requests that ask again"] < chance["requests that ask again"]
    of_segment = tables["BM25 by segment"]
    for name in ("intent", "popularity", "wording", "ambiguity"):
        shares = [
            share for figure, share in of_segment.items() if figure.startswith(name) and "share" in figure
        ]
        np.testing.assert_allclose(sum(shares), 1.0)
    assert 0.2 < tables["BM25 in depth"]["items of grade 2 or more among BM25's first 100"] < 1


def test_the_range_is_over_seeds(experiment: ModuleType) -> None:
    text = experiment.in_words((4, 5), [{"t": {"figure": 0.25}}, {"t": {"figure": 0.125}}])
    assert "seeds [4, 5]" in text
    assert "| figure | 0.125 | 0.25 |" in text


def test_the_committed_results_have_every_table(experiment: ModuleType) -> None:
    committed = experiment.RESULTS.read_text(encoding="utf-8")
    for name in ("relevant items", "random items", "BM25", "oracle", "BM25 by segment", "BM25 in depth"):
        assert f"## {name}\n" in committed
