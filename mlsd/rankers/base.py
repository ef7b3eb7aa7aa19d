"""Rankers score candidates."""

# ruff: noqa: PLC0415  (torch is loaded when a ranker first needs it)

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlsd import checks
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.losses.base import Loss
from mlsd.types import FeatureBatch, FeatureSpec, State

if TYPE_CHECKING:
    from mlsd.models.layers import FeatureNet, MultiTaskNet, ScoringNet
    from mlsd.models.ranking import RankingModule


@dataclass(frozen=True)
class LabelledFeatures:
    """Training rows of a ranker.

    Args:
        features: of n candidates.
        labels: (n,) float32, at least 0; (n, n_tasks) for a ranker of several tasks.
    """

    features: FeatureBatch
    labels: NDArray[np.float32]


class Scorer(ABC):
    """Scores candidates from their features."""

    @abstractmethod
    def fit(self, train: LabelledFeatures, validation: LabelledFeatures, fitting: Fitting) -> Curves:
        """Learn from `train`, choosing the epoch that does best on `validation`."""

    @abstractmethod
    def score(self, features: FeatureBatch) -> NDArray[np.float32]:
        """(n_candidates,) scores; (n_candidates, n_tasks) of a ranker of several tasks."""

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""


class Ranker(Scorer):
    """Gives each candidate one score; a higher one ranks higher."""


class LightningScorer(Scorer):
    """A scorer trained by gradients: a network, and a loss over whole requests.

    Torch is loaded when it is first used, Lightning only when it is trained.

    Args:
        spec: shape of the features.
        loss: what training minimises.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0; biases are left alone.
        embedding_l2: L2 penalty on embeddings in place of weight decay, at least 0; 0 for none (see
            `mlsd.models.ranking.RankingModule`).
    """

    reads_histories: ClassVar[bool] = False
    """Whether its network reads the columns of histories; one that does not refuses a spec that has any."""

    def __init__(
        self,
        spec: FeatureSpec,
        loss: Loss,
        learning_rate: float = 0.001,
        weight_decay: float = 0.0,
        embedding_l2: float = 0.0,
    ) -> None:
        self.spec = self._readable(spec)
        self.loss = loss
        self.learning_rate = checks.above("learning_rate", learning_rate, 0)
        self.weight_decay = checks.at_least("weight_decay", weight_decay, 0)
        self.embedding_l2 = checks.at_least("embedding_l2", embedding_l2, 0)
        self._net: FeatureNet | None = None

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of a candidate's scores: none for a single one."""

    @abstractmethod
    def build_model(self) -> FeatureNet:
        """A network with fresh weights: (n, n_dense) float32, (n, n_categorical) int64 -> (n, *shape)."""

    @abstractmethod
    def _module(self, labels: NDArray[np.float32]) -> RankingModule:
        """A fresh network where training starts, with its loss."""

    @abstractmethod
    def _check_labels(self, labels: NDArray[np.float32], where: str, *, learnt: bool) -> None:
        """Refuse labels that nothing can be learnt from or, where they only validate, judged by."""

    def fit(self, train: LabelledFeatures, validation: LabelledFeatures, fitting: Fitting) -> Curves:
        """Learn from `train`, choosing the epoch that does best on `validation`.

        Raises:
            InputError: Either has no rows, non-finite values, or one label only.
        """
        from mlsd.models.base import fit_module, seeded
        from mlsd.models.ranking import RequestBatches

        for rows, window in ((train, "training"), (validation, "validation")):
            check_rows(rows, self.spec, f"{fitting.name}, {window} rows")
            self._check_labels(rows.labels, f"{fitting.name}, {window} rows", learnt=rows is train)
        with seeded(fitting.seed, "weights"):
            module = self._module(train.labels)
        options, seed = fitting.options, fitting.seed
        size = options.rows_of_batch(len(train.labels))
        train_batches = RequestBatches(train.features, train.labels, size, seed)
        validation_batches = RequestBatches(validation.features, validation.labels, options.batch_rows, seed)
        curves = fit_module(module, train_batches, validation_batches, fitting)
        self._net = module.net
        return curves

    def score(self, features: FeatureBatch) -> NDArray[np.float32]:
        """(n_candidates, *shape) scores; a row's depend on nothing else in the batch, to the last bit.

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called.
            InputError: The features are not of the shape that it was fitted on, or not finite.
        """
        from mlsd.models.inference import score_rows

        net, where = self._fitted(), f"{type(self).__name__}.score"
        check_shape(features, self.spec, where)
        check_finite(features, self.spec, where)
        return score_rows(net, features.dense, features.categorical, self.shape)

    def state(self) -> State:
        from mlsd.models.inference import weights_of

        return weights_of(self._fitted())

    def load_state(self, state: State) -> None:
        from mlsd.models.inference import with_weights

        self._net = with_weights(self.build_model, state)

    def _readable(self, spec: FeatureSpec) -> FeatureSpec:
        if spec.histories and not self.reads_histories:
            listed = ", ".join(spec.histories)
            raise InputError(f"{type(self).__name__} cannot read histories: switch off {listed}")
        return spec

    def _fitted(self) -> FeatureNet:
        if self._net is None:
            raise NotFittedError(f"{type(self).__name__} is not fitted: call fit or load_state first")
        return self._net

    @property
    def _options(self) -> tuple[Loss, float, float, float]:
        return self.loss, self.learning_rate, self.weight_decay, self.embedding_l2


class LightningRanker(LightningScorer, Ranker):
    """A ranker trained by gradients.

    A new one overrides `build_model` and takes its own options in its constructor.
    """

    shape: tuple[int, ...] = ()

    @abstractmethod
    def build_model(self) -> ScoringNet:
        """A network with fresh weights: (n, n_dense) float32, (n, n_categorical) int64 -> (n,) scores."""

    def _module(self, labels: NDArray[np.float32]) -> RankingModule:
        from mlsd.models.ranking import RankingModule, started

        return RankingModule(started(self.build_model(), self.loss, labels), *self._options)

    def _check_labels(self, labels: NDArray[np.float32], where: str, *, learnt: bool) -> None:
        del learnt
        check_labels(labels, where)


class MultiTaskRanker(LightningScorer):
    """Several tasks learnt together by gradients: gives each candidate the log-odds of every task's outcome.

    A new one overrides `build_model` and takes its own options in its constructor. Scores and labels have a
    column for each task, in order.

    Args:
        spec: shape of the features.
        loss: what training of each task minimises; its scores are log-odds.
        tasks: their names.
        learning_rate: of AdamW, above 0.
        weight_decay: of AdamW, at least 0; biases are left alone.
        embedding_l2: see `LightningScorer`.
    """

    def __init__(
        self,
        spec: FeatureSpec,
        loss: Loss,
        tasks: Sequence[str],
        learning_rate: float = 0.001,
        weight_decay: float = 0.0,
        embedding_l2: float = 0.0,
    ) -> None:
        super().__init__(spec, check_log_odds(loss), learning_rate, weight_decay, embedding_l2)
        self.tasks = tasks

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.tasks),)

    @abstractmethod
    def build_model(self) -> MultiTaskNet:
        """A network with fresh weights: (n, n_dense) float32, (n, n_categorical) int64 -> (n, n_tasks)."""

    def _module(self, labels: NDArray[np.float32]) -> RankingModule:
        from mlsd.models.ranking import MultiTaskModule, started_tasks

        return MultiTaskModule(started_tasks(self.build_model(), self.loss, labels), *self._options)

    def _check_labels(self, labels: NDArray[np.float32], where: str, *, learnt: bool) -> None:
        if labels.shape[1:] != self.shape:
            raise InputError(f"{where}: labels of shape {labels.shape}, must have {len(self.tasks)} columns")
        if not learnt:
            check_labels(labels.reshape(-1), where)
            return
        for task, column in zip(self.tasks, labels.T, strict=True):
            check_labels(column, f"{where}, {task}")


def check_log_odds(loss: Loss) -> Loss:
    """A loss whose minimum makes scores log-odds of their labels."""
    return checks.require(loss.calibrated, "loss", loss, "must make scores log-odds, as BCE does")


def check_shape(features: FeatureBatch, spec: FeatureSpec, where: str) -> None:
    """Refuse features of another shape than `spec`, and categories out of range."""
    n_dense, n_categorical = features.dense.shape[1], features.categorical.shape[1]
    if (n_dense, n_categorical) != (spec.n_dense, spec.n_categorical):
        of_histories = spec.n_categorical - len(spec.categorical)
        those = f", {of_histories} of them of histories" if of_histories else ""
        raise InputError(
            f"{where}: {n_dense} dense and {n_categorical} categorical features, "
            f"must be {spec.n_dense} and {spec.n_categorical}{those}"
        )
    start = len(spec.categorical)
    for column, (name, cardinality) in zip(features.categorical.T, spec.categorical.items(), strict=False):
        _check_categories(column, cardinality - 1, name, where)
    for name, history in spec.histories.items():
        columns = features.categorical[:, start : start + history.length]
        _check_categories(columns, history.cardinality, name, where)
        start += history.length


def _check_categories(values: NDArray[np.int64], highest: int, name: str, where: str) -> None:
    low, high = values.min(initial=0), values.max(initial=0)
    if low < 0 or high > highest:
        raise InputError(f"{where}: feature {name} is from {low} to {high}, must be in [0, {highest + 1})")


def check_finite(features: FeatureBatch, spec: FeatureSpec, where: str) -> None:
    """Refuse dense features that are infinite or NaN."""
    finite = np.isfinite(features.dense)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        value = features.dense[row, column]
        raise InputError(f"{where}: feature {spec.dense[column]} == {value} in row {row}, must be finite")


def check_rows(rows: LabelledFeatures, spec: FeatureSpec, where: str) -> None:
    """Refuse rows that are none, or that would spoil what is learnt."""
    features, labels = rows.features, rows.labels
    if len(labels) != len(features):
        raise InputError(f"{where}: {len(labels)} labels for {len(features)} candidates")
    if len(labels) == 0:
        raise InputError(f"{where}: no candidates, must be at least 2 with different labels")
    check_shape(features, spec, where)
    check_finite(features, spec, where)


def check_labels(labels: NDArray[np.float32], where: str) -> None:
    """Refuse labels that nothing can be learnt from: they must differ, be finite and at least 0."""
    if not (np.isfinite(labels).all() and labels.min() >= 0):
        raise InputError(
            f"{where}: labels from {labels.min()} to {labels.max()}, must be finite and at least 0"
        )
    if labels.min() == labels.max():
        raise InputError(
            f"{where}: all {len(labels)} labels == {labels[0]}, must differ for anything to be learnt"
        )


def check_widths(name: str, widths: Sequence[int]) -> Sequence[int]:
    """Widths of hidden layers, at least 1 each."""
    return checks.require(all(width >= 1 for width in widths), name, widths, "must be at least 1 each")


def check_attention(hidden: Sequence[int] | None) -> Sequence[int] | None:
    """Hidden widths of an activation unit, at least 1 each; None for no such unit."""
    return None if hidden is None else check_widths("attention", hidden)
