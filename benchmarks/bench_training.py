"""Training: python benchmarks/bench_training.py.

Lightning's loop as mlsd drives it, against a bare PyTorch loop of the same network, batches, optimiser,
loss and validation. Beside it, how fast a trained DCN-v2 scores.
"""

from __future__ import annotations

import numpy as np
import torch
from timing import median_seconds, paired

from mlsd import rng
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.losses.bce import BCE
from mlsd.models.base import seeded
from mlsd.models.ranking import RankingModule, RequestBatches, started
from mlsd.rankers.base import LabelledFeatures
from mlsd.rankers.dcn_v2 import DCNv2
from mlsd.types import FeatureBatch, FeatureSpec

N_REQUESTS, N_CANDIDATES = 500, 100
SPEC = FeatureSpec(tuple(f"x{i}" for i in range(30)), {"category": 20, "device": 4})
OPTIONS = TrainerOptions(max_epochs=2, patience=2, n_threads=1)
MOST = 1.10
"""Lightning may take this much of the bare loop's time."""


def labelled(seed: int, n_requests: int) -> LabelledFeatures:
    rows = np.arange(n_requests * N_CANDIDATES)
    dense = rng.normal(seed, "dense", rows[:, None], np.arange(SPEC.n_dense)).astype(np.float32)
    sizes = np.array(list(SPEC.categorical.values()))
    categorical = rng.integers(seed, "categorical", sizes, rows[:, None], np.arange(len(sizes)))
    labels = (dense[:, 0] * dense[:, 1] + rng.normal(seed, "noise", rows) > 1).astype(np.float32)
    return LabelledFeatures(
        FeatureBatch(dense, categorical, np.arange(n_requests + 1) * N_CANDIDATES), labels
    )


def with_lightning(train: LabelledFeatures, validation: LabelledFeatures) -> DCNv2:
    ranker = DCNv2(SPEC, BCE())
    ranker.fit(train, validation, Fitting(OPTIONS))
    return ranker


def with_a_bare_loop(train: LabelledFeatures, validation: LabelledFeatures) -> RankingModule:
    """The same steps written out. The module only carries network, loss and optimiser: no Trainer runs."""
    with seeded(0, "weights"):
        net = started(DCNv2(SPEC, BCE()).build_model(), BCE(), train.labels)
    module = RankingModule(net, BCE(), 0.001, 0.0001)
    batches = [
        RequestBatches(part.features, part.labels, OPTIONS.batch_rows, 0) for part in (train, validation)
    ]
    optimizer = module.configure_optimizers()
    before = torch.get_num_threads()
    torch.set_num_threads(OPTIONS.n_threads)
    ready = list(batches[1].of_epoch(0))
    for epoch in range(OPTIONS.max_epochs):
        for batch in batches[0].of_epoch(epoch):
            optimizer.zero_grad()
            loss, _ = module.loss(batch)
            torch.autograd.backward(loss)
            optimizer.step()
        with torch.no_grad():
            sum(float(module.loss(batch)[0]) for batch in ready)
    torch.set_num_threads(before)
    return module


def bench_training() -> None:
    train, validation = labelled(0, N_REQUESTS), labelled(1, N_REQUESTS // 5)
    ours = with_lightning(train, validation).state()
    bare = with_a_bare_loop(train, validation).net.state_dict()
    assert all(np.array_equal(ours[name], bare[name].numpy()) for name in ours), "the two loops differ"
    timing = paired(lambda: with_lightning(train, validation), lambda: with_a_bare_loop(train, validation), 9)
    n_rows = len(train.labels) * OPTIONS.max_epochs
    print(
        f"training DCN-v2, {len(train.labels):,} candidates, {OPTIONS.max_epochs} epochs, 1 thread: {timing}"
    )
    print(f"  {n_rows / timing.ours_ms:.0f} thousand candidates/s; must be at most {MOST}")


def bench_scoring(n_requests: int, n_repeats: int) -> None:
    ranker = with_lightning(labelled(0, 50), labelled(1, 20))
    features = labelled(2, n_requests).features
    taken = median_seconds(lambda: ranker.score(features), n_repeats)
    n = len(features)
    print(f"scoring {n:,} candidates: {1e3 * taken:.2f} ms, {1e6 * taken / n:.2f} us each")


if __name__ == "__main__":
    bench_training()
    bench_scoring(1, 200)
    bench_scoring(2_000, 5)
