"""Columns of categories as rows of a table, and sums of their vectors. NumPy only: this serves a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InputError
from mlsd.models.bags import Vectors, products
from mlsd.types import Array, Ints, State

UNKNOWN = 0
"""The row of every value that was never seen, in whichever column: it says nothing."""


@dataclass(frozen=True)
class Categories:
    """The values that some columns were seen to have, each with a row of its own in one table.

    Args:
        offsets: (n_columns + 1,) the values of column c are `offsets[c]:offsets[c + 1]`.
        values: (n_values,) int64, ascending within a column. The i-th of all has row i + 1.
    """

    offsets: Ints
    values: Ints

    def __len__(self) -> int:
        """Rows of the table, with that of what is unknown."""
        return 1 + len(self.values)

    @staticmethod
    def learn(columns: Sequence[Ints]) -> Categories:
        """The different values of each column."""
        seen = [np.unique(column) for column in columns]
        offsets = ragged.offsets_of_counts(np.array([len(values) for values in seen], np.int64))
        return Categories(offsets, np.concatenate([np.zeros(0, np.int64), *seen]))

    def rows(self, columns: Sequence[Ints]) -> Ints:
        """(n, n_columns) the row of each value; `UNKNOWN` where it was never seen.

        Example:
            >>> seen = Categories.learn([np.array([3, 5]), np.array([5])])
            >>> seen.rows([np.array([5, 4]), np.array([5, 5])]).tolist()
            [[2, 3], [0, 3]]
        """
        return np.stack([self.rows_of(place, column) for place, column in enumerate(columns)], axis=1)

    def rows_of(self, place: int, column: Ints) -> Ints:
        """(n,) the same of one column."""
        start, end = self.offsets[place : place + 2].tolist()
        seen = self.values[start:end]
        if not len(seen):
            return np.full(len(column), UNKNOWN, np.int64)
        found = np.minimum(np.searchsorted(seen, column), len(seen) - 1)
        return np.where(seen[found] == column, start + 1 + found, UNKNOWN)


@dataclass(frozen=True)
class Towers:
    """What pairs of a request and an item are scored with.

        u = through(sum over the request's columns of its value's vector)
        score = u a + bias,  (a, bias) of the item

    Args:
        categories: of the request's columns.
        table: (n_rows, dim) a vector for each of their values; 0 for what is unknown.
        through: the weights of the request tower's layers; none where the sum is the vector.
        items: (n_items, dim) vectors.
        bias: (n_items,) float32.
    """

    categories: Categories
    table: Vectors
    through: tuple[Vectors, ...]
    items: Vectors
    bias: Vectors

    def requests(self, columns: Sequence[Ints]) -> Vectors:
        """(n_requests, dim) vectors; each depends on its own values alone, to the last bit."""
        return passed(summed(self.table, self.categories.rows(columns)), self.through)

    def scores(self, requests: Vectors, rows: Ints, items: Ints) -> Vectors:
        """(n_pairs,) of `requests[rows]` and `items`; of a pair always the same, to the last bit."""
        return products(requests, rows, self.items, items) + self.bias[items]

    def state(self) -> State:
        layers = {f"through.{place}": weight for place, weight in enumerate(self.through)}
        seen = {"offsets": self.categories.offsets, "values": self.categories.values}
        return {**seen, **layers, "table": self.table, "items": self.items, "bias": self.bias}

    @staticmethod
    def from_state(state: State) -> Towers:
        n_layers = sum(name.startswith("through.") for name in state)
        through = tuple(state[f"through.{place}"] for place in range(n_layers))
        seen = Categories(state["offsets"], state["values"])
        return Towers(seen, state["table"], through, state["items"], state["bias"])


def summed(table: Vectors, rows: Ints) -> Vectors:
    """(n, dim) sums of the vectors at (n, n_columns) rows, added in the order of the columns.

    Example:
        >>> table = np.array([[0, 0], [1, 2], [4, 8]], np.float32)
        >>> summed(table, np.array([[1, 2], [0, 2]])).tolist()
        [[5.0, 10.0], [4.0, 8.0]]
    """
    total = np.zeros((len(rows), table.shape[1]), np.float32)
    for place in range(rows.shape[1]):
        total += table[rows[:, place]]
    return total


def passed(vectors: Vectors, through: Sequence[Vectors]) -> Vectors:
    """(n, n_out) vectors after layers without bias, ReLU between them, so that 0 stays 0.

    Args:
        vectors: (n, n_in).
        through: (n_out, n_in) weights of each layer.
    """
    for place, weight in enumerate(through):
        inputs = vectors if place == 0 else np.maximum(vectors, 0)
        n_rows, n_out = len(inputs), len(weight)
        rows, outs = np.repeat(np.arange(n_rows), n_out), np.tile(np.arange(n_out), n_rows)
        vectors = products(inputs, rows, weight, outs).reshape(n_rows, n_out)
    return vectors


def category_column(name: str, values: Array) -> Ints:
    """A column of categories, checked.

    Args:
        name: such as `request.region`.
        values: (n,) integers from 0.

    Raises:
        InputError: it is not of integers, or one is negative.
    """
    if values.dtype.kind not in "iu":
        raise InputError(f"{name} is {values.dtype}, must be of integers")
    checks.every_row(name, values, values >= 0, "a category, at least 0")
    return values.astype(np.int64)
