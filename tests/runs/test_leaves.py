from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlsd.runs.leaves import leaves, spelled

NAMES = st.text("ab.", min_size=1, max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


def at(values: Any, path: tuple[str, ...]) -> Any:
    """What lies at a path, found by walking there."""
    for name in path:
        values = values[int(name[1:-1])] if isinstance(values, list) else values[name]
    return values


@given(VALUES)
def test_every_leaf_lies_where_its_path_leads_and_no_path_comes_twice(values: Any) -> None:
    found = list(leaves(values))
    assert len({path for path, _ in found}) == len(found)
    for path, value in found:
        assert at(values, path) is value
        assert not isinstance(value, (dict, list)) or not value


@given(VALUES)
def test_with_lists_as_values_no_path_leads_into_one(values: Any) -> None:
    assert not [path for path, _ in leaves(values, lists=False) if any(name[0] == "[" for name in path)]


def test_spelled() -> None:
    assert spelled(("offline", "R(rel=2)@10", "[3]")) == "offline.R(rel=2)@10[3]"
