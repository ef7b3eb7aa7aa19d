"""The parts of a result, as plain values: stages, capacity, labels, experiment and so on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlsd.report.estimate import Estimate


@dataclass(frozen=True)
class Latency:
    """Percentiles of the time one request takes, in milliseconds; NaN where not measured."""

    p50_ms: float = math.nan
    p95_ms: float = math.nan
    p99_ms: float = math.nan


@dataclass(frozen=True)
class StageResult:
    """One stage of the funnel as it ran.

    Args:
        name: its key in the config.
        kind: what it does, such as "retrieve" or "rank".
        contains: what is inside, in words, such as "BM25 + two-tower + popularity".
        n_in: mean number of candidates a request enters with; of the first stage, the catalog's size.
        n_out: mean number of candidates a request leaves with.
        latency: of single requests.
    """

    name: str
    kind: str
    contains: str = ""
    n_in: float = math.nan
    n_out: float = math.nan
    latency: Latency = field(default_factory=Latency)


@dataclass(frozen=True)
class Capacity:
    """How quick the whole funnel is, against what the problem allows.

    Args:
        request: latency of single requests through all stages, after warm-up.
        budget_ms: what the 99th percentile must not exceed; None when the problem names none.
        throughput_per_s: requests a second, served in batches.
        batch_size: requests a batch held.
        required_per_s: requests a second that the problem expects at its peak.
        n_requests: single requests that were timed.
        machine: what it was measured on, in words.
        n_items: in the catalog that it was measured with.
        planned_items: in the catalog that the problem plans for.
    """

    request: Latency = field(default_factory=Latency)
    budget_ms: float | None = None
    throughput_per_s: float = math.nan
    batch_size: int | None = None
    required_per_s: float | None = None
    n_requests: int | None = None
    machine: str = ""
    n_items: int | None = None
    planned_items: int | None = None

    @property
    def fits(self) -> bool | None:
        """Whether the 99th percentile is within the budget; None when either is unknown."""
        if self.budget_ms is None or not math.isfinite(self.request.p99_ms):
            return None
        return self.request.p99_ms <= self.budget_ms


@dataclass(frozen=True)
class Examination:
    """How often users look at one position, relative to position 0.

    Args:
        position: 0-based.
        estimate: from the shuffled slice of the log.
        truth: in a synthetic world; NaN elsewhere.
    """

    position: int
    estimate: Estimate
    truth: float = math.nan


@dataclass(frozen=True)
class LabelDiagnostics:
    """How training labels were made.

    Args:
        source: where labels come from, in words.
        counts: how many of each, such as {"impressions": 9310, "clicks": 812}.
        examination: by position, as estimated and as it is.
        clipped_share: positive labels whose weight was cut, in [0, 1]; NaN where none is weighted.
        explored_share: slates of the log that were shuffled, in [0, 1]; NaN without slates.
    """

    source: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    examination: tuple[Examination, ...] = ()
    clipped_share: float = math.nan
    explored_share: float = math.nan


@dataclass(frozen=True)
class GradeShare:
    """How often a grade was given.

    Args:
        grade: of the scale.
        guideline: what it means, as raters were told.
        ratings: share of single ratings, in [0, 1].
        aggregated: share of pairs, ratings taken together.
        truth: share of pairs in truth; NaN where nobody knows.
    """

    grade: int
    guideline: str
    ratings: float = math.nan
    aggregated: float = math.nan
    truth: float = math.nan


@dataclass(frozen=True)
class RaterSummary:
    """How one rater did.

    Args:
        n_ratings: single ratings.
        estimated: share of them that is right, as far as the other raters tell; NaN without ratings.
        true: share of them that is right.
    """

    n_ratings: int
    estimated: float = math.nan
    true: float = math.nan


@dataclass(frozen=True)
class RatingSummary:
    """What a rating programme bought.

    Args:
        budget: single ratings that could be paid for.
        n_ratings: that were given.
        n_pairs: of a request and an item that were rated.
        n_random_pairs: of them whose item chance alone brought.
        n_requests: of which something was rated.
        n_raters: who could rate.
        overlap: raters of each pair.
        cost: of all ratings.
        cost_per_rating: of one.
        aggregation: by which the ratings of a pair became one grade.
        alpha: distance of grades -> Krippendorff's alpha.
        undefined: why alpha is unknown, where it is.
        accuracy: aggregation -> share of pairs whose true grade it finds.
        grades: from 0 upwards.
        raters: one by one.
    """

    budget: int
    n_ratings: int
    n_pairs: int
    n_random_pairs: int
    n_requests: int
    n_raters: int
    overlap: int
    cost: float
    cost_per_rating: float
    aggregation: str
    alpha: Mapping[str, Estimate] = field(default_factory=dict)
    undefined: str = ""
    accuracy: Mapping[str, Estimate] = field(default_factory=dict)
    grades: tuple[GradeShare, ...] = ()
    raters: tuple[RaterSummary, ...] = ()


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of like predicted probability.

    Args:
        predicted: their mean prediction, in [0, 1].
        observed: share of them with the outcome, in [0, 1].
        n: rows.
    """

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True)
class FeatureSummary:
    """One fitted feature column, as it was on the training window.

    Args:
        name: its name.
        family: user, document, query, query-document and so on.
        nan_share: rows without a value, in [0, 1].
        mean: over rows that have a value, before standardisation.
        sd: standard deviation, likewise.
    """

    name: str
    family: str
    nan_share: float = math.nan
    mean: float = math.nan
    sd: float = math.nan


@dataclass(frozen=True)
class OnlineDesign:
    """How the simulated experiment was set up.

    Args:
        control: what the control arm serves, in words.
        treatment: what the treatment arm serves.
        n_control: users in it.
        n_treatment: users in it.
        n_days: length.
        truth: how the true effect was found, in words; empty when the world knows none.
        differences: (key, control, treatment) of every config value in which the arms differ.
        confidence: of the intervals of effects.
        sample_ratio_p: of as many users in each arm as were meant to be; NaN when not tested.
        rated: metric that raters estimate; empty without raters. Its truth is of error-free grades.
        raters: who they are and how they err, in words.
    """

    control: str = "pre-existing system"
    treatment: str = "funnel"
    n_control: int | None = None
    n_treatment: int | None = None
    n_days: int | None = None
    truth: str = ""
    differences: tuple[tuple[str, str, str], ...] = ()
    confidence: float = 0.95
    sample_ratio_p: float = math.nan
    rated: str = ""
    raters: str = ""


@dataclass(frozen=True)
class Payers:
    """Some campaigns of a market, together.

    Args:
        name: which ones.
        n: how many of them were shown.
        impressions, clicks, conversions, hides: what became of their ads.
        paid: by them, in money.
        value: of clicks or conversions to them, by their bids.
        budget: that they had.
    """

    name: str
    n: int
    impressions: float
    clicks: float
    conversions: float
    hides: float
    paid: float
    value: float
    budget: float


@dataclass(frozen=True)
class Position:
    """How a position of the page was sold.

    Args:
        position: 0 is the top.
        pages: that were served.
        shown: of them with an ad there.
        clicks: on it.
        paid: for it, in money.
    """

    position: int
    pages: float
    shown: float
    clicks: float
    paid: float


@dataclass(frozen=True)
class MarketArm:
    """A market under one system.

    Args:
        name: of the system.
        figures: of the whole market; None where undefined.
        curve: (25,) share of a day's spend by each hour, of campaigns that were short of money.
        n_short: days of campaigns that it is the mean of.
        positions: from the top.
        payers: groups of campaigns, all of them first.
        largest: the campaigns that paid most under the funnel.
    """

    name: str
    figures: Mapping[str, float | None]
    curve: tuple[float, ...]
    n_short: int
    positions: tuple[Position, ...]
    payers: tuple[Payers, ...]
    largest: tuple[Payers, ...]


@dataclass(frozen=True)
class PacedCampaign:
    """How the budget of one campaign lasted.

    Args:
        name: of the campaign.
        n_days: that it ran.
        n_before, n_after: of them on which it spent its budget, under the pre-existing system and the funnel.
        before, after: (25,) share of a day's spend by each hour, mean over these days; empty without any.
    """

    name: str
    n_days: int
    n_before: int
    n_after: int
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True)
class MarketSummary:
    """Who paid, who gained, and how budgets lasted.

    Args:
        arms: the pre-existing system, then the funnel.
        plan: (25,) share of a budget that is planned to be spent by each hour.
        n_days: how long it was served.
        paced: campaigns that paid most of those that spent their budget on a day under the funnel.
    """

    arms: tuple[MarketArm, ...]
    plan: tuple[float, ...]
    n_days: int
    paced: tuple[PacedCampaign, ...] = ()


@dataclass(frozen=True)
class Decides:
    """Which figures settle the run's questions; named before the run.

    Args:
        offline: ranking metric on which the funnel is held against the pre-existing system.
        online: metric of the A/B test that does the same.
        guardrails: metrics of the A/B test that must not become worse.
    """

    offline: str = "nDCG@10"
    online: str = ""
    guardrails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changed:
    """A query, and how well both systems answer it: means over its requests.

    Args:
        query: as it was asked.
        n_requests: of them.
        before: the deciding metric of the pre-existing system.
        after: of the funnel.
    """

    query: str
    n_requests: int
    before: float
    after: float


@dataclass(frozen=True)
class Changes:
    """Where the funnel differs from the pre-existing system.

    Args:
        n_better: requests that it answers better on the deciding metric.
        n_worse: worse.
        n_same: neither.
        wins: queries with the largest gains, the largest first.
        losses: queries with the largest losses, the largest first.
    """

    n_better: int
    n_worse: int
    n_same: int
    wins: tuple[Changed, ...] = ()
    losses: tuple[Changed, ...] = ()
