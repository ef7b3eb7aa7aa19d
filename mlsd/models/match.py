"""Two towers of categories: which items the people of a request click."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, embedding

from mlsd import rng
from mlsd.errors import InputError, nearest
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.models.bags import Vectors
from mlsd.models.base import Batches, LossModule, fingerprint_of, fit_module, seeded
from mlsd.models.categories import UNKNOWN, Categories, Towers, category_column, passed, summed
from mlsd.models.epochs import Facts
from mlsd.models.pairs import held_out
from mlsd.types import Ints

_SCALE = 0.1
"""Standard deviation of vectors before training: their products then are about 0."""


@dataclass(frozen=True)
class Shown:
    """Impressions and what became of them.

    Args:
        request_id: (n,) of the request.
        request: its columns, (n,) int64 each.
        item: columns of the item, (n,) int64 each.
        position: (n,) int64.
        click: (n,) float32, 0 or 1.
    """

    request_id: Ints
    request: tuple[Ints, ...]
    item: tuple[Ints, ...]
    position: Ints
    click: Vectors

    def __len__(self) -> int:
        return len(self.click)

    def split(self, seed: int, name: str) -> tuple[Shown, Shown]:
        """What is learnt from, and what tells when to stop: the impressions of other requests.

        Raises:
            InputError: there are fewer than two requests, or all that is learnt from was clicked, or nothing.
        """
        requests = np.unique(self.request_id)
        if len(requests) < 2:
            raise InputError(
                f"{name}: {len(requests)} requests were shown an item, must be at least 2 to learn"
            )
        kept_back = held_out(self.request_id, requests, seed)
        train = self._take(np.flatnonzero(~kept_back))
        n_clicks = int(train.click.sum())
        if n_clicks in (0, len(train)):
            raise InputError(
                f"{name}: {n_clicks} of {len(train)} impressions were clicked; some must be, and others not"
            )
        return train, self._take(np.flatnonzero(kept_back))

    def _take(self, rows: Ints) -> Shown:
        request, item = (tuple(column[rows] for column in side) for side in (self.request, self.item))
        return Shown(self.request_id[rows], request, item, self.position[rows], self.click[rows])


LEARNT_ON = "retrieval"


def shown_in(
    log: Log | None, request: Sequence[str], catalog: tuple[Ints, ...], action: str, name: str
) -> Shown:
    """The impressions of a log's `retrieval` window, and whether users did something with each.

    Args:
        log: None where nothing is logged yet.
        request: columns of requests with integers from 0, without `request.`.
        catalog: the item's columns, (n_items,) each, of all items.
        action: column of the impressions; done where it is above 0.
        name: of what learns, for messages.

    Raises:
        InputError: there is no log, or it lacks the action, or a category is negative or no integer.
    """
    if log is None:
        raise InputError(f"{name} learns from the action {action!r}, and nothing is logged yet")
    window = log.window(LEARNT_ON)
    impressions = window.impressions
    if action not in impressions:
        there, close = ", ".join(impressions.columns), nearest(action, impressions.columns)
        hint = f"; nearest is {close!r}" if close else ""
        raise InputError(f"{name} learns from {action}s: no action {action}, only {there}{hint}")
    rows, items = window.request_rows, impressions["item"].to_numpy()
    columns = (category_column(f"request.{one}", window.requests[one]) for one in request)
    return Shown(
        impressions["request_id"].to_numpy(),
        tuple(column[rows] for column in columns),
        tuple(column[items] for column in catalog),
        impressions["position"].to_numpy().astype(np.int64),
        (impressions[action].to_numpy() > 0).astype(np.float32),
    )


class MatchInputs(NamedTuple):
    """A batch of impressions.

    Args:
        request: (n, n_request_columns) int64, rows of the request tower's table.
        item: (n, n_item_columns) int64, rows of the item tower's.
        position: (n,) int64.
        click: (n,) float32.
    """

    request: Tensor
    item: Tensor
    position: Tensor
    click: Tensor


class MatchNet(nn.Module):
    """Log-odds of a click, by a tower for the request and one for the item.

        u = through(sum over columns of v_value),  v_value = e_value + w_column f_same
        a = through'(sum over columns of f_value)
        log-odds(position k) = u a + sum over the item's columns of b_value + base + p_k,  p_0 = 0

    f_same is the item tower's vector of the category that the request's value is the same as, where its
    column has any. `through` is a layer, ReLU and another, without biases, or nothing. Values never seen have
    the vector 0.

    Args:
        same: (n_request_rows, 2) int64: the row of the item tower's table that each row of the request
            tower's is the same as, or `UNKNOWN`; and the number of w_column.
        n_item_rows: of the item tower's table.
        n_positions: that are shown.
        dim: of the vectors.
        hidden: width of the layer between; None for none.
        base: log-odds to start with.
    """

    same_row: Tensor
    same_column: Tensor

    def __init__(
        self, same: Ints, n_item_rows: int, n_positions: int, dim: int, hidden: int | None, base: float
    ) -> None:
        super().__init__()
        self.register_buffer("same_row", torch.from_numpy(same[:, 0].copy()), persistent=False)
        self.register_buffer("same_column", torch.from_numpy(same[:, 1].copy()), persistent=False)
        self.request = nn.Parameter(_vectors(len(same), dim))
        self.item = nn.Parameter(_vectors(n_item_rows, dim))
        self.weight = nn.Parameter(torch.ones(int(same[:, 1].max(initial=0)) + 1))
        self.bias = nn.Parameter(torch.zeros(n_item_rows, 1))
        self.position = nn.Parameter(torch.zeros(n_positions, 1))
        self.base = nn.Parameter(torch.tensor(base))
        self.request_layers, self.item_layers = _layers(dim, hidden), _layers(dim, hidden)

    @property
    def request_table(self) -> Tensor:
        """(n_request_rows, dim) v of every value."""
        same = embedding(self.same_row, self.item, padding_idx=UNKNOWN)
        return self.request + self.weight[self.same_column].unsqueeze(1) * same

    def forward(self, batch: MatchInputs) -> Tensor:
        """(n,) log-odds of a click."""
        request = self.request_layers(
            embedding(batch.request, self.request_table, padding_idx=UNKNOWN).sum(1)
        )
        item = self.item_layers(embedding(batch.item, self.item, padding_idx=UNKNOWN).sum(1))
        bias = embedding(batch.item, self.bias, padding_idx=UNKNOWN).sum((1, 2))
        position = embedding(batch.position, self.position, padding_idx=0).squeeze(1)
        logits: Tensor = (request * item).sum(1) + bias + self.base + position
        return logits

    def towers(self, request: Categories, item_rows: Ints) -> Towers:
        """What serves, for items whose categories have these (n_items, n_item_columns) rows."""
        with torch.no_grad():
            table, items, bias = self.request_table.numpy().copy(), self.item.numpy(), self.bias.numpy()
            through, of_items = (
                tuple(weight.numpy().copy() for weight in layers.parameters())
                for layers in (self.request_layers, self.item_layers)
            )
        vectors = passed(summed(items, item_rows), of_items)
        return Towers(request, table, through, vectors, summed(bias, item_rows)[:, 0] + self.base.item())


class MatchModule(LossModule):
    """Trains the towers by the likelihood of clicks, vectors and biases drawn to 0.

        loss = mean of  -[click log p + (1 - click) log(1 - p)]  + |vectors and biases|^2 / (2 n sigma^2)

    The second term is what N(0, sigma^2) expects of each weight before n impressions were seen. Losses are
    reported without it.

    Args:
        net: to train.
        learning_rate: of Adam.
        l2: 1 / (n sigma^2).
    """

    def __init__(self, net: MatchNet, learning_rate: float, l2: float) -> None:
        super().__init__(learning_rate, weight_decay=0.0)
        self.net, self.l2 = net, l2

    @property
    def facts(self) -> Facts:
        same = fingerprint_of(self.net.same_row.numpy(), self.net.same_column.numpy())
        return {**super().facts, "l2": str(self.l2), "same": same}

    def parameter_groups(self) -> list[dict[str, Any]]:
        drawn = [self.net.request, self.net.item, self.net.bias]
        ours = {id(weight) for weight in drawn}
        rest = [weight for weight in self.parameters() if id(weight) not in ours]
        l2 = {"params": drawn, "weight_decay": self.l2, "decoupled_weight_decay": False}
        return [l2, {"params": rest, "weight_decay": 0.0}]

    def loss(self, batch: MatchInputs) -> tuple[Tensor, float]:
        return binary_cross_entropy_with_logits(self.net(batch), batch.click), float(len(batch.click))


class ImpressionBatches(Batches):
    """Impressions in a new order every epoch, in batches of equal size.

    Args:
        inputs: all impressions.
        batch_rows: impressions of a batch, at most.
        seed: of the order.
    """

    def __init__(self, inputs: MatchInputs, batch_rows: int, seed: int) -> None:
        self.inputs, self.batch_rows, self.seed = inputs, batch_rows, seed

    def of_epoch(self, epoch: int) -> Iterator[MatchInputs]:
        rows = np.arange(len(self.inputs.click))
        order = np.argsort(rng.uniform(self.seed, "order of impressions", epoch, rows))
        parts = np.array_split(order, -(-len(order) // self.batch_rows))
        return (MatchInputs(*(column[torch.from_numpy(part)] for column in self.inputs)) for part in parts)

    def fingerprint(self) -> str:
        return fingerprint_of(*(column.numpy() for column in self.inputs), np.array(self.batch_rows))


@dataclass(frozen=True)
class MatchOptions:
    """How towers are made and learn.

    Args:
        dim: of the vectors.
        hidden: width of the layer between; None for none.
        sigma: what weights are expected to be like before anything was seen: N(0, sigma^2).
        learning_rate: of Adam.
    """

    dim: int
    hidden: int | None
    sigma: float
    learning_rate: float


def fit_towers(
    shown: Shown, catalog: tuple[Ints, ...], same: dict[int, int], options: MatchOptions, fitting: Fitting
) -> tuple[Towers, Curves]:
    """Learn the towers.

    Args:
        shown: what is learnt from.
        catalog: the item's columns, (n_items,) each, of all items.
        same: place of a request's column -> place of the item's column that it has the values of.
        options: of the towers.
        fitting: how to train.

    Raises:
        InputError: there is too little to learn from; see `Shown.split`.
    """
    train, validation = shown.split(fitting.seed, fitting.name)
    request, item = Categories.learn(train.request), Categories.learn(train.item)
    n_clicks = float(train.click.sum())
    with seeded(fitting.seed, "weights"):
        net = MatchNet(
            _same_rows(request, item, same), len(item), int(shown.position.max()) + 1,
            options.dim, options.hidden, float(np.log(n_clicks / (len(train) - n_clicks))),
        )  # fmt: skip
    module = MatchModule(net, options.learning_rate, 1 / (len(train) * options.sigma**2))
    batch_rows = fitting.options.rows_of_batch(len(train))
    train_batches, validation_batches = (
        ImpressionBatches(_inputs(part, request, item), batch_rows, fitting.seed)
        for part in (train, validation)
    )
    curves = fit_module(module, train_batches, validation_batches, fitting)
    return net.towers(request, item.rows(catalog)), curves


def _inputs(shown: Shown, request: Categories, item: Categories) -> MatchInputs:
    arrays = request.rows(shown.request), item.rows(shown.item), shown.position, shown.click
    return MatchInputs(*map(torch.from_numpy, arrays))


def _same_rows(request: Categories, item: Categories, same: dict[int, int]) -> Ints:
    """(n_request_rows, 2) see `MatchNet`."""
    rows = np.zeros((len(request), 2), np.int64)
    for number, (of_request, of_item) in enumerate(same.items()):
        start, end = request.offsets[of_request : of_request + 2].tolist()
        rows[start + 1 : end + 1, 0] = item.rows_of(of_item, request.values[start:end])
        rows[start + 1 : end + 1, 1] = number
    return rows


def _vectors(n_rows: int, dim: int) -> Tensor:
    vectors = torch.randn(n_rows, dim) * _SCALE
    vectors[UNKNOWN] = 0
    return vectors


def _layers(dim: int, hidden: int | None) -> nn.Sequential:
    if hidden is None:
        return nn.Sequential()
    return nn.Sequential(nn.Linear(dim, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, dim, bias=False))
