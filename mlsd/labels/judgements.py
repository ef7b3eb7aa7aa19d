"""Labels from raters: the grades of judged items."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlsd.errors import InputError
from mlsd.labels.base import Labels, LabelSource
from mlsd.logs import Log


class JudgementLabels(LabelSource):
    """The grade that raters gave to a (request, item) pair is its label.

    Grades reach it as `Log.judged`, which never has any of the test window. An item that was not judged has
    no label; how many of them a rank stage trains on, as label 0, is for its `negatives` to say. Collections
    with few judgements for a query, all of them positive, teach nothing without such negatives.

    Args:
        scaled: whether labels are grade / highest grade of the learning windows, in [0, 1], as losses that
            read a label as a probability need it; otherwise they are the grades themselves.
    """

    def __init__(self, *, scaled: bool = True) -> None:
        self.scaled = scaled

    def make(self, log: Log) -> Labels:
        """Labels of the judged pairs.

        Raises:
            InputError: nothing was judged, or nothing was judged relevant.
        """
        judged = log.judged
        if judged is None:
            raise InputError("labels from judgements need a world with judged requests; this log has none")
        grade = judged["grade"].to_numpy(np.float64)
        highest = grade.max(initial=0.0)
        if highest <= 0:
            raise InputError(f"none of the {len(grade)} judged pairs in the learning windows is relevant")
        return Labels.of_pairs(
            judged["request_id"].to_numpy(),
            judged["item"].to_numpy(),
            grade / highest if self.scaled else grade,
            diagnostics=_described(judged),
        )


def _described(judged: pd.DataFrame) -> dict[str, object]:
    """How much was judged, and how."""
    n_requests = int(judged["request_id"].nunique())
    counts = judged["grade"].value_counts().sort_index()
    return {
        "judged_requests": n_requests,
        "judged_pairs": len(judged),
        "judged_per_request": len(judged) / n_requests,
        "pairs_by_grade": {f"{grade:g}": int(n) for grade, n in counts.items()},
    }
