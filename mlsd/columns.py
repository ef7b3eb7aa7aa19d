"""Columns of a catalog as parts read them: whole numbers and times, refused where they are none."""

from __future__ import annotations

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.types import Catalog, Floats, Ints


def whole_numbers(catalog: Catalog, name: str) -> Ints:
    """(n_items,) a column that must hold integers.

    Raises:
        InputError: it holds anything else.
    """
    column = catalog[name]
    if column.dtype.kind not in "iu":
        raise InputError(f"item.{name} is {column.dtype}, must be of integers")
    return column.astype(np.int64)


def published_days(catalog: Catalog, name: str) -> Floats:
    """(n_items,) a column of times, in days since the start of the log; those before it are negative.

    Raises:
        InputError: it does not hold numbers, or one of them is not finite.
    """
    column = catalog[name]
    if column.dtype.kind not in "iuf":
        raise InputError(
            f"item.{name} is {column.dtype}, must be of numbers: days since the start of the log"
        )
    days = column.astype(np.float64)
    checks.every_row(f"item.{name}", days, np.isfinite(days), "finite")
    return days
