from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlsd.runs.leaves import MISSING
from mlsd.runs.paired.differences import differences_of

CONFIGS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.lists(st.integers(0, 1), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict))


@given(CONFIGS, CONFIGS)
def test_nothing_differs_from_itself_and_sides_can_be_turned(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert differences_of([first, first]) == ()
    there = {one.key: one.values for one in differences_of([first, second])}
    back = {one.key: one.values[::-1] for one in differences_of([second, first])}
    assert there == back
    assert bool(there) == (repr(sorted_deeply(first)) != repr(sorted_deeply(second)))


def sorted_deeply(value: Any) -> Any:
    return {key: sorted_deeply(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def test_one_true_and_1_0_are_three_values() -> None:
    (found,) = differences_of([{"a": 1}, {"a": True}, {"a": 1.0}])
    assert found == ("a", (1, True, 1.0))


def test_what_is_missing_is_not_null() -> None:
    (found,) = differences_of([{"a": {"b": None}}, {"a": {"b": None}}, {"a": {}}])[:1]
    assert found == ("a.b", (None, None, MISSING))
