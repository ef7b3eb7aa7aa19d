"""What networks of rankers are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

_EMBEDDING_SCALE = 0.05


class Embeddings(nn.Module):
    """Learnt vectors of categorical columns, all in one table.

    Args:
        cardinalities: of each column.
        dim: length of a vector.
        scale: standard deviation of the initial values.
    """

    starts: Tensor

    def __init__(self, cardinalities: Iterable[int], dim: int, scale: float = _EMBEDDING_SCALE) -> None:
        super().__init__()
        sizes = torch.tensor([0, *cardinalities])
        self.table = nn.Embedding(int(sizes.sum()), dim)
        nn.init.normal_(self.table.weight, std=scale)
        self.register_buffer("starts", torch.cumsum(sizes, 0)[:-1], persistent=False)

    def forward(self, categorical: Tensor) -> Tensor:
        """(n, n_categorical) int64 -> (n, n_categorical, dim)."""
        vectors: Tensor = self.table(categorical + self.starts)
        return vectors


class Inputs(nn.Module):
    """Dense values beside the embeddings of the categorical ones.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        embedding_dim: length of an embedding.
    """

    def __init__(self, n_dense: int, cardinalities: Sequence[int], embedding_dim: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(cardinalities, embedding_dim) if cardinalities else None
        self.width = n_dense + embedding_dim * len(cardinalities)

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n, width)."""
        if self.embeddings is None:
            return dense
        return torch.cat([dense, self.embeddings(categorical).flatten(1)], dim=1)


class Tower(nn.Sequential):
    """Fully connected layers, each followed by ReLU and dropout.

    Args:
        n_inputs: width of what comes in.
        hidden: width of each layer; none passes the input on.
        dropout: share of values set to 0 in training, in [0, 1).
    """

    def __init__(self, n_inputs: int, hidden: Sequence[int], dropout: float = 0.0) -> None:
        layers: list[nn.Module] = []
        for before, after in zip([n_inputs, *hidden], hidden, strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
            layers += [nn.Dropout(dropout)] if dropout > 0 else []
        super().__init__(*layers)
        self.width = hidden[-1] if hidden else n_inputs


class Head(nn.Module):
    """A linear layer that gives each row one score.

    Args:
        n_inputs: width of what comes in.
    """

    def __init__(self, n_inputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_inputs, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, n_inputs) -> (n,)."""
        scores: Tensor = self.linear(inputs)
        return scores.squeeze(1)
