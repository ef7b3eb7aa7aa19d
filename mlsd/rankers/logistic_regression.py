"""The light ranker: a weighted sum of features."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlsd.losses.base import Loss
from mlsd.rankers.base import LightningRanker
from mlsd.types import FeatureSpec

if TYPE_CHECKING:
    from mlsd.models.layers import ScoringNet


class LogisticRegression(LightningRanker):
    """One weight for each dense feature and each value of each categorical one, all 0 at first.

    A history adds the mean of the weights of what is there, which are its own. Under BCE the score is the
    log-odds of the label; under any other loss it is a plain linear ranker.

    Args:
        spec: shape of the features.
        loss: what training minimises.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0.
    """

    reads_histories: ClassVar[bool] = True

    def __init__(
        self, spec: FeatureSpec, loss: Loss, learning_rate: float = 0.01, weight_decay: float = 0.0001
    ) -> None:
        super().__init__(spec, loss, learning_rate, weight_decay)

    def build_model(self) -> ScoringNet:
        from mlsd.models.histories import histories_of
        from mlsd.models.linear import Linear

        return Linear(self.spec.n_dense, tuple(self.spec.categorical.values()), histories_of(self.spec))
