"""A finished run: its figures, and its funnel at work on anybody's requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from mlsd.config.build import build_sections
from mlsd.config.schema import FunnelPlan
from mlsd.errors import InputError
from mlsd.funnel import Funnel
from mlsd.problems.base import Problem
from mlsd.runs import asked
from mlsd.serving import in_blocks
from mlsd.store import load_catalog, load_requests, read_json, unreadable
from mlsd.training import load_stage
from mlsd.types import Array, Requests, concat_batches


class _Designed(NamedTuple):
    """The sections of a run's config that its funnel needs to work."""

    problem: Problem
    funnel: FunnelPlan


class FinishedRun:
    """What a run left behind. Neither its world nor its store is needed any more.

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
        return self._mapping("metrics.json")

    @cached_property
    def config(self) -> DictConfig:
        """What was run, resolved, as in `config.yaml`; input like any other, nothing of it is checked yet."""
        path = self.folder / "config.yaml"
        try:
            config = OmegaConf.load(path)
        except (OSError, YAMLError, OmegaConfBaseException) as error:
            raise unreadable(path, error) from error
        if not isinstance(config, DictConfig):
            raise InputError(f"cannot read {path}: it is no mapping")
        return config

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """What made it, as in `provenance.json`."""
        return self._mapping("provenance.json")

    @cached_property
    def funnel(self) -> Funnel:
        """The fitted funnel, ready to serve.

        Raises:
            ConfigError: the run's config is no longer what was run.
            InputError: a file of the run is missing or broken.
        """
        stages = self._designed.funnel.active
        for name, stage in stages.items():
            folder = self.folder / "stages" / name
            state, _ = load_stage(folder)
            try:
                stage.load_state(state)
            except KeyError as error:
                raise InputError(f"{folder} does not fit config.yaml: its state has no {error}") from error
        return Funnel(stages)

    def rank(self, requests: pd.DataFrame | Iterable[str]) -> pd.DataFrame:
        """The slate of each request.

        Args:
            requests: a table with the problem's columns of texts, such as `query`, and of integers that
                number no text, such as `region`; if known with `request_id`, `user` and `time_days` (days
                since the start of the run's log; now is its end). Or just texts, where there is one column
                of these.

        Returns:
            A row for each item shown: `request_id`, `position` (0-based), `item_id`, `score`.

        Raises:
            InputError: a column is missing, or holds what it must not.
        """
        columns = self._designed.problem.columns
        table = asked.table_of(requests, columns)
        ids, as_asked = asked.request_ids(table), asked.requests_of(table, columns, self.requests)
        blocks = list(in_blocks(self.funnel, as_asked)) or [self.funnel(as_asked)]
        shown = concat_batches(blocks).first(self._designed.problem.n_positions).candidates
        rows = shown.request_rows
        return pd.DataFrame(
            {
                "request_id": ids.take(rows).reset_index(drop=True),
                "position": np.arange(len(shown)) - shown.offsets[rows],
                "item_id": pd.Series(self._item_id[shown.items], dtype=str),
                "score": shown["score"].astype(np.float64),
            }
        )

    @cached_property
    def _designed(self) -> _Designed:
        return _Designed(**build_sections(self.config, _Designed._fields))

    def _mapping(self, name: str) -> Mapping[str, Any]:
        found = read_json(self.folder / name)
        if not isinstance(found, dict):
            raise InputError(f"cannot read {self.folder / name}: it is no mapping")
        return found

    @cached_property
    def requests(self) -> Requests:
        """The log's requests, those of the test window among them."""
        return load_requests(self.folder / "log" / "requests.parquet")

    @cached_property
    def _item_id(self) -> Array:
        return load_catalog(self.folder / "catalog.parquet").item_id
