"""Factorisation machines against their formula, written as loops over pairs."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mlsd.models.fm import FM, pair_products

DENSE = torch.tensor([[0.5, -2.0], [0.0, 1.5], [3.0, 0.25]], dtype=torch.float64)
CATEGORICAL = torch.tensor([[0, 1], [2, 0], [1, 1]])
CARDINALITIES = (3, 2)


def net(embedding_dim: int = 3) -> FM:
    """In double precision, with weights that are all apart."""
    made = FM(2, CARDINALITIES, embedding_dim).double()
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.linspace(-1, 2, weight.numel()).sin().reshape(weight.shape))
    return made


def one_hot(made: FM) -> tuple[Tensor, Tensor, Tensor]:
    """(n, 7) x over all features, (7,) w and (7, dim) v, as the paper has them."""
    columns = [torch.nn.functional.one_hot(CATEGORICAL[:, j], n) for j, n in enumerate(CARDINALITIES)]
    x = torch.cat([DENSE, *(column.double() for column in columns)], 1)
    w = torch.cat([made.linear.weight[0], made.linear.categorical.table.weight[:, 0]])
    assert made.vectors.dense is not None
    assert made.vectors.categorical is not None
    return x, w, torch.cat([made.vectors.dense, made.vectors.categorical.table.weight])


def plain_scores(made: FM) -> Tensor:
    """Equation 1 of the paper, pair by pair."""
    x, w, v = one_hot(made)
    scores = []
    for row in x:
        score = made.linear.bias[0] + w @ row
        for i in range(len(row)):
            for j in range(i + 1, len(row)):
                score = score + (v[i] @ v[j]) * row[i] * row[j]
        scores.append(score)
    return torch.stack(scores)


def test_scores_are_those_of_the_double_loop() -> None:
    made = net()
    torch.testing.assert_close(made(DENSE, CATEGORICAL), plain_scores(made))


def test_gradients_are_those_of_the_double_loop() -> None:
    made, plain = net(), net()
    torch.autograd.backward(made(DENSE, CATEGORICAL).square().sum())
    torch.autograd.backward(plain_scores(plain).square().sum())
    for ours, theirs in zip(made.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 100))
def test_pair_products_are_the_sum_over_pairs(n_fields: int, dim: int, seed: int) -> None:
    vectors = torch.randn(
        4, n_fields, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    pairs = [(i, j) for i in range(n_fields) for j in range(i + 1, n_fields)]
    expected = sum(((vectors[:, i] * vectors[:, j]).sum(1) for i, j in pairs), torch.zeros(4).double())
    torch.testing.assert_close(pair_products(vectors), expected)


def test_gradient_of_pair_products_agrees_with_differences() -> None:
    vectors = torch.linspace(-1, 1, 24, dtype=torch.float64).cos().reshape(2, 4, 3).requires_grad_()
    assert torch.autograd.gradcheck(pair_products, vectors)


def test_feature_weights_are_all_but_the_bias() -> None:
    made = net()
    shrunk = {id(weight) for weight in made.feature_weights()}
    assert [name for name, weight in made.named_parameters() if id(weight) not in shrunk] == ["linear.bias"]
