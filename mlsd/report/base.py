"""All that a report shows, as plain values. Whoever has them can write a report; nothing is computed here.

Figures are kept as `metrics.json` keeps them, so that the file and the page cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from mlsd.fitting import Curves
from mlsd.report.estimate import Estimate, Figure
from mlsd.report.parts import (
    CalibrationBin,
    Capacity,
    Changes,
    Decides,
    FeatureSummary,
    LabelDiagnostics,
    Latency,
    MarketSummary,
    OnlineDesign,
    RatingSummary,
    StageResult,
)

ALL = "all"
"""The segment that every request belongs to."""

LOGGING = "logging"
"""The pre-existing system, as an entry of `metrics["offline"]`."""

FUNNEL = "funnel"
"""The whole funnel, as an entry of `metrics["offline"]`."""

ORACLE = "oracle "
"""How the name of a ceiling starts: `oracle nDCG@10` is the best nDCG@10 a later stage could still reach."""

CLICK = "click"
"""The action that most systems predict."""

LOWER_IS_BETTER = frozenset({
    "LogLoss", "ECE", "NE", "abandonment", "hide_rate", "report_rate", "negative_rate", "annoyed_per_page",
    "exposure_gini",
})  # fmt: skip
"""Metrics of which less is better, unless a run says otherwise."""

UNDIRECTED = frozenset({"requests_per_user", "ad_load"})
"""Metrics of which neither more nor less is better by itself: people also ask again because nothing was found
(Kohavi et al., "Trustworthy online controlled experiments: five puzzling outcomes explained", KDD 2012), and
more ads on a page bring more today and fewer people tomorrow."""


@dataclass(frozen=True)
class RunResult:
    """A finished run, as a report shows it.

    Args:
        title: of the page.
        problem: name of the problem.
        world: name of the world.
        world_notes: what to know about the world, a sentence each.
        metrics: as in `metrics.json`: `offline` (entries `logging`, each stage, `funnel`),
            `offline_difference` (funnel minus logging, paired: metric -> segment -> figure),
            `offline_steps` (stage -> the same, minus the stage before it), `online` and, where parts were
            taken out, `ablation`.
        confidence: of the intervals of all that is not online.
        decides: the metrics that settle the questions.
        summary: one paragraph on what was tested; what the figures say is worked out from `metrics`.
        purpose: of what is designed, in a sentence.
        answers: (question, answer) by which the problem is described.
        unit: what is independent of each other, "user" or "query": the `n` of every offline figure.
        meanings: metric -> what it is, in a sentence.
        stages: in the funnel's order.
        capacity: of the whole funnel.
        leaner: part that is there to save work -> latency of the whole funnel without it.
        steps_s: seconds that each step of the run took, in order.
        labels: None when labels came with the collection.
        label_ratings: what was rated for labels; None where nothing was.
        test_ratings: what of the test window was rated, for evaluation alone; None where nothing was. The
            figures are `metrics["offline_rated"]`.
        changes: requests and queries that fare better or worse; None without a pre-existing system.
        calibration: stage -> bins of its predictions for the test window.
        coverage: stage -> share of the test window's impressions that it predicted, in [0, 1].
        predicted: stage -> the actions it predicts; its calibration and coverage are of the first. A click
            where nothing is said.
        of_unshown: stages whose predictions are judged on all their candidates, shown or not.
        annotations: what annotators were asked, such as `intent` -> how many answers they gave.
        training: model -> its losses by epoch.
        features: columns of all ranking stages.
        online_design: None when nothing was served online.
        market: None when nothing was sold online.
        assumptions: what is simulated and what that takes for granted, a sentence each.
        units: metric -> "%", "s", "ms" or another unit; a plain number otherwise.
        lower_is_better: metrics of which less is better.
        undirected: metrics of which neither is better.
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
    purpose: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    unit: str = "user"
    meanings: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[StageResult, ...] = ()
    capacity: Capacity = field(default_factory=Capacity)
    leaner: Mapping[str, Latency] = field(default_factory=dict)
    steps_s: Mapping[str, float] = field(default_factory=dict)
    labels: LabelDiagnostics | None = None
    label_ratings: RatingSummary | None = None
    test_ratings: RatingSummary | None = None
    changes: Changes | None = None
    calibration: Mapping[str, tuple[CalibrationBin, ...]] = field(default_factory=dict)
    coverage: Mapping[str, float] = field(default_factory=dict)
    predicted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of_unshown: tuple[str, ...] = ()
    annotations: Mapping[str, int] = field(default_factory=dict)
    training: Mapping[str, Curves] = field(default_factory=dict)
    features: tuple[FeatureSummary, ...] = ()
    online_design: OnlineDesign | None = None
    market: MarketSummary | None = None
    assumptions: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    lower_is_better: frozenset[str] = LOWER_IS_BETTER
    undirected: frozenset[str] = UNDIRECTED
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
    def ranking_metrics(self) -> tuple[str, ...]:
        """Offline metrics of an order: ceilings, and what the whole funnel or the pre-existing system has."""
        found = self.metrics.get("offline") or {}
        whole = [found[name] for name in (LOGGING, FUNNEL) if name in found] or list(found.values())
        return tuple(
            name
            for name in self.offline_metrics
            if name.startswith(ORACLE) or any(name in system for system in whole)
        )

    @property
    def prediction_metrics(self) -> tuple[str, ...]:
        """Offline metrics of predicted responses, which some stages make."""
        ranking = self.ranking_metrics
        return tuple(name for name in self.offline_metrics if name not in ranking)

    def predicted_by(self, stage: str) -> str:
        """The action that a stage's calibration is of."""
        return (self.predicted.get(stage) or (CLICK,))[0]

    @property
    def predicts_clicks_alone(self) -> bool:
        """Whether no stage predicts another action."""
        return all(actions == (CLICK,) for actions in self.predicted.values())

    @property
    def click_metrics(self) -> tuple[str, ...]:
        """Prediction metrics whose names are plain: of clicks."""
        return tuple(name for name in self.prediction_metrics if name not in self.action_metrics)

    @property
    def action_metrics(self) -> dict[str, tuple[str, str]]:
        """Prediction metrics of other actions, such as `AUC(like)` -> the metric and the action."""
        parted = {name: name.removesuffix(")").rpartition("(") for name in self.prediction_metrics}
        return {
            name: (metric, action)
            for name, (metric, _, action) in parted.items()
            if name.endswith(")") and action.isidentifier()
        }

    @property
    def units_word(self) -> str:
        """What `n` counts, such as "users"."""
        return "queries" if self.unit == "query" else f"{self.unit}s"

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

    @property
    def components(self) -> Mapping[str, Mapping[str, Mapping[str, Figure]]]:
        """Stage that works on requests -> figure -> segment -> how well it did its own work."""
        return self.metrics.get("components") or {}

    def component(self, stage: str, name: str, segment: str = ALL) -> Estimate | None:
        """A figure of a stage's own work; None when it has no such figure."""
        figures = self.components.get(stage, {}).get(name, {})
        return Estimate.of(figures[segment]) if segment in figures else None

    def difference(self, metric: str, segment: str = ALL) -> Estimate | None:
        """Funnel minus pre-existing system, paired; None when it was not computed."""
        figures = (self.metrics.get("offline_difference") or {}).get(metric) or {}
        return Estimate.of(figures[segment]) if segment in figures else None

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """Each stage that is held against the one before it, as (before, stage), in the funnel's order."""
        found = self.metrics.get("offline_steps") or {}
        return tuple(pair for pair in pairwise(self.systems) if pair[1] in found)

    def step(self, stage: str, metric: str, segment: str = ALL) -> Estimate | None:
        """A stage minus the one before it, paired; None when it was not computed."""
        figures = ((self.metrics.get("offline_steps") or {}).get(stage) or {}).get(metric) or {}
        return Estimate.of(figures[segment]) if segment in figures else None

    @property
    def hidden_metrics(self) -> tuple[str, ...]:
        """Online metrics that no experiment could see: only their truth is known."""
        return tuple(name for name in self.online_metrics if self._is_hidden(name))

    @property
    def seen_metrics(self) -> tuple[str, ...]:
        """Online metrics that the experiment estimates."""
        return tuple(name for name in self.online_metrics if not self._is_hidden(name))

    def _is_hidden(self, metric: str) -> bool:
        effect, truth = self.effect(metric) or Estimate(), Estimate.of(self.online(metric), "truth")
        return truth.is_known and not effect.is_known and metric != self.decides.online

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

    def iterate_offline(self) -> Iterator[tuple[str, str, str, Estimate]]:
        """Every offline figure: system, metric, segment, estimate."""
        for system, metrics in (self.metrics.get("offline") or {}).items():
            for metric, segments in metrics.items():
                for segment, figure in segments.items():
                    yield system, metric, segment, Estimate.of(figure)
