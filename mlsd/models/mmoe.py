"""Multi-gate mixture of experts: tasks that share what helps them, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlsd.models.grouped import Experts, GroupedTower, apart
from mlsd.models.histories import HistoryColumns
from mlsd.models.inputs import Inputs
from mlsd.models.layers import Dense, Head, MultiTaskNet


class MMoE(MultiTaskNet):
    """Experts that all tasks share, a gate for each task that mixes them, and a tower on each mixture.

        y_k = h_k(f_k(x)),    f_k(x) = sum over experts i of  g_k(x)_i f_i(x),    g_k(x) = softmax(W_k x)

    x are dense values beside embeddings of categories and histories. An expert f_i has hidden layers alone, a
    tower h_k ends in one score. Labels of a task tell of its own outcome, whatever becomes of the others.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        n_tasks: tasks.
        n_experts: experts.
        expert_hidden: width of each layer of an expert, at least one.
        tower_hidden: width of each layer of a task's tower; none scores the mixture by a weighted sum.
        dropout: share of values set to 0 in training, in [0, 1).
        embedding_dim: length of an embedding.
        histories: whose columns follow the categorical ones.
        attention: hidden widths of the activation unit that weighs histories; None for their mean.

    Source: Ma, Zhao, Yi, Chen, Hong and Chi (KDD 2018), eqs. 6 to 8.
    """

    def __init__(
        self,
        n_dense: int,
        cardinalities: Sequence[int],
        n_tasks: int,
        n_experts: int,
        expert_hidden: Sequence[int],
        tower_hidden: Sequence[int],
        dropout: float,
        embedding_dim: int,
        histories: Sequence[HistoryColumns] = (),
        attention: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.n_tasks = n_tasks
        self.inputs = Inputs(n_dense, cardinalities, embedding_dim, histories, attention)
        self.experts = Experts(n_experts, self.inputs.width, expert_hidden, dropout)
        self.gates = Dense(self.inputs.width, n_tasks * n_experts, bias=False)
        self.towers = GroupedTower(n_tasks, self.experts.width, tower_hidden, dropout)
        self.heads = nn.ModuleList(Head(self.towers.width) for _ in range(n_tasks))

    @property
    def output_biases(self) -> Sequence[nn.Parameter]:
        return [head.bias for head in self.heads if isinstance(head, Head)]

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n, n_tasks) scores."""
        inputs = self.inputs(dense, categorical)
        gates = torch.softmax(apart(self.gates(inputs), self.n_tasks), dim=1)
        of_tasks = self.towers(mixed(self.experts(inputs), gates))
        scores = [head(of_task) for head, of_task in zip(self.heads, of_tasks, strict=True)]
        return torch.stack(scores).t()


def mixed(experts: Tensor, gates: Tensor) -> Tensor:
    """What the experts give, mixed for each task by its gate.

        f_k = sum over experts i of  g_ki f_i

    Args:
        experts: (n_experts, n, width), with rows along the contiguous axis.
        gates: (n_tasks, n_experts, n) shares; those of a task add up to 1.

    Returns:
        (n_tasks, n, width), with rows along the contiguous axis.

    Example:
        Two experts, which say 2 and 10, for one task that listens to the second with a share of a quarter.

        >>> mixed(torch.tensor([[[2.0]], [[10.0]]]), torch.tensor([[[0.75], [0.25]]])).tolist()
        [[[4.0]]]
    """
    columns, shares = experts.transpose(1, 2), gates.unsqueeze(2)
    mixture = shares[:, 0] * columns[0]
    for expert in range(1, len(columns)):
        mixture = torch.addcmul(mixture, shares[:, expert], columns[expert])
    return mixture.transpose(1, 2)
