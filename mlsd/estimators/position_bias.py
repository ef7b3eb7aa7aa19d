"""How much less each position is looked at than the first, from slates that were shuffled.

Where the order of a slate is random, every position holds items of the same expected relevance, so that
the ratio of click rates is the ratio of examination (Joachims, Swaminathan and Schnabel, WSDM 2017, 5.1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from mlsd.errors import InputError
from mlsd.logs import Log
from mlsd.types import Floats, Ints

Z_95 = 1.959963984540054


class PositionBias(NamedTuple):
    """Examination relative to the first position."""

    relative: Floats
    """(n_positions,) P(examined at position) / P(examined at position 0): 1 first, above 0, not rising."""

    low: Floats
    """(n_positions,) lower end of a 95% interval of the ratio of click rates, before it is made monotone."""

    high: Floats
    """(n_positions,) upper end."""

    n_requests: int
    """Shuffled slates it was estimated from."""

    n_clicks: Ints
    """(n_positions,) clicks on them."""


def shuffled_clicks(log: Log, action: str = "click") -> PositionBias:
    """Estimate examination from the shuffled slice of the log's training windows.

        rate_k = (clicks_k + 1/2) / (slates + 1),    relative_k = rate_k / rate_0, made monotone

    with Jeffreys' half click, so that a position without clicks keeps a finite weight, and by isotonic
    regression weighted by slates (pool adjacent violators). Slates that do not fill all positions are left
    out: a query with few results would mix its difficulty into the first positions only. Intervals are those
    of the log ratio by the delta method, with users as the independent units.

    Args:
        log: of which the windows `retrieval` and `ranking` are read.
        action: the column of the impressions that says whether the item was clicked.

    Raises:
        InputError: the training windows have no full shuffled slate, or a position is never in one.
    """
    n_positions = 1 + int(log.impressions["position"].to_numpy().max(initial=0))
    slates = _full_shuffled(log.until("ranking"), n_positions, action)
    users, user = np.unique(slates.user, return_inverse=True)
    clicks = _by_user(user, slates.clicks.astype(np.float64), len(users))
    rates = (clicks.sum(axis=0) + 0.5) / (len(slates.user) + 1.0)
    ratio = rates / rates[0]
    spread = np.exp(Z_95 * _log_ratio_error(clicks))
    return PositionBias(
        _monotone(ratio),
        ratio / spread,
        ratio * spread,
        len(slates.user),
        slates.clicks.sum(axis=0, dtype=np.int64),
    )


class _Slates(NamedTuple):
    user: Ints
    clicks: NDArray[np.bool_]


def _full_shuffled(log: Log, n_positions: int, action: str) -> _Slates:
    """User and (n_slates, n_positions) clicks of the shuffled slates without an empty position."""
    impressions = log.impressions
    if action not in impressions.columns:
        raise InputError(f"the log has no action {action!r}; there are {', '.join(impressions.columns)}")
    rows = log.request_rows
    explored = impressions["explored"].to_numpy(bool)
    full = np.bincount(rows[explored], minlength=len(log.requests)) == n_positions
    if not full.any():
        raise InputError(
            f"position bias cannot be estimated: none of the {len(log.requests)} requests of the training "
            f"windows has a shuffled slate that fills all {n_positions} positions; raise the share of "
            "exploration of the logging policy or the number of requests"
        )
    kept = explored & full[rows]
    clicked = (impressions[action].to_numpy() > 0)[kept].reshape(-1, n_positions)
    return _Slates(log.requests.user[full], clicked)


def _by_user(user: Ints, values: Floats, n_users: int) -> Floats:
    """(n_users, n_columns) sums of the rows of each user."""
    return np.stack([np.bincount(user, column, n_users) for column in values.T], axis=1)


def _log_ratio_error(clicks: Floats) -> Floats:
    """(n_positions,) standard error of log(clicks_k / clicks_0), by the delta method over users."""
    totals = clicks.sum(axis=0) + 0.5
    influence = clicks / totals - clicks[:, :1] / totals[0]
    n = len(clicks)
    error = np.sqrt(np.square(influence).sum(axis=0) * n / max(n - 1, 1))
    unclicked = totals == 0.5
    return np.asarray(np.where(unclicked, np.sqrt(1 / 0.5 + 1 / totals[0]), error))


def _monotone(ratio: Floats) -> Floats:
    """The nearest sequence that does not rise, relative to its first."""
    fitted = np.asarray(isotonic_regression(ratio, increasing=False).x)
    return np.asarray(fitted / fitted[0])
