"""A ranker of any number of actions, learnt together from everything shown."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.rankers.base import MultiTaskRanker, check_attention, check_widths
from mlsd.types import FeatureSpec

if TYPE_CHECKING:
    from mlsd.models.layers import MultiTaskNet


class MMoE(MultiTaskRanker):
    """Multi-gate Mixture of Experts: each task mixes shared experts by a gate of its own.

        loss = sum over tasks k of  loss(labels of k, score of k)

    Scores are the log-odds of what labels tell of, each task for itself. Tasks that have something in common
    learn it in the same experts; others come to use different ones.

    Args:
        spec: shape of the features.
        loss: what training of each task minimises; its scores are log-odds.
        tasks: actions, at least one.
        n_experts: at least 1; with 1 all tasks share one network up to their towers.
        expert_hidden: width of each layer of an expert, at least 1 each, and at least one.
        tower_hidden: width of each layer of a task's own tower, at least 1 each; none scores the mixture by a
            weighted sum.
        dropout: share of values set to 0 in training, in experts and towers, in [0, 1).
        embedding_dim: length of the embedding of a categorical feature, at least 1; all tasks share it.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0.
        attention: hidden widths of the activation unit that weighs what is in a history by the candidate, at
            least 1 each; null for the mean (see `mlsd.models.histories`).

    Source: Ma, Zhao, Yi, Chen, Hong and Chi (KDD 2018), eqs. 6 to 8.
    """

    reads_histories: ClassVar[bool] = True

    def __init__(
        self,
        spec: FeatureSpec,
        loss: Loss,
        tasks: Sequence[str],
        n_experts: int = 4,
        expert_hidden: Sequence[int] = (64,),
        tower_hidden: Sequence[int] = (32,),
        dropout: float = 0.0,
        embedding_dim: int = 8,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0001,
        attention: Sequence[int] | None = None,
    ) -> None:
        super().__init__(spec, loss, tasks, learning_rate, weight_decay)
        checks.not_empty("tasks", tasks)
        self.n_experts = checks.at_least("n_experts", n_experts, 1)
        self.expert_hidden = check_widths("expert_hidden", checks.not_empty("expert_hidden", expert_hidden))
        self.tower_hidden = check_widths("tower_hidden", tower_hidden)
        self.dropout = checks.require(0 <= dropout < 1, "dropout", dropout, "must be in [0, 1)")
        self.attention = check_attention(attention)
        self.embedding_dim = checks.at_least("embedding_dim", embedding_dim, 1)

    def build_model(self) -> MultiTaskNet:
        from mlsd.models import mmoe
        from mlsd.models.histories import histories_of

        return mmoe.MMoE(
            self.spec.n_dense,
            tuple(self.spec.categorical.values()),
            n_tasks=len(self.tasks),
            n_experts=self.n_experts,
            expert_hidden=self.expert_hidden,
            tower_hidden=self.tower_hidden,
            dropout=self.dropout,
            embedding_dim=self.embedding_dim,
            histories=histories_of(self.spec),
            attention=self.attention,
        )
