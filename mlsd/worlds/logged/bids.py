"""What advertisers of a log are taken to bid: logs of clicks say nothing of money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlsd import checks, rng
from mlsd.datasets.ctr import Categorical, CtrLog
from mlsd.types import Array, Floats

_STREAM = "bids"


@dataclass(frozen=True, kw_only=True)
class LogNormalBids:
    """Bids for a click that are declared, not observed: log-normal, and independent of everything else.

        bid = median * exp(sigma * z),    z ~ N(0, 1), one draw for each bidder

    Args:
        median: in money, above 0.
        sigma: standard deviation of the logarithm, at least 0; 0 makes all bids equal.
        by: the categorical column whose categories are the bidders; empty where each row bids for itself.
            Categories that training never saw bid as one.
        seed: of the draws.

    Source: log-normal values of a click, Ostrovsky and Schwarz (EC 2011).

    Raises:
        InvalidValueError: the log has no such column, when it is asked for its bids.
    """

    median: float = 0.6
    sigma: float = 0.5
    by: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        checks.above("median", self.median, 0)
        checks.at_least("sigma", self.sigma, 0)

    def of(self, log: CtrLog) -> Floats:
        """(n,) the bid of each row of a log."""
        if self.by:
            checks.one_of("bids.by", self.by, list(log.categorical))
        bidder = _names(log.categorical[self.by]) if self.by else np.arange(len(log))
        return np.asarray(self.median * np.exp(self.sigma * rng.normal(self.seed, _STREAM, bidder)))


def _names(column: Categorical) -> Array:
    """(n,) a number for each category that depends on its text alone, or on its bucket."""
    if column.n_buckets:
        return column.codes
    hashed = pd.util.hash_array(column.vocabulary.astype(object), categorize=False)
    return np.append(np.uint64(0), hashed)[column.codes]
