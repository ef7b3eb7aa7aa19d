"""What is kept of a training, epoch by epoch: losses, best weights, checkpoint, logs; and when it ends."""

# ruff: noqa: ARG002  (Lightning says which arguments its hooks take)

from __future__ import annotations

import pickle
import shutil
from dataclasses import asdict
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import Tensor

from mlsd import rng
from mlsd.errors import InputError, MlsdError
from mlsd.fitting import Curves, Fitting

Facts = dict[str, str]
"""What tells one training from another, such as its seed, network and rows."""

_LOGGERS: dict[str, type[Logger]] = {"csv": CSVLogger, "tensorboard": TensorBoardLogger}


class TrainingDivergedError(MlsdError):
    """A loss became infinite or NaN."""


class Mean:
    """A running mean of batches' losses, in double precision.

    Example:
        >>> mean = Mean()
        >>> mean.add(torch.tensor(1.0), weight=3), mean.add(torch.tensor(5.0), weight=1)
        (None, None)
        >>> mean.take()
        2.0
    """

    def __init__(self) -> None:
        self.total, self.weight = 0.0, 0.0

    def add(self, loss: Tensor, weight: float) -> None:
        self.total += float(loss.detach()) * weight
        self.weight += weight

    def take(self) -> float:
        """The mean so far (0 of nothing), starting anew."""
        mean = self.total / self.weight if self.weight else 0.0
        self.total, self.weight = 0.0, 0.0
        return mean


class Epochs(Callback):
    """The epochs of one training so far.

    Args:
        fitting: how the training is run.
        facts: what its checkpoint must agree with.
        train: the mean of the current epoch's training losses.
        validation: the mean of the current epoch's validation losses.
        quality: the mean of the model's quality on validation rows; None where it has none.
    """

    def __init__(
        self, fitting: Fitting, facts: Facts, train: Mean, validation: Mean, quality: Mean | None = None
    ) -> None:
        self.fitting = fitting
        self.facts = {"name": fitting.name, "seed": str(fitting.seed), **_option_facts(fitting), **facts}
        self.means = {"train": train, "validation": validation}
        self.losses: dict[str, list[float]] = {"train": [], "validation": []}
        self.quality_mean, self.quality = quality, list[float]()
        self.best: dict[str, Tensor] = {}
        self.interrupt: KeyboardInterrupt | None = None
        self.logger: Logger | None = None

    @property
    def n(self) -> int:
        return len(self.losses["validation"])

    @property
    def curves(self) -> Curves:
        return Curves(tuple(self.losses["train"]), tuple(self.losses["validation"]), tuple(self.quality))

    @property
    def finished(self) -> bool:
        """Whether all epochs are over, or `patience` of them brought nothing better."""
        options = self.fitting.options
        return self.n >= options.max_epochs or self.n - self.curves.best_epoch > options.patience

    @property
    def checkpoint(self) -> Path | None:
        return self.fitting.folder and self.fitting.folder / "last.ckpt"

    def resume(self) -> Path | None:
        """Take over the epochs of the checkpoint and return it; None where there is none."""
        if self.checkpoint is None or not self.checkpoint.exists():
            return None
        state = _read(self.checkpoint)
        _check_same(self.facts, state["facts"], self.checkpoint)
        self.losses, self.quality, self.best = state["losses"], state["quality"], state["best"]
        for epoch, quality in enumerate(self.quality):
            self.fitting.watch(epoch, quality)
        return self.checkpoint

    def state_dict(self) -> dict[str, Any]:
        return {"losses": self.losses, "quality": self.quality, "best": self.best, "facts": self.facts}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.logger = _logger_of(self.fitting)
        for epoch in range(self.n):
            self._log(epoch)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        torch.manual_seed(rng.derive(self.fitting.seed, f"dropout of epoch {self.n}"))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._take_losses()
        n_worse, options = self.n - 1 - self.curves.best_epoch, self.fitting.options
        if n_worse == 0:
            self.best = {name: value.clone() for name, value in pl_module.state_dict().items()}
        elif n_worse % options.plateau_patience == 0:
            _slow_down(trainer, options.plateau_factor)
        self._log(self.n - 1)
        self._save(trainer)
        trainer.should_stop = self.finished
        total = self.fitting.options.max_epochs
        self.fitting.progress(total if self.finished else self.n, total, self.fitting.name)
        if self.quality:
            self.fitting.watch(self.n - 1, self.quality[-1])

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if isinstance(exception, KeyboardInterrupt):
            self.interrupt = exception

    def _take_losses(self) -> None:
        for kind, mean in self.means.items():
            loss = mean.take()
            if not isfinite(loss):
                raise TrainingDivergedError(
                    f"{self.fitting.name}: {kind} loss == {loss} in epoch {len(self.losses[kind])}, "
                    "must be finite; a lower learning_rate or gradient_clip > 0 may help"
                )
            self.losses[kind].append(loss)
        if self.quality_mean is not None:
            self.quality.append(self.quality_mean.take())

    def _log(self, epoch: int) -> None:
        if self.logger is not None:
            losses = {f"{kind}_loss": values[epoch] for kind, values in self.losses.items()}
            self.logger.log_metrics(losses, step=epoch)
            self.logger.save()

    def _save(self, trainer: Trainer) -> None:
        """Write the checkpoint beside its place and move it there, so that it is always whole."""
        if self.checkpoint is not None:
            unfinished = self.checkpoint.with_suffix(".tmp")
            try:
                trainer.save_checkpoint(unfinished)
            except OSError as error:  # names a temporary file of Lightning's, wherever that lies
                raise OSError(error.errno, error.strerror, str(self.checkpoint)) from error
            unfinished.replace(self.checkpoint)


def _slow_down(trainer: Trainer, factor: float) -> None:
    """Multiply the learning rates; checkpoints keep them with the optimiser."""
    for group in trainer.optimizers[0].param_groups:
        group["lr"] *= factor


def _option_facts(fitting: Fitting) -> Facts:
    options = asdict(fitting.options)
    return {name: str(value) for name, value in options.items() if name != "logger"}


def _read(checkpoint: Path) -> dict[str, Any]:
    """What `Epochs.state_dict` left in a checkpoint."""
    try:
        content = torch.load(checkpoint, weights_only=True)
        state: dict[str, Any] = content["callbacks"][Epochs.__qualname__]
    except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as fault:
        raise InputError(f"{checkpoint} is no checkpoint of a training; remove it to train anew") from fault
    return state


def _check_same(ours: Facts, theirs: Facts, checkpoint: Path) -> None:
    differing = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    if differing:
        listed = "; ".join(f"{name} == {theirs.get(name)} there, {ours.get(name)} here" for name in differing)
        raise InputError(f"{checkpoint} belongs to another training ({listed}); remove it to train anew")


def _logger_of(fitting: Fitting) -> Logger | None:
    """The logger of that name, its folder emptied: a resumed training logs its past epochs again."""
    name = fitting.options.logger
    if name == "none" or fitting.folder is None:
        return None
    if name == "tensorboard" and find_spec("tensorboard") is None:
        raise InputError("logger == 'tensorboard', must be installed: pip install 'mlsd[tensorboard]'")
    shutil.rmtree(fitting.folder / name, ignore_errors=True)
    return _LOGGERS[name](fitting.folder, name=name, version="")  # type: ignore[call-arg]
