"""Factorisation machines: a weight for each feature, and one for each pair of them by their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from mlsd.models.histories import HistoryColumns
from mlsd.models.inputs import FeatureVectors
from mlsd.models.layers import ScoringNet
from mlsd.models.linear import Linear


class FM(ScoringNet):
    """Factorisation machine of the second order.

        s = b + sum over i of  w_i x_i  +  sum over i < j of  <v_i, v_j> x_i x_j

    A dense column is one feature; a categorical one has a feature for each value, with x = 1 for the value
    that it has and 0 for all others. A history is one more vector, the mean of those that are there: it has
    products with all others, and none with itself.

    Args:
        n_dense: dense columns.
        cardinalities: of each categorical column.
        embedding_dim: length of a feature's vector v.
        histories: whose columns follow the categorical ones.

    Source: Rendle (ICDM 2010), eq. 1.
    """

    def __init__(
        self,
        n_dense: int,
        cardinalities: Sequence[int],
        embedding_dim: int,
        histories: Sequence[HistoryColumns] = (),
    ) -> None:
        super().__init__()
        self.linear = Linear(n_dense, cardinalities, histories)
        self.vectors = FeatureVectors(n_dense, cardinalities, embedding_dim, histories)

    @property
    def output_bias(self) -> nn.Parameter:
        return self.linear.bias

    def feature_weights(self) -> Iterator[nn.Parameter]:
        yield from (self.linear.weight, *self.linear.categorical.parameters(), *self.vectors.parameters())

    def forward(self, dense: Tensor, categorical: Tensor) -> Tensor:
        """(n, n_dense) float and (n, n_categorical) int64 -> (n,) scores."""
        return self.products(dense, categorical, self.vectors(dense, categorical))

    def products(self, dense: Tensor, categorical: Tensor, vectors: Tensor) -> Tensor:
        """(n,) scores, with the (n, n_fields, dim) vectors of what the features are."""
        first_order: Tensor = self.linear(dense, categorical)
        return first_order + pair_products(vectors)


def pair_products(vectors: Tensor) -> Tensor:
    """The sum of the products of all pairs of vectors, in time linear in their number.

        sum over i < j of  <u_i, u_j>  =  (|sum over i of u_i|^2 - sum over i of |u_i|^2) / 2

    Args:
        vectors: (n, n_fields, dim).

    Returns:
        (n,), 0 with a single field.

    Source: Rendle (ICDM 2010), lemma 3.1.

    Example:
        Three vectors of length 1: 2 * 3 + 2 * 5 + 3 * 5.

        >>> import torch
        >>> pair_products(torch.tensor([[[2.0], [3.0], [5.0]]])).tolist()
        [31.0]
    """
    return (vectors.sum(1).square() - vectors.square().sum(1)).sum(1) / 2
