"""The full ranker: products of features beside a deep network."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.rankers.base import LightningRanker, check_widths
from mlsd.types import FeatureSpec

if TYPE_CHECKING:
    from mlsd.models.layers import ScoringNet


class DCNv2(LightningRanker):
    """Deep & Cross Network, version 2.

    Args:
        spec: shape of the features.
        loss: what training minimises.
        n_cross: cross layers, at least 1; the highest order of products is one more.
        rank: inner width of low-rank cross layers; 0 for full matrices.
        structure: "parallel" scores what the cross and the deep network give side by side; "stacked" puts
            the deep network on the cross network.
        hidden: width of each deep layer, at least 1 each.
        dropout: share of values set to 0 in training, in [0, 1).
        embedding_dim: length of the embedding of a categorical feature, at least 1.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0.
        batch_norm: whether the sums of each deep layer are standardised over the rows of a batch.

    Source: Wang, Shivanna, Cheng, Jain, Lin, Hong and Chi (WWW 2021).
    """

    reads_histories: ClassVar[bool] = True

    def __init__(
        self,
        spec: FeatureSpec,
        loss: Loss,
        n_cross: int = 2,
        rank: int = 0,
        structure: Literal["parallel", "stacked"] = "parallel",
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.0,
        embedding_dim: int = 8,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0001,
        *,
        batch_norm: bool = False,
    ) -> None:
        super().__init__(spec, loss, learning_rate, weight_decay)
        self.n_cross = checks.at_least("n_cross", n_cross, 1)
        self.rank = checks.at_least("rank", rank, 0)
        self.structure = checks.one_of("structure", structure, ("parallel", "stacked"))
        self.hidden = check_widths("hidden", hidden)
        self.dropout = checks.require(0 <= dropout < 1, "dropout", dropout, "must be in [0, 1)")
        self.embedding_dim = checks.at_least("embedding_dim", embedding_dim, 1)
        self.batch_norm = batch_norm

    def build_model(self) -> ScoringNet:
        from mlsd.models import dcn_v2
        from mlsd.models.histories import histories_of

        return dcn_v2.DCNv2(
            self.spec.n_dense,
            tuple(self.spec.categorical.values()),
            n_cross=self.n_cross,
            rank=self.rank,
            parallel=self.structure == "parallel",
            hidden=self.hidden,
            dropout=self.dropout,
            embedding_dim=self.embedding_dim,
            batch_norm=self.batch_norm,
            histories=histories_of(self.spec),
        )
