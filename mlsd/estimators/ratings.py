"""Grades that several raters gave to the same things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd.errors import InputError
from mlsd.types import Floats, Ints


@dataclass(frozen=True)
class Ratings:
    """One row for each single rating; a rater may leave out any pair.

    Args:
        pair: (n_ratings,) int64 in [0, n_pairs), what was rated.
        rater: (n_ratings,) int64 in [0, n_raters), by whom.
        grade: (n_ratings,) int64 in [0, n_grades).
        n_pairs: things to rate, rated or not.
        n_raters: who could rate.
        n_grades: of the scale 0, 1, ..., n_grades - 1.
    """

    pair: Ints
    rater: Ints
    grade: Ints
    n_pairs: int
    n_raters: int
    n_grades: int

    def __post_init__(self) -> None:
        if not len(self.pair) == len(self.rater) == len(self.grade):
            sizes = f"{len(self.pair)}, {len(self.rater)} and {len(self.grade)}"
            raise InputError(f"pair, rater and grade have {sizes} rows, must have the same number")
        for name, values, n in (
            ("pair", self.pair, self.n_pairs),
            ("rater", self.rater, self.n_raters),
            ("grade", self.grade, self.n_grades),
        ):
            strange = values[(values < 0) | (values >= n)]
            if len(strange):
                raise InputError(
                    f"{name} == {strange[0]}, must be in [0, {n}); {len(strange)} rows break this"
                )

    def __len__(self) -> int:
        return len(self.pair)

    @staticmethod
    def of_matrix(matrix: Floats, n_grades: int) -> Ratings:
        """From a (n_raters, n_pairs) matrix of grades, NaN where a rater left out a pair.

        Example:
            >>> Ratings.of_matrix(np.array([[1.0, np.nan], [0.0, 2.0]]), 3).counts().tolist()
            [[1, 1, 0], [0, 0, 1]]
        """
        pair, rater = np.nonzero(~np.isnan(matrix.T))
        n_raters, n_pairs = matrix.shape
        return Ratings(pair, rater, matrix[rater, pair].astype(np.int64), n_pairs, n_raters, n_grades)

    def counts(self) -> Ints:
        """(n_pairs, n_grades) how many raters gave each pair each grade."""
        cells = self.pair * self.n_grades + self.grade
        return np.bincount(cells, minlength=self.n_pairs * self.n_grades).reshape(self.n_pairs, self.n_grades)
