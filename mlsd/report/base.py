"""All that a report shows, as plain values. Whoever has them can write a report; nothing is computed here.

Figures are kept as `metrics.json` keeps them, so that the file and the page cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsd.fitting import Curves

ALL = "all"
"""The segment that every request belongs to."""

LOGGING = "logging"
"""The pre-existing system, as an entry of `metrics["offline"]`."""

FUNNEL = "funnel"
"""The whole funnel, as an entry of `metrics["offline"]`."""

ORACLE = "oracle "
"""How the name of a ceiling starts: `oracle nDCG@10` is the best nDCG@10 a later stage could still reach."""

LOWER_IS_BETTER = frozenset({"LogLoss", "ECE", "NE", "abandonment"})
"""Metrics of which less is better, unless a run says otherwise."""

Figure = Mapping[str, Any]
"""One figure of `metrics.json`: `value`, `low`, `high` and so on; None where undefined."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval. NaN stands for what is undefined or was not measured.

    Args:
        value: the point estimate.
        low: lower end of its interval.
        high: upper end.
        n: what it was computed from (requests, rows or users).
        p_value: of the hypothesis that the figure is 0, in [0, 1].
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: int | None = None
    p_value: float = math.nan

    @staticmethod
    def of(figure: Figure | None, key: str = "value") -> Estimate:
        """Read from a figure of `metrics.json`; `key` names the point estimate.

        Example:
            >>> Estimate.of({"value": 0.5, "low": 0.4, "high": None, "n": 10}).has_interval
            False
        """
        figure = figure or {}
        value, low, high = (number(figure.get(name)) for name in (key, "low", "high"))
        return Estimate(value, low, high, figure.get("n"), number(figure.get("p_value")))

    @property
    def is_known(self) -> bool:
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        return self.is_known and math.isfinite(self.low) and math.isfinite(self.high)

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.n, self.p_value)


def number(value: object) -> float:
    """A float; NaN for None and for anything that is no number.

    Example:
        >>> number(None), number(2)
        (nan, 2.0)
    """
    return float(value) if isinstance(value, (int, float)) else math.nan


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
    """

    request: Latency = field(default_factory=Latency)
    budget_ms: float | None = None
    throughput_per_s: float = math.nan
    batch_size: int | None = None
    required_per_s: float | None = None
    n_requests: int | None = None
    machine: str = ""

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
    """How training labels were made from the log.

    Args:
        source: where labels come from, in words.
        counts: how many of each, such as {"positive": 812, "negative": 9310}.
        examination: by position, as estimated and as it is.
        clipped_share: labels whose weight was cut, in [0, 1].
        explored_share: slates of the log that were shuffled, in [0, 1].
    """

    source: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    examination: tuple[Examination, ...] = ()
    clipped_share: float = math.nan
    explored_share: float = math.nan


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
    """

    control: str = "pre-existing system"
    treatment: str = "funnel"
    n_control: int | None = None
    n_treatment: int | None = None
    n_days: int | None = None
    truth: str = ""
    differences: tuple[tuple[str, str, str], ...] = ()
    confidence: float = 0.95


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
class RunResult:
    """A finished run, as a report shows it.

    Args:
        title: of the page.
        problem: name of the problem.
        world: name of the world.
        world_notes: what to know about the world, a sentence each.
        metrics: as in `metrics.json`: `offline` (entries `logging`, each stage, `funnel`),
            `offline_difference` (funnel minus logging, paired: metric -> segment -> figure) and `online`.
        confidence: of the intervals of all that is not online.
        decides: the metrics that settle the questions.
        summary: one paragraph by whoever ran it; what the figures say is worked out from `metrics`.
        stages: in the funnel's order.
        capacity: of the whole funnel.
        steps_s: seconds that each step of the run took, in order.
        labels: None when labels came with the collection.
        calibration: stage -> bins of its validation predictions.
        training: model -> its losses by epoch.
        features: columns of all ranking stages.
        online_design: None when nothing was served online.
        assumptions: what is simulated and what that takes for granted, a sentence each.
        units: metric -> "%", "s", "ms" or another unit; a plain number otherwise.
        lower_is_better: metrics of which less is better.
        provenance: versions, seed, config hash, data name and SHA-256, commit.
        reproduce: the command that runs it again.
        config_yaml: the resolved config.
        design: the design document, in Markdown.
    """

    title: str
    problem: str
    world: str
    world_notes: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    confidence: float = 0.95
    decides: Decides = field(default_factory=Decides)
    summary: str = ""
    stages: tuple[StageResult, ...] = ()
    capacity: Capacity = field(default_factory=Capacity)
    steps_s: Mapping[str, float] = field(default_factory=dict)
    labels: LabelDiagnostics | None = None
    calibration: Mapping[str, tuple[CalibrationBin, ...]] = field(default_factory=dict)
    training: Mapping[str, Curves] = field(default_factory=dict)
    features: tuple[FeatureSummary, ...] = ()
    online_design: OnlineDesign | None = None
    assumptions: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    lower_is_better: frozenset[str] = LOWER_IS_BETTER
    provenance: Mapping[str, object] = field(default_factory=dict)
    reproduce: str = ""
    config_yaml: str = ""
    design: str = ""

    @property
    def systems(self) -> tuple[str, ...]:
        """Entries of the offline metrics: logging first, then stages in order, the whole funnel last."""
        found = self.metrics.get("offline") or {}
        order = [LOGGING, *(stage.name for stage in self.stages)]
        others = [name for name in found if name not in {*order, FUNNEL}]
        return tuple(name for name in [*order, *others, FUNNEL] if name in found)

    @property
    def offline_metrics(self) -> tuple[str, ...]:
        """Names of the offline metrics: the deciding one first, ceilings last."""
        systems = (self.metrics.get("offline") or {}).values()
        names = dict.fromkeys(name for system in systems for name in system)
        return tuple(sorted(names, key=lambda name: (name != self.decides.offline, name.startswith(ORACLE))))

    @property
    def online_metrics(self) -> tuple[str, ...]:
        """Names of the online metrics: the deciding one first, then guardrails."""
        first = (self.decides.online, *self.decides.guardrails)
        found = self.metrics.get("online") or {}
        return tuple(name for name in dict.fromkeys([*first, *found]) if name in found)

    def offline(self, system: str, metric: str, segment: str = ALL) -> Estimate | None:
        """A figure of the offline evaluation; None when the system has no such figure."""
        figures = ((self.metrics.get("offline") or {}).get(system) or {}).get(metric) or {}
        return Estimate.of(figures[segment]) if segment in figures else None

    def difference(self, metric: str, segment: str = ALL) -> Estimate | None:
        """Funnel minus pre-existing system, paired; None when it was not computed."""
        figures = (self.metrics.get("offline_difference") or {}).get(metric) or {}
        return Estimate.of(figures[segment]) if segment in figures else None

    def online(self, metric: str) -> Figure | None:
        """A figure of the A/B test; None when there is none."""
        return (self.metrics.get("online") or {}).get(metric)

    def effect(self, metric: str) -> Estimate | None:
        """Treatment minus control; None when it was not measured."""
        figure = self.online(metric)
        return None if figure is None else Estimate.of(figure, "effect")

    def segments(self, metric: str) -> tuple[str, ...]:
        """Every segment that some system has a figure for, without `all`."""
        systems = (self.metrics.get("offline") or {}).values()
        found = dict.fromkeys(name for system in systems for name in system.get(metric, {}))
        return tuple(name for name in found if name != ALL)

    def ceiling(self, stage: str) -> tuple[str, Estimate] | None:
        """The stage's oracle ceiling with its name; that of the deciding metric where there are several."""
        names = [name for name in self.offline_metrics if name.startswith(ORACLE)]
        names.sort(key=lambda name: name != ORACLE + self.decides.offline)
        found = ((name, self.offline(stage, name)) for name in names)
        return next(((name, estimate) for name, estimate in found if estimate), None)

    def is_lower_better(self, metric: str) -> bool:
        return metric in self.lower_is_better

    def iterate_offline(self) -> Iterator[tuple[str, str, str, Estimate]]:
        """Every offline figure: system, metric, segment, estimate."""
        for system, metrics in (self.metrics.get("offline") or {}).items():
            for metric, segments in metrics.items():
                for segment, figure in segments.items():
                    yield system, metric, segment, Estimate.of(figure)
