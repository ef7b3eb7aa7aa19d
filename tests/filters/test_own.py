from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.filters.own import Own
from mlsd.testing.filter_kit import FEED, FilterKit


class TestOwn(FilterKit):
    def make(self) -> Own:
        return Own("author")


def test_what_users_made_is_left_out_and_nothing_else() -> None:
    batch, own = FEED.candidates(FEED.asked), Own()
    own.fit(FEED.catalog, None)
    author = FEED.catalog["author"].tolist()
    pairs = zip(batch.per_candidate("request.user").tolist(), batch.candidates.items.tolist(), strict=True)
    assert own.kept(batch).tolist() == [author[item] != user for user, item in pairs]


def test_what_nobody_made_is_kept() -> None:
    nobody = replace(FEED.catalog, columns={"author": np.full(len(FEED.catalog), -1)})
    own = Own()
    own.fit(nobody, None)
    assert own.kept(FEED.candidates(FEED.asked)).all()


def test_names_are_no_numbers() -> None:
    named = replace(FEED.catalog, columns={"author": np.full(len(FEED.catalog), 0.5)})
    with pytest.raises(InputError, match=r"item\.author is float64, must be of integers"):
        Own().fit(named, None)
