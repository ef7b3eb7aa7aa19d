"""What a run finds out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mlsd.ablation.result import Ablation
from mlsd.capacity import Capacity
from mlsd.evaluation import Bin, Figures, ItemCalibration
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.online.frontier import FrontierPoint
from mlsd.online.result import ABResult
from mlsd.ratings.programme import Rated
from mlsd.training import FittedFunnel
from mlsd.types import RankingBatch, State


@dataclass(frozen=True)
class Logged:
    """The log that everything is learnt from.

    Args:
        log: requests, impressions and their windows.
        existing: the pre-existing system, fitted; None where there is none.
        state: of the users after the log's last day; empty where nobody is live.
        key: of what made the log.
    """

    log: Log
    existing: Funnel | None
    state: State
    key: str


@dataclass(frozen=True)
class Offline:
    """How the systems rank and predict on the test window.

    Args:
        figures: "logging" (the pre-existing system), each stage and "funnel" (what is shown) -> figures.
        components: stage that works on requests -> how well it did its own work.
        difference: funnel minus logging, paired by request; empty without a pre-existing system.
        table: one row for each request.
        counts: stage -> mean number of candidates that enter and leave it.
        reliability: rank stage -> its predictions against what happened.
        coverage: rank stage -> share of the impressions that it had among its candidates.
        by_item: rank stage -> column of the catalog -> its predictions against what happened, by its values.
        steps: stage of candidates -> itself minus the one before it, paired by request; the first has none.
        truth: tells these requests and what is true of them from any others.
        before_last: what reaches the funnel's last stage; None where that is the first that finds candidates.
        predicted: rank stage -> the actions it predicts; reliability, coverage and items are of the first.
    """

    figures: Mapping[str, Figures]
    components: Mapping[str, Figures]
    difference: Figures
    table: pd.DataFrame
    counts: Mapping[str, tuple[float, float]]
    reliability: Mapping[str, list[Bin]] = field(default_factory=dict)
    coverage: Mapping[str, float] = field(default_factory=dict)
    by_item: Mapping[str, Mapping[str, ItemCalibration]] = field(default_factory=dict)
    steps: Mapping[str, Figures] = field(default_factory=dict)
    truth: str = ""
    before_last: RankingBatch | None = None
    predicted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class RatedLabels:
    """What raters said for labels.

    Args:
        log: with their grades as `judged`.
        rated: every rating.
        facts: how much was rated and how well; see `mlsd.judging.rating_facts`.
    """

    log: Log
    rated: Rated
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class RatedTest:
    """What raters said about requests of the test window: for evaluation, never for learning.

    Args:
        rated: every rating.
        facts: how much was rated and how well.
        figures: system -> figures by ratings, beside those by the truth.
    """

    rated: Rated
    facts: Mapping[str, Any]
    figures: Mapping[str, Figures]


@dataclass(frozen=True)
class Outcome:
    """Everything a run finds out, in the order it finds it."""

    logged: Logged
    labels: Labels
    fitted: FittedFunnel
    offline: Offline
    online: ABResult | None
    capacity: Capacity
    ablation: Ablation | None = None
    leaner: Mapping[str, Capacity] = field(default_factory=dict)
    """Part that is there to save work -> capacity of the funnel without it."""
    rated: RatedLabels | None = None
    rated_test: RatedTest | None = None
    frontier: tuple[FrontierPoint, ...] = ()
    """The test window's pages, sold again on other terms."""

    def metrics(self) -> dict[str, object]:
        """As in `metrics.json`: every figure, nothing that a clock measured."""
        online = self.online.to_metrics() if self.online else {}
        found: dict[str, object] = {"ablation": self.ablation.to_metrics()} if self.ablation else {}
        if market := self._market():
            found["market"] = market
        return {
            "offline": dict(self.offline.figures),
            "components": dict(self.offline.components),
            "offline_difference": self.offline.difference,
            "offline_steps": dict(self.offline.steps),
            "online": online,
            **self._calibration(),
            **found,
            **self._ratings(),
        }

    def _calibration(self) -> dict[str, object]:
        """Predicted against observed actions by column of the catalog; nothing where none is declared."""
        found = {
            stage: {column: one.to_metrics() for column, one in columns.items()}
            for stage, columns in self.offline.by_item.items()
            if columns
        }
        return {"offline_calibration": found} if found else {}

    def _market(self) -> dict[str, object]:
        """What was sold under each arm, and what pages are worth on other terms."""
        books = self.online.books if self.online else {}
        points = {point.name: point.to_metrics() for point in self.frontier}
        sold: dict[str, object] = {arm: one.to_metrics() for arm, one in books.items()}
        return {**sold, "frontier": points} if points else sold

    def timings(self) -> dict[str, object]:
        """As in `timings.json`, without the seconds of the run's steps."""
        leaner = {part: capacity.to_timings() for part, capacity in self.leaner.items()}
        return {"capacity": self.capacity.to_timings(), **({"capacity_without": leaner} if leaner else {})}

    def _ratings(self) -> dict[str, object]:
        """What raters were asked, and how every system does by what they said; nothing where nobody was."""
        asked = {"labels": self.rated, "test": self.rated_test}
        facts = {name: one.facts for name, one in asked.items() if one}
        found: dict[str, object] = {"ratings": facts} if facts else {}
        return {**found, "offline_rated": dict(self.rated_test.figures)} if self.rated_test else found
