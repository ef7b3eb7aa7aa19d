"""Classes of texts, learnt: averaged vectors of words and pieces of words under a softmax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding_bag

from mlsd import rng
from mlsd.fitting import Curves, Fitting
from mlsd.models.bags import Bags, Vectors
from mlsd.models.base import Batches, LossModule, fingerprint_of, fit_module, seeded
from mlsd.models.grams import Grams, TextClasses
from mlsd.models.text_examples import Examples
from mlsd.types import Ints


class TextInputs(NamedTuple):
    """A batch of texts: their grams and the shares of their classes."""

    ids: Tensor
    weights: Tensor
    offsets: Tensor
    target: Tensor
    """(n, n_classes)."""

    weight: Tensor
    """(n,) how much each text counts."""


class TextNet(nn.Module):
    """A text is the mean of its grams' vectors; a class is a direction.

        logits = A (mean over grams g of v_g) + b

    The vectors start at N(0, 1 / dim), A at 0 and b at the logarithm of the classes' shares, so that training
    starts where a text says nothing.

    Args:
        n_grams: known words and pieces of words.
        dim: of the vectors.
        prior: (n_classes,) the share of each class, above 0.

    Source: Joulin et al., "Bag of Tricks for Efficient Text Classification" (EACL 2017).
    """

    def __init__(self, n_grams: int, dim: int, prior: Vectors) -> None:
        super().__init__()
        self.grams = nn.Parameter(torch.randn(n_grams, dim) / dim**0.5)
        self.classes = nn.Parameter(torch.zeros(len(prior), dim))
        self.bias = nn.Parameter(torch.from_numpy(np.log(prior)))

    def forward(self, batch: TextInputs) -> Tensor:
        """(n, n_classes) logits."""
        mean = embedding_bag(
            batch.ids,
            self.grams,
            batch.offsets,
            mode="sum",
            per_sample_weights=batch.weights,
            include_last_offset=True,
        )
        return mean @ self.classes.t() + self.bias

    def folded(self) -> tuple[Vectors, Vectors]:
        """(n_grams, n_classes) what each gram says about each class, and (n_classes,) the bias."""
        with torch.no_grad():
            said = self.grams @ self.classes.t()
        return said.numpy().copy(), self.bias.detach().numpy().copy()


class TextModule(LossModule):
    """Trains a text network by the cross entropy of the classes' shares.

        loss = weighted mean over texts of  -sum over classes of  target * log softmax(logits)

    Args:
        net: to train.
        learning_rate: of AdamW.
    """

    def __init__(self, net: TextNet, learning_rate: float) -> None:
        super().__init__(learning_rate, weight_decay=0.0)
        self.net = net

    def loss(self, batch: TextInputs) -> tuple[Tensor, float]:
        losses = cross_entropy(self.net(batch), batch.target, reduction="none")
        total = float(batch.weight.sum())
        return (batch.weight * losses).sum() / total, total


class TextBatches(Batches):
    """Texts in a new order every epoch, in batches of equal size.

    Args:
        bags: of n_texts.
        examples: the same texts.
        batch_texts: texts of a batch, at most.
        seed: of the order.
    """

    def __init__(self, bags: Bags, examples: Examples, batch_texts: int, seed: int) -> None:
        self.bags, self.examples = bags, examples
        self.batch_texts, self.seed = batch_texts, seed

    def of_epoch(self, epoch: int) -> Iterator[TextInputs]:
        rows = np.arange(len(self.examples))
        order = np.argsort(rng.uniform(self.seed, "order of texts", epoch, rows))
        n_batches = -(-len(order) // self.batch_texts)
        return (self._of_texts(part) for part in np.array_split(order, n_batches))

    def fingerprint(self) -> str:
        bags, examples = self.bags, self.examples
        size = np.array(self.batch_texts)
        return fingerprint_of(bags.offsets, bags.ids, bags.weights, examples.target, examples.weight, size)

    def _of_texts(self, rows: Ints) -> TextInputs:
        bags = self.bags.take(rows)
        arrays = bags.ids, bags.weights, bags.offsets, self.examples.target[rows], self.examples.weight[rows]
        return TextInputs(*map(torch.from_numpy, arrays))


def fit_text_classes(
    train: Examples,
    validation: Examples,
    dim: int,
    learning_rate: float,
    batch_texts: int,
    fitting: Fitting,
) -> tuple[TextClasses, Curves]:
    """Learn the classes of texts, not yet calibrated.

    Args:
        train: what is learnt from.
        validation: what tells when to stop.
        dim: of the vectors.
        learning_rate: of AdamW.
        batch_texts: texts of a batch.
        fitting: how to train.
    """
    grams, prior = Grams.of(train.texts), train.prior
    with seeded(fitting.seed, "weights"):
        net = TextNet(len(grams), dim, prior)
    train_batches, validation_batches = (
        TextBatches(grams.bags(part.texts), part, batch_texts, fitting.seed) for part in (train, validation)
    )
    module = TextModule(net, learning_rate)
    curves = fit_module(module, train_batches, validation_batches, fitting)
    return TextClasses(grams, *net.folded(), prior), curves
