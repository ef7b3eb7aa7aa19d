from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.filters.related import Related
from mlsd.relations import Relation
from mlsd.testing.filter_kit import FEED, FilterKit


class TestRelated(FilterKit):
    def make(self) -> Related:
        return Related("blocks", "author")


def fitted(relation: Relation) -> Related:
    one = Related("blocks", "author")
    one.fit(replace(FEED.catalog, relations={"blocks": relation}), None)
    return one


def test_blocked_authors_are_left_out_from_the_next_hour_on() -> None:
    """Row by row against the relation."""
    blocks, author = FEED.catalog.relation("blocks"), FEED.catalog["author"].tolist()
    since = {
        (int(user), int(value)): float(time)
        for user, value, time in zip(blocks.user, blocks.value, blocks.since_days, strict=True)
    }
    batch = FEED.candidates(FEED.asked)
    rows = zip(
        batch.per_candidate("request.user").tolist(),
        batch.candidates.items.tolist(),
        batch.requests.hour[batch.candidates.request_rows].tolist(),
        strict=True,
    )
    kept = [not since.get((user, author[item]), np.inf) < hour / 24 for user, item, hour in rows]
    one = Related("blocks", "author")
    one.fit(FEED.catalog, FEED.log)
    assert one.kept(batch).tolist() == kept
    late = [time for time in since.values() if np.isfinite(time)]
    assert len(late) > 5


def test_everything_may_be_blocked_and_nothing() -> None:
    users, authors = (part.ravel() for part in np.meshgrid(np.arange(13), np.arange(9)))
    batch = FEED.candidates(FEED.asked)
    assert not fitted(Relation.of(users, authors)).kept(batch).any()
    none = np.zeros(0, np.int64)
    assert fitted(Relation.of(none, none)).kept(batch).all()


def test_an_unknown_author_is_nobody_that_was_blocked() -> None:
    """User 3 blocks authors 0 to 8; -1 is not the last author of the user before."""
    one = Related("blocks", "author")
    unknown = replace(
        FEED.catalog,
        columns={"author": np.full(len(FEED.catalog), -1)},
        relations={"blocks": Relation.of(np.full(9, 3), np.arange(9))},
    )
    one.fit(unknown, None)
    assert one.kept(FEED.candidates(FEED.asked)).all()


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(
        InputError, match=r"no relation 'block'; there are follows, blocks; nearest is 'blocks'"
    ):
        Related("block", "author").fit(FEED.catalog, None)
    with pytest.raises(InputError, match=r"no column item.auther; there are author, "):
        Related("blocks", "auther").fit(FEED.catalog, None)
