"""Paired tests by flipping signs: could a difference this large have come about by chance?

If neither of two systems is better, what one unit (a user, a query) gains could as well have been what it
loses. So the sign of every unit's total is flipped at random, many times, and

    p = (1 + number of flips with |T*| >= |T|) / (1 + number of flips),   T = sum over units of their totals

is two-sided, exact under that symmetry whatever the distribution, and never 0. The flips are a pure function
of seed, flip and unit: figures of different segments and systems meet the same ones, and order of work
changes nothing.

Source: Fisher (1935), "The design of experiments"; Smucker, Allan and Carterette (CIKM 2007), "A comparison
of statistical significance tests for information retrieval evaluation"; Phipson and Smyth (2010),
"Permutation p-values should never be zero", for the ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, rng
from mlsd.errors import InputError
from mlsd.estimators.base import UnitSums
from mlsd.types import Floats, Ints

_PER_HASH = 64
"""Flips that share one hash of a unit, a bit each."""

_BLOCK_SIGNS = 1 << 20


@dataclass(frozen=True)
class SignFlip:
    """Two-sided p-values of paired differences.

    Args:
        n_flips: how often all signs are drawn; no p-value is below 1 / (1 + n_flips).
        seed: of the draws.

    Example:
        >>> gains = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
        >>> SignFlip(100).p_values(gains, np.array([7, 7, 7])).tolist()
        [1.0, 1.0]
    """

    n_flips: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        checks.at_least("n_flips", self.n_flips, 100)

    def p_values(self, differences: Floats, units: Ints) -> Floats:
        """(n_figures,) p-value of each column's mean being 0; NaN where no row is known.

        Args:
            differences: (n_rows, n_figures) paired differences, NaN where a row says nothing.
            units: (n_rows,) the independent unit of each row.
        """
        if differences.ndim != 2 or len(differences) != len(units):
            raise InputError(f"differences of shape {differences.shape}, must be ({len(units)}, n_figures)")
        unit_ids, codes = np.unique(units, return_inverse=True)
        totals = UnitSums(_totals(np.nan_to_num(differences), codes, len(unit_ids)), _themselves)
        reached = np.zeros(differences.shape[1], np.int64)
        for signs in self._signs(unit_ids):
            reached += np.count_nonzero(np.abs(totals.resampled(signs)) >= np.abs(totals.value), axis=0)
        p_values = (1 + reached) / (1 + self.n_flips)
        return np.asarray(np.where(np.isnan(differences).all(axis=0), np.nan, p_values))

    def _signs(self, unit_ids: Ints) -> Iterator[NDArray[np.int8]]:
        """(n_block, n_units) -1 or 1, for all flips in blocks."""
        step = max(_BLOCK_SIGNS // max(len(unit_ids), 1) // _PER_HASH, 1)
        n_groups = -(-self.n_flips // _PER_HASH)
        for start in range(0, n_groups, step):
            groups = np.arange(start, min(start + step, n_groups))
            hashed = rng.hashes(self.seed, "sign-flip", groups[:, None], unit_ids[None, :])
            bits = np.unpackbits(hashed.astype("<u8")[..., None].view(np.uint8), axis=-1)
            signs = 2 * np.moveaxis(bits, -1, 1).reshape(-1, len(unit_ids)).astype(np.int8) - 1
            yield signs[: self.n_flips - start * _PER_HASH]


def _themselves(totals: Floats) -> Floats:
    return totals


def _totals(values: Floats, codes: Ints, n_units: int) -> Floats:
    """(n_units, n_figures) sum of each column over the rows of each unit."""
    n_figures = values.shape[1]
    cells = (codes[:, None] * n_figures + np.arange(n_figures)).reshape(-1)
    totals = np.bincount(cells, values.reshape(-1), n_units * n_figures).astype(np.float64)
    return totals.reshape(n_units, n_figures)
