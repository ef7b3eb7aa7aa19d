"""The dynamic Bayesian network model: users go down the slate until they are satisfied or lose patience."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import checks
from mlsd.types import Floats
from mlsd.worlds.click_models.base import ClickModel, Mask, none_above, none_above_prob


@dataclass(frozen=True)
class DynamicBayesian(ClickModel):
    """Dynamic Bayesian network model (Chapelle and Zhang, WWW 2009).

        examined at position 0
        P(examined at k + 1 | examined at k) = 0 if the item at k was clicked and satisfied, else gamma

    With gamma = 1 and every click satisfying this is the cascade model.

    Args:
        gamma: P(the user goes on | not satisfied yet), in (0, 1].

    Example:
        >>> DynamicBayesian(gamma=0.5).examination_prob(3).tolist()
        [1.0, 0.5, 0.25]
    """

    gamma: float = 0.9

    def __post_init__(self) -> None:
        checks.probability("gamma", self.gamma)

    def examined(self, luck: Floats, attractive: Mask, satisfying: Mask) -> Mask:
        goes_on = luck < self.gamma
        goes_on[:, :1] = True
        return np.logical_and.accumulate(goes_on, axis=1) & none_above(attractive & satisfying)

    def marginal_examination(self, attractive_prob: Floats, satisfying_prob: Floats) -> Floats:
        goes_on = self.examination_prob(attractive_prob.shape[1])
        return np.asarray(goes_on * none_above_prob(attractive_prob * satisfying_prob))

    def examination_prob(self, n_positions: int) -> Floats:
        return np.asarray(self.gamma ** np.arange(n_positions, dtype=np.float64))
