"""Pieces of networks: values, shapes, and rows that do not depend on their place."""

from __future__ import annotations

import pytest
import torch

from mlsd.models.base import seeded
from mlsd.models.inputs import FeatureVectors, Inputs
from mlsd.models.layers import (
    BatchNorm,
    ByteDropout,
    Dense,
    Embeddings,
    Head,
    ScoringNet,
    Tower,
)


@pytest.mark.parametrize("bias", [True, False])
def test_dense_is_a_linear_layer(bias: bool) -> None:
    dense, plain = Dense(5, 3, bias=bias), torch.nn.Linear(5, 3, bias=bias)
    plain.load_state_dict(dense.state_dict())
    inputs = torch.linspace(-1, 1, 20).reshape(4, 5)
    torch.testing.assert_close(dense(inputs), plain(inputs))


@pytest.mark.parametrize("n_inputs", [1, 7, 19, 30, 64])
@pytest.mark.parametrize("n_outputs", [1, 2, 3, 8, 11, 64])
def test_a_row_of_dense_does_not_depend_on_its_place(n_inputs: int, n_outputs: int) -> None:
    dense, n_rows = Dense(n_inputs, n_outputs), ScoringNet.block_rows
    inputs = torch.linspace(-2, 2, n_rows * n_inputs).cos().reshape(n_inputs, n_rows).t()
    order = torch.arange(n_rows).flip(0)
    moved = inputs[order].t().contiguous().t()
    torch.set_num_threads(1)
    assert torch.equal(dense(moved), dense(inputs)[order])


def test_embeddings_of_two_columns_share_no_row() -> None:
    embeddings = Embeddings([2, 3], dim=1)
    embeddings.table.weight.data = torch.arange(5.0).unsqueeze(1)
    values = embeddings(torch.tensor([[0, 0], [1, 2]]))
    assert values.squeeze(2).tolist() == [[0, 2], [1, 4]]


def test_inputs_puts_dense_values_first() -> None:
    inputs = Inputs(2, [3], embedding_dim=4)
    together = inputs(torch.tensor([[5.0, 6.0]]), torch.tensor([[1]]))
    assert together.shape == (1, inputs.width) == (1, 6)
    assert together[0, :2].tolist() == [5, 6]


def test_a_tower_without_layers_passes_its_input_on() -> None:
    inputs = torch.ones(2, 3)
    assert torch.equal(Tower(3, [])(inputs), inputs)
    assert Tower(3, [8, 4], dropout=0.5).width == 4
    assert len(Tower(3, [8, 4], dropout=0.5)) == 6


def test_batch_norm_standardises_by_the_batch_then_by_running_means() -> None:
    inputs = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 4 + 1
    norm, plain = BatchNorm(3), torch.nn.BatchNorm1d(3)
    for _ in range(2):
        torch.testing.assert_close(norm(inputs.t().contiguous().t()), plain(inputs))
    norm.eval(), plain.eval()
    out = norm(inputs.t().contiguous().t())
    torch.testing.assert_close(out, plain(inputs))
    assert out.t().is_contiguous()


def test_batch_norm_of_one_row_uses_running_means_and_leaves_them() -> None:
    norm = BatchNorm(2)
    norm(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert norm.running_mean is not None
    before = norm.running_mean.clone()
    one = torch.tensor([[1.0, 5.0]])
    in_training = norm(one)
    assert torch.equal(norm.running_mean, before)
    torch.testing.assert_close(in_training, norm.eval()(one))


def test_a_standardised_tower_has_a_norm_before_each_relu() -> None:
    tower = Tower(3, [8, 4], dropout=0.5, standardised=True)
    assert [type(layer).__name__ for layer in tower] == ["Dense", "BatchNorm", "ReLU", "Dropout"] * 2


def test_a_head_gives_one_score_a_row() -> None:
    assert Head(3)(torch.ones(5, 3)).shape == (5,)


def test_feature_vectors_are_times_the_dense_values() -> None:
    vectors = FeatureVectors(1, [2], dim=2)
    assert vectors.dense is not None
    assert vectors.categorical is not None
    vectors.dense.data, vectors.categorical.table.weight.data = torch.ones(1, 2), torch.eye(2)
    together = vectors(torch.tensor([[5.0]]), torch.tensor([[1]]))
    assert together.tolist() == [[[5, 5], [0, 1]]]
    assert together.flatten(1).shape[1] == vectors.width


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.99])
def test_byte_dropout_drops_its_share_and_keeps_the_mean(share: float) -> None:
    """400,000 draws: five standard errors of a share are below .004, and half a 256th is .002."""
    dropout = ByteDropout(share)
    with seeded(0, "dropout"):
        dropped = dropout(torch.ones(400, 1000).t())
    kept = float((dropped > 0).float().mean())
    assert kept == pytest.approx(1 - share, abs=0.006)
    assert float(dropped.max()) == pytest.approx(256 / (256 - round(256 * share)))
    assert dropped.stride() == (1, 1000)


def test_byte_dropout_draws_every_value_by_itself() -> None:
    """Neighbours within a row and within a column are dropped together as often as chance has it."""
    with seeded(1, "dropout"):
        kept = (ByteDropout(0.5)(torch.ones(400, 1000).t()) > 0).double()
    for first, second in ((kept[1:], kept[:-1]), (kept[:, 1:], kept[:, :-1]), (kept[:, 8:], kept[:, :-8])):
        assert float((first * second).mean()) == pytest.approx(0.25, abs=0.006)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 0)])
def test_byte_dropout_has_the_gradient_of_what_it_kept(shape: tuple[int, int]) -> None:
    inputs = torch.ones(shape, requires_grad=True)
    kept = ByteDropout(0.5)(inputs)
    kept.sum().backward()
    assert inputs.grad is not None
    assert torch.equal(inputs.grad, kept.detach())


def test_byte_dropout_leaves_scoring_alone() -> None:
    inputs = torch.ones(2, 3)
    assert ByteDropout(0.5).eval()(inputs) is inputs
    assert ByteDropout(0.0)(inputs) is inputs
