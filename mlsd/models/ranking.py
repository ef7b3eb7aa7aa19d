"""How networks of rankers are trained: on whole requests, by any loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlsd import ragged, rng
from mlsd.losses.base import Loss
from mlsd.models.base import Batches, LossModule, fingerprint_of
from mlsd.models.epochs import Facts, Mean
from mlsd.models.layers import FeatureNet, MultiTaskNet, ScoringNet
from mlsd.types import Array, FeatureBatch, Ints


class RankingInputs(NamedTuple):
    """Candidates of whole requests, as tensors.

    Args:
        dense: (n, n_dense) float32.
        categorical: (n, n_categorical) int64.
        labels: (n,) float32, or (n, n_tasks).
        offsets: (n_requests + 1,) int64.
    """

    dense: Tensor
    categorical: Tensor
    labels: Tensor
    offsets: Tensor


class RankingModule(LossModule):
    """A network that scores candidates, with its loss.

    Args:
        net: (dense, categorical) -> (n,) scores.
        loss_function: what training minimises.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        embedding_l2: lambda of the penalty (lambda / 2) |v|^2 on all feature weights of the network, in place
            of their weight decay; 0 leaves them to that. Its gradient, lambda v, is added to theirs before
            Adam scales it (L2), where weight decay shrinks weights beside Adam's step. Weights of values that
            are not in a batch get it, too. Losses are reported without it, and gradients clipped before.
    """

    quality_mean: Mean

    def __init__(
        self,
        net: FeatureNet,
        loss_function: Loss,
        learning_rate: float,
        weight_decay: float,
        embedding_l2: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay)
        self.net, self.loss_function, self.embedding_l2 = net, loss_function, embedding_l2
        self.quality_mean = Mean()

    @property
    def facts(self) -> Facts:
        loss = f"{type(self.loss_function).__name__} {vars(self.loss_function)}"
        return {**super().facts, "loss": loss, "embedding_l2": str(self.embedding_l2)}

    def parameter_groups(self) -> list[dict[str, Any]]:
        groups = super().parameter_groups()
        if self.embedding_l2 == 0:
            return groups
        shrunk = list(self.net.feature_weights())
        ours = {id(weight) for weight in shrunk}
        rest = [{**group, "params": [p for p in group["params"] if id(p) not in ours]} for group in groups]
        l2 = {"params": shrunk, "weight_decay": self.embedding_l2, "decoupled_weight_decay": False}
        return [l2, *rest]

    def loss(self, batch: RankingInputs) -> tuple[Tensor, float]:
        return self._loss_of(self._scores(batch), batch)

    def validation_step(self, batch: Sequence[RankingInputs]) -> None:
        for part in batch:
            scores = self._scores(part)
            self.validation_mean.add(*self._loss_of(scores, part))
            self._judge(scores, part)

    def _scores(self, batch: RankingInputs) -> Tensor:
        scores: Tensor = self.net(batch.dense, batch.categorical)
        return scores.float()

    def _loss_of(self, scores: Tensor, batch: RankingInputs) -> tuple[Tensor, float]:
        loss = self.loss_function(scores, batch.labels, batch.offsets)
        return loss, self.loss_function.weight(batch.offsets)

    def _judge(self, scores: Tensor, batch: RankingInputs) -> None:
        self.quality_mean.add(*label_ndcg(scores, batch.labels, batch.offsets))


class MultiTaskModule(RankingModule):
    """A network that scores candidates for several tasks, with the sum of their losses.

        loss = sum over tasks j of  loss_function(label scores of j, labels of j)

    Its quality is the mean nDCG of label scores by labels, over the requests of each task with one above 0.

    Args:
        net: (dense, categorical) -> (n, n_tasks) scores.
        loss_function: what training of each task minimises.
        learning_rate, weight_decay, embedding_l2: see `RankingModule`.
    """

    net: MultiTaskNet

    def _scores(self, batch: RankingInputs) -> Tensor:
        return self.net.label_scores(super()._scores(batch))

    def _loss_of(self, scores: Tensor, batch: RankingInputs) -> tuple[Tensor, float]:
        losses = [self.loss_function(*task, batch.offsets) for task in _by_task(scores, batch)]
        return torch.stack(losses).sum(), self.loss_function.weight(batch.offsets)

    def _judge(self, scores: Tensor, batch: RankingInputs) -> None:
        for task in _by_task(scores, batch):
            self.quality_mean.add(*label_ndcg(*task, batch.offsets))


def _by_task(scores: Tensor, batch: RankingInputs) -> Iterator[tuple[Tensor, Tensor]]:
    """Scores and labels of each task, (n,) each."""
    return zip(scores.unbind(1), batch.labels.unbind(1), strict=True)


def label_ndcg(scores: Tensor, labels: Tensor, offsets: Tensor) -> tuple[Tensor, float]:
    """The mean nDCG of requests by their own labels, and how many have one above 0: the others say nothing.

        sum(label / log2(place + 2)) over that of the best order, all places counted, 0-based

    Args:
        scores: (n,) of candidates; ties keep the order they come in.
        labels: (n,) at least 0.
        offsets: (n_requests + 1,) int64.

    Source: Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002.

    Example:
        >>> scores, labels = torch.tensor([0.1, 0.9, 0.3]), torch.tensor([1.0, 0.0, 0.0])
        >>> mean, n = label_ndcg(scores, labels, torch.tensor([0, 2, 3]))
        >>> round(float(mean), 4), n
        (0.6309, 1.0)
    """
    gains, rows = labels.detach().numpy().astype(np.float64), offsets.numpy()
    discount = 1 / np.log2(ragged.positions(rows) + 2)
    found = ragged.sums(gains[ragged.order(scores.detach().numpy(), rows)] * discount, rows)
    best = ragged.sums(gains[ragged.order(gains, rows)] * discount, rows)
    counts = best > 0
    n = float(np.count_nonzero(counts))
    return torch.tensor(float(np.sum(found[counts] / best[counts])) / max(n, 1.0), dtype=torch.float64), n


def started(net: ScoringNet, loss: Loss, labels: Array) -> ScoringNet:
    """The network with the bias that is best for all candidates alike, so that no step goes into that.

    Args:
        net: with fresh weights.
        loss: what training minimises.
        labels: (n,) float32, of all candidates trained on.
    """
    with torch.no_grad():
        net.output_bias.fill_(loss.base_score(torch.from_numpy(labels)))
    return net


def started_tasks(net: MultiTaskNet, loss: Loss, labels: Array) -> MultiTaskNet:
    """The network with the biases that are best for all candidates alike, as `started` has it.

    Args:
        net: with fresh weights.
        loss: what training of each task minimises.
        labels: (n, n_tasks) float32, of all candidates trained on.
    """
    best = torch.tensor([[loss.base_score(column) for column in torch.from_numpy(labels).unbind(1)]])
    with torch.no_grad():
        for bias, score in zip(net.output_biases, net.task_scores(best)[0], strict=True):
            bias.fill_(score)
    return net


class RequestBatches(Batches):
    """Whole requests in a new order every epoch, about as many as hold `batch_rows` candidates together.

    Args:
        features: of n candidates.
        labels: (n,) float32, or (n, n_tasks).
        batch_rows: a batch is the requests that begin within so many consecutive candidates.
        seed: of the order.
    """

    def __init__(self, features: FeatureBatch, labels: Array, batch_rows: int, seed: int) -> None:
        self.features, self.labels = features, labels
        self.batch_rows, self.seed = batch_rows, seed
        self.requests = np.flatnonzero(np.diff(features.offsets))

    def of_epoch(self, epoch: int) -> Iterator[RankingInputs]:
        luck = rng.uniform(self.seed, "order of requests", epoch, self.requests)
        requests = self.requests[np.argsort(luck)]
        cuts = _cuts(np.diff(self.features.offsets)[requests], self.batch_rows)
        return (self._of_requests(part) for part in np.split(requests, cuts) if len(part))

    def fingerprint(self) -> str:
        features = self.features
        return fingerprint_of(features.dense, features.categorical, features.offsets, self.labels)

    def _of_requests(self, requests: Ints) -> RankingInputs:
        rows, offsets = ragged.take_segments(self.features.offsets, requests)
        arrays = self.features.dense[rows], self.features.categorical[rows], self.labels[rows], offsets
        return RankingInputs(*map(torch.from_numpy, arrays))


def _cuts(counts: Array, batch_rows: int) -> Ints:
    """Before which segments a new batch begins: those that begin in the same `batch_rows` rows stay together.

    Example:
        >>> _cuts(np.array([2, 1, 5, 1, 1]), batch_rows=3).tolist()
        [2, 3, 4]
    """
    batch = ragged.offsets_of_counts(counts)[:-1] // batch_rows
    return np.flatnonzero(np.diff(batch)) + 1
