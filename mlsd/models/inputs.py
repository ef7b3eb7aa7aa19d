"""What networks of rankers read: dense values, categories and histories."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlsd.models.histories import FieldVectors, HistoryColumns
from mlsd.models.layers import EMBEDDING_SCALE, beside


class Inputs(nn.Module):
    """Dense values beside the embeddings of categories and histories.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        embedding_dim: length of an embedding.
        histories: whose columns follow the categorical ones.
        attention: hidden widths of the activation unit that weighs histories; None for their mean.
    """

    def __init__(
        self,
        n_dense: int,
        cardinalities: Sequence[int],
        embedding_dim: int,
        histories: Sequence[HistoryColumns] = (),
        attention: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        n_fields = len(cardinalities) + len(histories)
        self.embeddings = (
            FieldVectors(cardinalities, embedding_dim, histories, attention) if n_fields else None
        )
        self.width = n_dense + embedding_dim * n_fields

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n, width)."""
        if self.embeddings is None:
            return beside(dense)
        return beside(dense, self.embeddings(categorical).flatten(1))


class FeatureVectors(nn.Module):
    """A learnt vector for each dense column, times its value, and for each value of each categorical one.

    Beside them stands the mean of the vectors of each history.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        dim: length of a vector.
        histories: whose columns follow the categorical ones.
    """

    def __init__(
        self,
        n_dense: int,
        cardinalities: Sequence[int],
        dim: int,
        histories: Sequence[HistoryColumns] = (),
    ) -> None:
        super().__init__()
        n_fields = len(cardinalities) + len(histories)
        self.dense = nn.Parameter(torch.randn(n_dense, dim) * EMBEDDING_SCALE) if n_dense else None
        self.categorical = FieldVectors(cardinalities, dim, histories) if n_fields else None
        self.width = dim * (n_dense + n_fields)

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n, n_dense + n_fields, dim)."""
        parts = [] if self.dense is None else [dense.unsqueeze(2) * self.dense]
        parts += [] if self.categorical is None else [self.categorical(categorical)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
