"""How a network is trained: one Lightning loop for rankers, retrievers and query understanding.

A training is a pure function of its options, seed and batches: the same weights to the bit, whether it ran
in one go or was cut off and went on from its checkpoint.
"""

from __future__ import annotations

import logging
import signal
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.utilities.exceptions import SIGTERMException
from torch import Tensor, nn

from mlsd import rng
from mlsd.fitting import Curves, Fitting
from mlsd.models.epochs import Epochs, Facts, Mean

T = TypeVar("T")

STEPS_AT_ONCE = 16
"""Optimiser steps for every call by Lightning, whose own work on a call takes as long as a small step."""


class LossModule(LightningModule):
    """A network with the loss it is trained by, on batches that are ready to use.

    Args:
        learning_rate: of AdamW.
        weight_decay: of AdamW, for weights; biases are left alone.
    """

    def __init__(self, learning_rate: float, weight_decay: float) -> None:
        super().__init__()
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.gradient_clip = 0.0
        self.automatic_optimization = False
        self.train_mean, self.validation_mean = Mean(), Mean()
        self.quality_mean: Mean | None = None

    @abstractmethod
    def loss(self, batch: Any) -> tuple[Tensor, float]:
        """The mean loss of a batch, and how much it weighs among other batches."""

    @property
    def facts(self) -> Facts:
        """What a checkpoint must agree with to belong to this training."""
        shapes = {name: tuple(weight.shape) for name, weight in self.state_dict().items()}
        rates = {"learning_rate": str(self.learning_rate), "weight_decay": str(self.weight_decay)}
        return {"network": _digest(f"{self!r} {shapes}".encode()), **rates}

    def training_step(self, batch: Sequence[Any]) -> None:
        """One optimiser step on each of some batches."""
        optimizer = self.trainer.optimizers[0]
        for part in batch:
            self._learn(part, optimizer)

    def validation_step(self, batch: Sequence[Any]) -> None:
        for part in batch:
            self.validation_mean.add(*self.loss(part))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW by its other name: `torch.optim.AdamW`, resumed, makes every group's decay decoupled."""
        groups = [group for group in self.parameter_groups() if group["params"]]
        return torch.optim.Adam(groups, lr=self.learning_rate, fused=True, decoupled_weight_decay=True)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Parameters with the optimiser's options for them; together they are all, each once."""
        weights = {"params": [p for p in self.parameters() if p.ndim >= 2], "weight_decay": self.weight_decay}
        biases = {"params": [p for p in self.parameters() if p.ndim < 2], "weight_decay": 0.0}
        return [weights, biases]

    def _learn(self, batch: Any, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        loss, weight = self.loss(batch)
        torch.autograd.backward(loss)
        if self.gradient_clip > 0:
            nn.utils.clip_grad_norm_(self.parameters(), self.gradient_clip)
        optimizer.step()
        self.train_mean.add(loss, weight)

    def transfer_batch_to_device(self, batch: T, device: torch.device, dataloader_idx: int) -> T:  # noqa: ARG002
        """Batches are already where they are used."""
        return batch


class Batches(ABC):
    """Batches ready to use, dealt anew for every epoch."""

    @abstractmethod
    def of_epoch(self, epoch: int) -> Iterator[Any]:
        """The batches of an epoch: the same ones whenever it is asked."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Tells the rows that batches are made of from any others."""


def fit_module(
    module: LossModule, train_batches: Batches, validation_batches: Batches, fitting: Fitting
) -> Curves:
    """Train a network until its validation loss no longer falls, and leave it with its best weights.

    After every epoch `fitting.folder` holds a checkpoint; a training that finds its own goes on from
    there, to the same weights.

    Args:
        module: with its initial weights, which should be drawn under `seeded`.
        train_batches: each epoch has its own order.
        validation_batches: those of epoch 0 serve every epoch.
        fitting: how to train.

    Returns:
        Loss by epoch.

    Raises:
        InputError: The folder holds the checkpoint of another training, or the logger is not installed.
        TrainingDivergedError: A loss became infinite or NaN.
        KeyboardInterrupt: As it came; the checkpoint of the last whole epoch stays.
        StoppedError: `fitting.watch` raised it.
    """
    facts = module.facts
    if fitting.folder is not None:
        fitting.folder.mkdir(parents=True, exist_ok=True)
        facts |= {
            "training rows": train_batches.fingerprint(),
            "validation rows": validation_batches.fingerprint(),
        }
    module.gradient_clip = fitting.options.gradient_clip
    epochs = Epochs(fitting, facts, module.train_mean, module.validation_mean, module.quality_mean)
    checkpoint = epochs.resume()
    if not epochs.finished:
        ready = list(validation_batches.of_epoch(0))
        train, validation = _Loader(lambda: train_batches.of_epoch(epochs.n)), _Loader(lambda: ready)
        with _surroundings(epochs):
            _trainer(epochs).fit(module, train, validation, ckpt_path=checkpoint, weights_only=True)
    module.load_state_dict(epochs.best)
    module.eval()
    return epochs.curves


@contextmanager
def seeded(seed: int, stream: str) -> Iterator[None]:
    """Torch draws from a stream of its own inside, and goes on outside as if nothing had been drawn.

    Example:
        >>> with seeded(0, "weights"):
        ...     first = torch.rand(2)
        >>> with seeded(0, "weights"):
        ...     second = torch.rand(2)
        >>> bool((first == second).all())
        True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.derive(seed, stream))
        yield


def fingerprint_of(*arrays: NDArray[Any]) -> str:
    """A digest of the shapes, types and values of arrays.

    Example:
        >>> fingerprint_of(np.zeros(2)) == fingerprint_of(np.zeros((2, 1)))
        False
    """
    described = [f"{array.shape} {array.dtype}".encode() for array in arrays]
    return _digest(*described, *(np.ascontiguousarray(array).data for array in arrays if array.size))


def _digest(*parts: bytes | memoryview) -> str:
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


class _Loader:
    """What Lightning iterates over, once an epoch: some batches at a time, dealt as they come."""

    def __init__(self, deal: Callable[[], Iterable[Any]]) -> None:
        self.deal = deal

    def __iter__(self) -> Iterator[Any]:
        batches = iter(self.deal())
        return iter(lambda: tuple(islice(batches, STEPS_AT_ONCE)), ())


def _trainer(epochs: Epochs) -> Trainer:
    return Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs.fitting.options.max_epochs,
        precision=epochs.fitting.options.precision,
        callbacks=[epochs],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


@contextmanager
def _surroundings(epochs: Epochs) -> Iterator[None]:
    """Its own threads and random numbers, no chatter, and signals that end it as they end any program."""
    threads = epochs.fitting.options.n_threads
    with _threads(threads), torch.random.fork_rng(devices=[]), _quiet(), _signals_pass(epochs):
        yield


@contextmanager
def _threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """No banners of Lightning's, and not the warning that it draws from torch about its own use of it."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`isinstance\\(treespec, LeafSpec\\)`", FutureWarning)
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _signals_pass(epochs: Epochs) -> Iterator[None]:
    """Undo what Lightning makes of Ctrl-C (exit code 1, further ones ignored) and SIGTERM (exit code 0)."""
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SIGTERMException:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.raise_signal(signal.SIGTERM)
        raise SystemExit(128 + signal.SIGTERM) from None
    except SystemExit:
        if epochs.interrupt is None:
            raise
        signal.signal(signal.SIGINT, on_interrupt)
        raise epochs.interrupt from None
