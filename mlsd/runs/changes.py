"""Where the funnel fares better or worse than the pre-existing system, request by request."""

from __future__ import annotations

import pandas as pd

from mlsd.report.parts import Changed, Changes
from mlsd.types import Array

N_SHOWN = 5
"""Queries that gain most, and as many that lose most."""

_COLUMNS = ["n_requests", "before", "after"]


def changes_of(before: Array, after: Array, query: Array | None) -> Changes:
    """How many requests changed, and the queries that changed most.

    Args:
        before: (n_requests,) the deciding metric of the pre-existing system, NaN where it says nothing.
        after: (n_requests,) of the funnel.
        query: (n_requests,) the text of each; None where requests have none.

    Example:
        >>> import numpy as np
        >>> before, after = np.array([0.5, 0.2, 0.9]), np.array([0.7, 0.2, 0.1])
        >>> found = changes_of(before, after, np.array(["a", "b", "c"]))
        >>> found.n_better, found.n_worse, found.n_same, found.losses[0].query
        (1, 1, 1, 'c')
    """
    table = pd.DataFrame({"before": before, "after": after})
    table["query"] = "" if query is None else query
    table = table.dropna(subset=["before", "after"])
    difference = table["after"] - table["before"]
    counts = (int((difference > 0).sum()), int((difference < 0).sum()), int((difference == 0).sum()))
    if query is None:
        return Changes(*counts)
    by_query = table.groupby("query").agg(
        n_requests=("before", "size"), before=("before", "mean"), after=("after", "mean")
    )
    gain = by_query["after"] - by_query["before"]
    return Changes(*counts, _largest(by_query, gain), _largest(by_query, -gain))


def _largest(by_query: pd.DataFrame, size: pd.Series[float]) -> tuple[Changed, ...]:
    """The queries with the largest sizes above 0; ties by text."""
    above = size[size > 0].sort_index().sort_values(ascending=False, kind="stable").head(N_SHOWN)
    rows = by_query.loc[above.index, _COLUMNS].itertuples(name=None)
    return tuple(Changed(str(query), int(n), float(old), float(new)) for query, n, old, new in rows)
