"""What networks of rankers are made of.

Between layers, rows lie along the contiguous axis: an (n, width) tensor is the transpose of a (width, n)
one. A matrix product is then vectorised over rows, which all get the same sums in the same order; the usual
layout sums some rows in another order than others, and a score's last bit would depend on a row's place.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

EMBEDDING_SCALE = 0.05
"""Standard deviation of the initial values of learnt vectors."""


def beside(*parts: Tensor) -> Tensor:
    """Columns of all parts, (n, sum of widths), with rows along the contiguous axis.

    Example:
        >>> both = beside(torch.zeros(3, 1), torch.ones(3, 1))
        >>> both.tolist(), both.stride()
        ([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]], (1, 3))
    """
    return torch.cat([part.t() for part in parts]).t()


class FeatureNet(nn.Module):
    """A network that reads each candidate's features: (n, n_dense) float and (n, n_categorical) int64."""

    block_rows: ClassVar[int] = 128
    """Rows that are scored at once: few where a row is much work, since the last block is filled up, and many
    where the calls are the work."""

    def feature_weights(self) -> Iterator[nn.Parameter]:
        """What belongs to one feature or value each, such as embeddings: what `embedding_l2` shrinks."""
        for module in self.modules():
            if isinstance(module, Embeddings):
                yield from module.table.parameters()


class ScoringNet(FeatureNet):
    """A network that gives each candidate one score."""

    @property
    @abstractmethod
    def output_bias(self) -> nn.Parameter:
        """(1,) what is added to every score; training starts it at the loss's `base_score`."""


class MultiTaskNet(FeatureNet):
    """A network that gives each candidate (n_tasks,) scores: for each task the log-odds of its outcome.

    What a task predicts need not be what its label tells of: a conversion is predicted given a click, and
    the label says whether there were both. Where these differ a network overrides `label_scores` and its
    inverse `task_scores`.
    """

    @property
    @abstractmethod
    def output_biases(self) -> Sequence[nn.Parameter]:
        """One (1,) for each task: what is added to every score of it."""

    def label_scores(self, scores: Tensor) -> Tensor:
        """The log-odds of the labels by those of the outcomes; both (n, n_tasks)."""
        return scores

    def task_scores(self, label_scores: Tensor) -> Tensor:
        """The log-odds of the outcomes by those of the labels; both (n, n_tasks)."""
        return label_scores


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
        cardinalities: of each part of the table.
        dim: length of a vector.
        scale: standard deviation of the initial values.
        parts: the part that each column reads; None where each has its own.
    """

    starts: Tensor

    def __init__(
        self,
        cardinalities: Iterable[int],
        dim: int,
        scale: float = EMBEDDING_SCALE,
        parts: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        sizes = torch.tensor([0, *cardinalities])
        self.table = nn.Embedding(int(sizes.sum()), dim)
        nn.init.normal_(self.table.weight, std=scale)
        starts = torch.cumsum(sizes, 0)[:-1]
        self.register_buffer("starts", starts if parts is None else starts[list(parts)], persistent=False)

    def forward(self, categorical: Tensor) -> Tensor:
        """(n, n_columns) int64 -> (n, n_columns, dim)."""
        vectors: Tensor = self.table(categorical + self.starts)
        return vectors


class ByteDropout(nn.Module):
    """Dropout by one random byte a value, many times as quick as `nn.Dropout` on a wide layer.

        y = x * [byte >= k] * 256 / (256 - k),    k = 256 * share, rounded

    so the share dropped is right to half a 256th and the mean of y is x. The bytes come from torch's
    generator, eight at a time.

    Args:
        share: of values set to 0 in training, in [0, 1).

    Example:
        >>> dropout = ByteDropout(0.25)
        >>> sorted(set(dropout(torch.ones(1000, 2)).flatten().tolist()))
        [0.0, 1.3333333730697632]
        >>> dropout.eval()(torch.ones(1, 2)).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.n_dropped = min(round(256 * share), 255)

    def extra_repr(self) -> str:
        """Part of what tells one training from another."""
        return f"{self.n_dropped}/256"

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, width) -> (n, width), both with rows along the contiguous axis."""
        if not self.training or self.n_dropped == 0:
            return inputs
        drawn = torch.empty(-(-inputs.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        # ">=" in place leaves 0 and 1 as bytes and is vectorised; a new tensor of bool would not be.
        kept = drawn.view(torch.uint8)[: inputs.numel()].ge_(self.n_dropped).to(inputs.dtype)
        return inputs * kept.mul_(256 / (256 - self.n_dropped)).view(inputs.t().shape).t()


class BatchNorm(nn.BatchNorm1d):
    """Standardises each column by the rows of a batch in training, and by running means after it.

        y = gamma (x - mean) / sqrt(variance + 1e-5) + beta

    A batch of one row has no spread: it is standardised by the running means, too, and leaves them alone.

    Source: Ioffe and Szegedy, ICML 2015.

    Example:
        >>> BatchNorm(1)(torch.tensor([[1.0], [3.0]])).flatten().tolist()
        [-0.9999949932098389, 0.9999949932098389]
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, width) -> (n, width), both with rows along the contiguous axis."""
        columns = inputs.t().unsqueeze(0)
        if self.training and len(inputs) == 1:
            known = self.running_mean, self.running_var, self.weight, self.bias
            return batch_norm(columns, *known, eps=self.eps).squeeze(0).t()
        return super().forward(columns).squeeze(0).t()


class Tower(nn.Sequential):
    """Fully connected layers, each followed by batch normalisation where wanted, ReLU and dropout.

    Args:
        n_inputs: width of what comes in.
        hidden: width of each layer; none passes the input on.
        dropout: share of values set to 0 in training, in [0, 1); or the layer that does it.
        standardised: whether each layer's sums are, by `BatchNorm`, before ReLU.
    """

    def __init__(
        self,
        n_inputs: int,
        hidden: Sequence[int],
        dropout: float | nn.Module = 0.0,
        *,
        standardised: bool = False,
    ) -> None:
        after_each = [dropout] if isinstance(dropout, nn.Module) else []
        if isinstance(dropout, float) and dropout > 0:
            after_each = [nn.Dropout(dropout)]
        layers: list[nn.Module] = []
        for before, after in zip([n_inputs, *hidden], hidden, strict=False):
            norm = [BatchNorm(after)] if standardised else []
            layers += [Dense(before, after), *norm, nn.ReLU(), *after_each]
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


class TaskTower(nn.Module):
    """Fully connected layers that end in one score.

    Args:
        n_inputs: width of what comes in.
        hidden: width of each layer.
        dropout: share of values set to 0 in training, in [0, 1).
    """

    def __init__(self, n_inputs: int, hidden: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        self.tower = Tower(n_inputs, hidden, dropout)
        self.head = Head(self.tower.width)

    @property
    def bias(self) -> nn.Parameter:
        """(1,) what is added to every score."""
        return self.head.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, n_inputs) -> (n,)."""
        scores: Tensor = self.head(self.tower(inputs))
        return scores
