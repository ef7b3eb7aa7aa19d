from __future__ import annotations

import numpy as np
import pytest

from mlsd.columns import published_days, whole_numbers
from mlsd.errors import InputError
from mlsd.types import Array, Catalog


def catalog(column: Array) -> Catalog:
    return Catalog(np.arange(len(column)).astype(str), {"x": column})


def test_whole_numbers_of_any_width() -> None:
    found = whole_numbers(catalog(np.array([3, 0], np.uint8)), "x")
    assert found.tolist() == [3, 0]
    assert found.dtype == np.int64


@pytest.mark.parametrize("column", [np.array([0.0]), np.array(["a"]), np.array([True])])
def test_nothing_else_is_a_whole_number(column: Array) -> None:
    with pytest.raises(InputError, match=rf"item.x is {column.dtype}, must be of integers"):
        whole_numbers(catalog(column), "x")


def test_days_may_be_whole_and_negative() -> None:
    assert published_days(catalog(np.array([-3, 4])), "x").tolist() == [-3.0, 4.0]
    assert published_days(catalog(np.zeros(0)), "x").tolist() == []


def test_days_must_be_finite_numbers() -> None:
    with pytest.raises(InputError, match=r"item.x\[1\] == nan, must be finite; 2 rows break this"):
        published_days(catalog(np.array([0.0, np.nan, np.inf])), "x")
    with pytest.raises(InputError, match=r"item.x is datetime64\[D\], must be of numbers"):
        published_days(catalog(np.array(["2020-01-01"], "datetime64[D]")), "x")
    with pytest.raises(InputError, match=r"no column item.y; there are x"):
        published_days(catalog(np.zeros(1)), "y")
