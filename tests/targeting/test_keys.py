"""Keys and their values: what is declared, what is not, and what is no value at all."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.targeting.keys import Key, ValueSets, flatten

HOUR = Key("hour", range(24))
REGION = Key("region", ["north", "south", "west"])


def test_what_is_not_declared_is_unknown() -> None:
    assert REGION.codes(["west", "mars", "", None, 3]).tolist() == [2, -1, -1, -1, -1]
    assert HOUR.codes([23, 24, -1, "8", 8.5, float("nan"), np.int64(8)]).tolist() == [23, *5 * [-1], 8]


def test_whole_numbers_of_any_type_are_the_same_value() -> None:
    """A column of integers with a gap is one of floats."""
    assert HOUR.codes(np.array([8.0, np.nan]).tolist()).tolist() == [8, -1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], r"region\.values == \[\], must have at least one"),
        (["north", "south", "north"], r"region\.values == 'north', must be there once"),
        (["north", 1], "must be all strings or all integers"),
        ([None], "must be all strings or all integers"),
        ([0.5], "must be all strings or all integers"),
        ([True, False], "must be all strings or all integers"),
    ],
)
def test_values_that_no_key_can_have(values: list[str], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Key("region", values)


@pytest.mark.parametrize("name", ["", "a region", "not_region"])
def test_names_that_no_key_can_have(name: str) -> None:
    with pytest.raises(InvalidValueError, match=f"key == '{name}', must be a name"):
        Key(name, ["north"])


@pytest.mark.parametrize("value", [["north"], ("north",), {"north"}, np.array(["north"])])
def test_a_collection_is_no_value(value: object) -> None:
    with pytest.raises(InvalidValueError, match="must be one string or integer"):
        REGION.codes(["south", value])


@pytest.mark.parametrize("cell", ["jazz", 3, {"jazz": 1}])
def test_a_value_is_no_set(cell: object) -> None:
    with pytest.raises(InvalidValueError, match=r"request\.interests\[1\] == .*, must be a list of values"):
        flatten([None, cell], "request.interests")


def test_sets_are_written_in_many_ways() -> None:
    cells = [["a", "b"], ("c",), {"d"}, np.array(["e"]), [], None, float("nan")]
    values, offsets = flatten(cells, "x")
    assert values == ["a", "b", "c", "d", "e"]
    assert offsets.tolist() == [0, 2, 3, 4, 5, 5, 5, 5]


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 3], [0, 2, 1, 2]])
def test_offsets_must_divide_the_codes(offsets: list[int]) -> None:
    with pytest.raises(InvalidValueError, match="must ascend from 0 to n_listed == 2"):
        ValueSets(np.array(offsets, np.int64), np.array([0, 1]))
