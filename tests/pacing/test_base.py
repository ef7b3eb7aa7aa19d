from __future__ import annotations

import numpy as np

from mlsd.pacing.none import NoPacing


def test_times_fall_into_the_intervals_of_their_day() -> None:
    pacer = NoPacing(360)
    assert pacer.n_intervals == 4
    assert pacer.interval_of(np.array([0.0, 0.2499, 0.25, 3.75, 7.9999])).tolist() == [0, 0, 1, 3, 3]
