"""Ratings of movies as a feed: what people went through in a visit, and what they thought of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mlsd import checks, ragged
from mlsd.datasets.feed_source import FeedReader
from mlsd.datasets.moments import LATEST
from mlsd.datasets.movielens import MovieLens
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Floats, Ints, Judgements, Requests
from mlsd.worlds.feed_logs.base import FeedLogWorld, codes_of
from mlsd.worlds.feed_logs.visits import Visits
from mlsd.worlds.feed_logs.windows import SHARES

LIKED, DISLIKED = 4.0, 2.0
"""Ratings from which up a movie is liked, and down to which it is hidden."""

_NEUTRAL = 3.0
_READ_ANEW = FeedReader()


class MovieLensWorld(FeedLogWorld):
    """What people rated, visit by visit.

    **An item is a movie**, also one that nobody rated. **A request is a visit**: the ratings of one user, in
    order of time, until `gap_minutes` pass without one or the day (UTC) ends. It is made when the first of
    them is given. What was rated in a visit is taken to be what was shown in it, at positions in order of
    time; of equal times, in order of the catalog. Nothing of positions is known.

        click = 1,   like = rating >= 4,   hide = rating <= 2
        grade = max(rating - 3, 0),   which is relevant from 1 on, as is usual: rating >= 4

    The grade of a movie that a visit rates twice is of the later rating, of one that it does not rate 0.

    Windows are whole days, by shares of the ratings in order of time. Sessions are numbered within a user.
    The catalog has `title`, `topic` (code of the first genre, 0 for none), `year` (0 where unknown) and
    `published_days`, when each movie was there: the first of January of its year, or 0, when the log begins,
    where the year is unknown or the log has earlier ratings. The first rating would be nearer, but it would
    give away that somebody rates the movie just then.

    Args:
        path: folder of the log; see `mlsd.datasets.movielens`.
        shares: window -> its share of the ratings.
        gap_minutes: the longest pause within a visit, above 0.
        latest: a date as YYYY-MM-DD; later ratings are taken for mistakes.
        read: how the log is read; what was parsed once may be kept.
    """

    unit = "user"
    catalog_columns = frozenset({"title", "topic", "year", "published_days"})
    assumption = (
        "What a visit rated is all that it saw, and relevant is what it rated 4 or more: "
        "what it did not rate counts against whoever shows it."
    )

    def __init__(
        self,
        path: str,
        shares: Mapping[str, float] = SHARES,
        gap_minutes: float = 60.0,
        latest: str = LATEST,
        read: FeedReader = _READ_ANEW,
    ) -> None:
        super().__init__(path, MovieLens(Path(str(path)).expanduser(), latest), shares, read)
        self.gap_minutes = checks.above("gap_minutes", gap_minutes, 0)

    @property
    def max_grade(self) -> float:
        return 5 - _NEUTRAL

    @cached_property
    def catalog(self) -> Catalog:
        items = self._logged.items
        columns = {
            "title": items["title"],
            "topic": codes_of(items["genre"]),
            "year": items["year"],
            "published_days": np.where(self._is_dated, self._logged.published_days, 0.0),
        }
        return Catalog(items.item_id, columns)

    @property
    def notes(self) -> tuple[str, ...]:
        log, visits = self._logged, self._visits
        counted = {
            "movies were never rated and can still be shown.": log.n_events_of_items == 0,
            "movies count as there from day 0: their year is unknown or after a rating.": ~self._is_dated,
        }
        size = f"{len(log):,} ratings of {len(log.items):,} movies by {len(log.user_id):,} users"
        visit = f"{len(visits):,} visits without a pause of more than {self.gap_minutes:g} minutes"
        return (
            f"{log.name} has {size}, in {visit}.",
            self._note_on_windows("ratings"),
            self._note_on_users(),
            "Positions are the order of ratings, not of a page; nobody knows what was shown and not rated.",
            "Times are those of ratings, which people often give long after they saw a movie.",
            *(f"{np.count_nonzero(which):,} {what}" for what, which in counted.items() if which.any()),
            *log.left_out,
        )

    def requests(self) -> Requests:
        """Every visit once, in order of time."""
        visits = self._visits
        return Requests(np.arange(len(visits)), visits.user, visits.session, visits.time_days)

    def judgements(self, requests: Requests) -> Judgements:
        return self._judged.take(requests.request_id)

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        """`visit`: the first of its user in the log, or a later one."""
        return {"visit": np.where(requests.session == 0, "first", "later")}

    def log(self) -> Log:
        logged, visits, requests = self._logged, self._visits, self.requests()
        visit, rating = ragged.segment_ids(visits.offsets), self._rating
        impressions = pd.DataFrame(
            {
                "request_id": visit,
                "user": visits.user[visit],
                "time_days": logged.time_days[visits.rows],
                "item": logged.item[visits.rows],
                "position": ragged.positions(visits.offsets),
                "propensity": np.ones(len(visit)),
                "explored": np.zeros(len(visit), bool),
                "click": np.ones(len(visit), bool),
                "like": rating >= LIKED,
                "hide": rating <= DISLIKED,
                "rating": rating,
            }
        )
        return Log(requests, impressions, self._windows(requests.day))

    def _note_on_users(self) -> str:
        """How many of those who are tested nothing was learnt about."""
        requests = self.requests()
        tested = self._windows(requests.day) == "test"
        users = np.unique(requests.user[tested])
        n_new = len(np.setdiff1d(users, requests.user[~tested]))
        return f"{n_new:,} of the {len(users):,} users of the test window have no visit before it."

    @cached_property
    def _visits(self) -> Visits:
        return Visits.of(self._logged, self.gap_minutes)

    @property
    def _rating(self) -> Floats:
        """(n_events,) ratings, visit by visit."""
        return self._logged.actions["rating"][self._visits.rows]

    @cached_property
    def _judged(self) -> Judgements:
        """What every visit liked."""
        visits = self._visits
        visit, item = ragged.segment_ids(visits.offsets), self._logged.item[visits.rows]
        order = np.lexsort((np.arange(len(item)), item, visit))
        again = (np.diff(visit[order]) == 0) & (np.diff(item[order]) == 0)
        last = order[np.append(~again, True)]
        grade = np.maximum(self._rating[last] - _NEUTRAL, 0.0)
        liked: Ints = last[grade > 0]
        offsets = np.searchsorted(visit[liked], np.arange(len(visits) + 1))
        return Judgements(offsets, item[liked], grade[grade > 0])

    @cached_property
    def _is_dated(self) -> Array:
        """(n_items,) whether the year says when a movie was there, and no rating contradicts it."""
        return self._logged.published_days <= self._logged.first_days()
