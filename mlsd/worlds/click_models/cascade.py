"""The cascade model: users go down the slate until the first click, and no further."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd.types import Floats
from mlsd.worlds.click_models.base import ClickModel, Mask, none_above, none_above_prob


@dataclass(frozen=True)
class Cascade(ClickModel):
    """Cascade model (Craswell, Zoeter, Taylor and Ramsey, WSDM 2008).

        examined at position k  if nothing above k attracts

    A slate gets one click at most, and none only where nothing on it attracts.

    Example:
        >>> attractive = np.array([[False, True, True]])
        >>> Cascade().examined(np.zeros((1, 3)), attractive, attractive).tolist()
        [[True, True, False]]
    """

    def examined(self, luck: Floats, attractive: Mask, satisfying: Mask) -> Mask:  # noqa: ARG002
        return none_above(attractive)

    def marginal_examination(self, attractive_prob: Floats, satisfying_prob: Floats) -> Floats:  # noqa: ARG002
        return none_above_prob(attractive_prob)

    def examination_prob(self, n_positions: int) -> Floats:
        return np.ones(n_positions)
