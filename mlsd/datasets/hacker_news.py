"""Posts of Hacker News, as Kaggle had them: comma-separated lines with a header.

    id,title,url,num_points,num_comments,author,created_at
    71,"Tides, explained",https://example.org/tides,386,52,moon,8/4/2016 11:52

The file is `hacker_news.csv`, or `HN_posts_year_to_Sep_26_2016.csv`. Times have no zone and are taken as
they are.
Source: Hacker News Posts (Kaggle, 2016).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pyarrow import compute

from mlsd.datasets.base import SourceFile
from mlsd.datasets.feed_source import Events, FeedSource, counted_once, numbered, one_of_places, require_ids
from mlsd.datasets.moments import written_seconds
from mlsd.datasets.tables import Factor, Table, read_named
from mlsd.types import Array, Catalog, Floats

PLACES = ("hacker_news.csv", "HN_posts_year_to_Sep_26_2016.csv")
COLUMNS = ("id", "title", "url", "num_points", "num_comments", "author", "created_at")

_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?i:www\.)?(?P<host>[^/?#:@]+)"


@dataclass(frozen=True)
class HackerNews(FeedSource):
    """Posts, each an event of its author: the actions `points` and `comments`, whole numbers from 0.

    Items are the posts in order of time, then of id, with `title`, `domain` (the host of the address without
    "www.", in lower case; "" for a post without an address) and `author`. Nobody who read or voted is known:
    what became of a post are its points and comments. A post that is there again is counted once; with
    anything else under the same id it is an error.
    """

    format: ClassVar[str] = "hacker_news"

    def places(self) -> dict[str, str]:
        return {"posts": one_of_places(self.folder, PLACES, "posts")}

    def parse(self, files: Mapping[str, SourceFile]) -> Events:
        table = read_named(files["posts"], ",", COLUMNS, quoted=True)
        require_ids(table, "id", "author")
        points, comments = (_counts(table, name) for name in ("num_points", "num_comments"))
        seconds = written_seconds(table, "created_at", self.latest)
        number, ids = numbered(table.columns["id"])
        others = [table.columns[name].codes for name in ("title", "url", "author")]
        kept = counted_once(table, (number,), (*others, points, comments, seconds), "a post has one line")
        rows = np.flatnonzero(kept)
        rows = rows[np.lexsort((number[rows], seconds[rows]))]
        domain = _domains(table.columns["url"].take(rows))
        author = table.columns["author"].take(rows)
        columns = {
            "title": _text(table.columns["title"].take(rows)),
            "domain": domain,
            "author": _text(author),
        }
        return Events(
            items=Catalog(ids[number[rows]], columns),
            published=seconds[rows],
            user=author,
            item=np.arange(len(rows)),
            seconds=seconds[rows],
            actions={"points": points[rows], "comments": comments[rows]},
            left_out=_left_out(table, len(rows)),
        )


def _counts(table: Table, name: str) -> Floats:
    rule = "must be a whole number from 0"
    return table.numbers(name, rule, lambda counts: np.asarray((counts >= 0) & (counts == np.floor(counts))))


def _text(column: Factor) -> Array:
    return np.asarray(column.values[column.codes])


def _domains(url: Factor) -> Array:
    """(n,) the host of each address; "" where there is none."""
    found = compute.extract_regex(pa.array(url.values, pa.string()), _HOST)
    host = compute.utf8_lower(compute.fill_null(compute.struct_field(found, "host"), ""))
    return np.asarray(host.to_numpy(zero_copy_only=False)[url.codes])


def _left_out(table: Table, n_posts: int) -> tuple[str, ...]:
    url = table.columns["url"]
    n_again = len(table) - n_posts
    n_odd = int(np.count_nonzero((_domains(url) == "") & (_text(url) != "")))
    counted = {
        "posts that stand there again were counted once.": n_again,
        "addresses without a host count as none.": n_odd,
    }
    return (*(f"{n} {what}" for what, n in counted.items() if n), "Of addresses only the host is read.")
