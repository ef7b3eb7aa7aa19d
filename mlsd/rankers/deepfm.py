"""A factorisation machine beside a deep network."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.rankers.base import LightningRanker, check_widths
from mlsd.types import FeatureSpec

if TYPE_CHECKING:
    from mlsd.models.layers import ScoringNet


class DeepFM(LightningRanker):
    """A factorisation machine and a deep network on the same vectors of features; their scores are added.

    Args:
        spec: shape of the features.
        loss: what training minimises.
        hidden: width of each deep layer, at least 1 each, and at least one.
        dropout: share of values set to 0 in training, in [0, 1), right to half a 256th.
        embedding_dim: length of a feature's vector, at least 1.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0.
        embedding_l2: L2 penalty on the weights and vectors of features in place of weight decay, at least 0;
            0 for none (see `mlsd.models.ranking.RankingModule`).
        batch_norm: whether the sums of each deep layer are standardised over the rows of a batch.

    Source: Guo, Tang, Ye, Li and He (IJCAI 2017).
    """

    reads_histories: ClassVar[bool] = True

    def __init__(
        self,
        spec: FeatureSpec,
        loss: Loss,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.0,
        embedding_dim: int = 8,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0001,
        embedding_l2: float = 0.0,
        *,
        batch_norm: bool = False,
    ) -> None:
        super().__init__(spec, loss, learning_rate, weight_decay, embedding_l2)
        self.hidden = check_widths("hidden", checks.not_empty("hidden", hidden))
        self.dropout = checks.require(0 <= dropout < 1, "dropout", dropout, "must be in [0, 1)")
        self.embedding_dim = checks.at_least("embedding_dim", embedding_dim, 1)
        self.batch_norm = batch_norm

    def build_model(self) -> ScoringNet:
        from mlsd.models import deepfm
        from mlsd.models.histories import histories_of

        cardinalities = tuple(self.spec.categorical.values())
        return deepfm.DeepFM(
            self.spec.n_dense,
            cardinalities,
            self.hidden,
            self.dropout,
            self.embedding_dim,
            batch_norm=self.batch_norm,
            histories=histories_of(self.spec),
        )
