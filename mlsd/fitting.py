"""How gradient training is run, and what it leaves to look at. Values only; no torch here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from mlsd import checks
from mlsd.progress import Progress, silent

LOGGERS = ("none", "csv", "tensorboard")

Precision = Literal["32-true", "bf16-mixed"]
PRECISIONS: tuple[Precision, ...] = ("32-true", "bf16-mixed")


@dataclass(frozen=True)
class TrainerOptions:
    """How every model of a run is trained.

    Args:
        max_epochs: passes over the training requests, at most.
        patience: epochs without a better validation loss before training stops.
        batch_rows: candidates a batch holds, about; requests are never cut in two.
        min_batches: of an epoch, at least, where there are as many requests: few rows make smaller batches,
            since an epoch of a handful of steps teaches little.
        n_threads: torch threads of training; part of the config because sums depend on it.
        logger: "none", "csv" or "tensorboard".
        gradient_clip: largest gradient norm; 0 turns clipping off.
        plateau_factor: what the learning rate is multiplied by on a plateau, in (0, 1]; 1 leaves it.
        plateau_patience: epochs in a row without a better validation loss that are a plateau; twice as many
            are two.
        precision: of training, as Lightning names it: "32-true", or "bf16-mixed", in which matrix products
            are of 16-bit numbers and weights stay what they are. Scores of a trained model are of 32 bits.
    """

    max_epochs: int = 10
    patience: int = 2
    batch_rows: int = 2048
    min_batches: int = 50
    n_threads: int = 2
    logger: str = "none"
    gradient_clip: float = 0.0
    plateau_factor: float = 1.0
    plateau_patience: int = 1
    precision: Precision = "32-true"

    def __post_init__(self) -> None:
        checks.at_least("max_epochs", self.max_epochs, 1)
        checks.at_least("patience", self.patience, 1)
        checks.at_least("batch_rows", self.batch_rows, 1)
        checks.at_least("min_batches", self.min_batches, 1)
        checks.at_least("n_threads", self.n_threads, 1)
        checks.one_of("logger", self.logger, LOGGERS)
        checks.at_least("gradient_clip", self.gradient_clip, 0)
        checks.require(
            0 < self.plateau_factor <= 1, "plateau_factor", self.plateau_factor, "must be in (0, 1]"
        )
        checks.at_least("plateau_patience", self.plateau_patience, 1)
        checks.one_of("precision", self.precision, PRECISIONS)

    def rows_of_batch(self, n_rows: int) -> int:
        """Candidates that a batch of so many in all holds, about.

        Example:
            >>> options = TrainerOptions(batch_rows=2048, min_batches=50)
            >>> options.rows_of_batch(1_000_000), options.rows_of_batch(5_000)
            (2048, 100)
        """
        return max(1, min(self.batch_rows, n_rows // self.min_batches))


class StoppedError(Exception):
    """Raised by whoever watches a training and has seen enough of it; the training leaves nothing behind."""


class Watch(Protocol):
    """Told after each epoch how good a model is; may raise `StoppedError`."""

    def __call__(self, epoch: int, quality: float) -> None:
        """What `Curves.quality` holds of a 0-based epoch."""


def unwatched(epoch: int, quality: float) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Fitting:
    """Everything a trainable part needs to know about one training.

    Args:
        options: how to train.
        seed: of initial weights and of the order of batches.
        folder: where checkpoints and logs go; a training that was cut off goes on from there.
            None keeps nothing.
        name: what is trained, for logs and progress.
        progress: told after every epoch.
        n_workers: threads in which fitted stages prepare what the next one learns from; any number gives the
            same.
        watch: told after every epoch of a model that has a quality; may end the training.
    """

    options: TrainerOptions = field(default_factory=TrainerOptions)
    seed: int = 0
    folder: Path | None = None
    name: str = "model"
    progress: Progress = silent
    n_workers: int = 1
    watch: Watch = unwatched


@dataclass(frozen=True)
class Curves:
    """Loss by epoch, as trained. The best epoch is the first with the lowest validation loss.

    Args:
        train: losses on what is trained on.
        validation: losses on the validation window.
        quality: how good the model is there, in [0, 1] whatever its loss: of rankers the mean nDCG by
            their own labels. Empty of models that have no such figure.

    Example:
        >>> Curves(train=(0.7, 0.5, 0.4), validation=(0.6, 0.5, 0.5)).best_epoch
        1
    """

    train: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    quality: tuple[float, ...] = ()

    @property
    def best_epoch(self) -> int:
        return min(range(len(self.validation)), key=self.validation.__getitem__, default=0)
