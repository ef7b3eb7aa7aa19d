"""The position-based model: whether a position is looked at depends on the position alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlsd import checks
from mlsd.types import Floats
from mlsd.worlds.click_models.base import ClickModel, Mask

EYE_TRACKED = (0.68, 0.61, 0.48, 0.34, 0.28, 0.20, 0.11, 0.10, 0.08, 0.06)
"""P(examined) of the first ten positions, from eye tracking (Joachims et al., SIGIR 2005), as the ULTRA
toolbox uses them (Tran et al., CIKM 2021)."""


@dataclass(frozen=True)
class PositionBased(ClickModel):
    """Position-based model (Richardson, Dominowska and Ragno, WWW 2007; Craswell et al., WSDM 2008).

        P(examined at position k) = examination[k] ** eta

    Beyond the n listed positions examination falls with the inverse of the 1-based position,
    `examination[n - 1] * n / (k + 1)`, as 1 / position is the usual propensity curve (Joachims,
    Swaminathan and Schnabel, WSDM 2017).

    Args:
        examination: of the first positions, each in (0, 1].
        eta: strength of the position bias, 0 or more; 0 makes every position certain to be looked at.

    Example:
        >>> PositionBased(examination=[0.8, 0.4], eta=1.0).examination_prob(4).tolist()
        [0.8, 0.4, 0.26666666666666666, 0.2]
    """

    examination: Sequence[float] = EYE_TRACKED
    eta: float = 1.0

    def __post_init__(self) -> None:
        checks.not_empty("examination", self.examination)
        for position, prob in enumerate(self.examination):
            checks.probability(f"examination[{position}]", prob)
        checks.at_least("eta", self.eta, 0)

    def examined(self, luck: Floats, attractive: Mask, satisfying: Mask) -> Mask:  # noqa: ARG002
        return luck < self.examination_prob(luck.shape[1])

    def marginal_examination(self, attractive_prob: Floats, satisfying_prob: Floats) -> Floats:  # noqa: ARG002
        return np.broadcast_to(self.examination_prob(attractive_prob.shape[1]), attractive_prob.shape)

    def examination_prob(self, n_positions: int) -> Floats:
        listed = np.array(self.examination, dtype=np.float64)
        n_listed = len(listed)
        beyond = listed[-1] * n_listed / (np.arange(n_listed, n_positions) + 1)
        return np.asarray(np.concatenate([listed, beyond])[:n_positions] ** self.eta)
