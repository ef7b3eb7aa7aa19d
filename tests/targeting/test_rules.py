"""Rules as people write them, and the mistakes they make."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.targeting.keys import Key, ValueSets
from mlsd.targeting.rules import Rules

KEYS = (
    Key("region", ["north", "south", "west"], exclusions=True),
    Key("interests", [f"interest {code}" for code in range(9)], multi_valued=True),
    Key("hour", range(24)),
)


def sets_of(*sets: list[int]) -> ValueSets:
    offsets = np.cumsum([0, *map(len, sets)])
    return ValueSets(offsets, np.array([code for each in sets for code in each], np.int64))


def test_are_read_into_columns() -> None:
    rules = Rules.read(
        KEYS, [{"region": ["west", "north"], "hour": (8,)}, {"not_region": ["south"]}, {"hour": None}]
    )
    included, excluded = rules.of("region")
    assert [included.of(row).tolist() for row in range(3)] == [[2, 0], [], []]
    assert [excluded.of(row).tolist() for row in range(3)] == [[], [1], []]
    assert rules.of("hour").included.codes.tolist() == [8]


def test_an_ad_that_says_nothing_is_for_anybody() -> None:
    rules = Rules.read(KEYS, [{}, {"hour": [1]}, {"not_region": ["west"]}, {"hour": None}])
    assert rules.untargeted.tolist() == [True, False, False, True]
    assert Rules(2, KEYS, {}).untargeted.tolist() == [True, True]


@pytest.mark.parametrize(
    ("ad", "message"),
    [
        (
            {"regoin": ["north"]},
            r"^ads\[1\] == 'regoin', must be one of region, not_region, .*, hour; nearest is 'region'$",
        ),
        ({"not_hour": [1]}, r"^ads\[1\] == 'not_hour', must be one of .*; nearest is 'hour'$"),
        (
            {"region": ["north", "nroth"]},
            r"^ads\.region\[1\] == 'nroth', must be one of north, south, west; nearest is 'north'$",
        ),
        (
            {"not_region": ["wst"]},
            r"^ads\.not_region\[1\] == 'wst', must be one of north, south, west; nearest is 'west'$",
        ),
        (
            {"interests": ["interest 10"]},
            r"must be one of interest 0, .*, interest 5, ... \(9 values\); nearest is 'interest ",
        ),
        ({"hour": [24]}, r"^ads\.hour\[1\] == 24, must be one of 0, 1, 2, 3, 4, 5, ... \(24 values\)"),
        ({"hour": [None]}, r"^ads\.hour\[1\] == None, must be one of "),
        ({"hour": 8}, r"^ads\.hour\[1\] == 8, must be a list of values$"),
        ({"region": "north"}, r"^ads\.region\[1\] == 'north', must be a list of values$"),
        ({"region": []}, r"^ads\.region\[1\] == \[\], must have a value; leave it out for anybody$"),
        (
            {"region": ["west"], "not_region": ["south", "west"]},
            r"^ads\.region\[1\] == 'west', must not also be in not_region$",
        ),
    ],
)
def test_says_what_is_wrong_with_an_ad(ad: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Rules.read(KEYS, [{"region": ["north"]}, ad])


def test_says_what_is_wrong_with_columns() -> None:
    with pytest.raises(InvalidValueError, match=r"columns == 'hours', must be one of .*; nearest is 'hour'"):
        Rules.of_columns(KEYS, 1, {"hours": [[1]]})
    with pytest.raises(InvalidValueError, match=r"key == 'hours', must be one of .*; nearest is 'hour'"):
        Rules(1, KEYS, {"hours": sets_of([1])})
    with pytest.raises(InvalidValueError, match="keys == 'hour', must be there once"):
        Rules(1, (*KEYS, Key("hour", [1])), {})
    with pytest.raises(InvalidValueError, match="excluded == 'hour', must be one of region"):
        Rules(1, KEYS, {}, {"hour": sets_of([1])})
    with pytest.raises(InputError, match=r"included\.hour has 2 rows, must have 1"):
        Rules(1, KEYS, {"hour": sets_of([1], [2])})
    for code in (-1, 24):
        with pytest.raises(
            InvalidValueError, match=rf"included\.hour == {code}, must be a code in \[0, 24\)"
        ):
            Rules(1, KEYS, {"hour": sets_of([3, code])})


def test_state_is_plain_arrays_that_make_them_again() -> None:
    rules = Rules.read(KEYS, [{"region": ["west"], "hour": [8, 9]}, {"not_region": ["south"]}, {}])
    state = rules.state("rules")
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in state.values())
    again = Rules.from_state(state, "rules")
    assert len(again) == 3
    assert [key.names for key in again.keys] == [key.names for key in KEYS]
    assert [list(key.values) for key in again.keys] == [list(key.values) for key in KEYS]
    assert [key.multi_valued for key in again.keys] == [False, True, False]
    for name, array in again.state("rules").items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)
    assert set(again.state("rules")) == set(state)
