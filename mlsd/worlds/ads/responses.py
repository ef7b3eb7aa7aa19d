"""What people do with the ads of a page, given how these suit them and how often they were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mlsd import checks, rng
from mlsd.types import NO_ITEM, Floats, Ints
from mlsd.worlds.click_models.base import ClickModel, Mask

_MINUTES_A_DAY = 1440.0


@dataclass(frozen=True)
class ResponseOptions:
    """What people do with an ad once they look at it. Log-odds add up.

    Args:
        click_logit: log-odds of a click where nothing speaks for or against it.
        interest_effect: what the log of a person's affinity to the ad's category adds to them.
        page_effect: what a page of the ad's own category adds.
        taste_effect: what the product of a person's and an ad's tastes adds per unit.
        fatigue: what log(1 + times seen) takes off, with what was seen on earlier days counting less.
        forgetting: share of what was seen that counts no more a day later, in (0, 1].
        conversion_logit: log-odds of a conversion after a click.
        conversion_interest: what the log of the affinity adds to them.
        quick_share: conversions that follow within the hour.
        quick_minutes: mean delay of these.
        slow_days: mean delay of the others.
        annoyance_logit: log-odds that an ad annoys whoever looks at it.
        annoyance_interest: what the log of the affinity takes off.
        annoyance_fatigue: what log(1 + times seen) adds.
        hide_prob: P(an annoyed person hides the ad).
    """

    click_logit: float = -3.7
    interest_effect: float = 0.5
    page_effect: float = 0.3
    taste_effect: float = 0.5
    fatigue: float = 0.25
    forgetting: float = 0.3
    conversion_logit: float = -2.5
    conversion_interest: float = 0.3
    quick_share: float = 0.4
    quick_minutes: float = 20.0
    slow_days: float = 3.0
    annoyance_logit: float = -2.4
    annoyance_interest: float = 0.4
    annoyance_fatigue: float = 0.3
    hide_prob: float = 0.05

    def __post_init__(self) -> None:
        for name in ("click_logit", "conversion_logit", "annoyance_logit"):
            checks.between(name, getattr(self, name), -20, 20)
        for name in ("interest_effect", "page_effect", "taste_effect", "fatigue", "conversion_interest",
                     "annoyance_interest", "annoyance_fatigue"):  # fmt: skip
            checks.between(name, getattr(self, name), 0, 5)
        checks.probability("forgetting", self.forgetting)
        checks.share("quick_share", self.quick_share)
        checks.above("quick_minutes", self.quick_minutes, 0)
        checks.above("slow_days", self.slow_days, 0)
        checks.share("hide_prob", self.hide_prob)

    def delayed_by(self, delay_days: Floats) -> Floats:
        """P(a conversion has followed its click within so many days): a mixture of two exponentials.

            F(t) = quick_share (1 - exp(-t / quick)) + (1 - quick_share) (1 - exp(-t / slow))

        Example:
            >>> options = ResponseOptions(quick_share=0.5, slow_days=2.0)
            >>> options.delayed_by(np.array([0.0, 2.0])).round(3).tolist()
            [0.0, 0.816]
        """
        quick = -np.expm1(-delay_days * _MINUTES_A_DAY / self.quick_minutes)
        slow = -np.expm1(-delay_days / self.slow_days)
        return np.asarray(self.quick_share * quick + (1 - self.quick_share) * slow)


class Suits(NamedTuple):
    """How pairs of a person on a page and an ad suit each other; arrays of one shape."""

    log_affinity: Floats
    """Log of the person's affinity to the ad's category."""
    same_page: Mask
    """Whether the page is of the ad's category."""
    taste: Floats
    """Product of the tastes of person and ad."""
    appeal: Floats
    annoying: Floats
    landing: Floats
    seen: Floats
    """Times the person has seen the ad's campaign, earlier days counting less."""


class Probs(NamedTuple):
    """The truth about the same pairs: each in (0, 1)."""

    click: Floats
    """P(click | looked at)."""
    conversion: Floats
    """P(conversion, sooner or later | click)."""
    annoyance: Floats
    """P(annoyed | looked at)."""


class Responses(NamedTuple):
    """All that people did, hidden parts included; each (n_requests, n_positions)."""

    examined: Mask
    clicked: Mask
    annoyed: Mask
    hid: Mask
    conversion_days: NDArray[np.float32]
    """Days from the click to the conversion, above 0; 0 where there never is one."""


class ResponseModel:
    """Answers pages. Every draw is keyed by request and ad, so position and company change no luck.

    Args:
        options: as declared.
        click_model: which positions are looked at.
        seed: of all draws.
    """

    def __init__(self, options: ResponseOptions, click_model: ClickModel, seed: int) -> None:
        self.options, self.click_model, self.seed = options, click_model, seed

    def probs(self, suits: Suits) -> Probs:
        """The truth about pairs.

        logit P(click)      = click_logit + appeal + interest_effect log affinity + page_effect [same page]
                              + taste_effect taste - fatigue log(1 + seen)
        logit P(conversion) = conversion_logit + landing + conversion_interest log affinity
        logit P(annoyed)    = annoyance_logit + annoying - annoyance_interest log affinity
                              + annoyance_fatigue log(1 + seen)
        """
        options, tired = self.options, np.log1p(suits.seen)
        click = options.click_logit + suits.appeal + options.interest_effect * suits.log_affinity
        click = click + options.page_effect * suits.same_page + options.taste_effect * suits.taste
        conversion = options.conversion_logit + suits.landing
        annoyance = options.annoyance_logit + suits.annoying + options.annoyance_fatigue * tired
        return Probs(
            np.asarray(expit(click - options.fatigue * tired)),
            np.asarray(expit(conversion + options.conversion_interest * suits.log_affinity)),
            np.asarray(expit(annoyance - options.annoyance_interest * suits.log_affinity)),
        )

    def __call__(self, request_id: Ints, items: Ints, probs: Probs) -> Responses:
        """What people do.

        Args:
            request_id: (n_requests,) whose page it is.
            items: (n_requests, n_positions); -1 where empty.
            probs: of the same shape.
        """
        keys = (request_id[:, None], items)
        shown = items != NO_ITEM
        attractive = (self._luck("clicks", keys) < probs.click) & shown
        converting = self._luck("conversions", keys) < probs.conversion
        looked = self.click_model.examined(self._luck("examination", keys), attractive, converting)
        examined = looked & shown
        clicked = examined & attractive
        annoyed = examined & (self._luck("annoyance", keys) < probs.annoyance)
        hid = annoyed & (self._luck("hiding", keys) < self.options.hide_prob)
        return Responses(
            examined, clicked, annoyed, hid, self._delays(request_id, items, clicked & converting)
        )

    def action_probs(self, shown: Mask, probs: Probs) -> dict[str, Floats]:
        """How likely people are to do each thing: what the mean of `__call__` tends to.

        P(click)      = P(looked at) P(click | looked at)
        P(conversion) = P(click) P(conversion | click)
        P(hide)       = P(looked at) P(annoyed | looked at) hide_prob

        Args:
            shown: (n_requests, n_positions) whether there is an ad.
            probs: of the same shape.

        Returns:
            Action -> (n_requests, n_positions) P(it is done, sooner or later), 0 where nothing is shown.
        """
        attractive = np.where(shown, probs.click, 0.0)
        looked = np.where(shown, self.click_model.marginal_examination(attractive, probs.conversion), 0.0)
        return {
            "click": looked * attractive,
            "hide": looked * probs.annoyance * self.options.hide_prob,
            "conversion_days": looked * attractive * probs.conversion,
        }

    def _luck(self, stream: str, keys: tuple[Ints, Ints]) -> Floats:
        return rng.uniform(self.seed, stream, *keys)

    def _delays(self, request_id: Ints, items: Ints, converted: Mask) -> NDArray[np.float32]:
        """Days, of conversions only."""
        keys = np.repeat(request_id, np.count_nonzero(converted, axis=1)), items[converted]
        quick = rng.uniform(self.seed, "quick", *keys) < self.options.quick_share
        mean = np.where(quick, self.options.quick_minutes / _MINUTES_A_DAY, self.options.slow_days)
        delay = np.maximum(mean * rng.exponential(self.seed, "delays", *keys), np.finfo(np.float32).tiny)
        days = np.zeros(items.shape, np.float32)
        days[converted] = delay
        return days
