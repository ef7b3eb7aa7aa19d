"""What stages share that pass on the best candidates by the scores of a ranker."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from mlsd.errors import InputError
from mlsd.features.base import Declared
from mlsd.labels.base import Labels, Negatives
from mlsd.logs import Log
from mlsd.losses.base import Loss
from mlsd.rankers.base import Scorer
from mlsd.stages.base import CandidateStage
from mlsd.stages.rank.scoring import ScoringStage
from mlsd.types import Array, RankingBatch


class Prediction(NamedTuple):
    """A probability that a stage gives its candidates, and the action it is of."""

    prob: str
    """Column of the candidates: P(done | shown at the first position)."""
    column: str
    """Of the log's impressions."""
    at_least: float
    """The value of that column from which on the action counts as done."""
    unshown: bool = False
    """Whether it is also of candidates that the log does not show, with which nothing was done."""


CLICKS = {"click": Prediction("click_prob", "click", 1.0)}


class RankStage(ScoringStage, CandidateStage):
    """Scores every candidate from its features and passes on the `n_out` best, best first.

    Args:
        n_out: candidates passed on for each request, at most.
        ranker, loss, features, negatives, n_members: see `ScoringStage`.
    """

    learns_from_labels: ClassVar[bool] = True

    calibrate: bool = True
    """Whether it adds `candidate.click_prob`, P(click | shown at the first position)."""

    def __init__(
        self,
        n_out: int,
        ranker: Callable[..., Scorer],
        loss: Loss,
        features: Mapping[str, Declared | None],
        negatives: Negatives,
        n_members: int,
    ) -> None:
        CandidateStage.__init__(self, n_out)
        ScoringStage.__init__(self, ranker, loss, features, negatives, n_members)

    @property
    def contents(self) -> str:
        times = f"{self.n_members} x " * (self.n_members > 1)
        made = times + type(self.fitted_rankers[0]).__name__
        return f"{made}, {type(self.loss).__name__}, {len(self.features.features)} features"

    @property
    def predictions(self) -> Mapping[str, Prediction]:
        """What it predicts of each candidate, by the name of the action."""
        return CLICKS if self.calibrate else {}

    @abstractmethod
    def scored(self, batch: RankingBatch) -> RankingBatch:
        """All candidates in their order, with the `score` they are passed on by, and what is predicted."""

    def process(self, batch: RankingBatch) -> RankingBatch:
        scored = self.scored(batch)
        return scored.top(scored.candidates["score"], self.n_out)


def clicks_at_first(log: Log, labels: Labels) -> Labels:
    """What the clicks of a log would have been at the first position: each over the examination of its own.

    Args:
        log: what was shown.
        labels: with the estimated examination.

    Raises:
        InputError: the log has no clicks.
    """
    impressions = log.impressions
    if "click" not in impressions.columns:
        raise InputError(
            "click probabilities need the action 'click', which the log lacks; set calibrate to false"
        )
    weight = labels.weights(impressions["position"].to_numpy())
    clicked = (impressions["click"].to_numpy() > 0) * weight
    return Labels.of_pairs(impressions["request_id"].to_numpy(), impressions["item"].to_numpy(), clicked)


def shown_clicks(batch: RankingBatch, clicks: Labels) -> Array:
    """(n_candidates,) the labels of clicks, NaN where a candidate was not shown.

    Raises:
        InputError: none of them was, or all that were shown were clicked.
    """
    click = clicks.of(batch)
    if np.isnan(click).all():
        raise InputError(
            "click probabilities cannot be estimated: no candidate of the validation window was ever "
            "shown; set calibrate to false"
        )
    if np.nanmin(click) >= 1:
        raise InputError(
            "click probabilities cannot be estimated: everything that was shown in the validation window was "
            "clicked; set calibrate to false"
        )
    return click
