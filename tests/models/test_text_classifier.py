"""The text network: its loss against loops, serving against training, resuming."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from mlsd.fitting import Fitting, TrainerOptions
from mlsd.models.base import seeded
from mlsd.models.grams import Grams, TextClasses
from mlsd.models.text_classifier import TextBatches, TextModule, TextNet, fit_text_classes
from mlsd.models.text_examples import Examples
from mlsd.progress import Progress

WORDS = ("amber", "basin", "cedar", "delta", "ember", "fjord")
TEXTS = [f"{one} {other}" for one in WORDS for other in WORDS if one != other]
TARGET = np.eye(3, dtype=np.float32)[[WORDS.index(text.split()[0]) // 2 for text in TEXTS]]
WEIGHT = np.linspace(0.5, 3, len(TEXTS)).astype(np.float32)
EXAMPLES = Examples(TEXTS, TARGET, WEIGHT)
OPTIONS = TrainerOptions(max_epochs=6, patience=6, n_threads=1)


def fitted(fitting: Fitting) -> TextClasses:
    held_out = Examples(TEXTS[::3], TARGET[::3], WEIGHT[::3])
    return fit_text_classes(EXAMPLES, held_out, 8, 0.05, 8, fitting)[0]


def network(grams: Grams) -> TextNet:
    with seeded(0, "weights"):
        net = TextNet(len(grams), 8, EXAMPLES.prior)
        torch.nn.init.normal_(net.classes)
    return net


def test_loss_is_its_formula_on_what_serves() -> None:
    grams = Grams.of(TEXTS)
    net, bags = network(grams), grams.bags(TEXTS)
    (batch,) = TextBatches(bags, EXAMPLES, 100, seed=0).of_epoch(0)
    loss, weight = TextModule(net, learning_rate=0.1).loss(batch)
    logits = TextClasses(grams, *net.folded(), EXAMPLES.prior).logits(bags)
    losses = -(TARGET * log_softmax(logits, axis=1)).sum(axis=1)
    assert float(loss.detach()) == pytest.approx(np.average(losses, weights=WEIGHT), rel=1e-5)
    assert weight == pytest.approx(WEIGHT.sum())


def test_every_text_is_in_one_batch_of_an_epoch() -> None:
    bags = Grams.of(TEXTS).bags(TEXTS)
    batches = TextBatches(bags, EXAMPLES, 8, seed=0)
    orders = [np.concatenate([batch.weight.numpy() for batch in batches.of_epoch(n)]) for n in (0, 1)]
    assert [len(batch.weight) for batch in batches.of_epoch(0)] == [8, 8, 7, 7]
    assert sorted(orders[0]) == sorted(orders[1]) == WEIGHT.tolist()
    assert orders[0].tolist() != orders[1].tolist()


def test_before_training_a_text_says_nothing() -> None:
    grams = Grams.of(TEXTS)
    net = TextNet(len(grams), 8, EXAMPLES.prior)
    prob = TextClasses(grams, *net.folded(), EXAMPLES.prior).prob(TEXTS)
    np.testing.assert_allclose(prob, np.tile(EXAMPLES.prior, (len(TEXTS), 1)), rtol=1e-5)


def test_it_learns_what_can_be_learnt() -> None:
    """The class is that of the first word, and every pair comes in both orders: where its words are of two
    classes it cannot be told."""
    prob = fitted(Fitting(OPTIONS)).prob(TEXTS)
    same = np.array([WORDS.index(t.split()[0]) // 2 == WORDS.index(t.split()[1]) // 2 for t in TEXTS])
    assert (prob.argmax(axis=1) == TARGET.argmax(axis=1))[same].all()


def test_a_training_that_was_cut_off_comes_to_the_same_weights(tmp_path: Path) -> None:
    whole = fitted(Fitting(OPTIONS))
    cut = Fitting(OPTIONS, folder=tmp_path / "cut", progress=_stop_after(3))
    with pytest.raises(KeyboardInterrupt):
        fitted(cut)
    resumed = fitted(replace(cut, progress=lambda *_: None))
    assert resumed.weights.tobytes() == whole.weights.tobytes()
    assert fitted(Fitting(OPTIONS, seed=1)).weights.tobytes() != whole.weights.tobytes()


def _stop_after(n_epochs: int) -> Progress:
    def progress(done: int, total: int, what: str) -> None:
        assert (total, what) == (OPTIONS.max_epochs, "model")
        if done == n_epochs:
            raise KeyboardInterrupt

    return progress
