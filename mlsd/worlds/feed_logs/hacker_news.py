"""Posts of Hacker News as a feed: the page of a day, and what became of its posts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mlsd import checks, ragged
from mlsd.datasets.feed_source import FeedReader
from mlsd.datasets.hacker_news import HackerNews
from mlsd.datasets.moments import LATEST
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Columns, Ints, Judgements, Requests
from mlsd.worlds.feed_logs.base import FeedLogWorld, codes_of
from mlsd.worlds.feed_logs.windows import SHARES

_DAY_MINUTES = 1440
_MAX_GRADE = 4.0
_READ_ANEW = FeedReader()


class HackerNewsWorld(FeedLogWorld):
    """What was submitted, day by day.

    **An item is a post.** **A request is a page**: all posts of one day, which are its only candidates:
    `n_items` items from `first_item` on, in order of time. It is made in the last minute of its day, when
    they are all there. No reader is known: a page is a unit of its own, and what became of a post is its
    points and comments, which are taken to be known from the next day on.

        like  = points >= like_points,   reply = comments >= reply_comments
        grade = min(max(1 + log2(points / like_points), 0), 4),   which is relevant from 1 on: what is liked

    Windows are whole days, by shares of the posts in order of time. The catalog has `title`, `text` (the
    title again: posts are links), `domain` and `author` as codes (`domain` 0 for a post without an address),
    `hour` (0 to 23) and `weekday` (0 is Monday) of submission, and `published_days`.

    Args:
        path: folder of the log; see `mlsd.datasets.hacker_news`.
        like_points: points from which a post is liked, above 0.
        reply_comments: comments from which a post is replied to, above 0.
        shares: window -> its share of the posts.
        latest: a date as YYYY-MM-DD; later posts are taken for mistakes.
        read: how the log is read; what was parsed once may be kept.
    """

    unit = "day"
    catalog_columns = frozenset({"title", "text", "domain", "author", "hour", "weekday", "published_days"})
    assumption = (
        "Relevance is how many points a post had in the end, whoever gave them and wherever it stood; "
        "posts of a day compete with each other alone."
    )

    def __init__(
        self,
        path: str,
        like_points: float,
        reply_comments: float,
        shares: Mapping[str, float] = SHARES,
        latest: str = LATEST,
        read: FeedReader = _READ_ANEW,
    ) -> None:
        super().__init__(path, HackerNews(Path(str(path)).expanduser(), latest), shares, read)
        self.like_points = checks.above("like_points", like_points, 0)
        self.reply_comments = checks.above("reply_comments", reply_comments, 0)

    @property
    def max_grade(self) -> float:
        return _MAX_GRADE

    @cached_property
    def catalog(self) -> Catalog:
        log = self._logged
        minute = np.rint(log.published_days * _DAY_MINUTES).astype(np.int64)
        monday = int(np.datetime64(log.start).astype(np.int64)) + 3
        columns = {
            "title": log.items["title"],
            "text": log.items["title"],
            "domain": codes_of(log.items["domain"]),
            "author": codes_of(log.items["author"]),
            "hour": minute % _DAY_MINUTES // 60,
            "weekday": (monday + minute // _DAY_MINUTES) % 7,
            "published_days": log.published_days,
        }
        return Catalog(log.items.item_id, columns)

    @property
    def notes(self) -> tuple[str, ...]:
        log, ended = self._logged, self._ended
        liked, replied = ended["points"] >= self.like_points, ended["comments"] >= self.reply_comments
        size = f"{len(log):,} posts of {len(log.user_id):,} authors on {len(self._pages):,} days"
        declared = f"{self.like_points:g} points or more, a reply {self.reply_comments:g} comments or more"
        least = f"at least {ended['points'].min():.0f} points and {ended['comments'].min():.0f} comments"
        return (
            f"{log.name} has {size}.",
            self._note_on_windows("posts"),
            f"A like is {declared}, as declared: {liked.mean():.1%} and {replied.mean():.1%} of the posts.",
            f"Each has {least}: if these are popular ones, selected, figures are about telling them apart.",
            "Nobody knows who read a post or at which position: positions are the order of submission.",
            "Points and comments are final, and taken to be known from the day after a post on.",
            *log.left_out,
        )

    def requests(self) -> Requests:
        """The page of every day that has posts, in order of time."""
        first = self._pages
        day = self._day[first]
        n_pages, n_items = len(first), np.diff(first, append=len(self._day))
        return Requests(
            np.arange(n_pages),
            np.arange(n_pages),
            np.zeros(n_pages, np.int64),
            (day * _DAY_MINUTES + _DAY_MINUTES - 1) / _DAY_MINUTES,
            {"first_item": first, "n_items": n_items},
        )

    def judgements(self, requests: Requests) -> Judgements:
        with np.errstate(divide="ignore"):
            grade = 1 + np.log2(self._ended["points"] / self.like_points)
        grade = np.clip(grade, 0.0, _MAX_GRADE)
        items = np.flatnonzero(grade > 0)
        offsets = np.searchsorted(items, np.append(self._pages, len(grade)))
        return Judgements(offsets, items, grade[items]).take(requests.request_id)

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        """`week`: whether the page is of a working day or of a weekend."""
        weekday = self.catalog["weekday"][self._pages][requests.request_id]
        return {"week": np.where(weekday >= 5, "weekend", "working day")}

    def log(self) -> Log:
        requests, ended = self.requests(), self._ended
        offsets = np.append(self._pages, len(self._day))
        page = ragged.segment_ids(offsets)
        impressions = pd.DataFrame(
            {
                "request_id": page,
                "user": requests.user[page],
                "time_days": requests.time_days[page],
                "item": np.arange(len(page)),
                "position": ragged.positions(offsets),
                "propensity": np.ones(len(page)),
                "explored": np.zeros(len(page), bool),
                "like": ended["points"] >= self.like_points,
                "reply": ended["comments"] >= self.reply_comments,
                **ended,
            }
        )
        return Log(requests, impressions, self._windows(requests.day))

    @cached_property
    def _ended(self) -> Columns:
        """`points` and `comments` of every item, (n_items,) each."""
        event = np.argsort(self._logged.item)
        return {name: column[event] for name, column in self._logged.actions.items()}

    @cached_property
    def _day(self) -> Ints:
        """(n_items,) the day of each item, ascending."""
        return np.floor(self._logged.published_days).astype(np.int64)

    @cached_property
    def _pages(self) -> Ints:
        """(n_pages,) the first item of each page."""
        return np.flatnonzero(np.diff(self._day, prepend=-1))
