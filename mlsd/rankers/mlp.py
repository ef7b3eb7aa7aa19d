"""A plain deep ranker."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.rankers.base import LightningRanker, check_attention, check_widths
from mlsd.types import FeatureSpec

if TYPE_CHECKING:
    from mlsd.models.layers import ScoringNet


class MLP(LightningRanker):
    """Fully connected layers on dense features and embeddings of categorical ones.

    Args:
        spec: shape of the features.
        loss: what training minimises.
        hidden: width of each layer, at least 1 each.
        dropout: share of values set to 0 in training, in [0, 1).
        embedding_dim: length of the embedding of a categorical feature, at least 1.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0.
        batch_norm: whether the sums of each layer are standardised over the rows of a batch.
        attention: hidden widths of the activation unit that weighs what is in a history by the candidate, at
            least 1 each; null for the mean (see `mlsd.models.histories`).
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
        *,
        batch_norm: bool = False,
        attention: Sequence[int] | None = None,
    ) -> None:
        super().__init__(spec, loss, learning_rate, weight_decay)
        self.hidden = check_widths("hidden", hidden)
        self.dropout = checks.require(0 <= dropout < 1, "dropout", dropout, "must be in [0, 1)")
        self.embedding_dim = checks.at_least("embedding_dim", embedding_dim, 1)
        self.batch_norm = batch_norm
        self.attention = check_attention(attention)

    def build_model(self) -> ScoringNet:
        from mlsd.models import mlp
        from mlsd.models.histories import histories_of

        cardinalities = tuple(self.spec.categorical.values())
        return mlp.MLP(
            self.spec.n_dense,
            cardinalities,
            self.hidden,
            self.dropout,
            self.embedding_dim,
            batch_norm=self.batch_norm,
            histories=histories_of(self.spec),
            attention=self.attention,
        )
