"""What arrays are called everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsd.errors import InputError

Array = NDArray[Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = Mapping[str, Array]
State = dict[str, Array]
"""What a fitted part saves and loads: named arrays, none of them of Python objects."""

HOURS_A_DAY = 24


def check_length(name: str, column: Array, n_rows: int) -> None:
    """Refuse a column of another length."""
    if len(column) != n_rows:
        raise InputError(f"{name} has {len(column)} rows, must have {n_rows}")
