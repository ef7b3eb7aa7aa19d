"""Batches of whole requests."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlsd import ragged
from mlsd.losses.bce import BCE
from mlsd.losses.softmax import Softmax
from mlsd.models.dcn_v2 import DCNv2
from mlsd.models.deepfm import DeepFM
from mlsd.models.fm import FM
from mlsd.models.layers import ScoringNet
from mlsd.models.linear import Linear
from mlsd.models.mlp import MLP
from mlsd.models.ranking import RankingModule, RequestBatches, started
from mlsd.types import FeatureBatch


def batches_of(counts: list[int], batch_rows: int, seed: int = 0) -> RequestBatches:
    """Rows numbered from 0 in their dense value, their request in their label."""
    offsets = ragged.offsets_of_counts(np.array(counts, np.int64))
    rows = np.arange(offsets[-1], dtype=np.float32)
    features = FeatureBatch(rows[:, None], np.zeros((len(rows), 0), np.int64), offsets)
    return RequestBatches(features, ragged.segment_ids(offsets).astype(np.float32), batch_rows, seed)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 20), st.integers(0, 5))
def test_every_candidate_comes_once_with_its_whole_request(
    counts: list[int], batch_rows: int, epoch: int
) -> None:
    seen = []
    for batch in batches_of(counts, batch_rows).of_epoch(epoch):
        assert len(batch.labels) < batch_rows + max(counts)
        for part in np.split(batch.labels.numpy(), batch.offsets[1:-1].numpy()):
            assert len(set(part.tolist())) == 1
            assert len(part) == counts[int(part[0])]
        seen.append(batch.dense[:, 0].numpy())
    assert sorted(np.concatenate([np.zeros(0), *seen]).tolist()) == list(range(sum(counts)))


def test_order_changes_with_epoch_and_seed_only() -> None:
    def order(epoch: int, seed: int = 0) -> list[float]:
        return [
            float(x) for batch in batches_of([2] * 30, 8, seed).of_epoch(epoch) for x in batch.dense[:, 0]
        ]

    assert order(0) == order(0)
    assert order(0) != order(1)
    assert order(0) != order(0, seed=1)


def test_batches_are_about_as_long_as_asked() -> None:
    sizes = [len(batch.labels) for batch in batches_of([5] * 400, 100).of_epoch(0)]
    assert len(sizes) == 20
    assert set(sizes) == {100}


@pytest.mark.parametrize(("loss", "weight"), [(BCE(), 5), (Softmax(), 2)])
def test_a_batch_weighs_what_its_loss_averages_over(loss: BCE | Softmax, weight: int) -> None:
    module = RankingModule(Linear(1, ()), loss, 0.1, 0.0)
    (batch,) = batches_of([2, 3], 100).of_epoch(0)
    assert module.loss(batch)[1] == weight


@pytest.mark.parametrize(
    "net",
    [
        Linear(2, (3,)),
        MLP(2, (3,), hidden=(4,), dropout=0.0, embedding_dim=2),
        DCNv2(2, (3,), n_cross=1, rank=0, parallel=True, hidden=(4,), dropout=0.0, embedding_dim=2),
        FM(2, (3,), embedding_dim=2),
        DeepFM(2, (3,), hidden=(4,), dropout=0.0, embedding_dim=2),
    ],
)
def test_training_starts_at_the_base_rate(net: ScoringNet) -> None:
    labels = np.array([1, 0, 0, 0, 0], np.float32)
    inputs = torch.ones(1, 2), torch.zeros(1, 1, dtype=torch.int64)
    with torch.no_grad():
        before = float(net(*inputs) - net.output_bias)
        assert float(started(net, BCE(), labels)(*inputs)) == pytest.approx(before - log(4), abs=1e-6)
        assert float(started(net, Softmax(), labels)(*inputs)) == pytest.approx(before, abs=1e-6)


def test_loss_options_are_facts_of_a_training() -> None:
    facts = [RankingModule(Linear(1, ()), loss, 0.1, 0.0).facts for loss in (BCE(), Softmax())]
    assert [fact["loss"] for fact in facts] == ["BCE {}", "Softmax {}"]


def test_fingerprint_is_of_features_and_labels() -> None:
    assert batches_of([2, 3], 8).fingerprint() == batches_of([2, 3], 9).fingerprint()
    assert batches_of([2, 3], 8).fingerprint() != batches_of([3, 2], 8).fingerprint()


def test_embedding_l2_is_the_gradient_of_its_penalty() -> None:
    """Adam on the loss alone, with the option, against Adam on the loss plus (lambda / 2) |v|^2."""
    batch = next(batches_of([2, 3], 100).of_epoch(0))
    nets = [FM(1, (), embedding_dim=2) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    ours = RankingModule(nets[0], BCE(), 0.1, 0.5, embedding_l2=0.3)
    theirs = RankingModule(nets[1], BCE(), 0.1, 0.0)
    optimizers = [module.configure_optimizers() for module in (ours, theirs)]
    for _ in range(3):
        penalty = sum(weight.square().sum() for weight in nets[1].feature_weights())
        for optimizer, loss in zip(
            optimizers, (ours.loss(batch)[0], theirs.loss(batch)[0] + 0.15 * penalty), strict=True
        ):
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    for mine, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_embedding_l2_takes_the_place_of_weight_decay() -> None:
    net = DeepFM(2, (3,), hidden=(4,), dropout=0.0, embedding_dim=2)
    groups = RankingModule(net, BCE(), 0.1, 0.5, embedding_l2=0.3).parameter_groups()
    assert [group["weight_decay"] for group in groups] == [0.3, 0.5, 0.0]
    names = {id(weight): name for name, weight in net.named_parameters()}
    assert [[names[id(weight)] for weight in group["params"]] for group in groups] == [
        [
            "linear.weight",
            "linear.categorical.table.weight",
            "vectors.dense",
            "vectors.categorical.table.weight",
        ],
        ["tower.0.weight", "head.weight"],
        ["linear.bias", "tower.0.bias"],
    ]


def test_embedding_l2_is_a_fact_of_a_training() -> None:
    facts = [RankingModule(Linear(1, ()), BCE(), 0.1, 0.0, l2).facts for l2 in (0.0, 0.1)]
    assert [fact["embedding_l2"] for fact in facts] == ["0.0", "0.1"]
