"""Networks of one shape side by side, computed together.

Between their layers, tensors are (n_groups, n, width) with rows along the contiguous axis: transposes of
(n_groups, width, n), for the reason that `mlsd.models.layers` gives.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlsd.models.layers import Tower


class GroupedDense(nn.Module):
    """A linear layer for each group, on inputs of its own.

        y_g = W_g x_g + b_g

    Each starts as `torch.nn.Linear` does: uniform within 1 / sqrt(n_inputs) of 0.

    Args:
        n_groups: layers.
        n_inputs: width of what comes into each.
        n_outputs: width of what each gives.

    Example:
        >>> layer = GroupedDense(n_groups=2, n_inputs=1, n_outputs=1)
        >>> layer.weight.data = torch.tensor([[[2.0]], [[3.0]]])
        >>> layer.bias.data = torch.tensor([0.0, 1.0])
        >>> layer(torch.ones(2, 1, 1)).flatten().tolist()
        [2.0, 4.0]
    """

    def __init__(self, n_groups: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        bound = n_inputs**-0.5
        self.weight = nn.Parameter(torch.empty(n_groups, n_outputs, n_inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_groups * n_outputs).uniform_(-bound, bound))

    def extra_repr(self) -> str:
        return " x ".join(str(size) for size in self.weight.shape)

    def forward(self, inputs: Tensor) -> Tensor:
        """(n_groups, n, n_inputs) -> (n_groups, n, n_outputs)."""
        bias = self.bias.view(len(self.weight), -1, 1)
        return torch.baddbmm(bias, self.weight, inputs.transpose(1, 2)).transpose(1, 2)


class GroupedTower(nn.Sequential):
    """Fully connected layers for each group, each followed by ReLU and dropout.

    Args:
        n_groups: towers.
        n_inputs: width of what comes into each.
        hidden: width of each layer; none passes the inputs on.
        dropout: share of values set to 0 in training, in [0, 1).
    """

    def __init__(self, n_groups: int, n_inputs: int, hidden: Sequence[int], dropout: float = 0.0) -> None:
        after_each = [nn.Dropout(dropout)] if dropout > 0 else []
        layers: list[nn.Module] = []
        for before, after in zip([n_inputs, *hidden], hidden, strict=False):
            layers += [GroupedDense(n_groups, before, after), nn.ReLU(), *after_each]
        super().__init__(*layers)
        self.width = hidden[-1] if hidden else n_inputs


class Experts(nn.Module):
    """Towers of one shape that all read the same inputs.

    The first layers of all are one product, the further ones one for each layer.

    Args:
        n_experts: towers.
        n_inputs: width of what comes in.
        hidden: width of each layer, at least one.
        dropout: share of values set to 0 in training, in [0, 1).
    """

    def __init__(self, n_experts: int, n_inputs: int, hidden: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        first, *further = hidden
        self.n_experts = n_experts
        self.first = Tower(n_inputs, [n_experts * first], dropout)
        self.further = GroupedTower(n_experts, first, further, dropout)
        self.width = self.further.width

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, n_inputs) -> (n_experts, n, width)."""
        outputs: Tensor = self.further(apart(self.first(inputs), self.n_experts).transpose(1, 2))
        return outputs


def apart(columns: Tensor, n_groups: int) -> Tensor:
    """Columns of groups side by side, (n, n_groups * width), as (n_groups, width, n).

    Example:
        >>> apart(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 2).tolist()
        [[[1.0], [2.0]], [[3.0], [4.0]]]
    """
    return columns.t().reshape(n_groups, columns.shape[1] // n_groups, len(columns))
