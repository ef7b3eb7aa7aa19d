"""The steps of the small run one by one, on work that the store holds."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from omegaconf import DictConfig, OmegaConf

from mlsd.config.build import build
from mlsd.config.resolve import resolve
from mlsd.config.schema import System
from mlsd.labels.base import Labels
from mlsd.progress import silent
from mlsd.runs import steps
from mlsd.runs.finished import FinishedRun
from mlsd.runs.outcome import Logged
from mlsd.runs.steps import Config
from mlsd.store import Store
from mlsd.training import FittedFunnel


class Trained(NamedTuple):
    """A system up to its evaluation."""

    system: System
    config: Config
    store: Store
    logged: Logged
    labels: Labels
    fitted: FittedFunnel


@pytest.fixture(scope="session")
def trained(small_run: FinishedRun, small_store: Path) -> Trained:
    config = OmegaConf.load(small_run.folder / "config.yaml")
    assert isinstance(config, DictConfig)
    system, plain, store = build(config), resolve(config).values, Store(small_store)
    logged = steps.make_log(system, plain, store, silent)
    labels = system.labels.make(logged.log)
    fitted = steps.fit(system, plain, logged, labels, store, silent)
    return Trained(system, plain, store, logged, labels, fitted)
