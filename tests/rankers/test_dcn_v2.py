"""The ranker with cross layers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlsd import checks
from mlsd.errors import InputError
from mlsd.fitting import Fitting
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.rankers.base import Ranker
from mlsd.rankers.dcn_v2 import DCNv2
from mlsd.testing.history_kit import HistoryKit
from mlsd.testing.ranker_kit import SHORT, SPEC, RankerKit, rows
from mlsd.types import FeatureSpec


class TestDCNv2(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DCNv2(spec, loss, hidden=[16, 8], learning_rate=0.01)


class TestLowRankStackedDCNv2(RankerKit):
    @pytest.fixture
    def loss(self) -> Loss:
        return BCE()

    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DCNv2(spec, loss, n_cross=1, rank=2, structure="stacked", hidden=[16], learning_rate=0.01)


class TestDCNv2WithBatchNorm(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DCNv2(spec, loss, hidden=[16, 8], learning_rate=0.01, batch_norm=True)


class TestDCNv2OfHistories(HistoryKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DCNv2(spec, loss, hidden=[16, 8], learning_rate=0.01)


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        DCNv2(SPEC, BCE(), n_cross=0, rank=-1, structure="paralel", hidden=[0])  # type: ignore[arg-type]
    assert [str(fault) for fault in faults] == [
        "n_cross == 0, must be at least 1",
        "rank == -1, must be at least 0",
        "structure == 'paralel', must be one of parallel, stacked; nearest is 'parallel'",
        "hidden == [0], must be at least 1 each",
    ]


def test_scoring_does_not_load_lightning(tmp_path: Path) -> None:
    """A server that loads a trained ranker and scores does not wait for Lightning's import."""
    ranker = DCNv2(SPEC, BCE(), hidden=[8])
    ranker.fit(rows(0), rows(1), Fitting(SHORT))
    np.savez(tmp_path / "state.npz", allow_pickle=False, **ranker.state())
    code = """
import sys
import numpy as np
from mlsd.losses.bce import BCE
from mlsd.rankers.dcn_v2 import DCNv2
from mlsd.types import FeatureBatch, FeatureSpec
spec = FeatureSpec(("match", "age", "length"), {"topic": 4, "device": 2})
ranker = DCNv2(spec, BCE(), hidden=[8])
ranker.load_state(dict(np.load(sys.argv[1])))
batch = FeatureBatch(np.zeros((2, 3), np.float32), np.zeros((2, 2), np.int64), np.array([0, 2]))
assert ranker.score(batch).shape == (2,)
sys.exit("pytorch_lightning" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "state.npz")], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("column", [0, 1])
def test_categories_out_of_range_are_refused(column: int) -> None:
    ranker = DCNv2(SPEC, BCE(), hidden=[8])
    spoiled = rows(0)
    spoiled.features.categorical[0, column] = 7
    with pytest.raises(InputError, match=r"is from 0 to 7, must be in \[0, "):
        ranker.fit(spoiled, rows(1), Fitting(SHORT))
