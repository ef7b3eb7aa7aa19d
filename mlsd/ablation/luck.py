"""How much of a redesign's difference could be the luck of training.

Intervals over users tell whether two fitted systems differ. Whether their designs do is another question:
the same design, trained again from another seed, is another system too. So the whole design is trained a
few times more, and what is trained without a part is held against all of these trainings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True)
class TrainingLuck:
    """The deciding metric of one design, trained several times.

    Another training of an equally good design lies, with the stated confidence, within `reach` of their mean
    (a prediction interval; its assumption is that values are normal and vary alike with and without a part):

        reach = t(n - 1, (1 + confidence) / 2) x sd x sqrt(1 + 1 / n)

    Source: Hahn and Meeker (1991), "Statistical intervals", section 4.3.

    Args:
        values: of n trainings, on the same requests.
        confidence: in (0, 1).

    Example:
        >>> luck = TrainingLuck((0.50, 0.52, 0.51), 0.95)
        >>> round(luck.reach, 4), luck.exceeded_by(0.46), luck.exceeded_by(0.47)
        (0.0497, True, False)
    """

    values: Sequence[float]
    confidence: float

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def sd(self) -> float:
        """NaN of a single training."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else np.nan

    @property
    def reach(self) -> float:
        """How far from the mean luck takes a further training; NaN of a single training."""
        n = len(self.values)
        quantile = stdtrit(max(n - 1, 1), (1 + self.confidence) / 2)
        return float(quantile * self.sd * np.sqrt(1 + 1 / n))

    def exceeded_by(self, value: float) -> bool | None:
        """Whether a value lies further off than luck would take it; None where luck is not known."""
        return None if np.isnan(self.reach) else bool(abs(value - self.mean) > self.reach)

    def to_metrics(self) -> dict[str, object]:
        """As in `metrics.json`."""
        return {"values": list(self.values), "mean": self.mean, "sd": self.sd, "reach": self.reach}
