"""What came before as one vector: how networks read histories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlsd.models.layers import EMBEDDING_SCALE, Embeddings, Head, Tower, beside
from mlsd.types import FeatureSpec


class HistoryColumns(NamedTuple):
    """The columns of a history, which follow those of categories; see `mlsd.types.History`."""

    length: int
    """How many."""

    cardinality: int
    """Values are 1 + a category, of so many, or 0 where there is nothing."""

    like: int | None = None
    """The column of categories whose vectors it shares; None for its own."""


def histories_of(spec: FeatureSpec) -> tuple[HistoryColumns, ...]:
    """The histories of features, in order."""
    places = {name: column for column, name in enumerate(spec.categorical)}
    return tuple(
        HistoryColumns(each.length, each.cardinality, None if each.like is None else places[each.like])
        for each in spec.histories.values()
    )


class ActivationUnit(nn.Module):
    """How much each vector of a history says about a target.

        a(v, t) = MLP([v, t, v * t])

    They do not add up to 1: of a user who did much of the same, more comes through.

    Args:
        dim: length of a vector.
        hidden: width of each hidden layer; none makes it a weighted sum.

    Source: Zhou, Zhu, Song, Fan, Zhu, Ma, Yan, Jin, Li and Gai (KDD 2018), section 4.3.
    """

    def __init__(self, dim: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.tower = Tower(3 * dim, hidden)
        self.head = Head(self.tower.width)

    def forward(self, past: Tensor, target: Tensor) -> Tensor:
        """(n, length, dim) and (n, dim) -> (n, length)."""
        targets = target.unsqueeze(1).expand_as(past)
        rows = [part.flatten(0, 1) for part in (past, targets, past * targets)]
        weights: Tensor = self.head(self.tower(beside(*rows)))
        return weights.view(past.shape[:2])


class FieldVectors(Embeddings):
    """The vector of each categorical column's value, and one of each history.

        u = sum over j of  a_j v_j,    a_j = 1 / (number that are there),  or  a(v_j, target)

    over the v_j that are there; 0 where none is. The target is the vector of the categorical column that a
    history is like, in the same row. Histories that are like none have the mean of their vectors in any case.

    Args:
        cardinalities: of each categorical column.
        dim: length of a vector.
        histories: whose columns follow.
        attention: width of each hidden layer of the activation unit a; None for the mean.
        scale: standard deviation of the initial values.

    Source: Zhou et al. (KDD 2018), eq. 3.

    Example:
        Of topics 0 and 1, and of the last three topics, of which there were two.

        >>> fields = FieldVectors([2], dim=1, histories=[HistoryColumns(3, 2, like=0)])
        >>> fields.table.weight.data = torch.tensor([[10.0], [20.0]])
        >>> fields(torch.tensor([[1, 2, 1, 0]])).flatten().tolist()
        [20.0, 15.0]
    """

    def __init__(
        self,
        cardinalities: Sequence[int],
        dim: int,
        histories: Sequence[HistoryColumns] = (),
        attention: Sequence[int] | None = None,
        scale: float = EMBEDDING_SCALE,
    ) -> None:
        own = [history.cardinality for history in histories if history.like is None]
        super().__init__([*cardinalities, *own], dim, scale, _parts(len(cardinalities), histories))
        self.n_single, self.histories = len(cardinalities), tuple(histories)
        self.n_fields = len(cardinalities) + len(histories)
        for place, history in enumerate(histories):
            if attention is not None and history.like is not None:
                self.add_module(f"unit{place}", ActivationUnit(dim, attention))

    def forward(self, categorical: Tensor) -> Tensor:
        """(n, n_categorical) int64 -> (n, n_fields, dim)."""
        if not self.histories:
            return super().forward(categorical)
        single, past = categorical[:, : self.n_single], categorical[:, self.n_single :]
        vectors = super().forward(torch.cat([single, (past - 1).clamp(min=0)], 1))
        of_single, of_past = vectors[:, : self.n_single], vectors[:, self.n_single :]
        lengths = [history.length for history in self.histories]
        each = zip(torch.split(of_past, lengths, 1), torch.split(past > 0, lengths, 1), strict=True)
        pooled = [
            (self._weights(place, of_single, vectors, there).unsqueeze(2) * vectors).sum(1, keepdim=True)
            for place, (vectors, there) in enumerate(each)
        ]
        return torch.cat([of_single, *pooled], 1)

    def _weights(self, place: int, of_single: Tensor, past: Tensor, there: Tensor) -> Tensor:
        """(n, length) how much each vector of a history counts."""
        unit = getattr(self, f"unit{place}", None)
        like = self.histories[place].like
        if unit is None or like is None:
            return there / there.sum(1, keepdim=True).clamp(min=1)
        weights: Tensor = unit(past, of_single[:, like]) * there
        return weights


def _parts(n_single: int, histories: Sequence[HistoryColumns]) -> list[int]:
    """The part of the table that each column reads: of those without a model, one after the other.

    Example:
        >>> _parts(2, [HistoryColumns(2, 9, like=1), HistoryColumns(3, 5), HistoryColumns(1, 4)])
        [0, 1, 1, 1, 2, 2, 2, 3]
    """
    parts, further = list(range(n_single)), n_single
    for history in histories:
        parts += [further if history.like is None else history.like] * history.length
        further += history.like is None
    return parts
