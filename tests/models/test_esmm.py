"""The entire-space multi-task model against its formula."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch

from mlsd import rng
from mlsd.losses.bce import BCE
from mlsd.models.esmm import ESMM
from mlsd.models.ranking import MultiTaskModule, RankingInputs, label_ndcg, started_tasks
from mlsd.types import Array, Floats

N = 40
DENSE = rng.normal(0, "dense", np.arange(N)[:, None], np.arange(3)).astype(np.float32)
CATEGORICAL = (np.arange(N) % 4)[:, None]
CLICK = (np.arange(N) % 3 == 0) * 1.25
"""Over an examination of .8."""
BOTH = CLICK * (np.arange(N) % 4 == 0) * 2.0
"""Half of what was converted has arrived."""
LABELS = np.stack([CLICK, BOTH], axis=1).astype(np.float32)
OFFSETS = np.array([0, 10, 25, 25, N])


def net() -> ESMM:
    return ESMM(3, (4,), hidden=(8,), dropout=0.0, embedding_dim=2)


def inputs() -> RankingInputs:
    return RankingInputs(*map(torch.from_numpy, (DENSE, CATEGORICAL, LABELS, OFFSETS)))


def scores_of(model: ESMM) -> Floats:
    with torch.no_grad():
        return np.asarray(model(torch.from_numpy(DENSE), torch.from_numpy(CATEGORICAL)), np.float64)


def plain_loss(scores: Array) -> float:
    """As the paper has it, in plain probabilities: -y log p - (1 - y) log(1 - p) of clicks and of both."""
    click, conversion = 1 / (1 + np.exp(-scores.T))
    total = 0.0
    for row in range(N):
        for label, prob in ((CLICK[row], click[row]), (BOTH[row], click[row] * conversion[row])):
            total -= label * log(prob) + (1 - label) * log(1 - prob)
    return total / N


def test_the_loss_is_that_of_the_paper() -> None:
    model = net()
    loss, weight = MultiTaskModule(model, BCE(), 0.1, 0.0).loss(inputs())
    assert float(loss.detach()) == pytest.approx(plain_loss(scores_of(model)), rel=1e-5)
    assert weight == N


def test_the_gradient_is_that_of_the_plain_formula() -> None:
    """By central differences of the plain loss, in double precision; their own error is about 1e-9."""
    scores = scores_of(net()) * 3
    given = torch.tensor(scores, requires_grad=True)
    labels = net().label_scores(given)
    loss = sum(
        BCE()(column, torch.from_numpy(label), torch.from_numpy(OFFSETS))
        for column, label in zip(labels.unbind(1), (CLICK, BOTH), strict=True)
    )
    (found,) = torch.autograd.grad(loss, given)  # type: ignore[arg-type]
    step, expected = 1e-5, np.zeros_like(scores)
    for at in np.ndindex(scores.shape):
        moved = np.zeros_like(scores)
        moved[at] = step
        expected[at] = (plain_loss(scores + moved) - plain_loss(scores - moved)) / (2 * step)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-8)


def test_both_learn_from_what_was_not_clicked() -> None:
    """Without any click the conversion tower still hears that there was none: p2 (1 - p1) / (1 - p1 p2)."""
    scores = torch.zeros(1, 2, requires_grad=True)
    loss = BCE()(net().label_scores(scores)[:, 1], torch.zeros(1), torch.tensor([0, 1]))
    (gradient,) = torch.autograd.grad(loss, scores)
    assert gradient.tolist() == [pytest.approx([0.25 * 0.5 / 0.75] * 2)]


@pytest.mark.parametrize("size", [0.0, 8.0, 80.0])
def test_log_odds_stay_finite(size: float) -> None:
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    scores = (signs * size).requires_grad_()
    found = net().label_scores(scores)
    assert bool(torch.isfinite(found).all())
    (gradient,) = torch.autograd.grad(found.sum(), scores)
    assert bool(torch.isfinite(gradient).all())
    assert bool((found[:, 1] <= found[:, 0] + 1e-5).all()), "both are no likelier than the first"


def test_scores_of_tasks_and_of_labels_are_inverse() -> None:
    scores = torch.tensor([[-3.0, -1.0], [0.5, 2.0], [-6.0, -6.0]])
    torch.testing.assert_close(net().task_scores(net().label_scores(scores)), scores, rtol=1e-3, atol=1e-3)


def test_training_starts_at_the_base_rates() -> None:
    model = net()
    with torch.no_grad():
        for head in (model.first.head, model.second.head):
            head.linear.weight.zero_()
    started_tasks(model, BCE(), LABELS)
    click, conversion = 1 / (1 + np.exp(-scores_of(model)[0]))
    assert click == pytest.approx(CLICK.mean(), rel=1e-5)
    assert conversion == pytest.approx(BOTH.sum() / CLICK.sum(), rel=1e-5)


def test_towers_share_their_embeddings_and_nothing_else() -> None:
    names = {name.split(".")[0] for name, _ in net().named_parameters()}
    assert names == {"inputs", "first", "second"}
    (table,) = net().feature_weights()
    assert table.shape == (4, 2)


def test_quality_is_over_the_requests_of_each_task_that_have_a_label() -> None:
    model = net()
    module = MultiTaskModule(model, BCE(), 0.1, 0.0)
    module.validation_step([inputs()])
    label_scores = model.label_scores(torch.from_numpy(scores_of(model).astype(np.float32)))
    parts = [
        label_ndcg(scores, labels, torch.from_numpy(OFFSETS))
        for scores, labels in zip(label_scores.unbind(1), torch.from_numpy(LABELS).unbind(1), strict=True)
    ]
    expected = sum(float(mean) * n for mean, n in parts) / sum(n for _, n in parts)
    assert module.quality_mean.take() == pytest.approx(expected)
