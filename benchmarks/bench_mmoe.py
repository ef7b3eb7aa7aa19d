"""Multi-gate mixture of experts: python benchmarks/bench_mmoe.py.

The network as it is, its experts and towers computed together, against the same weights taken one expert,
gate and tower after the other. Beside it, how fast a ranker of six tasks scores, without histories and with
two of 20, by their mean and by attention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from timing import median_seconds, paired
from torch import Tensor
from torch.nn.functional import linear

from mlsd import rng
from mlsd.losses.bce import BCE
from mlsd.models.base import seeded
from mlsd.models.inference import weights_of
from mlsd.models.mmoe import MMoE as Net
from mlsd.rankers.mmoe import MMoE
from mlsd.types import FeatureBatch, FeatureSpec, History, State

SPEC = FeatureSpec(tuple(f"x{i}" for i in range(40)), {"author": 500, "topic": 20, "medium": 4})
N_TASKS, N_EXPERTS, EXPERT_HIDDEN, TOWER_HIDDEN, DIM = 6, 8, (64, 32), (32,), 8


WITH_HISTORIES = replace(
    SPEC, histories={"authors": History(20, 500, like="author"), "topics": History(20, 20, like="topic")}
)
"""With the last 20 posts that somebody liked, by author and by topic."""


def rows(n: int, spec: FeatureSpec = SPEC) -> FeatureBatch:
    dense = rng.normal(0, "dense", np.arange(n)[:, None], np.arange(SPEC.n_dense)).astype(np.float32)
    pasts = [size for each in spec.histories.values() for size in [each.cardinality + 1] * each.length]
    sizes = np.array([*spec.categorical.values(), *pasts])
    categorical = rng.integers(0, "categorical", sizes, np.arange(n)[:, None], np.arange(len(sizes)))
    return FeatureBatch(dense, categorical, np.array([0, n]))


def one_by_one(weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """(n, n_tasks) scores of the same network, nothing computed together."""

    def of(layer: str, i: int, n: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of the i-th of n layers side by side."""
        weight, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
        return weight.view(n, -1, weight.shape[-1])[i], bias.view(n, -1)[i]

    experts = []
    for i in range(N_EXPERTS):
        known = linear(inputs, *of("experts.first.0", i, N_EXPERTS)).relu()
        experts.append(linear(known, *of("experts.further.0", i, N_EXPERTS)).relu())
    stacked, scores = torch.stack(experts, 1), []
    for k in range(N_TASKS):
        gate = linear(inputs, weights["gates.weight"][k * N_EXPERTS : (k + 1) * N_EXPERTS]).softmax(1)
        tower = linear((gate.unsqueeze(2) * stacked).sum(1), *of("towers.0", k, N_TASKS)).relu()
        head = weights[f"heads.{k}.linear.weight"], weights[f"heads.{k}.linear.bias"]
        scores.append(linear(tower, *head).squeeze(1))
    return torch.stack(scores, 1)


def bench_together() -> None:
    with seeded(0, "weights"):
        sizes = tuple(SPEC.categorical.values())
        net = Net(SPEC.n_dense, sizes, N_TASKS, N_EXPERTS, EXPERT_HIDDEN, TOWER_HIDDEN, 0.0, DIM).eval()
    block = rows(net.block_rows)
    dense, categorical = torch.from_numpy(block.dense), torch.from_numpy(block.categorical)
    torch.set_num_threads(1)
    with torch.inference_mode():
        weights = net.state_dict()
        torch.testing.assert_close(
            one_by_one(weights, net.inputs(dense, categorical)), net(dense, categorical)
        )
        timing = paired(
            lambda: [net(dense, categorical) for _ in range(50)],
            lambda: [one_by_one(weights, net.inputs(dense, categorical)) for _ in range(50)],
        )
    print(f"50 blocks of {net.block_rows}, {N_TASKS} tasks, {N_EXPERTS} experts, together: {timing}")


def bench_scoring(what: str, spec: FeatureSpec, attention: Sequence[int] | None = None) -> None:
    tasks = [f"task {k}" for k in range(N_TASKS)]
    ranker = MMoE(spec, BCE(), tasks, N_EXPERTS, EXPERT_HIDDEN, TOWER_HIDDEN, attention=attention)
    ranker.load_state(fresh(ranker))
    for n, n_repeats in ((100, 200), (20_000, 5)):
        features = rows(n, spec)
        taken = median_seconds(lambda: ranker.score(features), n_repeats)  # noqa: B023  (called at once)
        print(f"scoring {n:,} candidates {what}: {1e3 * taken:.2f} ms, {1e6 * taken / n:.2f} us each")


def fresh(ranker: MMoE) -> State:
    """Weights of a network that learnt nothing: as good as any others to be timed."""
    with seeded(0, "weights"):
        return weights_of(ranker.build_model())


if __name__ == "__main__":
    bench_together()
    bench_scoring("without histories", SPEC)
    bench_scoring("with two of 20, their mean", WITH_HISTORIES)
    bench_scoring("with two of 20 and attention", WITH_HISTORIES, attention=[16])
