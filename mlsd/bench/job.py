"""One job: a run of one arm under one seed, of which figures and costs are kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mlsd.config.check import check
from mlsd.config.compose import compose_overrides
from mlsd.config.overrides import value_text
from mlsd.report.console import Terminal
from mlsd.runner import run_config
from mlsd.stages.rank.scoring import RANKER
from mlsd.store import Store, load_state, read_json, read_table, write_json
from mlsd.training import STATE

KIND = "benchmark"
"""What the store calls finished jobs."""

TABLE, COSTS = "per_request.parquet", "costs.json"


@dataclass(frozen=True)
class Job:
    """What is run.

    Args:
        arm: its name.
        seed: that varies.
        overrides: that the run's config is composed of.
        key: of its config without folders, the code and the data.
    """

    arm: str
    seed: int
    overrides: tuple[str, ...]
    key: str

    def __str__(self) -> str:
        return f"{self.arm}, seed {self.seed}"


class Costs(NamedTuple):
    """What a run cost, as a clock and a count say. No other machine or moment gives the same seconds."""

    train_s: float
    """Fitting the whole funnel, from nothing."""
    n_parameters: int
    """Weights of the rankers."""
    p50_ms: float
    """Median latency of a request."""
    p99_ms: float
    """Its 99th percentile."""


class Finished(NamedTuple):
    """What is kept of a job."""

    table: pd.DataFrame
    """A row for each request of the test window, with the metrics of every system."""
    costs: Costs


def is_finished(job: Job, store: Store) -> bool:
    """Whether a job's results are in the store."""
    return store.path(KIND, job.key).exists()


def finished(job: Job, store: Store) -> Finished:
    """What is in the store of a finished job."""
    return _load(store.path(KIND, job.key))


def perform(job: Job, store: Store, n_threads: int = 1, search: Sequence[Path] = ()) -> None:
    """Run a job and keep its results, unless they are there.

    The run has a store of its own that starts empty: what training costs is measured whole, and whatever a
    killed attempt left is cleared away.

    Args:
        job: what is run.
        store: where its results are kept.
        n_threads: that rank.
        search: further folders of YAML, looked into after the shipped one.
    """
    work = store.work(KIND, job.key)

    def make() -> Finished:
        shutil.rmtree(work, ignore_errors=True)
        own = (f"store.folder={value_text(str(work / 'store'))}", f"n_workers={n_threads}")
        overrides = [*job.overrides, *own]
        config = check(compose_overrides(overrides, search))
        return _of_run(run_config(config, work / "run", overrides, Terminal(quiet=True)))

    store.get_or_make(KIND, job.key, make, _save, _load)


def _of_run(folder: Path) -> Finished:
    timings: dict[str, Any] = read_json(folder / "timings.json")
    request = timings["capacity"]["request"]
    states = sorted(folder.glob(f"stages/*/{STATE}"))
    costs = Costs(
        float(timings["steps_s"]["funnel"]), _n_parameters(states), request["p50_ms"], request["p99_ms"]
    )
    return Finished(read_table(folder / "offline" / TABLE), costs)


def _n_parameters(states: Sequence[Path]) -> int:
    """Weights of all rankers among the states of fitted stages."""
    arrays = [(name, array) for path in states for name, array in load_state(path).items()]
    return int(np.sum([array.size for name, array in arrays if name.startswith(RANKER)], dtype=np.int64))


def _save(made: Finished, folder: Path) -> None:
    made.table.to_parquet(folder / TABLE, index=False)
    write_json(folder / COSTS, made.costs._asdict())


def _load(folder: Path) -> Finished:
    return Finished(read_table(folder / TABLE), Costs(**read_json(folder / COSTS)))
