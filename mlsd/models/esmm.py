"""Entire-space multi-task model: clicks and what follows them, learnt together from everything shown."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlsd.models.histories import HistoryColumns
from mlsd.models.inputs import Inputs
from mlsd.models.layers import MultiTaskNet, TaskTower


class ESMM(MultiTaskNet):
    """Two towers on shared embeddings: the log-odds of an action, and of what may follow it given the action.

        P(both) = P(first) P(second | first)

    Labels tell of the first and of both, so both towers learn from everything that was shown.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        hidden: width of each layer of either tower.
        dropout: share of values set to 0 in training, in [0, 1).
        embedding_dim: length of an embedding.
        histories: whose columns follow the categorical ones; the mean of each is read.

    Source: Ma, Zhao, Huang, Wang, Hu, Zhu and Gai (SIGIR 2018), eqs. 2 and 3.

    Example:
        Even odds of the first and, given that, of the second: one in four of both, log-odds -log 3.

        >>> net = ESMM(1, (), hidden=[2], dropout=0.0, embedding_dim=1)
        >>> [round(score, 4) for score in net.label_scores(torch.zeros(1, 2))[0].tolist()]
        [0.0, -1.0986]
    """

    def __init__(
        self,
        n_dense: int,
        cardinalities: Sequence[int],
        hidden: Sequence[int],
        dropout: float,
        embedding_dim: int,
        histories: Sequence[HistoryColumns] = (),
    ) -> None:
        super().__init__()
        self.inputs = Inputs(n_dense, cardinalities, embedding_dim, histories)
        self.first = TaskTower(self.inputs.width, hidden, dropout)
        self.second = TaskTower(self.inputs.width, hidden, dropout)

    @property
    def output_biases(self) -> Sequence[nn.Parameter]:
        return [self.first.bias, self.second.bias]

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n, 2) scores."""
        inputs = self.inputs(dense, categorical)
        return torch.stack([self.first(inputs), self.second(inputs)]).t()

    def label_scores(self, scores: Tensor) -> Tensor:
        """(n, 2) log-odds of the first and of both.

        logit(sigmoid(a) sigmoid(b)) = -log(exp(-a) + exp(-b) + exp(-a - b))
        """
        first, second = scores.unbind(1)
        both = -torch.logsumexp(torch.stack([-first, -second, -first - second]), dim=0)
        return torch.stack([first, both]).t()

    def task_scores(self, label_scores: Tensor) -> Tensor:
        """(n, 2) log-odds of the first and of the second given that, the latter in [.001, .999]."""
        first, both = label_scores.unbind(1)
        given = (torch.sigmoid(both) / torch.sigmoid(first)).clamp(0.001, 0.999)
        return torch.stack([first, torch.logit(given)]).t()
