"""Deep & Cross Network, version 2: explicit products of features beside a deep network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlsd.models.histories import HistoryColumns
from mlsd.models.inputs import Inputs
from mlsd.models.layers import Dense, Head, ScoringNet, Tower, beside


class CrossLayer(nn.Module):
    """One more order of products between features.

        x' = x0 * (W x + b) + x,    W = U V with inner width `rank` where it is above 0

    Args:
        width: of x0, x and x'.
        rank: inner width of the low-rank form; 0 for a full matrix.

    Source: Wang, Shivanna, Cheng, Jain, Lin, Hong and Chi (WWW 2021), eqs. 1 and 2.

    Example:
        With W the identity and b = 0, a layer squares: x0 * x0 + x0.

        >>> layer = CrossLayer(width=2)
        >>> layer.linear.weight.data, layer.linear.bias.data = torch.eye(2), torch.zeros(2)
        >>> x0 = torch.tensor([[2.0, 3.0]])
        >>> layer(x0, x0).tolist()
        [[6.0, 12.0]]
    """

    def __init__(self, width: int, rank: int = 0) -> None:
        super().__init__()
        self.linear: nn.Module = Dense(width, width)
        if rank > 0:
            self.linear = nn.Sequential(Dense(width, rank, bias=False), Dense(rank, width))

    def forward(self, first: Tensor, inputs: Tensor) -> Tensor:
        """(n, width) x0 and (n, width) x -> (n, width)."""
        return torch.addcmul(inputs, first, self.linear(inputs))


class DCNv2(ScoringNet):
    """A cross network and a deep one, side by side or one on the other.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        n_cross: cross layers; the highest order of products is one more.
        rank: inner width of low-rank cross layers; 0 for full matrices.
        parallel: both networks read the inputs and what both give is scored; else the deep network reads
            what the cross network gives.
        hidden: width of each deep layer.
        dropout: share of values set to 0 in training, in [0, 1).
        embedding_dim: length of an embedding.
        batch_norm: whether the sums of each deep layer are standardised before ReLU.
        histories: whose columns follow the categorical ones; the mean of each is read.

    Source: Wang, Shivanna, Cheng, Jain, Lin, Hong and Chi (WWW 2021), section 3.
    """

    def __init__(
        self,
        n_dense: int,
        cardinalities: Sequence[int],
        n_cross: int,
        rank: int,
        parallel: bool,
        hidden: Sequence[int],
        dropout: float,
        embedding_dim: int,
        *,
        batch_norm: bool = False,
        histories: Sequence[HistoryColumns] = (),
    ) -> None:
        super().__init__()
        self.parallel = parallel
        self.inputs = Inputs(n_dense, cardinalities, embedding_dim, histories)
        width = self.inputs.width
        self.cross = nn.ModuleList(CrossLayer(width, rank) for _ in range(n_cross))
        self.tower = Tower(width, hidden, dropout, standardised=batch_norm)
        self.head = Head(width + self.tower.width if self.parallel else self.tower.width)

    @property
    def output_bias(self) -> nn.Parameter:
        return self.head.bias

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n,) scores."""
        first = crossed = self.inputs(dense, categorical)
        for layer in self.cross:
            crossed = layer(first, crossed)
        both = beside(crossed, self.tower(first)) if self.parallel else self.tower(crossed)
        scores: Tensor = self.head(both)
        return scores
