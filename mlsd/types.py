"""The data that flows: frozen, columnar batches. A single request is a batch of one.

Rows of a ragged batch belong to requests through `offsets`: the rows of request r are
`offsets[r]:offsets[r + 1]`. Nothing is ever padded to the longest request. Arrays are shared, never
copied, between batches: treat them as read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlsd import arrays, checks, ragged
from mlsd.arrays import check_length
from mlsd.errors import InputError, nearest
from mlsd.relations import Relation

Array = arrays.Array
Floats = arrays.Floats
Ints = arrays.Ints
Columns = arrays.Columns
State = arrays.State
HOURS_A_DAY = arrays.HOURS_A_DAY

_BUILT_IN = ("request_id", "user", "session", "time_days")

NO_ITEM = -1
"""The item of an empty position of a slate."""


@dataclass(frozen=True)
class Catalog:
    """Everything that can be shown. An item is a row number here; its own name is its `item_id`.

    Args:
        item_id: (n_items,) str, the name each item has outside.
        columns: observed columns, (n_items,) each, such as `title`, `text`, `category`.
        relations: what else is known from the start of users and items, such as `follows`: users and authors.
    """

    item_id: Array
    columns: Columns = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            check_length(f"item.{name}", column, len(self.item_id))

    def __len__(self) -> int:
        return len(self.item_id)

    def __getitem__(self, name: str) -> Array:
        return _column(self.columns, name, "item")

    @property
    def names(self) -> frozenset[str]:
        """What it has, as parts ask for it: columns, and relations as `relation.<name>`."""
        return frozenset({*self.columns, *(f"relation.{name}" for name in self.relations)})

    def relation(self, name: str) -> Relation:
        """A relation by name.

        Raises:
            InputError: there is none of that name.
        """
        if name not in self.relations:
            close = nearest(name, self.relations)
            hint = f"; nearest is {close!r}" if close else ""
            known = ", ".join(self.relations) or "none"
            raise InputError(f"no relation {name!r}; there are {known}{hint}")
        return self.relations[name]


def hours_of(time_days: Floats) -> Ints:
    """The whole hour since the start of the log of each time, of any shape.

    An hour is found within its day, as a day that is served in 24 rounds has it.

    Example:
        >>> hours_of(np.array([0.0, 0.5, 2.99])).tolist()
        [0, 12, 71]
    """
    day = np.floor(time_days)
    return np.asarray(day * HOURS_A_DAY + np.floor((time_days - day) * HOURS_A_DAY), np.int64)


@dataclass(frozen=True)
class Requests:
    """Ranking calls: who asks, when, and in which context.

    Args:
        request_id: (n_requests,) int64, unique within a run.
        user: (n_requests,) int64; the unit of experiments and of intervals.
        session: (n_requests,) int64, numbered within a user.
        time_days: (n_requests,) float64, days since the start of the log.
        columns: further observed columns, (n_requests,) each, such as `query` (text).
    """

    request_id: Ints
    user: Ints
    session: Ints
    time_days: Floats
    columns: Columns = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, column in self.named_columns().items():
            check_length(f"request.{name}", column, len(self.request_id))

    def __len__(self) -> int:
        return len(self.request_id)

    def __getitem__(self, name: str) -> Array:
        """A column by name, whether built in or further."""
        return _column(self.named_columns(), name, "request")

    @property
    def day(self) -> Ints:
        """(n_requests,) the whole day each request falls on."""
        return np.floor(self.time_days).astype(np.int64)

    @property
    def hour(self) -> Ints:
        """(n_requests,) the whole hour since the start of the log that each request falls in."""
        return hours_of(self.time_days)

    def named_columns(self) -> dict[str, Array]:
        return {**{name: getattr(self, name) for name in _BUILT_IN}, **self.columns}

    @staticmethod
    def of_columns(named: Columns) -> Requests:
        """Requests from all their columns, built in and further."""
        further = {name: column for name, column in named.items() if name not in _BUILT_IN}
        return Requests(named["request_id"], named["user"], named["session"], named["time_days"], further)

    def take(self, rows: Array) -> Requests:
        """The requests at `rows`: integer positions or a boolean mask."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Requests(
            self.request_id[rows], self.user[rows], self.session[rows], self.time_days[rows], columns
        )

    def with_columns(self, **columns: Array) -> Requests:
        return replace(self, columns={**self.columns, **columns})


def concat_requests(parts: Sequence[Requests]) -> Requests:
    """All requests of the parts, which have the same columns, in order."""
    named = {name: np.concatenate([part[name] for part in parts]) for name in parts[0].named_columns()}
    return Requests.of_columns(named)


@dataclass(frozen=True)
class Candidates:
    """The items considered for each request, ragged.

    Args:
        offsets: (n_requests + 1,) int64, not decreasing, from 0 to n_candidates.
        items: (n_candidates,) int64, row numbers of the catalog.
        columns: further columns, (n_candidates,) each, such as a stage's score.
    """

    offsets: Ints
    items: Ints
    columns: Columns = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.items):
            raise InputError(
                f"candidate.offsets run from {self.offsets[0]} to {self.offsets[-1]}, "
                f"must run from 0 to n_candidates == {len(self.items)}"
            )
        for name, column in self.columns.items():
            check_length(f"candidate.{name}", column, len(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, name: str) -> Array:
        return _column(self.named_columns(), name, "candidate")

    @property
    def n_requests(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def counts(self) -> Ints:
        """(n_requests,) candidates of each request."""
        return np.diff(self.offsets)

    @cached_property
    def request_rows(self) -> Ints:
        """(n_candidates,) the row of the request that each candidate belongs to."""
        return ragged.segment_ids(self.offsets)

    def named_columns(self) -> dict[str, Array]:
        return {"items": self.items, **self.columns}

    def take(self, rows: Array, offsets: Ints) -> Candidates:
        """The candidates at `rows`, newly divided among requests by `offsets`."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Candidates(offsets, self.items[rows], columns)

    def with_columns(self, **columns: Array) -> Candidates:
        return replace(self, columns={**self.columns, **columns})

    @staticmethod
    def none(n_requests: int) -> Candidates:
        """No candidate for any request: what enters a funnel."""
        return Candidates(np.zeros(n_requests + 1, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class RankingBatch:
    """Requests and their candidates: what every stage takes and returns.

    Columns are named `request.<name>` and `candidate.<name>` where stages and features declare them.
    """

    requests: Requests
    candidates: Candidates

    def __post_init__(self) -> None:
        if len(self.requests) != self.candidates.n_requests:
            raise InputError(f"{len(self.requests)} requests but candidates for {self.candidates.n_requests}")

    def __len__(self) -> int:
        return len(self.requests)

    @staticmethod
    def of(requests: Requests) -> RankingBatch:
        """Requests that have no candidates yet."""
        return RankingBatch(requests, Candidates.none(len(requests)))

    @property
    def column_names(self) -> frozenset[str]:
        of_requests = {f"request.{name}" for name in self.requests.named_columns()}
        return frozenset(of_requests | {f"candidate.{name}" for name in self.candidates.named_columns()})

    def per_candidate(self, name: str) -> Array:
        """(n_candidates,) values of `request.<name>`, repeated, or of `candidate.<name>`."""
        owner, _, column = name.partition(".")
        if owner == "candidate":
            return self.candidates[column]
        return self.requests[column][self.candidates.request_rows]

    def take(self, rows: Array) -> RankingBatch:
        """The requests at `rows` with their candidates."""
        positions = np.arange(len(self))[rows]
        taken, offsets = ragged.take_segments(self.candidates.offsets, positions)
        return RankingBatch(self.requests.take(positions), self.candidates.take(taken, offsets))

    def keep(self, mask: Array) -> RankingBatch:
        """The same requests with only the candidates where `mask` holds."""
        offsets = ragged.offsets_of_mask(mask, self.candidates.offsets)
        return RankingBatch(self.requests, self.candidates.take(np.flatnonzero(mask), offsets))

    def top(self, scores: Array, n: int) -> RankingBatch:
        """Each request's `n` candidates of highest score, best first; ties keep their order."""
        rows, offsets = ragged.top(scores, self.candidates.offsets, n)
        return RankingBatch(self.requests, self.candidates.take(rows, offsets))

    def first(self, n: int) -> RankingBatch:
        """Each request's first `n` candidates, in their order."""
        if self.candidates.counts.max(initial=0) <= n:
            return self
        return self.keep(ragged.positions(self.candidates.offsets) < n)

    def slates(self, n_positions: int) -> Slates:
        """Each request's first `n_positions` candidates, in their order."""
        return Slates(ragged.to_dense(self.candidates.items, self.candidates.offsets, n_positions, NO_ITEM))


def concat_batches(parts: Sequence[RankingBatch]) -> RankingBatch:
    """All requests of the parts, which have the same columns, with their candidates, in order."""
    owned = [part.candidates for part in parts]
    counts = np.concatenate([candidates.counts for candidates in owned])
    columns = {name: np.concatenate([part[name] for part in owned]) for name in owned[0].columns}
    items = np.concatenate([candidates.items for candidates in owned])
    candidates = Candidates(ragged.offsets_of_counts(counts), items, columns)
    return RankingBatch(concat_requests([part.requests for part in parts]), candidates)


@dataclass(frozen=True)
class Slates:
    """The ordered lists shown.

    Args:
        items: (n_requests, n_positions) int64; -1 where a position is empty.
        columns: further columns of the same shape, such as `propensity` or `price`.
    """

    items: Ints
    columns: Columns = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Array) -> Slates:
        """The slates at these rows."""
        return Slates(self.items[rows], {name: column[rows] for name, column in self.columns.items()})

    @property
    def shown(self) -> NDArray[np.bool_]:
        """(n_requests, n_positions) whether the position holds an item."""
        return np.asarray(self.items != NO_ITEM)

    @property
    def n_positions(self) -> int:
        return int(self.items.shape[1])


@dataclass(frozen=True)
class Served:
    """What users did with the slates they were shown.

    Args:
        requests: n_requests of them.
        slates: (n_requests, n_positions).
        feedback: action -> (n_requests, n_positions), such as `click` -> bool, `dwell_s` -> float.
    """

    requests: Requests
    slates: Slates
    feedback: Columns

    def take(self, rows: Array) -> Served:
        """The requests at these rows, with their slates and feedback."""
        feedback = {action: values[rows] for action, values in self.feedback.items()}
        return Served(self.requests.take(rows), self.slates.take(rows), feedback)


def concat_slates(parts: Sequence[Slates]) -> Slates:
    """All slates of the parts, which have the same columns and positions, in order."""
    columns = _concat_columns([part.columns for part in parts])
    return Slates(np.concatenate([part.items for part in parts]), columns)


def concat_served(parts: Sequence[Served]) -> Served:
    """All requests of the parts, which have the same columns and positions, in order."""
    slates = concat_slates([part.slates for part in parts])
    requests = concat_requests([part.requests for part in parts])
    return Served(requests, slates, _concat_columns([part.feedback for part in parts]))


@dataclass(frozen=True)
class FeatureBatch:
    """What a ranker reads; one layout for pointwise, pairwise and listwise losses alike.

    Args:
        dense: (n_candidates, n_dense) float32, standardised.
        categorical: (n_candidates, n_categorical) int64: a column for each category, in [0, its cardinality),
            then those of each history, in [0, its cardinality]; see `FeatureSpec`.
        offsets: (n_requests + 1,) int64.
    """

    dense: NDArray[np.float32]
    categorical: Ints
    offsets: Ints

    def __len__(self) -> int:
        return len(self.dense)

    def take_requests(self, rows: Array) -> FeatureBatch:
        """The candidates of the requests at `rows`."""
        taken, offsets = ragged.take_segments(self.offsets, rows)
        return FeatureBatch(self.dense[taken], self.categorical[taken], offsets)


@dataclass(frozen=True)
class History:
    """Columns that hold what came before, most recent first: 1 + a category each, 0 where there is nothing.

    Args:
        length: columns, at least 1.
        cardinality: categories, at least 1; values are in [0, cardinality].
        like: the categorical feature of the same categories, whose embeddings it shares; None for its own.
    """

    length: int
    cardinality: int
    like: str | None = None

    def __post_init__(self) -> None:
        checks.at_least("length", self.length, 1)
        checks.at_least("cardinality", self.cardinality, 1)


@dataclass(frozen=True)
class FeatureSpec:
    """The shape of a `FeatureBatch`, known once features are fitted.

    Args:
        dense: names of the dense columns.
        categorical: name -> cardinality of the categorical columns, in order.
        histories: name -> history; their columns follow the categorical ones, in order.

    Raises:
        InputError: a history is like no categorical feature, or like one of other categories.

    Example:
        >>> FeatureSpec((), {"topic": 4}, {"liked": History(3, 4, like="topic")}).n_categorical
        4
    """

    dense: tuple[str, ...]
    categorical: Mapping[str, int] = field(default_factory=dict)
    histories: Mapping[str, History] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, history in self.histories.items():
            if history.like is not None:
                _check_like(name, history, self.categorical)

    @property
    def n_dense(self) -> int:
        return len(self.dense)

    @property
    def n_categorical(self) -> int:
        """Columns of `FeatureBatch.categorical`."""
        return len(self.categorical) + sum(history.length for history in self.histories.values())

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.dense, *self.categorical, *self.histories)


@dataclass(frozen=True)
class Judgements:
    """Graded relevance of every relevant item of the whole catalog, by request.

    An item that is not listed has grade 0. Ideals and recall are over what is listed here.

    Args:
        offsets: (n_requests + 1,) int64.
        items: (n_judged,) int64, ascending within a request.
        grades: (n_judged,) float64, 0 or more.
    """

    offsets: Ints
    items: Ints
    grades: Floats

    def grades_of(self, candidates: Candidates) -> Floats:
        """(n_candidates,) the grade of each candidate; 0 where none is listed."""
        found, rows = ragged.find_pairs(
            (candidates.request_rows, candidates.items),
            (ragged.segment_ids(self.offsets), self.items),
        )
        grades = np.zeros(len(candidates))
        grades[found] = self.grades[rows[found]]
        return grades

    def take(self, requests: Array) -> Judgements:
        """The judgements of the requests at these rows."""
        taken, offsets = ragged.take_segments(self.offsets, np.arange(len(self.offsets) - 1)[requests])
        return Judgements(offsets, self.items[taken], self.grades[taken])


@dataclass(frozen=True)
class Subtopics:
    """Which of the things that a request may mean each relevant item of the catalog serves.

    An item that is not listed serves none. An item that serves several is listed once for each.

    Args:
        offsets: (n_requests + 1,) int64.
        items: (n_served,) int64, ascending within a request.
        subtopic: (n_served,) int64, ascending within an item; 0, 1, ... within a request.
        weight: (n_served,) float64, P(the request means this subtopic): the same for every item of it.
    """

    offsets: Ints
    items: Ints
    subtopic: Ints
    weight: Floats

    def take(self, requests: Array) -> Subtopics:
        """The subtopics of the requests at these rows."""
        taken, offsets = ragged.take_segments(self.offsets, np.arange(len(self.offsets) - 1)[requests])
        return Subtopics(offsets, self.items[taken], self.subtopic[taken], self.weight[taken])


def _check_like(name: str, history: History, categorical: Mapping[str, int]) -> None:
    like, cardinality = str(history.like), categorical.get(str(history.like))
    if cardinality is None:
        close = nearest(like, categorical)
        hint = f"; nearest is {close!r}" if close else ""
        raise InputError(f"history {name} is like {like!r}, must be like a categorical feature{hint}")
    if cardinality != history.cardinality:
        raise InputError(
            f"history {name} has {history.cardinality} categories, "
            f"must have the {cardinality} of {like}, which it is like"
        )


def _concat_columns(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _column(columns: Mapping[str, Array], name: str, owner: str) -> Array:
    if name not in columns:
        raise InputError(f"no column {owner}.{name}; there are {', '.join(sorted(columns))}")
    return columns[name]
