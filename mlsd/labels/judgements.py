"""Labels from raters: the grades of judged items."""

from __future__ import annotations

from mlsd.labels.base import Labels, LabelSource, grades_of, judged_diagnostics
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
        request_id, item, grade = grades_of(log, "judgements")
        return Labels.of_pairs(
            request_id,
            item,
            grade / grade.max() if self.scaled else grade,
            diagnostics=judged_diagnostics(log),
        )
