"""Requests of a user's own, as a funnel knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from mlsd.datasets.moments import unix_unit
from mlsd.errors import InputError, nearest
from mlsd.types import Array, Floats, Ints, Requests

TEXT, INTEGER = "text", "integer"
"""Kinds of columns that a problem declares of its requests."""

TEXT_OF = {"query_id": "query"}
"""Column of integers -> the text column that it numbers."""

LATEST_DAYS = 3_650.0
"""How long after its log a funnel may be asked: what is later is taken for a time in another unit."""


def table_of(requests: pd.DataFrame | Iterable[str], kinds: Mapping[str, str]) -> pd.DataFrame:
    """A row for each request.

    Args:
        requests: a table, or texts where the problem's requests have one text column.
        kinds: column of the problem's requests -> its kind.
    """
    if isinstance(requests, pd.DataFrame):
        return requests.reset_index(drop=True)
    if isinstance(requests, str):
        raise InputError(f"requests == {requests!r}, must be a table or a list of texts")
    texts = _of_kind(TEXT, kinds)
    if len(texts) != 1:
        raise InputError(f"requests have {len(texts)} text columns, not one: give a table")
    return pd.DataFrame({texts[0]: list(requests)}, dtype=object)


def request_ids(table: pd.DataFrame) -> pd.Series:
    """(n_requests,) what each request is called: its `request_id`, or its row."""
    if "request_id" not in table.columns:
        return pd.Series(np.arange(len(table)))
    ids = table["request_id"]
    if ids.isna().any():
        raise InputError(f"request_id of request {ids.isna().argmax()} is missing")
    if ids.duplicated().any():
        twice = _shown(ids[ids.duplicated()].iloc[0])
        raise InputError(f"request_id == {twice} stands there twice, must be unique")
    return ids


def requests_of(table: pd.DataFrame, kinds: Mapping[str, str], logged: Requests) -> Requests:
    """What is asked. What the table does not say is as of somebody new, the day after the log.

    Args:
        table: a row for each request.
        kinds: column of the problem's requests -> its kind.
        logged: requests that the funnel has learnt from; their texts have numbers.

    Raises:
        InputError: a column is missing, or holds what it must not.
    """
    rows = np.arange(len(table))
    texts = {name: _texts(table, name) for name in _of_kind(TEXT, kinds)}
    numbers = {
        name: _numbered(texts[TEXT_OF[name]], logged[TEXT_OF[name]], logged[name])
        if name in TEXT_OF
        else _required_integers(table, name)
        for name in _of_kind(INTEGER, kinds)
    }
    somebody_new = int(logged.user.max(initial=-1)) + 1
    day_after = float(np.floor(logged.time_days.max(initial=-1.0))) + 1
    return Requests(
        rows,
        _integers(table, "user", somebody_new),
        rows,
        _times(table, "time_days", day_after),
        {**texts, **numbers},
    )


def _of_kind(kind: str, kinds: Mapping[str, str]) -> list[str]:
    return [name for name, its_kind in kinds.items() if its_kind == kind]


def _numbered(texts: Array, known_texts: Array, numbers: Ints) -> Ints:
    """The number that the log knows each text by; one that is new for texts it never met."""
    new = int(numbers.max(initial=-1)) + 1
    known = pd.Series(numbers, index=known_texts)
    known = known[~known.index.duplicated()]
    return np.asarray(known.reindex(texts, fill_value=new).to_numpy(np.int64))


def _require_column(table: pd.DataFrame, name: str) -> None:
    if name not in table.columns:
        close = nearest(name, map(str, table.columns))
        hint = f"; nearest is {close!r}" if close else ""
        raise InputError(f"requests have no column {name!r}{hint}")


def _required_integers(table: pd.DataFrame, name: str) -> Ints:
    _require_column(table, name)
    return _integers(table, name, 0)


def _texts(table: pd.DataFrame, name: str) -> Array:
    _require_column(table, name)
    values = table[name].to_numpy(dtype=object)
    _require(np.array([isinstance(value, str) for value in values], bool), table[name], "must be text")
    return np.asarray(values)


def _integers(table: pd.DataFrame, name: str, default: int) -> Ints:
    if name in table.columns and pd.api.types.is_integer_dtype(table[name].dtype):
        _require(table[name].notna().to_numpy(), table[name], "must be an integer")
        return table[name].to_numpy(np.int64)
    numbers = _numbers(table, name, default)
    _require(numbers == np.floor(numbers), table.get(name), "must be an integer")
    return numbers.astype(np.int64)


def _numbers(table: pd.DataFrame, name: str, default: float) -> Floats:
    if name not in table.columns:
        return np.full(len(table), default, dtype=np.float64)
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    _require(np.isfinite(values), table[name], "must be a number")
    return np.asarray(values)


def _times(table: pd.DataFrame, name: str, default: float) -> Floats:
    """Days since the start of the log; what looks like Unix time instead is told so."""
    days, latest = _numbers(table, name, default), default + LATEST_DAYS
    right = (days >= 0) & (days <= latest)
    unit = "" if right.all() else unix_unit(float(days[~right][0]))
    looks = f"; it looks like Unix time in {unit}" if unit else ""
    rule = f"must be days since the start of the run's log, from 0 to {latest:g}{looks}"
    _require(right, table.get(name), rule)
    return days


def _require(right: Array, column: pd.Series | None, rule: str) -> None:
    """Refuse a column of which some values are not right; the first of them is named."""
    if column is not None and not right.all():
        row = int(np.argmin(right))
        raise InputError(f"{column.name} of request {row} == {_shown(column.iloc[row])}, {rule}")


def _shown(value: object) -> str:
    """A value as somebody would write it, whatever type a table keeps it in."""
    return repr(value.item() if isinstance(value, np.generic) else value)
