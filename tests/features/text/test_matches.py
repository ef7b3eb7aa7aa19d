from __future__ import annotations

import numpy as np

from mlsd.features.text.matches import Matches, TextIndex
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()


def test_equal_queries_are_analysed_once() -> None:
    index = TextIndex()
    index.fit(SMALL.catalog, SMALL.log)
    batch = SMALL.candidates(SMALL.requests)
    matches = Matches.of(batch, index.index)
    assert len(matches.queries) == len(set(SMALL.requests["query"].tolist()))
    terms = index.index.vocabulary.terms[matches.pairs.term]
    first = terms[: matches.pairs.offsets[1]].tolist()
    assert first == sorted(SMALL.requests["query"][0].split())
    assert np.array_equal(matches.pairs.postings.tf > 0, matches.pairs.tf("all") > 0)
