"""Rows of categories, and the vectors that serve: the same to the bit whatever is beside them."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.models.bags import Vectors
from mlsd.models.categories import UNKNOWN, Categories, Towers, category_column, passed

DRAWS = np.random.default_rng(11)


def vectors(*shape: int) -> Vectors:
    return DRAWS.normal(size=shape).astype(np.float32)


def towers(*through: Vectors) -> Towers:
    seen = Categories.learn([np.array([2, 7, 7]), np.array([0, 5])])
    return Towers(seen, vectors(len(seen), 9), through, vectors(40, 9), vectors(40))


def test_rows_are_a_lookup() -> None:
    columns = [DRAWS.integers(0, 30, 50), DRAWS.integers(0, 5, 50), np.zeros(0, np.int64)]
    seen = Categories.learn(columns)
    numbers = {pair: row for row, pair in enumerate(
        ((place, value) for place, column in enumerate(columns) for value in sorted(set(column.tolist()))), 1
    )}  # fmt: skip
    asked = [DRAWS.integers(-3, 40, 200) for _ in columns]
    expected = [
        [numbers.get((place, value), UNKNOWN) for place, value in enumerate(row)]
        for row in np.stack(asked, axis=1).tolist()
    ]
    assert seen.rows(asked).tolist() == expected
    assert len(seen) == len(numbers) + 1


@pytest.mark.parametrize("through", [(), (vectors(6, 9), vectors(9, 6))])
def test_a_pair_scores_the_same_whatever_is_beside_it(
    through: tuple[Vectors, ...],
) -> None:
    made = towers(*through)
    columns = [DRAWS.integers(0, 9, 33), DRAWS.integers(0, 9, 33)]
    rows, items = DRAWS.integers(0, 33, 5000), DRAWS.integers(0, 40, 5000)
    together = made.scores(made.requests(columns), rows, items)
    for pair in range(0, 5000, 97):
        alone = made.requests([column[rows[pair] : rows[pair] + 1] for column in columns])
        assert made.scores(alone, np.zeros(1, np.int64), items[pair : pair + 1])[0] == together[pair]


def test_layers_by_hand() -> None:
    made = passed(
        np.array([[1, -2], [0, 0]], np.float32), (np.eye(2, dtype=np.float32), np.ones((1, 2), np.float32))
    )
    assert made.tolist() == [[1.0], [0.0]]


def test_state_is_taken_over() -> None:
    made = towers(vectors(6, 9), vectors(9, 6))
    state, again = made.state(), Towers.from_state(made.state()).state()
    assert {name: array.tobytes() for name, array in state.items()} == {
        name: array.tobytes() for name, array in again.items()
    }


def test_a_column_of_categories_is_checked() -> None:
    assert category_column("item.kind", np.array([1, 0], np.int8)).dtype == np.int64
    with pytest.raises(InputError, match=r"item.kind\[1\] == -3, must be a category, at least 0; 1 rows"):
        category_column("item.kind", np.array([1, -3]))
    with pytest.raises(InputError, match=r"item.kind is float64, must be of integers"):
        category_column("item.kind", np.zeros(2))
