"""DeepFM on Frappe: python benchmarks/bench_frappe.py [SEED ...].

The ranker `deepfm`, trained by mlsd's Lightning loop on the split and settings of the Frappe_x1 leaderboard
(reczoo/BARS): embeddings of 10, three layers of 400, batches of 4,096 rows. Each row is a request of its
own. The epoch is chosen by the loss of the validation rows; the test rows are scored once a seed, after its
training.

The data are not part of this repository and must not be: `MLSD_DATA` (or ../shared/data) names the folder
that holds frappe/frappe.{train,validation,test}.libfm.gz.
"""

from __future__ import annotations

import gzip
import os
import sys
import time
from pathlib import Path
from statistics import mean, median, stdev
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from mlsd.fitting import Fitting, TrainerOptions
from mlsd.losses.bce import BCE
from mlsd.rankers.base import LabelledFeatures
from mlsd.rankers.deepfm import DeepFM
from mlsd.types import FeatureBatch, FeatureSpec

DATA = Path(os.environ.get("MLSD_DATA") or Path(__file__).parents[2] / "shared" / "data")
PARTS = ("train", "validation", "test")
OPTIONS = TrainerOptions(max_epochs=30, patience=2, batch_rows=4096, min_batches=1)
LEAST = 0.983
"""Mean test AUC over five seeds; FuxiCTR's DeepFM has .9840 on the leaderboard."""


class Outcome(NamedTuple):
    """What one training came to."""

    ranker: DeepFM
    n_epochs: int
    epoch_seconds: float
    """Median, with validation and without the first epoch, which also loads Lightning."""


def read(part: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(n, 10) indices of features, each column's in a range of its own, and (n,) labels 0 or 1."""
    text = gzip.decompress((DATA / "frappe" / f"frappe.{part}.libfm.gz").read_bytes())
    values = np.array(text.replace(b":1", b"").split(), np.int64).reshape(-1, 11)
    return values[:, 1:], (values[:, 0] > 0).astype(np.float32)


def frappe() -> tuple[FeatureSpec, dict[str, LabelledFeatures]]:
    """The three parts, every row a request with one candidate."""
    tables = {part: read(part) for part in PARTS}
    lows = np.min([indices.min(axis=0) for indices, _ in tables.values()], axis=0)
    highs = np.max([indices.max(axis=0) for indices, _ in tables.values()], axis=0)
    spec = FeatureSpec((), {f"field_{i}": int(n) for i, n in enumerate(highs - lows + 1)})
    return spec, {part: pointwise(indices - lows, labels) for part, (indices, labels) in tables.items()}


def pointwise(categories: NDArray[np.int64], labels: NDArray[np.float32]) -> LabelledFeatures:
    no_dense, offsets = np.zeros((len(labels), 0), np.float32), np.arange(len(labels) + 1)
    return LabelledFeatures(FeatureBatch(no_dense, categories, offsets), labels)


def trained(spec: FeatureSpec, parts: dict[str, LabelledFeatures], seed: int) -> Outcome:
    ranker = DeepFM(
        spec,
        BCE(),
        hidden=(400, 400, 400),
        dropout=0.2,
        embedding_dim=10,
        weight_decay=0.0,
        embedding_l2=0.05,
    )
    ends: list[float] = []
    fitting = Fitting(OPTIONS, seed, progress=lambda *_: ends.append(time.perf_counter()))
    curves = ranker.fit(parts["train"], parts["validation"], fitting)
    return Outcome(ranker, len(curves.validation), median(np.diff(ends)))


def auc_and_log_loss(ranker: DeepFM, rows: LabelledFeatures) -> tuple[float, float]:
    scores = ranker.score(rows.features).astype(np.float64)
    return roc_auc_score(rows.labels, scores), log_loss(rows.labels, 1 / (1 + np.exp(-scores)))


def bench_frappe(seeds: list[int]) -> None:
    spec, parts = frappe()
    n_rows, aucs = len(parts["train"].labels), []
    for seed in seeds:
        outcome = trained(spec, parts, seed)
        auc, loss = auc_and_log_loss(outcome.ranker, parts["test"])
        aucs.append(auc)
        print(
            f"seed {seed}: test AUC {auc:.5f}, LogLoss {loss:.4f}; {outcome.n_epochs} epochs of "
            f"{outcome.epoch_seconds:.2f} s with validation, {n_rows / outcome.epoch_seconds:,.0f} rows/s",
            flush=True,
        )
    spread = f" +- {stdev(aucs):.5f}" if len(aucs) > 1 else ""
    print(f"mean test AUC of {len(aucs)} seeds {mean(aucs):.5f}{spread}; must be at least {LEAST}")


if __name__ == "__main__":
    if not (DATA / "frappe").is_dir():
        print(f"no {DATA / 'frappe'}: nothing to measure; MLSD_DATA names the folder that holds frappe/")
        sys.exit()
    bench_frappe([int(seed) for seed in sys.argv[1:]] or [0, 1, 2, 3, 4])
