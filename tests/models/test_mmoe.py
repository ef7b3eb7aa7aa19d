"""The multi-gate mixture of experts against its formula."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
import torch

from mlsd import rng
from mlsd.losses.bce import BCE
from mlsd.models.mmoe import MMoE, mixed
from mlsd.models.ranking import MultiTaskModule, started_tasks
from mlsd.types import Floats

N = 12
DENSE = rng.normal(0, "dense", np.arange(N)[:, None], np.arange(3)).astype(np.float32)
CATEGORICAL = (np.arange(N) % 4)[:, None]


def net(n_tasks: int = 3, tower_hidden: tuple[int, ...] = (5,)) -> MMoE:
    return MMoE(
        3,
        (4,),
        n_tasks,
        n_experts=2,
        expert_hidden=(6, 4),
        tower_hidden=tower_hidden,
        dropout=0.0,
        embedding_dim=2,
    )


def scores_of(model: MMoE) -> Floats:
    with torch.no_grad():
        return np.asarray(model(torch.from_numpy(DENSE), torch.from_numpy(CATEGORICAL)), np.float64)


def layer(weight: Floats, bias: Floats, inputs: list[float]) -> list[float]:
    """max(0, w x + b) of each output."""
    sums = [
        float(b) + sum(w * x for w, x in zip(row, inputs, strict=True))
        for row, b in zip(weight, bias, strict=True)
    ]
    return [max(0.0, total) for total in sums]


def by_loops(model: MMoE, n_tasks: int) -> Floats:
    """Equations 6 to 8 of the paper, one number after the other."""
    weights = {name: value.numpy().astype(np.float64) for name, value in model.state_dict().items()}
    scores = np.zeros((N, n_tasks))
    for row in range(N):
        embedding = weights["inputs.embeddings.table.weight"][CATEGORICAL[row, 0]]
        x = [*map(float, DENSE[row]), *map(float, embedding)]
        experts = []
        for i in range(2):
            own = slice(6 * i, 6 * i + 6)
            first = layer(weights["experts.first.0.weight"][own], weights["experts.first.0.bias"][own], x)
            bias = weights["experts.further.0.bias"].reshape(2, 4)[i]
            experts.append(layer(weights["experts.further.0.weight"][i], bias, first))
        for k in range(n_tasks):
            logits = [
                sum(w * value for w, value in zip(weights["gates.weight"][2 * k + i], x, strict=True))
                for i in range(2)
            ]
            gate = [exp(logit) / sum(map(exp, logits)) for logit in logits]
            mixture = [sum(gate[i] * experts[i][place] for i in range(2)) for place in range(4)]
            tower_bias = weights["towers.0.bias"].reshape(n_tasks, 5)[k]
            tower = layer(weights["towers.0.weight"][k], tower_bias, mixture)
            head = weights[f"heads.{k}.linear.weight"][0]
            scores[row, k] = weights[f"heads.{k}.linear.bias"][0] + sum(
                w * value for w, value in zip(head, tower, strict=True)
            )
    return scores


@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_gates_mix_experts_as_the_paper_has_it(n_tasks: int) -> None:
    torch.manual_seed(0)
    model = net(n_tasks)
    with torch.no_grad():
        model.gates.weight.mul_(3)
    expected = by_loops(model, n_tasks)
    np.testing.assert_allclose(scores_of(model), expected, rtol=1e-5, atol=1e-6)
    assert np.ptp(expected, axis=0).min() > 0.01, "scores differ by row, so the comparison says something"


def test_a_gate_adds_up_to_one_and_leaves_what_all_experts_agree_on() -> None:
    experts = torch.full((3, 7, 2), 5.0)
    gates = torch.softmax(torch.linspace(-2, 2, 4 * 3 * 7).sin().reshape(4, 3, 7) * 4, dim=1)
    torch.testing.assert_close(mixed(experts, gates), torch.full((4, 7, 2), 5.0))


def test_a_gate_that_opens_to_one_expert_gives_that_expert() -> None:
    experts = torch.arange(12.0).reshape(2, 3, 2)
    gates = torch.tensor([[[1.0] * 3, [0.0] * 3], [[0.0] * 3, [1.0] * 3]])
    assert torch.equal(mixed(experts, gates), experts)


def test_towers_without_layers_score_the_mixture() -> None:
    model = net(tower_hidden=())
    assert scores_of(model).shape == (N, 3)
    assert model.state_dict()["heads.0.linear.weight"].shape == (1, 4)


def test_a_label_tells_of_its_own_task_alone() -> None:
    """So that what training lowers is the sum of each task's own loss."""
    scores = torch.linspace(-3, 3, 12).reshape(4, 3)
    assert torch.equal(net().label_scores(scores), scores)
    assert torch.equal(net().task_scores(scores), scores)


def test_training_starts_at_the_base_rates() -> None:
    model = net()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.startswith("heads.") and name.endswith(".weight"):
                weight.zero_()
    labels = np.stack([np.arange(N) % 2, np.arange(N) % 3 == 0, np.arange(N) % 4 == 0], axis=1)
    started_tasks(model, BCE(), labels.astype(np.float32))
    probs = 1 / (1 + np.exp(-scores_of(model)))
    np.testing.assert_allclose(probs, np.broadcast_to(labels.mean(axis=0), (N, 3)), rtol=1e-5)


def test_biases_are_not_decayed() -> None:
    decayed, left = MultiTaskModule(net(), BCE(), 0.1, 0.01).parameter_groups()
    assert all(weight.ndim >= 2 for weight in decayed["params"])
    assert sorted(tuple(bias.shape) for bias in left["params"]) == [(1,)] * 3 + [(8,), (12,), (15,)]


def test_only_the_table_belongs_to_features() -> None:
    (table,) = net().feature_weights()
    assert table.shape == (4, 2)
