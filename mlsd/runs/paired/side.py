"""One run of a comparison: the metrics of its requests, and what they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from mlsd.errors import InputError
from mlsd.runs.finished import FinishedRun
from mlsd.runs.provenance import DATA, TRUTH, UNIT
from mlsd.store import read_table
from mlsd.types import Array, Requests

IDS = ("request_id", "user")

AGREEMENT = 1e-9
"""How far the mean of a column may lie from the figure in `metrics.json`, which is exact to ten digits."""


@dataclass(frozen=True)
class Side:
    """A run, read and found whole.

    Args:
        name: what the comparison calls it.
        run: what it left behind.
        table: a row for each request of the test window, by rising `request_id`; bool columns are segments,
            the others `<system>.<metric>`.
        requests: the same requests, in the same order.
        config: as it was run, plain values.
    """

    name: str
    run: FinishedRun
    table: pd.DataFrame
    requests: Requests
    config: Mapping[str, Any]

    @property
    def provenance(self) -> Mapping[str, Any]:
        return self.run.provenance

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments, in the order of the table."""
        return tuple(name for name in self._columns if self.table[name].dtype == bool)

    def metrics(self, system: str) -> tuple[str, ...]:
        """Metrics of a system: "logging", a stage, or "funnel"."""
        start = f"{system}."
        return tuple(name.removeprefix(start) for name in self._columns if name.startswith(start))

    @property
    def systems(self) -> tuple[str, ...]:
        """Everything that has metrics."""
        names = (name.partition(".")[0] for name in self._columns if name not in (*IDS, *self.segments))
        return tuple(dict.fromkeys(names))

    @property
    def _columns(self) -> list[str]:
        return [str(name) for name in self.table.columns]

    def values(self, system: str, metric: str) -> Array:
        """(n_requests,) a metric, NaN where it says nothing."""
        return self.table[f"{system}.{metric}"].to_numpy()


def read_sides(folders: Sequence[Path]) -> list[Side]:
    """The runs in these folders.

    Raises:
        InputError: a folder is named twice, holds no finished run, or a file of it is not what a run writes.
    """
    return [_read(name, FinishedRun(folder)) for name, folder in names_of(folders).items()]


def names_of(folders: Sequence[Path]) -> dict[str, Path]:
    """Short name -> folder: the folder's own name where no other has it, else as it was given.

    Example:
        >>> list(names_of([Path("outputs/search/first"), Path("outputs/search/second")]))
        ['first', 'second']
    """
    places = [folder.resolve() for folder in folders]
    for row, place in enumerate(places):
        if place in places[:row]:
            raise InputError(f"{folders[row]} is named twice")
    short = [place.name for place in places]
    return {
        str(folder) if short.count(name) > 1 else name: folder
        for name, folder in zip(short, folders, strict=True)
    }


def _read(name: str, run: FinishedRun) -> Side:
    path = run.folder / "offline" / "per_request.parquet"
    table = read_table(path)
    _require_columns(table, path)
    table = table.sort_values("request_id", ignore_index=True)
    side = Side(name, run, table, _requests_of(run, table), _plain(run))
    _require_entries(side)
    _require_agreement(side, path)
    return side


def _plain(run: FinishedRun) -> Mapping[str, Any]:
    """The config's values as they are written: interpolations of a foreign file are not followed."""
    values = OmegaConf.to_container(run.config, resolve=False)
    assert isinstance(values, dict)  # noqa: S101  (a DictConfig's container is a dict)
    return {str(key): value for key, value in values.items()}


def _require_columns(table: pd.DataFrame, path: Path) -> None:
    for name in IDS:
        if name not in table or not pd.api.types.is_integer_dtype(table[name].dtype):
            raise InputError(f"{path}: no column {name!r} of integers")
    if not len(table):
        raise InputError(f"{path}: no request, must have one at least")
    twice = table["request_id"].duplicated()
    if twice.any():
        raise InputError(f"{path}: request_id == {table['request_id'][twice].iloc[0]} stands there twice")
    for name in table.columns.difference(list(IDS)):
        values = table[name]
        if values.dtype != bool and (values.dtype != np.float64 or np.isinf(values).any()):
            raise InputError(f"{path}: column {name!r} holds more than truth values, or numbers and NaN")


def _requests_of(run: FinishedRun, table: pd.DataFrame) -> Requests:
    """The logged requests of the table's rows."""
    logged = run.requests
    rows = pd.Index(logged.request_id).get_indexer(pd.Index(table["request_id"]))
    path = run.folder / "log" / "requests.parquet"
    if (rows < 0).any():
        raise InputError(
            f"{path}: no request_id == {table['request_id'][rows < 0].iloc[0]}, which was tested"
        )
    requests = logged.take(rows)
    other = requests.user != table["user"].to_numpy()
    if other.any():
        request = requests.request_id[other][0]
        raise InputError(f"{path}: request_id == {request} is of another user than where it was tested")
    return requests


def _require_entries(side: Side) -> None:
    missing = [name for name in (DATA, TRUTH, UNIT) if name not in side.provenance]
    if missing:
        path = side.run.folder / "provenance.json"
        raise InputError(f"{path}: no entry {missing[0]!r}; the run is of an mlsd that did not write it")


def _require_agreement(side: Side, path: Path) -> None:
    """The table is of the same run as the figures."""
    offline = side.run.metrics.get("offline", {})
    for system in side.systems:
        for metric in side.metrics(system):
            figure = offline.get(system, {}).get(metric, {}).get("all", {}).get("value")
            values = side.values(system, metric)
            known = values[~np.isnan(values)]
            mean = float(known.mean()) if len(known) else None
            if (mean is None) != (figure is None) or abs((mean or 0.0) - (figure or 0.0)) > AGREEMENT:
                raise InputError(
                    f"{path}: the mean of {system}.{metric} is {mean}, but metrics.json has {figure}"
                )
