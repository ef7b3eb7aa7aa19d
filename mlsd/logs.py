"""The log: requests that were served, and one row for every item shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd import checks
from mlsd.errors import InputError, nearest
from mlsd.types import NO_ITEM, Array, Floats, Ints, Requests, Served, Slates

IMPRESSION_COLUMNS = ("request_id", "user", "time_days", "item", "position", "propensity", "explored")
"""Columns of every log; the world's actions (`click`, `dwell_s`, ...) follow.

`propensity` is P(item at this position | the positions before it, the logging policy), in (0, 1];
`explored` says whether the slate belongs to the shuffled slice.
"""

SPLITS = ("retrieval", "ranking", "validation", "test")
"""What a request's day serves for, in order of time. Retrievers learn from the first, earlier window, so
that their scores are honest features for the rankers, which learn from the second."""

JUDGED_COLUMNS = ("request_id", "item", "grade")
"""Columns of what raters said about requests of the windows before the test."""

ANNOTATION_COLUMNS = ("request_id", "name", "value")
"""Columns of what annotators said about requests themselves: `name` is what was asked, such as `intent`, and
`value` the answer, as text; whole numbers, such as those of categories, in decimal."""


@dataclass(frozen=True)
class Log:
    """What the pre-existing system showed and what users did.

    Args:
        requests: with ascending `request_id`.
        impressions: one row per item shown, sorted by request and position.
        split: (n_requests,) the name in `SPLITS` of each request's window.
        judged: one row per (request, item) pair that raters graded, sorted by both; never of the test
            window, whose grades are for evaluation alone. None where nobody graded anything.
        annotations: one row per answer of an annotator about a request, see `ANNOTATION_COLUMNS`; never of
            the test window. None where nobody annotated anything.
    """

    requests: Requests
    impressions: pd.DataFrame
    split: Array
    judged: pd.DataFrame | None = None
    annotations: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        missing = [name for name in IMPRESSION_COLUMNS if name not in self.impressions.columns]
        if missing:
            raise InputError(f"the log lacks the columns {', '.join(missing)}")
        if np.any(np.diff(self.requests.request_id) <= 0):
            raise InputError("request_id of a log must ascend without repeats")
        self._check_said("judged", self.judged, JUDGED_COLUMNS)
        self._check_said("annotated", self.annotations, ANNOTATION_COLUMNS)

    def _check_said(self, what: str, table: pd.DataFrame | None, columns: tuple[str, ...]) -> None:
        """What people said belongs to requests of the windows before the test."""
        if table is None:
            return
        missing = [name for name in columns if name not in table.columns]
        if missing:
            raise InputError(f"what is {what} lacks the columns {', '.join(missing)}")
        n_strange = int(np.count_nonzero(~table["request_id"].isin(self.requests.request_id)))
        if n_strange:
            raise InputError(f"{n_strange} {what} rows belong to requests that the log does not have")
        n_test = int(np.count_nonzero(self.split[self._rows_of(table)] == "test"))
        if n_test:
            raise InputError(f"{n_test} {what} rows belong to the test window, which nothing may learn from")

    @property
    def request_rows(self) -> Ints:
        """(n_impressions,) the row of the request of each impression."""
        return self._rows_of(self.impressions)

    def _rows_of(self, table: pd.DataFrame) -> Ints:
        sought = table["request_id"].to_numpy()
        return np.searchsorted(self.requests.request_id, sought).astype(np.int64)

    def window(self, *splits: str) -> Log:
        """The part of the log in these splits."""
        kept = np.isin(self.split, splits)
        impressions = self.impressions[kept[self.request_rows]].reset_index(drop=True)
        said = (self._kept(kept, table) for table in (self.judged, self.annotations))
        return Log(self.requests.take(kept), impressions, self.split[kept], *said)

    def _kept(self, kept: Array, table: pd.DataFrame | None) -> pd.DataFrame | None:
        """The rows of a table that belong to the kept requests."""
        return None if table is None else table[kept[self._rows_of(table)]].reset_index(drop=True)

    def until(self, split: str) -> Log:
        """The part of the log up to and with `split`."""
        return self.window(*SPLITS[: SPLITS.index(split) + 1])


def impressions_of(served: Served) -> pd.DataFrame:
    """One row per item shown, sorted by request and position.

    Slates without the columns `propensity` and `explored` were shown for certain.
    """
    requests, slates = served.requests, served.slates
    rows, positions = np.nonzero(slates.shown)
    certain = np.ones(slates.items.shape)
    return pd.DataFrame(
        {
            "request_id": requests.request_id[rows],
            "user": requests.user[rows],
            "time_days": requests.time_days[rows],
            "item": slates.items[rows, positions],
            "position": positions,
            "propensity": slates.columns.get("propensity", certain)[rows, positions],
            "explored": slates.columns.get("explored", certain < 0)[rows, positions],
            **{action: values[rows, positions] for action, values in served.feedback.items()},
        }
    )


def served_of(log: Log) -> Served:
    """The requests of a log with their slates and feedback, as `impressions_of` had them.

    Example:
        >>> requests = Requests(np.array([3, 5]), np.zeros(2, int), np.zeros(2, int), np.array([0.5, 0.6]))
        >>> slates, feedback = Slates(np.array([[7, 8], [9, -1]])), {"click": np.array([[0, 1], [1, 0]])}
        >>> rows = impressions_of(Served(requests, slates, feedback))
        >>> again = served_of(Log(requests, rows, np.array(["test", "test"])))
        >>> again.slates.items.tolist(), again.feedback["click"].tolist()
        ([[7, 8], [9, -1]], [[0, 1], [1, 0]])
    """
    shown, rows = log.impressions, log.request_rows
    position = shown["position"].to_numpy()
    shape = len(log.requests), 1 + int(position.max(initial=-1))
    items = np.full(shape, NO_ITEM)
    items[rows, position] = shown["item"].to_numpy()
    feedback = {}
    for action in [str(name) for name in shown.columns if name not in IMPRESSION_COLUMNS]:
        done = shown[action].to_numpy()
        feedback[action] = np.zeros(shape, done.dtype)
        feedback[action][rows, position] = done
    return Served(log.requests, Slates(items), feedback)


def done_places(served: Served, action: str, at_least: float = 0.0) -> tuple[Ints, Ints]:
    """Rows and positions of the items with which users did something.

    Args:
        served: what users were shown and did.
        action: what they did, such as `follow`.
        at_least: it counts where its value is above 0 and not below this.

    Raises:
        InputError: users of this world have no such action.
    """
    if action not in served.feedback:
        raise InputError(f"no action {action!r}; users have {_known(action, served.feedback)}")
    done = served.feedback[action]
    rows, positions = np.nonzero((done > 0) & (done >= at_least) & served.slates.shown)
    return rows, positions


def acted(impressions: pd.DataFrame, action: str, at_least: float) -> NDArray[np.bool_]:
    """(n_impressions,) whether users did something with what they were shown.

    Args:
        impressions: of a log.
        action: column of what they did, such as `click` or `dwell_s`.
        at_least: it counts where its value is not below this.

    Raises:
        InputError: there is no such column, or a value in it is unknown.
    """
    if action not in impressions.columns:
        named = [str(name) for name in impressions.columns]
        close = nearest(action, named)
        hint = f"; nearest is {close!r}" if close else ""
        raise InputError(f"the log's impressions have no column {action!r}{hint}")
    values = impressions[action].to_numpy()
    if values.dtype.kind == "f":
        checks.every_row(f"impressions.{action}", values, ~np.isnan(values), "known")
    return np.asarray(values >= at_least)


def _known(name: str, choices: Iterable[str]) -> str:
    """What there is, and which of it is most like a name."""
    there = list(choices)
    close = nearest(name, there)
    return ", ".join(there or ["none"]) + (f"; nearest is {close!r}" if close else "")


def split_by_time(time_days: Floats, n_days: int, shares: Mapping[str, float]) -> Array:
    """(n_requests,) split names: a log's `n_days` cut, in order, into windows of these shares.

    Example:
        >>> split_by_time(np.arange(4.0), 4, {"retrieval": 0.5, "ranking": 0.25, "test": 0.25}).tolist()
        ['retrieval', 'retrieval', 'ranking', 'test']
    """
    ends = np.round(np.cumsum(list(shares.values())) / sum(shares.values()) * n_days)
    return np.array(list(shares))[np.searchsorted(ends, np.floor(time_days), side="right")]
