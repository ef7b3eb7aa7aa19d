"""A weighted sum of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from mlsd.models.layers import Embeddings, ScoringNet, beside


class Linear(ScoringNet):
    """One weight for each dense column and each value of each categorical one; all start at 0.

        s = b + w x + sum over categorical columns of  v[column, value]

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
    """

    block_rows: ClassVar[int] = 512

    def __init__(self, n_dense: int, cardinalities: Sequence[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, n_dense))
        self.bias = nn.Parameter(torch.zeros(1))
        self.categorical = Embeddings(cardinalities, dim=1, scale=0.0)

    @property
    def output_bias(self) -> nn.Parameter:
        return self.bias

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n,) scores."""
        of_dense = (self.weight @ beside(dense).t()).squeeze(0) + self.bias
        of_categorical: Tensor = self.categorical(categorical).sum(dim=(1, 2))
        return of_dense + of_categorical
