"""No pacing."""

from __future__ import annotations

from mlsd.pacing.base import Pacer, PacingState
from mlsd.types import Floats


class NoPacing(Pacer):
    """No pacing: every campaign bids its value everywhere, for as long as its money lasts.

    Args:
        update_minutes: how often it is seen who has no money left, a divisor of 1440.
    """

    def __init__(self, update_minutes: int = 5) -> None:
        super().__init__(update_minutes)

    def steered(self, state: PacingState) -> Floats:
        return state.control
