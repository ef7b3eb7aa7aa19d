"""How networks read histories, against loops over what is in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mlsd import rng
from mlsd.models.deepfm import DeepFM
from mlsd.models.fm import FM
from mlsd.models.histories import ActivationUnit, FieldVectors, HistoryColumns, histories_of
from mlsd.models.inference import score_rows
from mlsd.models.inputs import FeatureVectors, Inputs
from mlsd.models.layers import FeatureNet
from mlsd.models.linear import Linear
from mlsd.models.mlp import MLP
from mlsd.models.mmoe import MMoE
from mlsd.types import FeatureSpec, Floats, History, Ints

CARDINALITIES = (4, 2)
HISTORIES = (HistoryColumns(3, 4, like=0), HistoryColumns(2, 5), HistoryColumns(2, 2, like=1))
PLACES = slice(2, 5), slice(5, 7), slice(7, 9)
DIM = 3
N = 60


def made_up(n: int = N) -> Ints:
    """(n, 9): two categories, and three histories that are mostly not full."""
    sizes = np.array([4, 2, 5, 5, 5, 6, 6, 3, 3])
    values = rng.integers(0, "values", sizes, np.arange(n)[:, None], np.arange(len(sizes)))
    lacking = rng.uniform(0, "lacking", np.arange(n)[:, None], np.arange(len(sizes))) < 0.3
    lacking[:, :2] = False
    return np.where(lacking, 0, values)


def fields(attention: Sequence[int] | None = None) -> FieldVectors:
    torch.manual_seed(0)
    return FieldVectors(CARDINALITIES, DIM, HISTORIES, attention, scale=1.0)


def unit_by_loops(weights: dict[str, Floats], past: Floats, target: Floats) -> float:
    """A hidden layer of ReLUs, and a weighted sum of these."""
    inputs = np.concatenate([past, target, past * target])
    hidden = np.maximum(weights["tower.0.weight"] @ inputs + weights["tower.0.bias"], 0)
    return float((weights["head.linear.weight"] @ hidden + weights["head.linear.bias"])[0])


def by_loops(net: FieldVectors, categorical: Ints) -> Floats:
    """(n, 5, DIM), one value after the other."""
    table = net.table.weight.detach().numpy().astype(np.float64)
    starts = {"category 0": 0, "category 1": 4, "history 1": 6}
    units: dict[int, dict[str, Floats]] = {0: {}, 2: {}}
    for name, value in net.state_dict().items():
        if name.startswith("unit"):
            number, _, rest = name.removeprefix("unit").partition(".")
            units[int(number)][rest] = value.numpy().astype(np.float64)
    found = np.zeros((len(categorical), 5, DIM))
    for row, values in enumerate(categorical.tolist()):
        single = table[starts["category 0"] + values[0]], table[starts["category 1"] + values[1]]
        found[row, :2] = single
        pasts = (values[2:5], "category 0", single[0]), (values[5:7], "history 1", None)
        for place, (past, owner, target) in enumerate((*pasts, (values[7:9], "category 1", single[1]))):
            there = [table[starts[owner] + value - 1] for value in past if value > 0]
            if target is None or not units[place]:
                found[row, 2 + place] = np.mean(there, axis=0) if there else 0
            else:
                for vector in there:
                    found[row, 2 + place] += unit_by_loops(units[place], vector, target) * vector
    return found


@pytest.mark.parametrize("attention", [None, [7]])
def test_a_history_is_one_vector(attention: list[int] | None) -> None:
    """Its mean, or, where it is like a category, each vector times what the unit says of it and a target."""
    net, categorical = fields(attention), made_up()
    with torch.no_grad():
        found = net(torch.from_numpy(categorical)).numpy()
    np.testing.assert_allclose(found, by_loops(net, categorical), rtol=1e-4, atol=1e-5)


def test_weights_of_attention_do_not_add_up_to_one() -> None:
    """Of twice the same, twice as much comes through."""
    net = FieldVectors((4,), DIM, [HistoryColumns(2, 4, like=0)], attention=[5], scale=1.0)
    with torch.no_grad():
        once, twice = net(torch.tensor([[1, 3, 0], [1, 3, 3]]))[:, 1]
    torch.testing.assert_close(twice, 2 * once)
    assert bool((once != 0).all())


def test_a_history_that_is_like_none_has_no_unit() -> None:
    names = {name.split(".")[0] for name, _ in fields([7]).named_parameters()}
    assert names == {"table", "unit0", "unit2"}
    assert {name.split(".")[0] for name, _ in fields().named_parameters()} == {"table"}


def test_a_unit_without_layers_is_a_weighted_sum() -> None:
    unit = ActivationUnit(2, [])
    with torch.no_grad():
        for weight, values in zip(unit.parameters(), ([[1.0, 2, 3, 4, 5, 6]], [0.5]), strict=True):
            weight.copy_(torch.tensor(values))
        found = unit(torch.tensor([[[1.0, 1.0]]]), torch.tensor([[2.0, 3.0]]))
    assert found.tolist() == [[0.5 + (1 + 2) + (6 + 12) + (10 + 18)]]


def test_what_is_not_there_learns_nothing() -> None:
    """An empty place reads a row of the table, with no weight: its gradient is 0."""
    for attention in (None, [7]):
        net = fields(attention)
        categorical = torch.zeros(1, 9, dtype=torch.int64)
        torch.autograd.backward(net(categorical).square().sum())
        assert net.table.weight.grad is not None
        touched = net.table.weight.grad.abs().sum(1) > 0
        assert touched.nonzero().flatten().tolist() == [0, 4]


def test_where_the_empty_places_are_says_nothing() -> None:
    """To the rounding of sums in another order."""
    categorical = torch.from_numpy(made_up())
    backwards = torch.cat([categorical[:, :2], *(categorical[:, at].flip(1) for at in PLACES)], 1)
    for attention in (None, [7]):
        net = fields(attention)
        torch.testing.assert_close(net(backwards), net(categorical))


def test_a_table_is_shared_with_what_a_history_is_like() -> None:
    assert fields().table.weight.shape == (4 + 2 + 5, DIM)
    single = FeatureSpec(("x",), {"a": 4, "b": 2}, {"of a": History(3, 4, "a"), "own": History(2, 5)})
    assert histories_of(single) == (HistoryColumns(3, 4, like=0), HistoryColumns(2, 5, like=None))


def test_without_histories_nothing_is_other_than_it_was() -> None:
    """The same names, shapes and draws of weights, with or without an activation unit to no use."""
    for attention in (None, [7]):
        torch.manual_seed(3)
        inputs = Inputs(2, (4, 2), DIM, attention=attention)
        torch.manual_seed(3)
        plain = torch.nn.init.normal_(torch.nn.Embedding(6, DIM).weight, std=0.05)
        ((name, weight),) = inputs.named_parameters()
        assert name == "embeddings.table.weight"
        assert torch.equal(weight, plain)
        assert list(inputs.state_dict()) == [name]


def test_widths_count_a_vector_for_each_history() -> None:
    dense, categorical = torch.zeros(N, 2), torch.from_numpy(made_up())
    inputs, vectors = (
        Inputs(2, CARDINALITIES, DIM, HISTORIES),
        FeatureVectors(2, CARDINALITIES, DIM, HISTORIES),
    )
    assert inputs(dense, categorical).shape == (N, inputs.width) == (N, 2 + 5 * DIM)
    assert vectors(dense, categorical).flatten(1).shape == (N, vectors.width) == (N, 7 * DIM)


def test_a_weighted_sum_has_weights_of_its_own_for_histories() -> None:
    net = Linear(0, CARDINALITIES, HISTORIES)
    assert net.categorical.table.weight.shape == (4 + 2 + 4 + 5 + 2, 1)
    net.categorical.table.weight.data = torch.arange(17.0).unsqueeze(1)
    score = net(torch.zeros(1, 0), torch.tensor([[1, 0, 1, 4, 0, 5, 0, 0, 0]]))
    assert score.tolist() == [1 + 4 + (6 + 9) / 2 + 14]


def test_a_factorisation_machine_multiplies_means_with_all_other_vectors() -> None:
    """Two categories and two histories: six products of pairs, and their weights."""
    torch.manual_seed(0)
    net = FM(0, CARDINALITIES, DIM, HISTORIES[:2])
    values = torch.tensor([[1, 0, 1, 4, 0, 5, 3]])
    with torch.no_grad():
        vectors, table = (
            net.vectors(torch.zeros(1, 0), values)[0].double(),
            net.linear.categorical.table.weight,
        )
        table.normal_()
        of_weights = float(table[1] + table[4] + (table[6] + table[9]) / 2 + (table[14] + table[12]) / 2)
        pairs = sum(float(vectors[i] @ vectors[j]) for j in range(4) for i in range(j))
        score = float(net(torch.zeros(1, 0), values)[0])
    assert len(vectors) == 4
    assert score == pytest.approx(of_weights + pairs, rel=1e-5)


def nets() -> list[FeatureNet]:
    """Networks of each way of reading histories, with weights that make scores differ."""
    torch.manual_seed(0)
    made: list[FeatureNet] = [
        Linear(2, CARDINALITIES, HISTORIES),
        DeepFM(2, CARDINALITIES, (8,), 0.0, DIM, histories=HISTORIES),
        MLP(2, CARDINALITIES, (16, 8), 0.0, DIM, histories=HISTORIES),
        MLP(2, CARDINALITIES, (16, 8), 0.0, DIM, histories=HISTORIES, attention=[16, 7]),
        MLP(2, CARDINALITIES, (8,), 0.0, DIM, histories=HISTORIES, attention=[]),
        MMoE(2, CARDINALITIES, 1, 3, (8, 5), (4,), 0.0, DIM, HISTORIES, attention=[11]),
    ]
    for net in made:
        for weight in net.parameters():
            torch.nn.init.normal_(weight, std=0.5)
    return [net.eval() for net in made]


NETS = nets()
CROWD = made_up(300)
DENSE = rng.normal(0, "dense", np.arange(300)[:, None], np.arange(2)).astype(np.float32)


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
@given(rows=st.lists(st.integers(0, 299), min_size=1, max_size=140))
@settings(max_examples=25, deadline=None)
def test_a_score_is_the_same_to_the_bit_in_any_company(net: FeatureNet, rows: list[int]) -> None:
    together = scores(net, np.arange(300))
    assert np.array_equal(scores(net, np.array(rows)), together[rows])


def scores(net: FeatureNet, rows: Ints) -> Floats:
    shape = (1,) if isinstance(net, MMoE) else ()
    return score_rows(net, DENSE[rows], CROWD[rows], shape).astype(np.float64)


def test_feature_weights_leave_the_unit_out() -> None:
    (table,) = MLP(2, CARDINALITIES, (8,), 0.0, DIM, histories=HISTORIES, attention=[7]).feature_weights()
    assert table.shape == (11, DIM)


def test_half_precision_trains() -> None:
    """As `trainer.precision=bf16-mixed` computes products."""
    net = MLP(2, CARDINALITIES, (8,), 0.0, DIM, histories=HISTORIES, attention=[7])
    with torch.autocast("cpu", torch.bfloat16):
        found: Tensor = net(torch.from_numpy(DENSE), torch.from_numpy(CROWD))
    torch.autograd.backward(found.float().sum())
    assert all(weight.grad is not None for weight in net.parameters())
