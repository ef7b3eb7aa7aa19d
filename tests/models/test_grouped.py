"""Networks side by side: each is what it would be alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import linear

from mlsd.models.grouped import Experts, GroupedDense, GroupedTower
from mlsd.models.layers import ScoringNet


def rows(n_groups: int, n: int, width: int) -> Tensor:
    """(n_groups, n, width) made-up values, with rows along the contiguous axis."""
    return torch.linspace(-2, 2, n_groups * n * width).cos().reshape(n_groups, width, n).transpose(1, 2)


@pytest.mark.parametrize("n_groups", [1, 3])
def test_each_group_is_a_linear_layer(n_groups: int) -> None:
    layer, inputs = GroupedDense(n_groups, 5, 4), rows(n_groups, 7, 5)
    outputs = layer(inputs)
    assert outputs.shape == (n_groups, 7, 4)
    assert outputs.transpose(1, 2).is_contiguous()
    for group in range(n_groups):
        alone = linear(inputs[group], layer.weight[group], layer.bias.view(-1, 4)[group])
        torch.testing.assert_close(outputs[group], alone)


def test_it_starts_as_a_linear_layer_does() -> None:
    """Uniform within 1 / sqrt(n_inputs): of 64,000 values the farthest are within a thousandth of that."""
    torch.manual_seed(0)
    layer = GroupedDense(10, 64, 100)
    for values in (layer.weight.detach(), layer.bias.detach()):
        assert float(values.abs().max()) <= 0.125
        assert float(values.abs().max()) > 0.124
    assert layer.bias.ndim == 1, "a bias has one dimension, and so no weight decay"


@pytest.mark.parametrize("n_groups", [1, 2, 5])
@pytest.mark.parametrize("n_inputs", [1, 7, 19, 64])
@pytest.mark.parametrize("n_outputs", [1, 3, 8, 11, 32])
def test_a_row_does_not_depend_on_its_place(n_groups: int, n_inputs: int, n_outputs: int) -> None:
    layer, n = GroupedDense(n_groups, n_inputs, n_outputs), ScoringNet.block_rows
    inputs, order = rows(n_groups, n, n_inputs), torch.arange(n).flip(0)
    moved = inputs[:, order].transpose(1, 2).contiguous().transpose(1, 2)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert torch.equal(layer(moved), layer(inputs)[:, order])
    torch.set_num_threads(before)


def test_a_tower_without_layers_passes_its_inputs_on() -> None:
    inputs = rows(2, 4, 3)
    assert torch.equal(GroupedTower(2, 3, [])(inputs), inputs)
    assert GroupedTower(2, 3, []).width == 3
    layers = [type(layer).__name__ for layer in GroupedTower(2, 3, [8, 4], dropout=0.5)]
    assert layers == ["GroupedDense", "ReLU", "Dropout"] * 2


def test_dropout_is_for_training() -> None:
    experts, inputs = Experts(3, 5, [64, 8], dropout=0.5), rows(1, 20, 5)[0]
    assert not torch.equal(experts(inputs), experts(inputs))
    experts.eval()
    assert torch.equal(experts(inputs), experts(inputs))


@pytest.mark.parametrize("hidden", [[6], [6, 4], [6, 4, 3]])
def test_each_expert_is_a_network_of_its_own(hidden: list[int]) -> None:
    experts, inputs = Experts(3, 5, hidden), rows(1, 7, 5)[0]
    outputs = experts(inputs)
    assert outputs.shape == (3, 7, hidden[-1])
    weights, n_further = experts.state_dict(), len(hidden) - 1
    for expert in range(3):
        own = slice(expert * hidden[0], (expert + 1) * hidden[0])
        known = linear(inputs, weights["first.0.weight"][own], weights["first.0.bias"][own]).relu()
        for place in range(n_further):
            weight, bias = (weights[f"further.{2 * place}.{name}"] for name in ("weight", "bias"))
            known = linear(known, weight[expert], bias.view(3, -1)[expert]).relu()
        torch.testing.assert_close(outputs[expert], known)
