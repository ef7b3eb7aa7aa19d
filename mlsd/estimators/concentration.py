"""How unevenly something is spread over those who have it."""

from __future__ import annotations

import numpy as np

from mlsd import checks
from mlsd.types import Array, Floats

_MOST = np.finfo(np.float64).max


def gini(amounts: Array) -> Floats:
    """The Gini coefficient of each row: 0 where all have the same, 1 - 1 / n where one has everything.

        G = sum over k of (2 k - n - 1) x_k / (n sum of x),    x ascending, k from 1

    which is half the mean absolute difference of two of them, drawn with replacement, over their mean. NaN of
    a row without anything.

    Args:
        amounts: (..., n) finite, at least 0.

    Returns:
        (...) in [0, 1 - 1 / n].

    Raises:
        InputError: an amount is negative or not finite.

    Source: Gini, "Variabilità e mutabilità" (1912); as in Sen, "On economic inequality" (1973).

    Example:
        >>> gini(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 4.0]])).tolist()
        [0.0, 0.75]
    """
    ordered = np.sort(np.asarray(amounts, np.float64), axis=-1)
    checks.every_row_between("amounts", ordered.ravel(), 0, _MOST, "finite and at least 0")
    n = ordered.shape[-1]
    total = ordered.sum(axis=-1)
    weighted = (ordered * (2 * np.arange(1, n + 1) - n - 1)).sum(axis=-1)
    spread = np.full(total.shape, np.nan)
    return np.asarray(np.divide(weighted, n * total, out=spread, where=total > 0))
