from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.estimators.ratings import Ratings


def test_a_matrix_comes_pair_by_pair() -> None:
    ratings = Ratings.of_matrix(np.array([[2.0, np.nan, 0.0], [1.0, np.nan, np.nan]]), 4)
    assert (ratings.n_pairs, ratings.n_raters, ratings.n_grades) == (3, 2, 4)
    assert ratings.pair.tolist() == [0, 0, 2]
    assert ratings.rater.tolist() == [0, 1, 0]
    assert ratings.grade.tolist() == [2, 1, 0]
    assert ratings.counts().tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0, 1], [0], [0, 0]), r"pair, rater and grade have 2, 1 and 2 rows"),
        (([0, 3], [0, 1], [0, 0]), r"pair == 3, must be in \[0, 3\); 1 rows break this"),
        (([0, 1], [0, -1], [0, 0]), r"rater == -1, must be in \[0, 2\)"),
        (([0, 1], [0, 1], [5, 6]), r"grade == 5, must be in \[0, 5\); 2 rows break this"),
    ],
)
def test_bad_columns(columns: tuple[list[int], ...], message: str) -> None:
    pair, rater, grade = map(np.array, columns)
    with pytest.raises(InputError, match=message):
        Ratings(pair, rater, grade, n_pairs=3, n_raters=2, n_grades=5)
