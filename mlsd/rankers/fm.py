"""A ranker of all pairs of features, each pair by the product of two vectors."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.rankers.base import LightningRanker
from mlsd.types import FeatureSpec

if TYPE_CHECKING:
    from mlsd.models.layers import ScoringNet


class FM(LightningRanker):
    """Factorisation machine: a weight for each feature, and for each pair the product of their vectors.

    Args:
        spec: shape of the features.
        loss: what training minimises.
        embedding_dim: length of a feature's vector, at least 1.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0.
        embedding_l2: L2 penalty on all weights and vectors in place of weight decay, at least 0; 0 for none
            (see `mlsd.models.ranking.RankingModule`).

    Source: Rendle (ICDM 2010).
    """

    reads_histories: ClassVar[bool] = True

    def __init__(
        self,
        spec: FeatureSpec,
        loss: Loss,
        embedding_dim: int = 8,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0001,
        embedding_l2: float = 0.0,
    ) -> None:
        super().__init__(spec, loss, learning_rate, weight_decay, embedding_l2)
        self.embedding_dim = checks.at_least("embedding_dim", embedding_dim, 1)

    def build_model(self) -> ScoringNet:
        from mlsd.models import fm
        from mlsd.models.histories import histories_of

        return fm.FM(
            self.spec.n_dense,
            tuple(self.spec.categorical.values()),
            self.embedding_dim,
            histories_of(self.spec),
        )
