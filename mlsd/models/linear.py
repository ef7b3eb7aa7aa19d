"""A weighted sum of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from mlsd.models.histories import FieldVectors, HistoryColumns
from mlsd.models.layers import ScoringNet, beside


class Linear(ScoringNet):
    """One weight for each dense column and each value of each categorical one; all start at 0.

        s = b + w x + sum over categorical columns of  v[column, value]
                    + sum over histories of  mean over what is there of  v[history, category]

    Histories have weights of their own, whatever they are like: a topic that a user has liked says something
    else than a candidate's.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        histories: whose columns follow the categorical ones.
    """

    block_rows: ClassVar[int] = 512

    def __init__(
        self, n_dense: int, cardinalities: Sequence[int], histories: Sequence[HistoryColumns] = ()
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, n_dense))
        self.bias = nn.Parameter(torch.zeros(1))
        own = [history._replace(like=None) for history in histories]
        self.categorical = FieldVectors(cardinalities, 1, own, scale=0.0)

    @property
    def output_bias(self) -> nn.Parameter:
        return self.bias

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n,) scores."""
        of_dense = (self.weight @ beside(dense).t()).squeeze(0) + self.bias
        of_categorical: Tensor = self.categorical(categorical).sum(dim=(1, 2))
        return of_dense + of_categorical
