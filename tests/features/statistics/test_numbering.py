from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.features.statistics.numbering import Numbering

SMALL, WIDE = st.integers(-40, 40), st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize("integers", [SMALL, WIDE, SMALL | WIDE])
def test_equals_a_dictionary(integers: st.SearchStrategy[int]) -> None:
    lists = st.lists(integers, max_size=30)

    @given(lists, lists, lists)
    def check(held: list[int], further: list[int], sought: list[int]) -> None:
        numbering = Numbering.of_rows(np.array(held, np.int64))
        both = numbering.joined(Numbering.of_rows(np.array(further, np.int64)))
        for numbered, values in ((numbering, held), (both, held + further)):
            places = {value: place for place, value in enumerate(sorted(set(values)))}
            wanted = np.array(sought + values, np.int64)
            rows, known = numbered.rows(wanted)
            assert known.tolist() == [value in places for value in wanted.tolist()]
            assert rows[known].tolist() == [places[value] for value in wanted[known].tolist()]

    check()


def test_a_wide_range_is_not_listed() -> None:
    assert Numbering.of(np.array([0, 1 << 40])).listed is None
    assert Numbering.of(np.array([5, 1 << 10])).listed is not None
