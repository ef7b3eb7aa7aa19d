"""Named features, computed together and standardised."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlsd import checks
from mlsd.errors import InputError, NotFittedError, nearest
from mlsd.features.base import Declared, Feature, FeatureGroup, HistoryFeature, Shared, SharingFeature
from mlsd.logs import Log
from mlsd.types import (
    Array,
    Catalog,
    FeatureBatch,
    FeatureSpec,
    Floats,
    History,
    Ints,
    RankingBatch,
    Served,
    State,
)

DENSE, CATEGORICAL = _KINDS = ("dense", "categorical")

_OF_GROUP = "."
"""Between the name of a group and that of a column."""

SAMPLE_CANDIDATES = 100_000
"""Means and standard deviations are those of the training candidates, or of whole requests evenly spread
over them that hold about this many."""


class Scaling(NamedTuple):
    """How a dense column becomes standardised, and what is usual in a categorical one."""

    mean: Floats
    """(n_dense,) of the known training values."""

    scale: Floats
    """(n_dense,) standard deviation of the same; 1 for a constant column, which so becomes 0."""

    constant: NDArray[np.bool_]
    """(n_dense,) whether all known training values are the same."""

    unknown_share: Floats
    """(n_dense,) share of the training values that are NaN."""

    mode: Ints
    """(n_categorical,) the most frequent training value, the lowest of several; 0 in columns of histories."""


class FeatureSet:
    """Named features, computed together and standardised.

    A dense value x becomes (x - mean) / sd, with both from the training candidates; NaN, an unknown
    value, becomes the training mean, which is 0; a constant column becomes 0. Infinite values are errors.

    Args:
        features: name -> feature or group of features, in the order of the columns; None switches one off.

    A history whose `like` is switched off has embeddings of its own.
    """

    def __init__(self, features: Mapping[str, Declared | None]) -> None:
        on = {name: feature for name, feature in features.items() if feature is not None}
        self.declared: dict[str, Declared] = checks.not_empty("features", on)
        self.shared = _shared(self.declared.values())
        self.features = self._with_members({})
        self._off = frozenset(features) - self.declared.keys()
        self._check_likes()
        self.scaling: Scaling | None = None
        self._muted: frozenset[str] = frozenset()

    @property
    def groups(self) -> dict[str, FeatureGroup]:
        """Groups of features by name."""
        return {name: each for name, each in self.declared.items() if isinstance(each, FeatureGroup)}

    def may_have(self, name: str) -> bool:
        """Whether there is a feature of this name, or may be one once its group knows its columns."""
        return name in self.features or name.partition(_OF_GROUP)[0] in self.groups

    def kin(self, name: str) -> str:
        """What a feature is judged with: its family, or itself where nobody knows what it means."""
        return self.features[name].family if name in self.declared else name

    def without(self, names: Collection[str]) -> FeatureSet:
        """The other features, not fitted; they are the same objects."""
        return FeatureSet(
            {
                name: each.without(_members_of(name, names)) if isinstance(each, FeatureGroup) else each
                for name, each in self.declared.items()
            }
            | dict.fromkeys(self._off | frozenset(names))
        )

    def muted(self, names: Collection[str]) -> Self:
        """The same fitted features, some of which say nothing about any candidate.

        A dense one is at its training mean, which standardised is 0; a categorical one has its most frequent
        training value: the mean of a category is none. Histories are empty.
        """
        silent = copy(self)
        silent._muted = self._muted | frozenset(names)  # noqa: SLF001  (its own copy)
        return silent

    @property
    def needs(self) -> frozenset[str]:
        """Columns of the batch that some feature reads."""
        return frozenset().union(*(feature.needs for feature in self.declared.values()))

    @property
    def catalog_needs(self) -> frozenset[str]:
        """Columns of the catalog that some feature is fitted on."""
        return frozenset().union(*(feature.catalog_needs for feature in self.declared.values()))

    @property
    def dense(self) -> dict[str, Feature]:
        return {name: feature for name, feature in self._single.items() if not feature.cardinality}

    @property
    def categorical(self) -> dict[str, Feature]:
        return {name: feature for name, feature in self._single.items() if feature.cardinality}

    @property
    def histories(self) -> dict[str, HistoryFeature]:
        return {name: each for name, each in self.features.items() if isinstance(each, HistoryFeature)}

    @property
    def _single(self) -> dict[str, Feature]:
        """Features of one column."""
        return {name: each for name, each in self.features.items() if not isinstance(each, HistoryFeature)}

    @property
    def spec(self) -> FeatureSpec:
        """The columns, as of the last `fit` or `load_state`.

        Raises:
            InputError: a history is like a feature that is not categorical, or has other categories.
        """
        categorical = {name: feature.cardinality for name, feature in self.categorical.items()}
        histories = {
            name: History(each.length, each.cardinality, each.like if each.like in self.features else None)
            for name, each in self.histories.items()
        }
        return FeatureSpec(tuple(self.dense), categorical, histories)

    @property
    def notes(self) -> dict[str, str]:
        """Dense feature -> what is remarkable about its training values; ordinary ones are left out."""
        notes = {}
        for name, constant, unknown in zip(self.dense, *self._fitted()[2:4], strict=True):
            if unknown > 0:
                notes[name] = f"unknown for {unknown:.1%} of the training candidates"
            if constant:
                notes[name] = "unknown everywhere" if unknown == 1 else "constant in training"
        return notes

    def fit(self, catalog: Catalog, log: Log, train_batch: RankingBatch) -> None:
        """Fit every feature, then the standardisation.

        Raises:
            InputError: no candidate to learn from, or a feature with infinite values.
        """
        if not len(train_batch.candidates):
            raise InputError("features cannot be fitted: the training requests have no candidates")
        self.features = self._with_members(
            {name: group.columns(catalog) for name, group in self.groups.items()}
        )
        for shared in self.shared.values():
            shared.fit(catalog, log)
        for feature in self.features.values():
            feature.fit(catalog, log)
        dense, categorical, _ = self._raw(_sample(train_batch), None)
        self.scaling = _scaling(dense, categorical, len(self.categorical))

    @property
    def is_live(self) -> bool:
        """Whether any of them remembers what users do while it serves."""
        alone = [one for one in self.features.values() if not isinstance(one, SharingFeature)]
        shared = [type(part).observed is not Shared.observed for part in self.shared.values()]
        return any(shared) or any(type(feature).observed is not Feature.observed for feature in alone)

    def observed(self, served: Served) -> Self:
        """The same fitted features when they know, too, what users did since."""
        newer = copy(self)
        newer.shared = {key: shared.observed(served) for key, shared in self.shared.items()}
        newer.features = {
            name: _newer(feature, newer.shared, served) for name, feature in self.features.items()
        }
        newer.declared = {name: newer.features.get(name, each) for name, each in self.declared.items()}
        return newer

    def transform(self, batch: RankingBatch, kept: NDArray[np.bool_] | None = None) -> FeatureBatch:
        """The features of every candidate, or of those that are `kept`.

        A candidate's values are the same to the bit, whatever else is in the batch or kept.

        Raises:
            InputError: an infinite value or a category out of range.
        """
        scaling = self._fitted()
        dense, categorical, offsets = self._raw(batch, kept)
        dense -= scaling.mean
        dense /= scaling.scale
        dense[np.isnan(dense)] = 0.0
        if self._muted:
            dense[:, self._silent(self.dense)] = 0.0
            silent = self._silent(self._columns)
            categorical[:, silent] = scaling.mode[silent]
        return FeatureBatch(dense.astype(np.float32), categorical, offsets)

    def _raw(self, batch: RankingBatch, kept: NDArray[np.bool_] | None) -> tuple[Floats, Ints, Ints]:
        """Dense values as they are, categories, and offsets."""
        narrowed = batch if kept is None else batch.keep(kept)
        prepared = {key: shared.prepare(narrowed) for key, shared in self.shared.items()}
        dense = np.empty((len(narrowed.candidates), len(self.dense)))
        categorical = np.empty((len(dense), len(self._columns)), np.int64)
        for column, feature in enumerate(self.dense.values()):
            dense[:, column] = _values(feature, batch, narrowed, kept, prepared)
        for column, (name, feature) in enumerate(self.categorical.items()):
            values = _values(feature, batch, narrowed, kept, prepared)
            categorical[:, column] = _in_range(name, values, feature.cardinality - 1)
        start = len(self.categorical)
        for name, history in self.histories.items():
            values = _of_length(name, _values(history, batch, narrowed, kept, prepared), history.length)
            categorical[:, start : start + history.length] = _in_range(name, values, history.cardinality)
            start += history.length
        _check_finite(dense, list(self.dense))
        return dense, categorical, narrowed.candidates.offsets

    @property
    def _columns(self) -> list[str]:
        """The feature that each column of categories belongs to."""
        of_histories = (name for name, history in self.histories.items() for _ in range(history.length))
        return [*self.categorical, *of_histories]

    def _silent(self, columns: Collection[str]) -> NDArray[np.bool_]:
        return np.array([name in self._muted for name in columns], bool)

    def _fitted(self) -> Scaling:
        if self.scaling is None:
            raise NotFittedError("features were used before fit or load_state")
        return self.scaling

    def state(self) -> State:
        """Of all features, shared parts and the standardisation."""
        state = {f"scaling.{name}": values for name, values in self._fitted()._asdict().items()}
        for group in self.groups:
            for kind, features in zip(_KINDS, (self.dense, self.categorical), strict=True):
                state[f"group.{group}.{kind}"] = np.array(_members_of(group, features), str)
        for prefix, part in self._parts():
            state |= {f"{prefix}.{name}": values for name, values in part.state().items()}
        return state

    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""
        self.features = self._with_members(
            {
                group: {
                    str(column): kind == CATEGORICAL
                    for kind in _KINDS
                    for column in state[f"group.{group}.{kind}"]
                }
                for group in self.groups
            }
        )
        for prefix, part in self._parts():
            start = f"{prefix}."
            part.load_state({k.removeprefix(start): v for k, v in state.items() if k.startswith(start)})
        self.scaling = Scaling(*(state[f"scaling.{name}"] for name in Scaling._fields))

    def _with_members(self, columns: Mapping[str, Mapping[str, bool]]) -> dict[str, Feature]:
        """The features that are declared, each group replaced by those of its columns, as far as known."""
        features: dict[str, Feature] = {}
        for name, each in self.declared.items():
            if isinstance(each, Feature):
                features[name] = each
                continue
            for column, categorical in columns.get(name, {}).items():
                features[f"{name}{_OF_GROUP}{column}"] = each.feature(column, categorical=categorical)
        return features

    def _check_likes(self) -> None:
        """Each history is like something in the set, or switched off in it."""
        known = self.declared.keys() | self._off
        for name, history in self.histories.items():
            like = history.like
            is_there = like is None or like in known or self.may_have(like)
            close = nearest(str(like), known)
            hint = f"; nearest is {close!r}" if close else ""
            checks.require(is_there, f"features.{name}.like", like, f"must be a feature beside it{hint}")

    def _parts(self) -> Iterator[tuple[str, Feature | Shared]]:
        yield from ((f"shared.{key}", shared) for key, shared in self.shared.items())
        yield from ((f"feature.{name}", feature) for name, feature in self.features.items())


def _shared(declared: Iterable[Declared]) -> dict[str, Shared]:
    """The shared parts of features by key, each of which from then on serves all its features."""
    sharing = [feature for feature in declared if isinstance(feature, SharingFeature)]
    parts: dict[str, Shared] = {}
    for feature in sharing:
        known = parts.get(feature.shared.key)
        parts[feature.shared.key] = known.joined(feature.shared) if known else feature.shared
    for feature in sharing:
        feature.shared = parts[feature.shared.key]
    return parts


def _newer(feature: Feature, shared: Mapping[str, Shared], served: Served) -> Feature:
    """A feature that knows what users did since, when the shared parts know it already."""
    if isinstance(feature, SharingFeature):
        return feature.reading(shared[feature.shared.key])
    return feature.observed(served)


def _members_of(group: str, names: Iterable[str]) -> list[str]:
    """The columns of a group among names of features.

    Example:
        >>> _members_of("fields", ["fields.C1", "age", "fields.site.id"])
        ['C1', 'site.id']
    """
    start = f"{group}{_OF_GROUP}"
    return [name.removeprefix(start) for name in names if name.startswith(start)]


def _values(
    feature: Feature,
    batch: RankingBatch,
    narrowed: RankingBatch,
    kept: NDArray[np.bool_] | None,
    prepared: Mapping[str, Any],
) -> Array:
    if isinstance(feature, SharingFeature):
        return feature.read(prepared[feature.shared.key])
    if feature.relative and kept is not None:
        return feature.values(batch)[kept]
    return feature.values(narrowed)


def _sample(batch: RankingBatch) -> RankingBatch:
    """Every k-th request, k as small as the size of the sample allows."""
    step = -(-len(batch.candidates) // SAMPLE_CANDIDATES)
    sample = batch.take(np.arange(0, len(batch), step))
    return sample if len(sample.candidates) else batch


def _scaling(dense: Floats, categorical: Ints, n_single: int) -> Scaling:
    """Of the training candidates, whose first `n_single` columns of categories are no histories."""
    known = ~np.isnan(dense)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, dense, 0.0).sum(axis=0) / count
    deviation = np.where(known, dense - mean, 0.0)
    scale = np.sqrt(np.square(deviation).sum(axis=0) / count)
    low, high = np.where(known, dense, np.inf).min(axis=0), np.where(known, dense, -np.inf).max(axis=0)
    constant = low >= high
    mean, scale = np.where(low == high, low, mean), np.where(constant, 1.0, scale)
    mode = np.zeros(categorical.shape[1], np.int64)
    mode[:n_single] = [np.argmax(np.bincount(column)) for column in categorical.T[:n_single]]
    return Scaling(mean, scale, constant, 1 - known.mean(axis=0), mode)


def _check_finite(dense: Floats, names: Sequence[str]) -> None:
    infinite = np.isinf(dense)
    if infinite.any():
        column = int(np.argmax(infinite.any(axis=0)))
        raise InputError(
            f"feature {names[column]!r} is infinite for {np.count_nonzero(infinite[:, column])} of "
            f"{len(dense)} candidates"
        )


def _in_range(name: str, values: Array, highest: int) -> Array:
    outside = (values < 0) | (values > highest)
    if outside.any():
        n_outside = np.count_nonzero(outside.reshape(len(values), -1).any(axis=1))
        raise InputError(
            f"feature {name!r} is outside 0..{highest} for {n_outside} of {len(values)} candidates"
        )
    return values


def _of_length(name: str, values: Array, length: int) -> Array:
    if values.shape[1:] != (length,):
        raise InputError(f"history {name!r} has values of shape {values.shape}, must have {length} columns")
    return values
