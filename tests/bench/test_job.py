"""One job: what is kept of a run, and what is not left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mlsd.bench.job import Job, finished, is_finished, perform
from mlsd.bench.plan import columns_of, plan_of
from mlsd.config.check import examine
from mlsd.config.compose import compose_overrides
from mlsd.errors import InputError
from mlsd.store import Store

if TYPE_CHECKING:
    from tests.bench.conftest import Write


def test_what_is_kept(write: Write, tmp_path: Path) -> None:
    """Its columns are those that the check of the metric expects; what an attempt left before is cleared."""
    job, store = plan_of(write()).jobs[0], Store(tmp_path / "it's a store")
    left = store.work("benchmark", job.key) / "store" / "stage" / "half"
    left.mkdir(parents=True)
    assert not is_finished(job, store)
    perform(job, store)
    assert is_finished(job, store)
    assert [path.name for path in (store.folder / "unfinished" / "benchmark").iterdir()] == []
    table, costs = finished(job, store)
    expected = columns_of(examine(compose_overrides(job.overrides).required()).sections)
    figures = [str(name) for name in table.columns if "." in str(name)]
    assert sorted(figures) == sorted(expected)
    assert table["request_id"].is_unique
    assert 0 < np.nanmean(table["funnel.nDCG@10"]) < 1
    assert costs.n_parameters == 0, "no ranker is in it"
    assert costs.train_s > 0
    assert 0 < costs.p50_ms <= costs.p99_ms
    before = (store.path("benchmark", job.key) / "costs.json").stat().st_mtime_ns
    perform(job, store)
    assert (store.path("benchmark", job.key) / "costs.json").stat().st_mtime_ns == before


def test_a_run_that_fails_leaves_no_result(tmp_path: Path) -> None:
    nobody = ("problem=search", "experiment=search_small", "world.n_users=1", "online=none")
    job, store = Job("nobody", 0, nobody, "key"), Store(tmp_path)
    with pytest.raises(InputError, match="position bias cannot be estimated"):
        perform(job, store)
    assert not is_finished(job, store)


def test_yaml_of_ones_own(write: Write, tmp_path: Path) -> None:
    """A retriever of the user's own folder is found when the job is planned and when it is run."""
    own = tmp_path / "conf" / "retriever"
    own.mkdir(parents=True)
    (own / "shallow.yaml").write_text(
        "_target_: mlsd.retrievers.bm25.BM25\nk1: 0.1\nb: 0.0\n", encoding="utf-8"
    )
    key = "retriever@funnel.stages.retrieve.retrievers.bm25"
    path = write(arms={"both": [], "bm25": [f"{key}=shallow"]})
    job, store = plan_of(path, search=[tmp_path / "conf"]).jobs[1], Store(tmp_path / "store")
    perform(job, store, search=[tmp_path / "conf"])
    assert is_finished(job, store)
