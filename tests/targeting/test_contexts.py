"""What is read of requests, and what is not known of them."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.targeting.contexts import Contexts
from mlsd.targeting.keys import Key, ValueSets
from mlsd.types import Array, Requests

REGION = Key("region", ["north", "south"])
INTERESTS = Key("interests", ["jazz", "rock", "opera"], multi_valued=True)


def requests_of(**columns: Array) -> Requests:
    rows = np.arange(len(next(iter(columns.values()))))
    return Requests(rows, rows, rows, rows / 1.0, columns)


def cells(*values: object) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def codes(sets: ValueSets) -> list[list[int]]:
    return [sets.of(row).tolist() for row in range(len(sets))]


def test_one_value_or_none() -> None:
    requests = requests_of(region=cells("south", None, "mars", float("nan"), "north"))
    assert codes(Contexts.of([REGION], requests).values["region"]) == [[1], [], [], [], [0]]


def test_many_values_without_those_that_are_not_known() -> None:
    column = cells(["rock", "polka", "jazz"], None, [], ["polka", None], ("opera",))
    contexts = Contexts.of([INTERESTS], requests_of(interests=column))
    assert codes(contexts.values["interests"]) == [[1, 0], [], [], [], [2]]
    assert len(contexts) == 5
    assert codes(contexts.take(np.array([4, 0])).values["interests"]) == [[2], [1, 0]]
    assert codes(contexts.take(np.arange(5) == 4).values["interests"]) == [[2]]


def test_says_what_it_cannot_read() -> None:
    with pytest.raises(InputError, match=r"no column request\.region; there are interests, request_id"):
        Contexts.of([REGION], requests_of(interests=cells([])))
    with pytest.raises(InvalidValueError, match=r"region == \['north'\], must be one string or integer"):
        Contexts.of([REGION], requests_of(region=cells(["north"])))
    with pytest.raises(
        InvalidValueError, match=r"request\.interests\[1\] == 'jazz', must be a list of values"
    ):
        Contexts.of([INTERESTS], requests_of(interests=cells(["jazz"], "jazz")))
    with pytest.raises(InputError, match=r"context\.region has 1 rows, must have 2"):
        Contexts(2, {"region": ValueSets.empty(1)})
