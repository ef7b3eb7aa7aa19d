"""What a run finds out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from mlsd.ablation.result import Ablation
from mlsd.capacity import Capacity
from mlsd.evaluation import Bin, Figures
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.online.result import ABResult
from mlsd.training import FittedFunnel
from mlsd.types import State


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
        steps: stage of candidates -> itself minus the one before it, paired by request; the first has none.
    """

    figures: Mapping[str, Figures]
    components: Mapping[str, Figures]
    difference: Figures
    table: pd.DataFrame
    counts: Mapping[str, tuple[float, float]]
    reliability: Mapping[str, list[Bin]] = field(default_factory=dict)
    coverage: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, Figures] = field(default_factory=dict)


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

    def metrics(self) -> dict[str, object]:
        """As in `metrics.json`: every figure, nothing that a clock measured."""
        online = self.online.to_metrics() if self.online else {}
        found = {"ablation": self.ablation.to_metrics()} if self.ablation else {}
        return {
            "offline": dict(self.offline.figures),
            "components": dict(self.offline.components),
            "offline_difference": self.offline.difference,
            "offline_steps": dict(self.offline.steps),
            "online": online,
            **found,
        }

    def timings(self) -> dict[str, object]:
        """As in `timings.json`, without the seconds of the run's steps."""
        leaner = {part: capacity.to_timings() for part, capacity in self.leaner.items()}
        return {"capacity": self.capacity.to_timings(), **({"capacity_without": leaner} if leaner else {})}
