"""Networks in use."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlsd import rng
from mlsd.errors import InputError
from mlsd.models.esmm import ESMM
from mlsd.models.inference import score_rows, weights_of, with_weights
from mlsd.models.linear import Linear
from mlsd.models.mlp import MLP


def network() -> MLP:
    return MLP(3, (4,), hidden=(8,), dropout=0.0, embedding_dim=2).eval()


def test_scores_are_those_of_the_network() -> None:
    net = network()
    dense = rng.normal(0, "dense", np.arange(300)[:, None], np.arange(3)).astype(np.float32)
    categorical = np.arange(300)[:, None] % 4
    with torch.no_grad():
        expected = net(torch.from_numpy(dense), torch.from_numpy(categorical)).numpy()
    np.testing.assert_allclose(score_rows(net, dense, categorical), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_dense", [1, 7, 19, 64])
def test_a_weighted_sum_is_the_same_wherever_a_row_stands(n_dense: int) -> None:
    """In another place, in a block that is filled up, and in another block."""
    net, rows = Linear(n_dense, (5,)), np.arange(Linear.block_rows + 40)
    net.weight.data = torch.linspace(-1, 1, n_dense).sin().unsqueeze(0)
    dense = rng.normal(0, "dense", rows[:, None], np.arange(n_dense)).astype(np.float32)
    scores = score_rows(net, dense, rows[:, None] % 5)
    backwards = score_rows(net, dense[::-1], rows[::-1, None] % 5)
    np.testing.assert_array_equal(backwards[::-1], scores)
    np.testing.assert_array_equal(score_rows(net, dense[:9], rows[:9, None] % 5), scores[:9])


@pytest.mark.parametrize("n", [0, 1, 130])
def test_a_row_may_have_several_scores(n: int) -> None:
    net = ESMM(3, (4,), hidden=(8,), dropout=0.0, embedding_dim=2).eval()
    dense, categorical = np.ones((n, 3), np.float32), np.arange(n)[:, None] % 4
    with torch.no_grad():
        expected = net(torch.from_numpy(dense), torch.from_numpy(categorical)).numpy()
    found = score_rows(net, dense, categorical, (2,))
    assert found.shape == (n, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_arrays_that_must_not_be_written_to_are_fine() -> None:
    dense = np.zeros((5, 3), np.float32)
    dense.flags.writeable = False
    assert len(np.unique(score_rows(network(), dense, np.zeros((5, 1), np.int64)))) == 1


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    score_rows(network(), np.zeros((5, 3), np.float32), np.zeros((5, 1), np.int64))
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_weights_are_copies_and_make_the_network_again() -> None:
    net = network()
    state = weights_of(net)
    again = with_weights(network, state)
    for name, value in state.items():
        np.testing.assert_array_equal(again.state_dict()[name].numpy(), value)
    state["head.linear.bias"][:] = 7
    assert net.head.linear.bias is not None
    assert float(net.head.linear.bias.detach()[0]) != 7
    assert not again.training


def test_building_a_network_again_draws_no_luck() -> None:
    state = weights_of(network())
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with_weights(network, state)
    assert torch.equal(torch.rand(2), expected)


def test_weights_of_another_network_are_refused() -> None:
    state = weights_of(network())
    with pytest.raises(InputError, match=r"weights head\.linear\.bias have shape None, must have \(1,\)"):
        with_weights(network, {name: value for name, value in state.items() if name != "head.linear.bias"})
    with pytest.raises(InputError, match=r"weights extra have shape \(2,\), must have None"):
        with_weights(network, {**state, "extra": np.zeros(2)})
