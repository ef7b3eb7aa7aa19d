"""The network of towers against what serves, its batches, and who is held out."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch

from mlsd.errors import InputError
from mlsd.models.base import seeded
from mlsd.models.categories import Categories
from mlsd.models.match import ImpressionBatches, MatchInputs, MatchModule, MatchNet, Shown

REQUEST, ITEM = Categories.learn([np.arange(3), np.arange(2)]), Categories.learn([np.arange(4)])
SAME = np.array([[0, 0], [2, 0], [3, 0], [4, 0], [1, 1], [0, 1]])
"""The first column's values 0, 1, 2 are the item's 1, 2, 3; of the second's, 0 is its 0 and 1 is none."""


def network(hidden: int | None) -> MatchNet:
    """All weights drawn, those of what is unknown left at 0."""
    with seeded(0, "weights"), torch.no_grad():
        net = MatchNet(SAME, len(ITEM), 3, dim=6, hidden=hidden, base=-1.0)
        for weight in (net.request, net.item, net.bias):
            weight[1:] = torch.randn_like(weight[1:])
        net.weight[:] = torch.tensor([0.5, -2.0])
        net.position[:, 0] = torch.tensor([0.0, -0.5, -1.5])
    return net


def inputs(n: int = 50) -> MatchInputs:
    draws = np.random.default_rng(5)
    request = REQUEST.rows([draws.integers(0, 4, n), draws.integers(0, 3, n)])
    item, position = ITEM.rows([draws.integers(0, 5, n)]), draws.integers(0, 3, n)
    click = (draws.random(n) < 0.5).astype(np.float32)
    return MatchInputs(*map(torch.from_numpy, (request, item, position, click)))


@pytest.mark.parametrize("hidden", [None, 5])
def test_what_serves_scores_as_the_network_does_at_the_first_position(hidden: int | None) -> None:
    net, batch = network(hidden), inputs()
    towers = net.towers(REQUEST, batch.item.numpy())
    n = np.arange(len(batch.click))
    vectors = towers.requests([np.array([0, 1, 2, 9]), np.array([1, 0, 9, 9])])
    rows = REQUEST.rows([np.array([0, 1, 2, 9]), np.array([1, 0, 9, 9])])
    for request, vector in zip(rows, vectors, strict=True):
        asked = torch.from_numpy(np.tile(request, (len(n), 1)))
        expected = net(batch._replace(request=asked, position=torch.zeros_like(batch.position)))
        served = towers.scores(vector[None], np.zeros(len(n), np.int64), n)
        np.testing.assert_allclose(served, expected.detach().numpy(), atol=1e-5)
    assert not vectors[3].any()


def test_log_odds_by_hand() -> None:
    net = network(None)
    v, f, b = net.request.tolist(), net.item.tolist(), net.bias[:, 0].tolist()
    first = [e + 0.5 * same for e, same in zip(v[1], f[2], strict=True)]
    second = [e - 2.0 * same for e, same in zip(v[4], f[1], strict=True)]
    expected = sum((x + y) * z for x, y, z in zip(first, second, f[3], strict=True)) + b[3] - 1.0 - 1.5
    rows = REQUEST.rows([np.array([0]), np.array([0])]), ITEM.rows([np.array([2])]), np.array([2])
    batch = MatchInputs(*map(torch.from_numpy, (*rows, np.zeros(1, np.float32))))
    assert float(net(batch).detach()) == pytest.approx(expected, rel=1e-5)


def test_a_step_leaves_what_is_unknown_and_the_first_position_at_nothing() -> None:
    module = MatchModule(network(4), learning_rate=0.1, l2=0.01)
    optimizer = module.configure_optimizers()
    for _ in range(3):
        optimizer.zero_grad()
        torch.autograd.backward(module.loss(inputs())[0])
        optimizer.step()
    net = module.net
    assert not any(weight[0].any() for weight in (net.request, net.item, net.bias, net.position))
    assert net.position[1:].all()


def test_every_weight_learns_once() -> None:
    module = MatchModule(network(4), learning_rate=0.1, l2=0.01)
    learning = [weight for group in module.parameter_groups() for weight in group["params"]]
    assert sorted(map(id, learning)) == sorted(map(id, module.parameters()))


def test_impressions_are_dealt_evenly_in_a_new_order_every_epoch() -> None:
    batch = inputs(23)
    batches = ImpressionBatches(batch._replace(click=torch.arange(23.0)), 8, seed=0)
    dealt = [[part.click.tolist() for part in batches.of_epoch(epoch)] for epoch in (0, 0, 1)]
    assert [len(part) for part in dealt[0]] == [8, 8, 7]
    assert dealt[0] == dealt[1] != dealt[2]
    assert sorted(chain(*dealt[2])) == list(range(23))


def shown(n_requests: int, click: list[int]) -> Shown:
    column = np.arange(len(click))
    clicks = np.array(click, np.float32)
    return Shown(column % n_requests, (column,), (column,), np.zeros(len(click), np.int64), clicks)


def test_requests_are_held_out_whole() -> None:
    train, validation = shown(20, [0, 1] * 50).split(0, "towers")
    assert len(train) + len(validation) == 100
    assert set(train.request_id.tolist()).isdisjoint(validation.request_id.tolist())
    assert len(np.unique(validation.request_id)) == 2


def test_one_request_tells_nothing() -> None:
    with pytest.raises(
        InputError, match="towers: 1 requests were shown an item, must be at least 2 to learn"
    ):
        shown(1, [0, 1]).split(0, "towers")
