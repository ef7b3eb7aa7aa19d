"""A ranker of an action and of what may follow it, learnt together from everything shown."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.rankers.base import MultiTaskRanker, check_widths
from mlsd.types import FeatureSpec

if TYPE_CHECKING:
    from mlsd.models.layers import MultiTaskNet


class ESMM(MultiTaskRanker):
    """Entire Space Multi-task Model: an action, as a click, and what may follow it, as a conversion.

        loss = BCE(click, P(click))  +  BCE(click and conversion, P(click) P(conversion | click))

    both over all candidates. Learnt from clicks alone, P(conversion | click) would have seen only what was
    clicked, and is asked about everything; here clicks are what its embeddings are learnt from, too.

    Args:
        spec: shape of the features.
        loss: what training of both minimises; its scores are log-odds.
        tasks: the action and what can only follow it. Labels tell of the first and of both; scores are the
            log-odds of the first, and of the second given the first.
        hidden: width of each layer of either tower, at least 1 each.
        dropout: share of values set to 0 in training, in [0, 1).
        embedding_dim: length of the embedding of a categorical feature, at least 1; both towers share it.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0.

    Source: Ma, Zhao, Huang, Wang, Hu, Zhu and Gai (SIGIR 2018), eqs. 2 and 3.
    """

    reads_histories: ClassVar[bool] = True

    def __init__(
        self,
        spec: FeatureSpec,
        loss: Loss,
        tasks: Sequence[str],
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.0,
        embedding_dim: int = 8,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0001,
    ) -> None:
        super().__init__(spec, loss, tasks, learning_rate, weight_decay)
        checks.require(len(tasks) == 2, "tasks", tasks, "must be an action and what may follow it")
        self.hidden = check_widths("hidden", hidden)
        self.dropout = checks.require(0 <= dropout < 1, "dropout", dropout, "must be in [0, 1)")
        self.embedding_dim = checks.at_least("embedding_dim", embedding_dim, 1)

    def build_model(self) -> MultiTaskNet:
        from mlsd.models import esmm
        from mlsd.models.histories import histories_of

        cardinalities = tuple(self.spec.categorical.values())
        return esmm.ESMM(
            self.spec.n_dense,
            cardinalities,
            self.hidden,
            self.dropout,
            self.embedding_dim,
            histories_of(self.spec),
        )
