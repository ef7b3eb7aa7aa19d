"""DeepFM: a factorisation machine and a deep network on the same vectors of features."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mlsd.models.fm import FM
from mlsd.models.histories import HistoryColumns
from mlsd.models.layers import ByteDropout, Dense, Tower, beside


class DeepFM(FM):
    """Sum of a factorisation machine's score and a deep network's, which share the features' vectors.

        s = b + sum over i of  w_i x_i  +  sum over i < j of  <v_i, v_j> x_i x_j  +  u h(all v_i x_i)

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        hidden: width of each layer of the deep network h.
        dropout: share of values set to 0 in training, in [0, 1), to a 256th.
        embedding_dim: length of a feature's vector v.
        batch_norm: whether the sums of each deep layer are standardised before ReLU.
        histories: whose columns follow the categorical ones; see `FM`.

    The deep layers start as Glorot and Bengio (AISTATS 2010) have it: little of the small vectors comes
    through several layers with the smaller weights that torch starts with.

    Source: Guo, Tang, Ye, Li and He (IJCAI 2017), eqs. 1 to 4.
    """

    def __init__(
        self,
        n_dense: int,
        cardinalities: Sequence[int],
        hidden: Sequence[int],
        dropout: float,
        embedding_dim: int,
        *,
        batch_norm: bool = False,
        histories: Sequence[HistoryColumns] = (),
    ) -> None:
        super().__init__(n_dense, cardinalities, embedding_dim, histories)
        self.tower = Tower(self.vectors.width, hidden, ByteDropout(dropout), standardised=batch_norm)
        self.head = Dense(self.tower.width, 1, bias=False)
        for layer in (*self.tower, self.head):
            if isinstance(layer, Dense):
                nn.init.xavier_normal_(layer.weight)

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n,) scores."""
        vectors = self.vectors(dense, categorical)
        deep: Tensor = self.head(self.tower(beside(vectors.flatten(1))))
        return self.products(dense, categorical, vectors) + deep.squeeze(1)
