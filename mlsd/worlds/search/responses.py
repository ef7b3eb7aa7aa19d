"""What users of the search world do with a slate, given how relevant it is and how it interests them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, rng
from mlsd.types import NO_ITEM, Floats, Ints
from mlsd.worlds.click_models.base import ClickModel, Mask
from mlsd.worlds.search.relevance import N_GRADES

_BLOCK = 1 << 15
"""Impressions answered at once, so that the work stays in the cache; no result depends on it."""


@dataclass(frozen=True)
class ResponseOptions:
    """What users do with an item once they look at it.

    Args:
        noise: P(click) on an item of grade 0 that is looked at.
        interest_effect: the odds of a click are multiplied by the user's affinity to the item's category
            to this power, 0 to 5; 0 makes all users alike.
        satisfaction_prob: P(satisfied | clicked) by grade, 0 to 4.
        satisfied_dwell_s: median time on an item that satisfies, in seconds.
        unsatisfied_dwell_s: median time on one that does not.
        dwell_sigma: standard deviation of the log of both.
    """

    noise: float = 0.1
    interest_effect: float = 0.3
    satisfaction_prob: Sequence[float] = (0.1, 0.2, 0.4, 0.7, 0.9)
    satisfied_dwell_s: float = 75.0
    unsatisfied_dwell_s: float = 12.0
    dwell_sigma: float = 1.0

    def __post_init__(self) -> None:
        checks.share("noise", self.noise)
        checks.between("interest_effect", self.interest_effect, 0, 5)
        checks.require(
            len(self.satisfaction_prob) == N_GRADES + 1, "satisfaction_prob", list(self.satisfaction_prob),
            f"must have {N_GRADES + 1} numbers, one for each grade from 0 to {N_GRADES}",
        )  # fmt: skip
        for grade, prob in enumerate(self.satisfaction_prob):
            checks.share(f"satisfaction_prob[{grade}]", prob)
        checks.above("satisfied_dwell_s", self.satisfied_dwell_s, 0)
        checks.above("unsatisfied_dwell_s", self.unsatisfied_dwell_s, 0)
        checks.at_least("dwell_sigma", self.dwell_sigma, 0)

    @property
    def attraction(self) -> Floats:
        """(5,) P(click | looked at) by grade g, of a user with affinity 1.

            noise + (1 - noise) * (2 ** g - 1) / (2 ** 4 - 1)

        Example:
            >>> ResponseOptions(noise=0.1).attraction.round(2).tolist()
            [0.1, 0.16, 0.28, 0.52, 1.0]
        """
        gains = np.exp2(np.arange(N_GRADES + 1)) - 1.0
        return np.asarray(self.noise + (1.0 - self.noise) * gains / gains[-1])


class Responses(NamedTuple):
    """All that users did, hidden parts included; each (n_requests, n_positions).

    Args:
        examined: whether the user looked at the position.
        clicked: whether the user clicked the item.
        satisfied: whether the clicked item satisfied the user.
        dwell_s: float32, seconds spent on the clicked item; 0 without a click.
    """

    examined: Mask
    clicked: Mask
    satisfied: Mask
    dwell_s: NDArray[np.float32]


class ResponseModel:
    """Answers slates. Every draw is keyed by request and item, so position and company change no luck.

        attractive  with odds   a / (1 - a) * affinity ** interest_effect,   a = attraction[grade]
        satisfying  with prob.  satisfaction_prob[grade]
        log dwell   normal around the log of the median for satisfied or unsatisfied clicks

    Args:
        options: as declared.
        click_model: which positions are looked at.
        seed: of all draws.
    """

    def __init__(self, options: ResponseOptions, click_model: ClickModel, seed: int) -> None:
        self.options, self.click_model, self.seed = options, click_model, seed
        self._attraction = options.attraction
        self._satisfaction = np.array(options.satisfaction_prob, dtype=np.float64)

    def __call__(self, request_id: Ints, items: Ints, grades: Ints, odds: Floats) -> Responses:
        """What users do.

        Args:
            request_id: (n_requests,) whom each slate is shown to.
            items: (n_requests, n_positions); -1 where empty.
            grades: the same shape, in 0..4.
            odds: the same shape, affinity ** interest_effect; above 0.
        """
        examined, clicked, satisfied = np.empty((3, *items.shape), bool)
        height = max(1, _BLOCK // max(1, items.shape[1]))
        for start in range(0, len(items), height):
            rows = slice(start, start + height)
            done = self._block(request_id[rows], items[rows], grades[rows], odds[rows])
            examined[rows], clicked[rows], satisfied[rows] = done
        return Responses(examined, clicked, satisfied, self._dwell(request_id, items, clicked, satisfied))

    def _block(self, request_id: Ints, items: Ints, grades: Ints, odds: Floats) -> tuple[Mask, Mask, Mask]:
        """What is examined, what is clicked, what satisfies."""
        keys = (request_id[:, None], items)
        attraction = self._attraction[grades]
        attraction *= odds / (1.0 - attraction + attraction * odds)
        attractive = rng.uniform(self.seed, "attraction", *keys) < attraction
        attractive &= items != NO_ITEM
        satisfying = rng.uniform(self.seed, "satisfaction", *keys) < self._satisfaction[grades]
        luck = rng.uniform(self.seed, "examination", *keys)
        examined = self.click_model.examined(luck, attractive, satisfying)
        clicked = examined & attractive
        return examined, clicked, clicked & satisfying

    def _dwell(self, request_id: Ints, items: Ints, clicked: Mask, satisfied: Mask) -> NDArray[np.float32]:
        """Seconds, of clicks only."""
        request = np.repeat(request_id, np.count_nonzero(clicked, axis=1))
        spread = rng.normal(self.seed, "dwell", request, items[clicked])
        medians = np.log([self.options.unsatisfied_dwell_s, self.options.satisfied_dwell_s])
        log_dwell = medians[satisfied[clicked].astype(np.int64)] + self.options.dwell_sigma * spread
        dwell_s = np.zeros(clicked.shape, np.float32)
        dwell_s[clicked] = np.exp(log_dwell)
        return dwell_s
