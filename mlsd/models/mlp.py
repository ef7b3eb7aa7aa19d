"""A plain deep network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mlsd.models.histories import HistoryColumns
from mlsd.models.inputs import Inputs
from mlsd.models.layers import Head, ScoringNet, Tower


class MLP(ScoringNet):
    """Fully connected layers on dense features and embeddings.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        hidden: width of each layer.
        dropout: share of values set to 0 in training, in [0, 1).
        embedding_dim: length of an embedding.
        batch_norm: whether the sums of each layer are standardised before ReLU.
        histories: whose columns follow the categorical ones.
        attention: hidden widths of the activation unit that weighs histories; None for their mean.
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
        attention: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.inputs = Inputs(n_dense, cardinalities, embedding_dim, histories, attention)
        self.tower = Tower(self.inputs.width, hidden, dropout, standardised=batch_norm)
        self.head = Head(self.tower.width)

    @property
    def output_bias(self) -> nn.Parameter:
        return self.head.bias

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n,) scores."""
        scores: Tensor = self.head(self.tower(self.inputs(dense, categorical)))
        return scores
