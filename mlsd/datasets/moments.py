"""Points in time of a table: Unix seconds or written dates, and what they look like if they are neither."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mlsd import checks
from mlsd.datasets.tables import Table, as_numbers
from mlsd.types import Array, Floats

DAY_SECONDS = 86_400.0

EARLIEST = "1990-01-01"
"""No feed is older: what seems to be is in another unit."""

LATEST = "2100-01-01"
"""What is later is taken for a mistake unless a data set declares otherwise; the clock is never read."""

_UNITS = {
    "nanoseconds": 1e-9, "microseconds": 1e-6, "milliseconds": 1e-3, "minutes": 60.0, "hours": 3_600.0,
    "days": DAY_SECONDS,
}  # fmt: skip
"""Unit -> its seconds. Moments between `EARLIEST` and `LATEST` are told apart by their size alone."""

_WRITTEN = "%m/%d/%Y %H:%M"
_OTHERS = {
    "D/M/YYYY H:MM": "%d/%m/%Y %H:%M", "YYYY-MM-DD HH:MM:SS": "%Y-%m-%d %H:%M:%S",
    "M/D/YYYY": "%m/%d/%Y", "YYYY-MM-DDTHH:MM:SSZ": "%Y-%m-%dT%H:%M:%SZ",
}  # fmt: skip


def date(name: str, value: str) -> str:
    """`value`, if it is a date as YYYY-MM-DD after `EARLIEST`.

    Raises:
        InvalidValueError: it is none.
    """
    text = str(value)
    parsed = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    right = len(text) == len(EARLIEST) and not pd.isna(parsed) and text > EARLIEST
    return checks.require(
        right, name, value, f"must be a date as YYYY-MM-DD after {EARLIEST}, such as {LATEST}"
    )


def seconds_of(day: str) -> float:
    """Unix time of the midnight (UTC) that begins a day.

    Example:
        >>> seconds_of("1970-01-02")
        86400.0
    """
    return float(np.datetime64(day, "s").astype(np.int64))


def unix_seconds(table: Table, name: str, latest: str) -> Floats:
    """(n,) a column of Unix times in seconds, from `EARLIEST` to `latest`.

    Raises:
        InputError: for what is no number, later, or in another unit, which is then named.
    """
    codes, values = table.columns[name]
    seconds = as_numbers(values)
    right = (seconds >= seconds_of(EARLIEST)) & (seconds <= seconds_of(latest))
    rule = f"must be Unix time in seconds, from {EARLIEST} to {latest}"
    table.require(name, right, rule + _guess(seconds[codes], right[codes]))
    return seconds[codes]


def written_seconds(table: Table, name: str, latest: str) -> Floats:
    """(n,) a column of times written as M/D/YYYY H:MM, as Unix time, as if they were in UTC.

    Raises:
        InputError: for what is no such time, or not from `EARLIEST` to `latest`.
    """
    codes, values = table.columns[name]
    seconds = _parsed(values, _WRITTEN)
    right = (seconds >= seconds_of(EARLIEST)) & (seconds <= seconds_of(latest))
    rule = f"must be a time as M/D/YYYY H:MM, such as 9/26/2016 3:26, from {EARLIEST} to {latest}"
    table.require(name, right, rule + _guess_written(values[codes], right[codes]))
    return seconds[codes]


def unix_unit(value: float) -> str:
    """In which unit a number is a moment between `EARLIEST` and `LATEST`; empty for none.

    Example:
        >>> unix_unit(1_700_000_000), unix_unit(1_700_000_000_000), unix_unit(12.5)
        ('seconds', 'milliseconds', '')
    """
    return _unit(value, {"seconds": 1.0, **_UNITS})


def _parsed(values: Array, written: str) -> Floats:
    """(n,) Unix time of texts; NaN for what is not written so."""
    texts = pd.Series(values, dtype=str)
    shape = written.replace("%Y", r"\d{4}").replace("%S", r"\d{2}").replace("%M", r"\d{2}")
    for part in ("%m", "%d", "%H"):
        shape = shape.replace(part, r"\d{1,2}")
    texts = texts.where(texts.str.fullmatch(shape), "")
    moments = pd.to_datetime(texts, format=written, errors="coerce").to_numpy().astype("datetime64[s]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64))


def _guess(seconds: Floats, right: Array) -> str:
    """What the first moment that is wrong looks like, for the end of a message; empty if like nothing."""
    if right.all():
        return ""
    value = float(seconds[~right][0])
    unit = _unit(value, _UNITS)
    if unit:
        return f"; it looks like {unit}"
    has_four_digits = seconds_of("1000-01-01") <= value < seconds_of("9999-01-01")
    return f"; as seconds it is {np.datetime64(int(value), 's').astype('<M8[D]')}" if has_four_digits else ""


def _guess_written(values: Array, right: Array) -> str:
    """The same for times that are written."""
    if right.all():
        return ""
    first = np.array(values[~right][:1], object)
    unit = unix_unit(float(as_numbers(first)[0]))
    shapes = [shape for shape, written in _OTHERS.items() if not np.isnan(_parsed(first, written))[0]]
    looks = [f"Unix time in {unit}"] * bool(unit) + shapes * bool(np.isnan(_parsed(first, _WRITTEN))[0])
    return f"; it looks like {looks[0]}" if looks else ""


def _unit(value: float, units: Mapping[str, float]) -> str:
    """In which unit a number is a moment between `EARLIEST` and `LATEST`; empty for none."""
    low, high = seconds_of(EARLIEST), seconds_of(LATEST)
    return next((unit for unit, length in units.items() if low <= value * length <= high), "")
