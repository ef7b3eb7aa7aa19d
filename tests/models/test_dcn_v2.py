"""The cross network against its formula."""

from __future__ import annotations

import pytest
import torch

from mlsd.models.dcn_v2 import CrossLayer, DCNv2

NO_CATEGORIES = torch.zeros(6, 0, dtype=torch.int64)
INPUTS = torch.linspace(-1, 2, 24).reshape(6, 4)


@pytest.mark.parametrize("rank", [0, 2])
def test_a_cross_layer_is_its_formula(rank: int) -> None:
    layer = CrossLayer(4, rank)
    weights = list(layer.state_dict().values())
    matrix, bias = (weights[0], weights[1]) if rank == 0 else (weights[1] @ weights[0], weights[2])
    deeper = INPUTS * 2 + 1
    expected = INPUTS * (deeper @ matrix.t() + bias) + deeper
    torch.testing.assert_close(layer(INPUTS, deeper), expected)


def test_low_rank_has_fewer_weights() -> None:
    full, low = (sum(p.numel() for p in CrossLayer(32, rank).parameters()) for rank in (0, 4))
    assert (full, low) == (32 * 32 + 32, 2 * 32 * 4 + 32)


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("rank", [0, 3])
def test_structures_are_put_together_as_said(parallel: bool, rank: int) -> None:
    net = DCNv2(4, (), n_cross=2, rank=rank, parallel=parallel, hidden=[5], dropout=0.0, embedding_dim=1)
    crossed = net.cross[1](INPUTS, net.cross[0](INPUTS, INPUTS))
    deep = torch.cat([crossed, net.tower(INPUTS)], 1) if parallel else net.tower(crossed)
    torch.testing.assert_close(net(INPUTS, NO_CATEGORIES), net.head(deep))


def test_two_cross_layers_make_products_of_three() -> None:
    """With W = I and b = 0, x grows from x0 by x0 x + x: x0 + 2 x0^2 + x0^3 after two layers."""
    net = DCNv2(1, (), n_cross=2, rank=0, parallel=True, hidden=[1], dropout=0.0, embedding_dim=1)
    state = {name: torch.zeros_like(weight) for name, weight in net.state_dict().items()}
    state["cross.0.linear.weight"][:] = state["cross.1.linear.weight"][:] = torch.eye(1)
    state["head.linear.weight"][0, 0] = 1
    net.load_state_dict(state)
    scores = net(torch.tensor([[3.0]]), torch.zeros(1, 0, dtype=torch.int64))
    assert scores.tolist() == [3 + 2 * 9 + 27]
