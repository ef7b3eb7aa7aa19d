"""What networks of rankers are made of.

Between layers, rows lie along the contiguous axis: an (n, width) tensor is the transpose of a (width, n)
one. A matrix product is then vectorised over rows, which all get the same sums in the same order; the usual
layout sums some rows in another order than others, and a score's last bit would depend on a row's place.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

_EMBEDDING_SCALE = 0.05


def beside(*parts: Tensor) -> Tensor:
    """Columns of all parts, (n, sum of widths), with rows along the contiguous axis.

    Example:
        >>> both = beside(torch.zeros(3, 1), torch.ones(3, 1))
        >>> both.tolist(), both.stride()
        ([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]], (1, 3))
    """
    return torch.cat([part.t() for part in parts]).t()


class ScoringNet(nn.Module):
    """A network that gives each candidate one score, from (n, n_dense) float and (n, n_categorical) int64."""

    @property
    @abstractmethod
    def output_bias(self) -> nn.Parameter:
        """(1,) what is added to every score; training starts it at the loss's `base_score`."""


class Dense(nn.Linear):
    """A linear layer that takes and gives rows along the contiguous axis: (n, n_inputs) -> (n, n_outputs)."""

    bias: nn.Parameter | None  # type: ignore[assignment]  # None without bias, which torch's types leave out

    def forward(self, inputs: Tensor) -> Tensor:
        if self.bias is None:
            return (self.weight @ inputs.t()).t()
        return torch.addmm(self.bias.unsqueeze(1), self.weight, inputs.t()).t()


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
            return beside(dense)
        return beside(dense, self.embeddings(categorical).flatten(1))


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
            layers += [Dense(before, after), nn.ReLU()]
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
        self.linear = Dense(n_inputs, 1)

    @property
    def bias(self) -> nn.Parameter:
        """(1,) what is added to every score."""
        assert self.linear.bias is not None  # noqa: S101  (for types: only layers without bias have none)
        return self.linear.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, n_inputs) -> (n,)."""
        scores: Tensor = self.linear(inputs)
        return scores.squeeze(1)
