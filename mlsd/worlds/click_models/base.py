"""How a user goes down a slate.

A user's answer to a slate has three parts. Each item shown either would or would not attract a click if
the user looked at it, and either would or would not satisfy if clicked: both belong to the world. Which
positions the user looks at belongs to the click model, and

    clicked = examined and attractive,    satisfied = clicked and satisfying.

The position-based, cascade, DCM, CCM, DBN and UBM models differ in the examined positions only (Chuklin,
Markov and de Rijke, Click Models for Web Search, 2015).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from mlsd.types import Floats

Mask = NDArray[np.bool_]


class ClickModel(ABC):
    """Decides which positions of a slate a user looks at."""

    @abstractmethod
    def examined(self, luck: Floats, attractive: Mask, satisfying: Mask) -> Mask:
        """(n_requests, n_positions) whether the user looks at each position.

        Args:
            luck: (n_requests, n_positions) uniform draws in [0, 1), one for each item shown.
            attractive: the same shape; whether the user clicks the item once it is looked at.
            satisfying: the same shape; whether the user is satisfied once the item is clicked.

        A position's answer depends on the positions up to and with its own in the same row, no others.
        """

    @abstractmethod
    def examination_prob(self, n_positions: int) -> Floats:
        """(n_positions,) P(the user looks at this position | nothing above it attracts a click)."""

    @abstractmethod
    def marginal_examination(self, attractive_prob: Floats, satisfying_prob: Floats) -> Floats:
        """(n_requests, n_positions) P(the user looks at each position), whatever attracts above it.

        Args:
            attractive_prob: (n_requests, n_positions) P(the item attracts a click), 0 where there is none.
            satisfying_prob: the same shape; P(the item satisfies). All draws are independent of each other.
        """


def none_above(mask: Mask) -> Mask:
    """(n_requests, n_positions) whether the mask holds at no position above.

    Example:
        >>> none_above(np.array([[False, True, False]])).tolist()
        [[True, True, False]]
    """
    held = np.zeros_like(mask)
    held[:, 1:] = np.logical_or.accumulate(mask[:, :-1], axis=1)
    return ~held


def none_above_prob(prob: Floats) -> Floats:
    """(n_requests, n_positions) P(nothing of the kind above), by the probability at each position.

    Example:
        >>> none_above_prob(np.array([[0.5, 0.2, 0.9]])).tolist()
        [[1.0, 0.5, 0.4]]
    """
    nothing = np.ones_like(prob, np.float64)
    nothing[:, 1:] = np.cumprod(1.0 - prob[:, :-1], axis=1)
    return nothing
