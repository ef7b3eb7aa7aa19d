"""A finished run: its figures, and its funnel at work on anybody's requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from mlsd.config.build import build
from mlsd.config.schema import System
from mlsd.errors import InputError, nearest
from mlsd.funnel import Funnel
from mlsd.serving import in_blocks
from mlsd.store import load_catalog, load_requests, read_json
from mlsd.training import load_stage
from mlsd.types import Array, Requests, concat_batches

TEXT = "text"


class FinishedRun:
    """What a run left behind.

    Args:
        folder: of the run.

    Raises:
        InputError: the folder is not that of a finished run.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "metrics.json").is_file():
            raise InputError(f"{folder} holds no finished run: it has no metrics.json")
        self.folder = folder

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """Every figure, as in `metrics.json`."""
        metrics: Mapping[str, Any] = read_json(self.folder / "metrics.json")
        return metrics

    @cached_property
    def system(self) -> System:
        """What was run, built from its config."""
        try:
            config = OmegaConf.load(self.folder / "config.yaml")
        except (OSError, YAMLError, OmegaConfBaseException) as error:
            raise InputError(f"cannot read config.yaml of {self.folder}: {error}") from error
        return build(OmegaConf.create(OmegaConf.to_container(config)))  # type: ignore[arg-type]

    @cached_property
    def funnel(self) -> Funnel:
        """The fitted funnel, ready to serve."""
        stages = self.system.funnel.active
        for name, stage in stages.items():
            state, _ = load_stage(self.folder / "stages" / name)
            stage.load_state(state)
        return Funnel(stages)

    def rank(self, requests: pd.DataFrame | Iterable[str]) -> pd.DataFrame:
        """The slate of each request.

        Args:
            requests: a table with the problem's text columns, such as `query`, and if known `request_id`,
                `user` and `time_days` (days since the start of the run's log; now is its end); or just
                texts, where the problem's requests have one text column.

        Returns:
            A row for each item shown: `request_id`, `position` (0-based), `item_id`, `score`.

        Raises:
            InputError: a column is missing, or holds what it must not.
        """
        table = self._table(requests)
        asked = self._requests(table)
        if not len(table):
            return _slate_table(np.zeros(0), np.zeros(0), np.zeros(0, object), np.zeros(0))
        ranked = concat_batches(list(in_blocks(self.funnel, asked)))
        shown = ranked.first(self.system.problem.n_positions).candidates
        rows = shown.request_rows
        position = np.arange(len(shown)) - shown.offsets[rows]
        return _slate_table(
            _request_ids(table)[rows], position, self._item_id[shown.items], shown["score"].astype(np.float64)
        )

    @cached_property
    def _item_id(self) -> Array:
        return load_catalog(self.folder / "catalog.parquet").item_id

    @cached_property
    def _logged(self) -> Requests:
        return load_requests(self.folder / "log" / "requests.parquet")

    def _table(self, requests: pd.DataFrame | Iterable[str]) -> pd.DataFrame:
        if isinstance(requests, pd.DataFrame):
            return requests.reset_index(drop=True)
        texts = self._text_columns()
        if len(texts) != 1:
            raise InputError(f"requests of {self.system.problem.name} are no single text: give a table")
        return pd.DataFrame({texts[0]: list(requests)})

    def _text_columns(self) -> list[str]:
        columns = self.system.problem.request_columns
        return [name for name, kind in columns.items() if kind == TEXT]

    def _requests(self, table: pd.DataFrame) -> Requests:
        """Requests as the funnel knows them: what it cannot know is as of somebody new, now."""
        rows = np.arange(len(table))
        columns = {name: _texts(table, name) for name in self._text_columns()}
        identities = {
            name: self._identity(name, columns)
            for name, kind in self.system.problem.request_columns.items()
            if kind == "integer"
        }
        now = np.floor(self._logged.time_days.max(initial=-1.0)) + 1
        return Requests(
            rows,
            _numbers(table, "user", self._logged.user.max(initial=-1) + 1).astype(np.int64),
            rows,
            _numbers(table, "time_days", now),
            {**columns, **identities},
        )

    def _identity(self, name: str, columns: Mapping[str, Array]) -> Array:
        """The number that the log knows each text by; one that is new for texts it never met."""
        logged = self._logged
        unknown = int(logged[name].max(initial=-1)) + 1
        known = dict(zip(logged[TEXT_OF[name]].tolist(), logged[name].tolist(), strict=True))
        return np.array([known.get(text, unknown) for text in columns[TEXT_OF[name]].tolist()], np.int64)


TEXT_OF = {"query_id": "query"}
"""Identity column -> the text column that it numbers."""


def _slate_table(request_id: Array, position: Array, item_id: Array, score: Array) -> pd.DataFrame:
    return pd.DataFrame({"request_id": request_id, "position": position, "item_id": item_id, "score": score})


def _request_ids(table: pd.DataFrame) -> Array:
    if "request_id" not in table.columns:
        return np.arange(len(table))
    if table["request_id"].duplicated().any():
        twice = table["request_id"][table["request_id"].duplicated()].iloc[0]
        raise InputError(f"request_id == {twice!r} stands there twice, must be unique")
    return np.asarray(table["request_id"].to_numpy())


def _texts(table: pd.DataFrame, name: str) -> Array:
    if name not in table.columns:
        close = nearest(name, map(str, table.columns))
        hint = f"; nearest is {close!r}" if close else ""
        raise InputError(f"requests have no column {name!r}{hint}")
    values = table[name].to_numpy(dtype=object)
    wrong = [row for row, value in enumerate(values) if not isinstance(value, str)]
    if wrong:
        raise InputError(f"{name} of request {wrong[0]} == {values[wrong[0]]!r}, must be text")
    return np.asarray(values)


def _numbers(table: pd.DataFrame, name: str, default: float) -> Array:
    if name not in table.columns:
        return np.full(len(table), default, dtype=np.float64)
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise InputError(f"{name} of request {wrong[0]} == {table[name].iloc[wrong[0]]!r}, must be a number")
    return values
