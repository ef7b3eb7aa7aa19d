"""Conversions of clicks when not all of them have arrived, and what a click is then worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from mlsd.errors import InputError
from mlsd.estimators.delays import fit_delays
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.types import Array, Candidates, Floats, Ints

Correction = Literal["importance", "none"]

CORRECTIONS: tuple[Correction, ...] = ("importance", "none")
"""How labels of conversions are corrected for those that have not arrived: by importance, or not at all."""

NEEDED = ("click", "conversion_days")
"""Actions that a log must have."""

OFFERS = frozenset({"candidate.bid", "candidate.per_action"})
"""What a candidate offers, and whether for conversions rather than clicks."""


def priced(candidates: Candidates, conversion_prob: Floats) -> Mapping[str, Array]:
    """The columns `conversion_prob` and `click_value`, (n_candidates,) each.

    click_value = bid                       where a campaign pays for clicks
    click_value = bid * conversion_prob     where it pays for conversions
    """
    bid, per_action = candidates["bid"], candidates["per_action"]
    value = np.where(per_action, bid * conversion_prob, bid)
    return {"conversion_prob": conversion_prob, "click_value": value}


class Clicks(NamedTuple):
    """Clicks before the test window, as they were known at its beginning; each (n_clicks,)."""

    request_id: Array
    item: Array
    position: Ints
    elapsed_days: Floats
    delay_days: Floats
    converted: Array
    """bool: whether a conversion had arrived."""

    @staticmethod
    def known(log: Log) -> Clicks:
        """The clicks of a log.

        Raises:
            InputError: the log lacks clicks or conversions.
        """
        missing = [name for name in NEEDED if name not in log.impressions.columns]
        if missing:
            raise InputError(
                f"conversions are learnt from {' and '.join(NEEDED)}; the log lacks {missing[0]}"
            )
        before = log.until("validation")
        now = float(before.requests.day.max(initial=-1)) + 1.0
        clicked = before.impressions[before.impressions["click"].to_numpy() > 0]
        delay = clicked["conversion_days"].to_numpy(np.float64)
        elapsed = now - clicked["time_days"].to_numpy(np.float64)
        request_id, item, position = (clicked[name].to_numpy() for name in ("request_id", "item", "position"))
        return Clicks(request_id, item, position, elapsed, delay, (delay > 0) & (delay <= elapsed))

    def labels(self, correction: Correction, weight: Floats | float = 1.0) -> Labels:
        """One label for each click, whose expectation is P(conversion | click).

            label = [converted] / P(arrived | elapsed)  x  weight

        with the time elapsed from the click to the end of the validation window. Delays are estimated from
        what has arrived (`fit_delays`). With "none" it is [converted], which is too low for fresh clicks.

        Args:
            correction: "importance" or "none".
            weight: what each click counts, (n_clicks,) or one for all.

        Raises:
            InputError: too few conversions have arrived to know their delays.

        Source: inverse probability weights for delayed feedback, Yasui et al. (WWW 2020).
        """
        label = self.converted * weight
        if correction == "importance":
            delays = fit_delays(self.delay_days[self.converted], self.elapsed_days[self.converted])
            np.divide(label, delays.arrived(self.elapsed_days), out=label, where=self.converted)
        return Labels.of_pairs(self.request_id, self.item, label)
