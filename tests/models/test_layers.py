"""Pieces of networks: values, shapes, and rows that do not depend on their place."""

from __future__ import annotations

import pytest
import torch

from mlsd.models.inference import BLOCK_ROWS
from mlsd.models.layers import Dense, Embeddings, Head, Inputs, Tower


@pytest.mark.parametrize("bias", [True, False])
def test_dense_is_a_linear_layer(bias: bool) -> None:
    dense, plain = Dense(5, 3, bias=bias), torch.nn.Linear(5, 3, bias=bias)
    plain.load_state_dict(dense.state_dict())
    inputs = torch.linspace(-1, 1, 20).reshape(4, 5)
    torch.testing.assert_close(dense(inputs), plain(inputs))


@pytest.mark.parametrize("n_inputs", [1, 7, 19, 30, 64])
@pytest.mark.parametrize("n_outputs", [1, 2, 3, 8, 11, 64])
def test_a_row_of_dense_does_not_depend_on_its_place(n_inputs: int, n_outputs: int) -> None:
    dense = Dense(n_inputs, n_outputs)
    inputs = torch.linspace(-2, 2, BLOCK_ROWS * n_inputs).cos().reshape(n_inputs, BLOCK_ROWS).t()
    order = torch.arange(BLOCK_ROWS).flip(0)
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


def test_a_head_gives_one_score_a_row() -> None:
    assert Head(3)(torch.ones(5, 3)).shape == (5,)
