"""How judgements and actions become training labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged, rng
from mlsd.errors import InputError
from mlsd.logs import Log
from mlsd.ratings.programme import RatingProgramme
from mlsd.types import Array, Floats, Ints, RankingBatch

PROPENSITIES = ("position", "none")
"""How clicks are corrected: by the examination of their position, or not at all."""


@dataclass(frozen=True)
class Labels:
    """Training targets of (request, item) pairs.

    A label is at least 0. Labels from actions are divided by the estimated examination of the position
    they were seen at, so they may exceed 1: with these, every loss of mlsd is unbiased for what it
    would be if every position were examined like the first (Joachims, Swaminathan and Schnabel 2017).

    Args:
        request_id: (n,) int64, ascending.
        item: (n,) int64, ascending within a request.
        label: (n,) float32.
        examination: (n_positions,) estimated P(examined at position) / P(examined at position 0), or 1 where
            positions are taken for alike; empty when labels do not come from positions.
        max_weight: the largest 1 / examination that was used.
        diagnostics: figures about how the labels came about, for the report.
    """

    request_id: Ints
    item: Ints
    label: NDArray[np.float32]
    examination: Floats = field(default_factory=lambda: np.zeros(0))
    max_weight: float = np.inf
    diagnostics: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def of_pairs(
        request_id: Array,
        item: Array,
        label: Array,
        examination: Floats | None = None,
        max_weight: float = np.inf,
        diagnostics: Mapping[str, object] | None = None,
    ) -> Labels:
        """Labels of pairs in any order; of a pair that comes more than once, the highest.

        Example:
            >>> labels = Labels.of_pairs(np.array([2, 1, 2]), np.array([5, 9, 5]), np.array([0.0, 1.0, 3.0]))
            >>> labels.request_id.tolist(), labels.item.tolist(), labels.label.tolist()
            ([1, 2], [9, 5], [1.0, 3.0])
        """
        order = np.lexsort((label, item, request_id))
        request_id, item, label = request_id[order], item[order], label[order]
        last = np.append((np.diff(request_id) != 0) | (np.diff(item) != 0), True)[: len(order)]
        return Labels(
            request_id[last].astype(np.int64),
            item[last].astype(np.int64),
            label[last].astype(np.float32),
            np.zeros(0) if examination is None else examination,
            max_weight,
            diagnostics or {},
        )

    def weights(self, position: Ints) -> Floats:
        """(n,) what an action at each position counts: 1 / examination, `max_weight` at most.

        Where labels do not come from positions, 1.
        """
        if not len(self.examination):
            return np.ones(len(position))
        return np.minimum(1.0 / self.examination, self.max_weight)[position]

    def examined(self, position: Ints) -> Floats:
        """(n,) P(examined at each position) / P(examined at position 0); 1 where positions are unknown."""
        return self.examination[position] if len(self.examination) else np.ones(len(position))

    def knows(self, request_id: Ints) -> NDArray[np.bool_]:
        """(n,) whether anything was labelled for each of these requests."""
        return np.isin(request_id, self.request_id)

    def has(self, request_id: Ints, item: Ints) -> NDArray[np.bool_]:
        """(n,) whether each of these pairs has a label."""
        ids = np.unique(self.request_id)
        at, known = _places(ids, request_id)
        found, _ = ragged.find_pairs((at, item), (np.searchsorted(ids, self.request_id), self.item))
        return np.asarray(found & known)

    def of(self, batch: RankingBatch) -> NDArray[np.float32]:
        """(n_candidates,) the label of each candidate, NaN where there is none."""
        label = np.full(len(batch.candidates), np.nan, np.float32)
        starts = np.flatnonzero(np.diff(self.request_id, prepend=-1))
        number = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(self.request_id))))
        of_request, known = _places(self.request_id[starts], batch.requests.request_id)
        of_request[~known] = len(starts)
        wanted = (of_request[batch.candidates.request_rows], batch.candidates.items)
        found, at = ragged.find_pairs(wanted, (number, self.item))
        label[found] = self.label[at[found]]
        return label


@dataclass(frozen=True)
class TaskLabels:
    """Training targets of several tasks that are learnt together.

    Args:
        tasks: name -> its labels. Where a pair has a label of one task, those it lacks of others are 0.

    Example:
        Items 5 and 9 were shown, 5 was clicked and a conversion followed.

        >>> click = Labels.of_pairs(np.array([1, 1]), np.array([5, 9]), np.array([1.0, 0.0]))
        >>> both = Labels.of_pairs(np.array([1]), np.array([5]), np.array([1.0]))
        >>> from mlsd.types import Candidates, Requests
        >>> requests = Requests(np.array([1]), np.zeros(1, int), np.zeros(1, int), np.zeros(1))
        >>> batch = RankingBatch(requests, Candidates(np.array([0, 3]), np.array([5, 7, 9])))
        >>> TaskLabels({"click": click, "conversion": both}).of(batch).tolist()
        [[1.0, 1.0], [nan, nan], [0.0, 0.0]]
    """

    tasks: Mapping[str, Labels]

    def knows(self, request_id: Ints) -> NDArray[np.bool_]:
        """(n,) whether anything was labelled for each of these requests."""
        known = [labels.knows(request_id) for labels in self.tasks.values()]
        return np.asarray(np.any(known, axis=0))

    def of(self, batch: RankingBatch) -> NDArray[np.float32]:
        """(n_candidates, n_tasks) the labels of each candidate, NaN where it has none at all."""
        label = np.stack([labels.of(batch) for labels in self.tasks.values()], axis=1)
        known = ~np.isnan(label).all(axis=1)
        label[known] = np.nan_to_num(label[known])
        return label


class LabelSource(ABC):
    """Makes labels from a log."""

    programme: RatingProgramme | None = None
    """What raters are paid to judge before labels are made; the log then has it as `judged`."""

    @abstractmethod
    def make(self, log: Log) -> Labels:
        """Labels of all windows of a log. What is estimated on the way comes from training windows only."""

    def before_rating(self, log: Log) -> Labels:
        """What is known while no rater has graded anything; positions are examined as in `make`."""
        return self.make(log)


def grades_of(log: Log, source: str) -> tuple[Ints, Ints, Floats]:
    """Request, item and grade, (n,) each, of everything that was judged.

    Raises:
        InputError: nothing was judged, or nothing was judged relevant.
    """
    judged = log.judged
    if judged is None:
        raise InputError(f"labels from {source} need a world with judged requests; this log has none")
    grade = judged["grade"].to_numpy(np.float64)
    if grade.max(initial=0.0) <= 0:
        raise InputError(f"none of the {len(grade)} judged pairs in the learning windows is relevant")
    return judged["request_id"].to_numpy(), judged["item"].to_numpy(), grade


def judged_diagnostics(log: Log) -> dict[str, object]:
    """How much was judged, and how; nothing where nothing was."""
    judged = log.judged
    if judged is None:
        return {}
    n_requests = int(judged["request_id"].nunique())
    counts = judged["grade"].value_counts().sort_index()
    return {
        "judged_requests": n_requests,
        "judged_pairs": len(judged),
        "judged_per_request": len(judged) / n_requests,
        "pairs_by_grade": {f"{grade:g}": int(n) for grade, n in counts.items()},
    }


@dataclass(frozen=True)
class Negatives:
    """Which candidates without a positive label a rank stage trains on, all with label 0.

    Draws are keyed by request and item, so they depend on neither the order nor the rest of a batch.

    Args:
        shown_keep_rate: share of the candidates with label 0, such as shown and not clicked, that is kept.
        n_unshown: candidates without any label that are drawn for each request.
    """

    shown_keep_rate: float = 1.0
    n_unshown: int = 0

    def __post_init__(self) -> None:
        checks.probability("shown_keep_rate", self.shown_keep_rate)
        checks.at_least("n_unshown", self.n_unshown, 0)

    def kept(self, batch: RankingBatch, label: Array, seed: int) -> NDArray[np.bool_]:
        """(n_candidates,) which candidates are trained on; all with a label above 0 are.

        Args:
            batch: the requests and candidates.
            label: (n_candidates,) as of `Labels.of`, NaN where there is none; of several tasks the highest.
            seed: of the draws.
        """
        request_id = batch.requests.request_id[batch.candidates.request_rows]
        luck = rng.uniform(seed, "negatives", request_id, batch.candidates.items)
        kept = (label > 0) | ((label == 0) & (luck < self.shown_keep_rate))
        unshown = np.isnan(label)
        offsets = ragged.offsets_of_mask(unshown, batch.candidates.offsets)
        drawn, _ = ragged.top(luck[unshown], offsets, self.n_unshown)
        kept[np.flatnonzero(unshown)[drawn]] = True
        return np.asarray(kept)


def _places(ascending: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where each wanted number stands among ascending ones, and whether it is there."""
    if not len(ascending):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    places = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1).astype(np.int64)
    return places, ascending[places] == wanted
