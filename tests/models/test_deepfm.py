"""DeepFM is the sum of its two halves, which share their vectors."""

from __future__ import annotations

import torch

from mlsd.models.deepfm import DeepFM
from mlsd.models.fm import FM

DENSE = torch.tensor([[0.5, -2.0], [0.0, 1.5], [3.0, 0.25]])
CATEGORICAL = torch.tensor([[0, 1], [2, 0], [1, 1]])


def net() -> DeepFM:
    return DeepFM(2, (3, 2), hidden=(5, 4), dropout=0.0, embedding_dim=3)


def test_score_is_that_of_the_machine_and_of_the_deep_network() -> None:
    made, machine = net(), FM(2, (3, 2), embedding_dim=3)
    machine.load_state_dict({name: made.state_dict()[name] for name in machine.state_dict()})
    assert made.vectors.dense is not None
    assert made.vectors.categorical is not None
    layers = [layer for layer in made.tower if isinstance(layer, torch.nn.Linear)]
    hidden = torch.stack(
        [
            torch.cat(
                [
                    made.vectors.dense[0] * dense[0],
                    made.vectors.dense[1] * dense[1],
                    made.vectors.categorical.table.weight[topic],
                    made.vectors.categorical.table.weight[3 + device],
                ]
            )
            for dense, (topic, device) in zip(DENSE, CATEGORICAL.tolist(), strict=True)
        ]
    )
    for layer in layers:
        hidden = torch.nn.functional.linear(hidden, layer.weight, layer.bias).relu()
    expected = machine(DENSE, CATEGORICAL) + (hidden @ made.head.weight.t()).squeeze(1)
    torch.testing.assert_close(made(DENSE, CATEGORICAL), expected)


def test_gradient_agrees_with_differences() -> None:
    made = net().double()
    assert torch.autograd.gradcheck(lambda dense: made(dense, CATEGORICAL), DENSE.double().requires_grad_())


def test_both_halves_learn_the_same_vectors() -> None:
    made = net()
    made(DENSE, CATEGORICAL).sum().backward()
    names = [name for name, _ in made.named_parameters() if name.startswith("vectors")]
    assert names == ["vectors.dense", "vectors.categorical.table.weight"]
    assert all(weight.grad is not None for weight in made.parameters())
