"""A log of clicks as a world: its rows are what can be shown, and its clicks are what is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mlsd import checks, ragged
from mlsd.datasets.ctr import CtrLog
from mlsd.datasets.ctr_source import CtrSource, Reader
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Columns, Floats, Judgements, Requests, Slates, State
from mlsd.worlds.base import RecordedWorld
from mlsd.worlds.logged.bids import LogNormalBids
from mlsd.worlds.logged.pages import PAGE_BY, PageBy, Pages

_ANEW = Reader()


class LoggedWorld(RecordedWorld):
    """Impressions that somebody logged, with whether they were clicked.

    **An item is a row of the log**: an ad together with all that was known when it was shown. The catalog has
    the log's columns, categories as codes, and `bid` for a click, which is declared. **A request is a page**
    on which up to `page_rows` rows of one split compete. They are its only candidates: `n_items` items from
    `first_item` on. Clicks are taken to be what they would be in any order. The grade of a row is what its
    click brings in, its bid; of one that was not clicked, 0.

    Published splits are kept: `train` is the ranking window.

    Args:
        path: folder of the log.
        source: makes the reader when called with `folder`.
        bids: what is bid for a click on each row.
        page_rows: rows that compete for a page, at most; the last page of a split or user may have fewer.
        page_by: whether rows that follow each other compete, or rows of one user that do.
        read: how the log is read; what was parsed once may be kept.
    """

    assumption = (
        "Relevance is what was clicked where the log shows it, and worth what is bid; bids are declared."
    )

    def __init__(
        self,
        path: str,
        source: Callable[..., CtrSource],
        bids: LogNormalBids,
        page_rows: int = 40,
        page_by: PageBy = "order",
        read: Reader = _ANEW,
    ) -> None:
        self.source = source(folder=Path(str(path)).expanduser())
        problem = self.source.missing_files()
        checks.require(not problem, "path", path, f"must be the folder of a log of clicks: {problem}")
        self.bids = bids
        self.page_rows = checks.at_least("page_rows", page_rows, 1)
        self.page_by: PageBy = checks.one_of("page_by", page_by, PAGE_BY)
        self._read = read

    @property
    def unit(self) -> str:  # type: ignore[override]
        """Users where pages are theirs; else pages themselves."""
        return "user" if self.page_by == "user" else "page"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.source.name

    @property
    def fingerprint(self) -> str:
        return f"{self._logged.name} {self._logged.fingerprint}"

    @property
    def max_grade(self) -> float:
        return float(self._bid.max())

    @property
    def relevant_grade(self) -> float:  # type: ignore[override]
        """The lowest bid: every click is relevant."""
        return float(self._bid.min())

    @property
    def notes(self) -> tuple[str, ...]:
        log, bids = self._logged, self.bids
        n_columns = len(log.dense) + len(log.categorical)
        together = "of one user" if self.page_by == "user" else "as they follow each other in the log"
        bidder = f"category of {bids.by}" if bids.by else "row"
        size = f"{len(log):,} impressions of {n_columns} columns, {log.label.mean():.2%} clicked"
        law = f"log-normal with median {bids.median:g} and sigma {bids.sigma:g}"
        return (
            f"{log.name} has {size}.",
            f"Up to {self.page_rows} of them compete for each of {len(self._pages):,} pages, {together}.",
            f"Bids are declared, not observed: {law}, one for each {bidder}.",
            "Only what was shown can be judged; clicks are taken to be the same in any order.",
        )

    @cached_property
    def catalog(self) -> Catalog:
        log, rows = self._logged, self._pages.rows
        columns: dict[str, Array] = {name: column.codes[rows] for name, column in log.categorical.items()}
        columns |= {name: column[rows] for name, column in log.dense.items()}
        offers = {"bid": self._bid, "per_action": np.zeros(len(rows), bool)}
        return Catalog(rows.astype(str).astype(object), {**columns, **offers})

    def requests(self) -> Requests:
        """Every page once, in the order of the log."""
        offsets, n_pages = self._pages.offsets, len(self._pages)
        place, first = np.arange(n_pages), self._pages.rows[offsets[:-1]]
        user, time = self._logged.user, self._logged.time_days
        return Requests(
            place,
            user[first] if user is not None and self.page_by == "user" else place,
            np.zeros(n_pages, np.int64),
            np.zeros(n_pages) if time is None else time[first],
            {"first_item": offsets[:-1], "n_items": np.diff(offsets)},
        )

    def judgements(self, requests: Requests) -> Judgements:
        clicked = np.flatnonzero(self._clicked)
        offsets = np.searchsorted(clicked, self._pages.offsets)
        return Judgements(offsets, clicked, self._bid[clicked]).take(requests.request_id)

    def first_state(self) -> State:
        """Nothing: nobody is asked."""
        return {}

    def action_probs(self, requests: Requests, slates: Slates, state: State) -> Columns:
        """1 where what is shown was clicked in the log, else 0: of what it estimates, without bias."""
        del requests, state
        return {"click": (slates.shown & self._clicked[slates.items]).astype(np.float64)}

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        """None: what a column of the log means is not known."""
        del requests
        return {}

    def log(self) -> Log:
        pages, requests = self._pages, self.requests()
        page = ragged.segment_ids(pages.offsets)
        n = len(pages.rows)
        propensity = self._of_rows(self._logged.propensity)
        position = self._of_rows(self._logged.position)
        impressions = pd.DataFrame(
            {
                "request_id": page,
                "user": requests.user[page],
                "time_days": requests.time_days[page],
                "item": np.arange(n),
                "position": np.zeros(n, np.int64) if position is None else position,
                "propensity": np.ones(n) if propensity is None else propensity,
                "explored": np.zeros(n, bool),
                "click": self._clicked,
            }
        )
        ordered = impressions.sort_values(["request_id", "position"], kind="stable", ignore_index=True)
        return Log(requests, ordered, pages.window)

    @cached_property
    def _logged(self) -> CtrLog:
        return self._read(self.source)

    @cached_property
    def _pages(self) -> Pages:
        return Pages.of(self._logged, self.page_rows, self.page_by)

    @cached_property
    def _bid(self) -> Floats:
        """(n_items,) what is bid for a click."""
        return self.bids.of(self._logged)[self._pages.rows]

    @property
    def _clicked(self) -> Array:
        """(n_items,) bool."""
        return self._logged.label[self._pages.rows] > 0

    def _of_rows(self, column: Array | None) -> Array | None:
        return None if column is None else column[self._pages.rows]
