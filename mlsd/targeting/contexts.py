"""What requests are, in terms of what ads are targeted by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlsd.errors import InputError
from mlsd.targeting.keys import Key, ValueSets, flatten, known
from mlsd.types import Array, Requests


@dataclass(frozen=True)
class Contexts:
    """The known values of requests: none, one, or for a key of many values several.

    A value that its key does not declare is not known, and neither is one that is missing.

    Args:
        n: how many requests.
        values: name of a key -> the values of the n requests.
    """

    n: int
    values: Mapping[str, ValueSets]

    def __post_init__(self) -> None:
        for name, sets in self.values.items():
            if len(sets) != self.n:
                raise InputError(f"context.{name} has {len(sets)} rows, must have {self.n}")

    def __len__(self) -> int:
        return self.n

    def take(self, rows: Array) -> Contexts:
        """The contexts at these rows: integer positions or a boolean mask."""
        positions = np.arange(self.n)[rows]
        return Contexts(len(positions), {name: sets.take(positions) for name, sets in self.values.items()})

    @staticmethod
    def of(keys: Sequence[Key], requests: Requests) -> Contexts:
        """Read the column of every key.

        Args:
            keys: each with a column `request.<name>`: a value in each row, or a list where a key has many.
            requests: n_requests.

        Raises:
            InputError: a key has no column.
            InvalidValueError: a row of a key with many values is not a list, or a row of another is one.

        Example:
            >>> zero = np.zeros(1, np.int64)
            >>> columns = {"region": np.array(["mars"]), "interests": np.array([["jazz"]], object)}
            >>> requests = Requests(zero, zero, zero, zero / 1.0, columns)
            >>> keys = [Key("region", ["north"]), Key("interests", ["rock", "jazz"], multi_valued=True)]
            >>> contexts = Contexts.of(keys, requests)
            >>> contexts.values["region"].codes.tolist(), contexts.values["interests"].codes.tolist()
            ([], [1])
        """
        return Contexts(len(requests), {key.name: _read(key, requests[key.name]) for key in keys})


def _read(key: Key, column: Array) -> ValueSets:
    if not key.multi_valued:
        return known(key.codes(column.tolist()), np.arange(len(column) + 1))
    values, offsets = flatten(column, f"request.{key.name}")
    return known(key.codes(values), offsets)
