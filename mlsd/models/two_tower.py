"""Queries and items as vectors of one space, learnt from pairs that belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding_bag, normalize

from mlsd import rng
from mlsd.models.bags import Bags, Vectors
from mlsd.models.base import Batches, LossModule, fingerprint_of
from mlsd.models.epochs import Facts
from mlsd.models.pairs import Pairs
from mlsd.types import Ints


class PairInputs(NamedTuple):
    """A batch of pairs: every item is a candidate for every query."""

    query: TensorBags
    title: TensorBags
    text: TensorBags
    log_share: Tensor
    """(n,) log of the share of all pairs that the item has: how likely it is to be in a batch."""

    belongs: Tensor
    """(n, n) whether an item must not count as wrong for a query: the same item, or another of its own."""

    weight: Tensor


class TensorBags(NamedTuple):
    """Bags of terms, as tensors."""

    ids: Tensor
    weights: Tensor
    offsets: Tensor


class TwoTower(nn.Module):
    """A query is the sum of its terms' vectors; an item that of its title plus that of its text.

        q = unit(sum over terms t of w_t v_t)
        d = unit(unit(sum over the title) + unit(sum over the text))

    Both towers share one table of term vectors, drawn from N(0, 1 / dim) at first, so that before any
    training q d is about the cosine of tf-idf (Johnson and Lindenstrauss), and words never seen in training
    still match themselves.

    Args:
        n_terms: of the vocabulary.
        dim: of the space.
    """

    def __init__(self, n_terms: int, dim: int) -> None:
        super().__init__()
        self.terms = nn.Parameter(torch.randn(n_terms, dim) / dim**0.5)

    def forward(self, batch: PairInputs) -> Tensor:
        """(n, n) cosine of every query and every item of a batch."""
        items = normalize(self._unit(batch.title) + self._unit(batch.text))
        return self._unit(batch.query) @ items.t()

    def _unit(self, bags: TensorBags) -> Tensor:
        summed = embedding_bag(
            bags.ids,
            self.terms,
            bags.offsets,
            mode="sum",
            per_sample_weights=bags.weights,
            include_last_offset=True,
        )
        return normalize(summed)


class TwoTowerModule(LossModule):
    """Trains a two-tower network by a softmax over the items of a batch.

        loss = weighted mean over pairs i of  -log softmax_j(q_i d_j / temperature - log share_j)[i]

    Taking off log share_j undoes that popular items are in more batches, and so wrong answers more often.

    Args:
        net: to train.
        temperature: the lower, the more the hardest wrong items count.
        learning_rate: of AdamW.

    Source: Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations"
    (RecSys 2019), eqs. 3 to 5.
    """

    def __init__(self, net: TwoTower, temperature: float, learning_rate: float) -> None:
        super().__init__(learning_rate, weight_decay=0.0)
        self.net, self.temperature = net, temperature

    @property
    def facts(self) -> Facts:
        return {**super().facts, "temperature": str(self.temperature)}

    def loss(self, batch: PairInputs) -> tuple[Tensor, float]:
        logits = self.net(batch) / self.temperature - batch.log_share
        logits = logits.masked_fill(batch.belongs, -torch.inf)
        losses = cross_entropy(logits, torch.arange(len(logits)), reduction="none")
        total = float(batch.weight.sum())
        return (batch.weight * losses).sum() / total, total


class PairBatches(Batches):
    """Pairs in a new order every epoch, in batches of equal size.

    Args:
        pairs: all pairs.
        rows: those to learn from.
        batch_pairs: pairs of a batch, at most.
        seed: of the order.
    """

    def __init__(self, pairs: Pairs, rows: Ints, batch_pairs: int, seed: int) -> None:
        self.pairs, self.rows = pairs, rows
        self.batch_pairs, self.seed = batch_pairs, seed
        self.log_share = _log_share(pairs)

    def of_epoch(self, epoch: int) -> Iterator[PairInputs]:
        luck = rng.uniform(self.seed, "order of pairs", epoch, self.rows)
        order = self.rows[np.argsort(luck)]
        n_batches = -(-len(order) // self.batch_pairs)
        return (self._of_pairs(rows) for rows in np.array_split(order, n_batches))

    def fingerprint(self) -> str:
        pairs, bags = self.pairs, (self.pairs.queries, self.pairs.titles, self.pairs.texts)
        texts = [array for each in bags for array in (each.offsets, each.ids, each.weights)]
        chosen = self.rows, pairs.query, pairs.item, pairs.weight, pairs.hides_title
        return fingerprint_of(*texts, *chosen, np.array(self.batch_pairs))

    def _of_pairs(self, rows: Ints) -> PairInputs:
        pairs = self.pairs
        query, item = pairs.query[rows], pairs.item[rows]
        belongs = (query[:, None] == query) | (item[:, None] == item)
        np.fill_diagonal(belongs, val=False)
        return PairInputs(
            _tensors(pairs.queries.take(query)),
            _tensors(pairs.titles.take(item).without(pairs.hides_title[rows])),
            _tensors(pairs.texts.take(item)),
            torch.from_numpy(self.log_share[rows]),
            torch.from_numpy(belongs),
            torch.from_numpy(pairs.weight[rows]),
        )


def _log_share(pairs: Pairs) -> Vectors:
    """(n_pairs,) log of the share of pairs that have the pair's item."""
    counts = np.bincount(pairs.item, minlength=len(pairs.texts))
    return np.log(counts[pairs.item] / len(pairs.item)).astype(np.float32)


def _tensors(bags: Bags) -> TensorBags:
    return TensorBags(*map(torch.from_numpy, (bags.ids, bags.weights, bags.offsets)))
