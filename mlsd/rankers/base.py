"""Rankers score candidates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsd.fitting import Curves, Fitting
from mlsd.types import FeatureBatch, State


@dataclass(frozen=True)
class LabelledFeatures:
    """Training rows of a ranker.

    Args:
        features: of n candidates.
        labels: (n,) float32, at least 0.
    """

    features: FeatureBatch
    labels: NDArray[np.float32]


class Ranker(ABC):
    """Scores candidates from their features; a higher score ranks higher."""

    @abstractmethod
    def fit(self, train: LabelledFeatures, validation: LabelledFeatures, fitting: Fitting) -> Curves:
        """Learn from `train`, choosing the epoch that does best on `validation`."""

    @abstractmethod
    def score(self, features: FeatureBatch) -> NDArray[np.float32]:
        """(n_candidates,) scores."""

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""
