"""What people do with the posts of a page: how far they scroll, what they open, like, share and hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mlsd import checks, rng
from mlsd.types import NO_ITEM, Floats, Ints

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ResponseOptions:
    """What people do with a post once they look at it. Log-odds add up.

    Args:
        interest_effect: what the log of a person's affinity to the topic adds to a post's appeal.
        taste_effect: what the product of a person's and a post's tastes adds per unit.
        follow_effect: what following the author adds.
        quality_effect: what a unit of quality adds.
        age_effect: what log(1 + age in hours) takes off.
        repeat_effect: what log(1 + times seen) takes off.
        click_logit, like_logit, reply_logit, repost_logit, follow_logit: log-odds of each action where
            nothing speaks for or against the post.
        like_appeal, reply_appeal, repost_appeal, follow_appeal: how much of the appeal counts for each; all
            of it does for a click.
        bait_click: what a unit of bait adds to the log-odds of a click.
        bait_cost: what it takes off those of being satisfied, and adds to those of being annoyed.
        heat_reply: what a unit of heat adds to the log-odds of a reply.
        heat_cost: as `bait_cost`, for heat.
        satisfied_logit: log-odds that a post that is looked at satisfies.
        annoyed_logit: log-odds that it annoys.
        annoyed_appeal: how much of the appeal is taken off these.
        hide_prob: P(an annoyed person hides the post).
        report_prob: P(a person who hides a post reports it), of a post without heat.
        report_heat: what a unit of heat adds to the log-odds of that.
        dwell_s: seconds that an opened post of 30 words is read for, median.
        dwell_words: power of its words over 30 that this grows with.
        dwell_satisfied: what being satisfied adds to the log of the seconds.
        dwell_sigma: standard deviation of that log.
        scroll_logit: log-odds of going on after the first post.
        scroll_fatigue: what each further post takes off these.
        scroll_joy: what a post that satisfied adds.
        scroll_annoyance: what a post that annoyed takes off.
    """

    interest_effect: float = 0.6
    taste_effect: float = 0.6
    follow_effect: float = 0.5
    quality_effect: float = 0.6
    age_effect: float = 0.3
    repeat_effect: float = 2.0
    click_logit: float = -1.2
    like_logit: float = -1.8
    reply_logit: float = -3.8
    repost_logit: float = -3.8
    follow_logit: float = -3.5
    like_appeal: float = 1.0
    reply_appeal: float = 0.6
    repost_appeal: float = 1.0
    follow_appeal: float = 0.8
    bait_click: float = 0.6
    bait_cost: float = 0.5
    heat_reply: float = 0.8
    heat_cost: float = 0.6
    satisfied_logit: float = -0.8
    annoyed_logit: float = -2.8
    annoyed_appeal: float = 0.6
    hide_prob: float = 0.15
    report_prob: float = 0.05
    report_heat: float = 1.0
    dwell_s: float = 15.0
    dwell_words: float = 0.5
    dwell_satisfied: float = 0.9
    dwell_sigma: float = 0.7
    scroll_logit: float = 2.6
    scroll_fatigue: float = 0.12
    scroll_joy: float = 0.5
    scroll_annoyance: float = 1.0

    def __post_init__(self) -> None:
        for name in ("click_logit", "like_logit", "reply_logit", "repost_logit", "follow_logit",
                     "satisfied_logit", "annoyed_logit", "scroll_logit"):  # fmt: skip
            checks.between(name, getattr(self, name), -20, 20)
        for name in ("interest_effect", "taste_effect", "follow_effect", "quality_effect", "age_effect",
                     "repeat_effect", "like_appeal", "reply_appeal", "repost_appeal", "follow_appeal",
                     "bait_click", "bait_cost", "heat_reply", "heat_cost", "annoyed_appeal", "report_heat",
                     "dwell_words", "dwell_satisfied", "dwell_sigma", "scroll_fatigue", "scroll_joy",
                     "scroll_annoyance"):  # fmt: skip
            checks.between(name, getattr(self, name), 0, 5)
        checks.share("hide_prob", self.hide_prob)
        checks.within("report_prob", self.report_prob, 0, 1)
        checks.above("dwell_s", self.dwell_s, 0)


class Suits(NamedTuple):
    """How pairs of a person and a post suit each other; arrays of one shape."""

    log_affinity: Floats
    """Log of the person's affinity to the post's topic, that day."""
    taste: Floats
    """Product of the tastes of person and post."""
    media: Floats
    """How much the person likes its kind of media."""
    follows: Mask
    """Whether the person follows its author."""
    quality: Floats
    bait: Floats
    heat: Floats
    age_hours: Floats
    seen: Floats
    """Times the person has seen the post."""


class Probs(NamedTuple):
    """The truth about the same pairs, once a post is looked at: each in [0, 1]."""

    click: Floats
    like: Floats
    reply: Floats
    repost: Floats
    follow: Floats
    """0 of an author whom the person follows already."""
    satisfied: Floats
    annoyed: Floats
    report: Floats
    """P(reports | hides)."""


class Responses(NamedTuple):
    """All that people did, hidden parts included; each (n_requests, n_positions)."""

    examined: Mask
    click: Mask
    like: Mask
    reply: Mask
    repost: Mask
    follow: Mask
    hide: Mask
    report: Mask
    dwell_s: NDArray[np.float32]
    """Seconds that an opened post was read for; 0 where none was opened."""
    satisfied: Mask
    annoyed: Mask


class ResponseModel:
    """Answers pages. Every draw is keyed by request and post, so position and company change no luck.

    Args:
        options: as declared.
        seed: of all draws.
    """

    def __init__(self, options: ResponseOptions, seed: int) -> None:
        self.options, self.seed = options, seed

    def probs(self, suits: Suits) -> Probs:
        """The truth about pairs.

        appeal             = interest_effect log affinity + taste_effect taste + media
                             + follow_effect [follows] + quality_effect quality
                             - age_effect log(1 + age) - repeat_effect log(1 + seen)
        logit P(click)     = click_logit + appeal + bait_click bait
        logit P(like)      = like_logit + like_appeal appeal - bait_cost bait
        logit P(reply)     = reply_logit + reply_appeal appeal + heat_reply heat
        logit P(repost)    = repost_logit + repost_appeal appeal - bait_cost bait
        logit P(follow)    = follow_logit + follow_appeal appeal
        logit P(satisfied) = satisfied_logit + appeal - bait_cost bait - heat_cost heat
        logit P(annoyed)   = annoyed_logit - annoyed_appeal appeal + bait_cost bait + heat_cost heat
        """
        options, appeal = self.options, self.appeal(suits)
        bait, heat = options.bait_cost * suits.bait, options.heat_cost * suits.heat
        follow = expit(options.follow_logit + options.follow_appeal * appeal)
        report_logit = np.log(options.report_prob / (1 - options.report_prob))
        return Probs(
            np.asarray(expit(options.click_logit + appeal + options.bait_click * suits.bait)),
            np.asarray(expit(options.like_logit + options.like_appeal * appeal - bait)),
            np.asarray(
                expit(options.reply_logit + options.reply_appeal * appeal + options.heat_reply * suits.heat)
            ),
            np.asarray(expit(options.repost_logit + options.repost_appeal * appeal - bait)),
            np.where(suits.follows, 0.0, follow),
            np.asarray(expit(options.satisfied_logit + appeal - bait - heat)),
            np.asarray(expit(options.annoyed_logit - options.annoyed_appeal * appeal + bait + heat)),
            np.asarray(expit(report_logit + options.report_heat * suits.heat)),
        )

    def appeal(self, suits: Suits) -> Floats:
        """How much speaks for each pair."""
        options = self.options
        person = (
            options.interest_effect * suits.log_affinity + options.taste_effect * suits.taste + suits.media
        )
        person = person + options.follow_effect * suits.follows
        post = options.quality_effect * suits.quality - options.age_effect * np.log1p(suits.age_hours)
        return np.asarray(person + post - options.repeat_effect * np.log1p(suits.seen))

    def __call__(self, request_id: Ints, items: Ints, n_words: Ints, probs: Probs) -> Responses:
        """What people do.

        Args:
            request_id: (n_requests,) whose page it is.
            items: (n_requests, n_positions); -1 where empty.
            n_words: of the same shape.
            probs: of the same shape.
        """
        keys = (request_id[:, None], items)
        satisfied, annoyed = (
            self._luck(name, keys) < getattr(probs, name) for name in ("satisfied", "annoyed")
        )
        go_on = self._luck("scrolling", keys) < self._going_on(satisfied, annoyed)
        examined = _reached(go_on.astype(np.float64)).astype(bool) & (items != NO_ITEM)
        done = {
            name: examined & (self._luck(name, keys) < getattr(probs, name))
            for name in ("click", "like", "reply", "repost", "follow")
        }
        hide = examined & annoyed & (self._luck("hide", keys) < self.options.hide_prob)
        report = hide & (self._luck("report", keys) < probs.report)
        satisfied, annoyed = satisfied & examined, annoyed & examined
        dwell = np.where(done["click"], self._dwell(keys, n_words, satisfied), 0.0)
        return Responses(
            examined=examined, **done, hide=hide, report=report, dwell_s=dwell.astype(np.float32),
            satisfied=satisfied, annoyed=annoyed,
        )  # fmt: skip

    def action_probs(self, shown: Mask, probs: Probs) -> dict[str, Floats]:
        """How likely people are to do each thing: what the mean of `__call__` tends to.

        Args:
            shown: (n_requests, n_positions) whether there is a post.
            probs: of the same shape.

        Returns:
            Action -> (n_requests, n_positions) P(it is done), 0 where nothing is shown.
        """
        looked = np.where(shown, self.examination(probs), 0.0)
        hide = looked * probs.annoyed * self.options.hide_prob
        done = {
            name: looked * getattr(probs, name) for name in ("click", "like", "reply", "repost", "follow")
        }
        return {**done, "hide": hide, "report": hide * probs.report, "dwell_s": done["click"]}

    def examination(self, probs: Probs) -> Floats:
        """(n_requests, n_positions) P(the person looks at each position), given what stands above it."""
        both = (
            weight * self._going_on(np.full_like(weight, s, bool), np.full_like(weight, a, bool))
            for s, a, weight in (
                (True, True, probs.satisfied * probs.annoyed),
                (True, False, probs.satisfied * (1 - probs.annoyed)),
                (False, True, (1 - probs.satisfied) * probs.annoyed),
                (False, False, (1 - probs.satisfied) * (1 - probs.annoyed)),
            )
        )
        return _reached(sum(both, np.zeros_like(probs.satisfied)))

    def examination_prob(self, n_positions: int) -> Floats:
        """(n_positions,) P(the person looks at it | nothing above satisfies or annoys)."""
        nothing = np.zeros((1, n_positions), bool)
        return np.asarray(_reached(self._going_on(nothing, nothing))[0])

    def _going_on(self, satisfied: Mask, annoyed: Mask) -> Floats:
        """P(scrolls on | looked at the post at each position)."""
        options = self.options
        tired = options.scroll_fatigue * np.arange(satisfied.shape[-1])
        log_odds = options.scroll_logit - tired + options.scroll_joy * satisfied
        return np.asarray(expit(log_odds - options.scroll_annoyance * annoyed))

    def _dwell(self, keys: tuple[Ints, Ints], n_words: Ints, satisfied: Mask) -> Floats:
        options = self.options
        log_s = np.log(options.dwell_s) + options.dwell_words * np.log(n_words / 30.0)
        log_s = log_s + options.dwell_satisfied * satisfied
        return np.asarray(np.exp(log_s + options.dwell_sigma * rng.normal(self.seed, "dwell", *keys)))

    def _luck(self, stream: str, keys: tuple[Ints, Ints]) -> Floats:
        return rng.uniform(self.seed, stream, *keys)


def _reached(go_on: Floats) -> Floats:
    """(n_requests, n_positions) P(each position is looked at) by P(going on after each): 1 at the first.

    Example:
        >>> _reached(np.array([[0.5, 0.2, 0.9]])).tolist()
        [[1.0, 0.5, 0.1]]
    """
    reached = np.ones_like(go_on)
    reached[:, 1:] = np.cumprod(go_on[:, :-1], axis=1)
    return np.asarray(reached)
