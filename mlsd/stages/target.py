"""Find the ads that are targeted at a request and whose campaigns run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.targeting.bitmaps import Words, first_rows_of, pack
from mlsd.targeting.contexts import Contexts
from mlsd.targeting.index import TargetingIndex
from mlsd.targeting.keys import Key, ValueSets
from mlsd.targeting.rules import Rules
from mlsd.types import (
    Array,
    Candidates,
    Catalog,
    Columns,
    Ints,
    RankingBatch,
    Requests,
    State,
)

HOUR, HOURS = "hour", 24
"""The key that is read off the time of a request, and how many values it has."""

MASK_BITS = 63
"""Values of a key, at most: rules hold them as bits of one integer."""

_OFFER = ("bid", "per_action")
_SCHEDULE = ("start_day", "end_day")


class Target(CandidateStage):
    """Passes on the eligible ads, those that offer most for a click first.

        eligible = start_day <= day < end_day  and, for each key, the request's value is among the ad's
        candidate.score = bid for a click, or action_prob * bid where an ad pays for actions

    The catalog holds an ad's rule for a key as `target_<key>`: bit v says that value v will do, and 0 that
    any will. A value that a key does not have meets no rule that names values. Candidates get
    `candidate.bid` and `candidate.per_action`; candidates that a batch had before are replaced.

    Args:
        n_out: candidates passed on for each request, at most.
        keys: name -> how many values it has; read from `request.<name>`, and `hour` from `request.time_days`.
        action_prob: P(an action | a click) that is assumed where nothing is known yet, in (0, 1].
    """

    def __init__(self, n_out: int, keys: Mapping[str, int], action_prob: float) -> None:
        super().__init__(n_out)
        self.keys = dict(checks.not_empty("keys", keys))
        for name, n_values in self.keys.items():
            most = HOURS if name == HOUR else MASK_BITS
            checks.between(f"keys.{name}", n_values, 1, most)
        self.action_prob = checks.probability("action_prob", action_prob)
        self._learnt: _Learnt | None = None

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"request.time_days"} | {f"request.{name}" for name in self.keys if name != HOUR})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score", "candidate.bid", "candidate.per_action"})

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset({*_OFFER, *_SCHEDULE, *(f"target_{name}" for name in self.keys)})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:  # noqa: ARG002
        """Index the rules of the catalog.

        Raises:
            InputError: a bid is negative or not finite, a campaign ends before it starts, or a rule names a
                value that its key does not have.
        """
        self._take({name: _checked(data.catalog, name) for name in sorted(self.catalog_needs)})
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        requests, learnt = batch.requests, self._fitted
        contexts = Contexts.of(learnt.index.keys, _with_hour(requests))
        found: list[Ints] = [np.zeros(0, np.int64)] * len(requests)
        for day in np.unique(requests.day).tolist():
            rows = np.flatnonzero(requests.day == day)
            eligible = learnt.index.eligible(contexts.take(rows), learnt.running(day))
            for row, words in zip(rows.tolist(), eligible, strict=True):
                found[row] = first_rows_of(words, self.n_out)
        offsets = ragged.offsets_of_counts(np.array([len(places) for places in found], np.int64))
        places = np.concatenate([np.zeros(0, np.int64), *found])
        columns = {name: values[places] for name, values in learnt.offers.items()}
        return RankingBatch(requests, Candidates(offsets, learnt.order[places], columns))

    @property
    def _fitted(self) -> _Learnt:
        if self._learnt is None:
            raise NotFittedError("a targeting stage was used before fit or load_state")
        return self._learnt

    def state(self) -> State:
        return dict(self._fitted.columns)

    def load_state(self, state: State) -> None:
        self._take(state)

    def _take(self, columns: Columns) -> None:
        score = np.where(columns["per_action"], self.action_prob * columns["bid"], columns["bid"])
        order = np.argsort(-score, kind="stable")
        masks = {name: columns[f"target_{name}"] for name in self.keys}
        included = {name: _value_sets(masks[name], name, n).take(order) for name, n in self.keys.items()}
        keys = tuple(Key(name, range(n_values)) for name, n_values in self.keys.items())
        offers = {"score": score[order], **{name: columns[name][order] for name in _OFFER}}
        self._learnt = _Learnt(columns, offers, order, TargetingIndex(Rules(len(score), keys, included)))


@dataclass(frozen=True)
class _Learnt:
    """A catalog, and an index of its rules in which the best offer stands first.

    Args:
        columns: of the catalog.
        offers: what candidates get, (n_ads,) each and in this order: those of a request lie close together.
        order: (n_ads,) ads from the best offer down; of equal ones, the lower first.
        index: of the rules in this order, so that the first that are found are the best.
    """

    columns: Columns
    offers: Columns
    order: Ints
    index: TargetingIndex
    _running: dict[int, Words] = field(default_factory=dict)

    def running(self, day: int) -> Words:
        """Bits of the ads whose campaign runs, in this order; kept for the last day that was asked for."""
        words = self._running.get(day)
        if words is None:
            start, end = self._schedule
            words = pack((start <= day) & (day < end))
            self._running.clear()
            self._running[day] = words
        return words

    @cached_property
    def _schedule(self) -> tuple[Ints, Ints]:
        """(n_ads,) first day and day after the last, in this order: a new day is one pass over them."""
        start, end = (self.columns[name][self.order] for name in _SCHEDULE)
        return start, end


def _value_sets(mask: Ints, name: str, n_values: int) -> ValueSets:
    """The values that each mask names."""
    strange = (mask < 0) | (mask >> n_values != 0)
    checks.every_row(f"item.target_{name}", mask, ~strange, f"a mask of the {n_values} values of {name}")
    named = (mask[:, None] >> np.arange(n_values)) & 1 == 1
    return ValueSets(ragged.offsets_of_counts(named.sum(axis=1)), np.nonzero(named)[1])


def _with_hour(requests: Requests) -> Requests:
    hour = np.floor(requests.time_days % 1.0 * HOURS).astype(np.int64)
    return requests.with_columns(hour=hour)


def _checked(catalog: Catalog, name: str) -> Array:
    values = catalog[name]
    if name == "bid":
        checks.every_row_between("item.bid", values, 0, np.finfo(np.float64).max, "finite and at least 0")
        return values.astype(np.float64)
    if name == "per_action":
        return values.astype(np.bool_)
    if name == "end_day":
        rule = "at least the day the campaign starts"
        checks.every_row("item.end_day", values, values >= catalog["start_day"], rule)
    if values.dtype.kind not in "iu":
        raise InputError(f"item.{name} is {values.dtype}, must be of integers")
    return values.astype(np.int64)
