"""What a click model comes to, by going through everything that may happen on a slate."""

from __future__ import annotations

from itertools import product

import numpy as np

from mlsd.types import Floats
from mlsd.worlds.click_models.base import ClickModel


def mean_examination(
    model: ClickModel, goes_on_prob: Floats, attractive_prob: Floats, satisfying_prob: Floats
) -> Floats:
    """(n_positions,) P(the user looks at each position) of one slate, all draws independent.

    Args:
        model: that reads luck by whether it is 0 or almost 1.
        goes_on_prob: (n_positions,) P(the luck at a position is such that the model goes on).
        attractive_prob: (n_positions,).
        satisfying_prob: (n_positions,).
    """
    n = len(attractive_prob)
    total = np.zeros(n)
    for flags in product([False, True], repeat=3 * n):
        lucky, attractive, satisfying = np.array(flags).reshape(3, 1, n)
        prob = 1.0
        for happens, of in (
            (lucky, goes_on_prob),
            (attractive, attractive_prob),
            (satisfying, satisfying_prob),
        ):
            prob *= float(np.prod(np.where(happens[0], of, 1 - of)))
        luck = np.where(lucky, 0.0, np.nextafter(1.0, 0.0))
        total += prob * model.examined(luck, attractive, satisfying)[0]
    return total
