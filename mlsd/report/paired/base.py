"""All that a comparison of runs shows, as plain values; nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mlsd.report.base import ALL
from mlsd.report.estimate import Estimate, Figure, number
from mlsd.report.page import Tone
from mlsd.report.parts import Changes


class Difference(NamedTuple):
    """A key that is not the same in all runs."""

    key: str
    values: tuple[object, ...]
    """Of each run, the baseline first."""


@dataclass(frozen=True)
class ComparedRun:
    """A run against the baseline.

    Args:
        name: of the run.
        figures: metric -> segment -> the run minus the baseline: `value`, `low`, `high`, `n`; p-values of the
            randomisation test `p_value`, of t `p_t` and of Wilcoxon `p_wilcoxon`; `p_value` within its family
            after Holm `p_holm` and after Benjamini and Hochberg `p_bh`; units that gain, stay and lose:
            `wins`, `ties`, `losses`.
        changes: requests, and the queries that changed most, by the deciding metric.
    """

    name: str
    figures: Mapping[str, Mapping[str, Figure]]
    changes: Changes

    def figure(self, metric: str, segment: str = ALL) -> Figure:
        """What is known of a metric in a segment; empty where nothing is."""
        return self.figures.get(metric, {}).get(segment, {})

    def difference(self, metric: str, segment: str = ALL) -> Estimate:
        return Estimate.of(self.figure(metric, segment))


class Said(NamedTuple):
    """What the figures say of a run."""

    tone: Tone
    word: str


@dataclass(frozen=True)
class PairedComparison:
    """Runs against the first of them.

    Args:
        title: of the page.
        baseline: name of the first run.
        system: whose rankings are compared: "funnel", a stage, or "logging".
        metric: that decides.
        metrics: that all runs have, the deciding one first.
        segments: names, without `all`.
        unit: what is independent of each other, "user" or "query".
        n_requests: of the test window.
        n_units: that asked them.
        confidence: of intervals; verdicts err in 1 - confidence of cases where nothing differs.
        means: run -> metric -> segment -> its own figure.
        runs: all but the baseline.
        config_differences: of the resolved configs.
        provenance_differences: of what made the runs.
    """

    title: str
    baseline: str
    system: str
    metric: str
    metrics: tuple[str, ...]
    segments: tuple[str, ...]
    unit: str
    n_requests: int
    n_units: int
    confidence: float
    means: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    runs: tuple[ComparedRun, ...]
    config_differences: tuple[Difference, ...] = ()
    provenance_differences: tuple[Difference, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All runs, the baseline first."""
        return (self.baseline, *(run.name for run in self.runs))

    @property
    def units_word(self) -> str:
        """What `n` counts, such as "users"."""
        return "queries" if self.unit == "query" else f"{self.unit}s"

    def mean(self, run: str, metric: str, segment: str = ALL) -> Estimate:
        """A run's own figure."""
        return Estimate.of(self.means.get(run, {}).get(metric, {}).get(segment, {}))

    def said(self, figure: Figure, correction: str = "p_holm") -> Said:
        """What a difference says after a correction: "p_holm" for verdicts, "p_bh" for hints."""
        value, p_value = number(figure.get("value")), number(figure.get(correction))
        if math.isnan(p_value) or math.isnan(value):
            return Said("none", "not measured")
        if 1 - p_value <= self.confidence:
            return Said("open", "not told apart")
        return Said("good", "better") if value > 0 else Said("bad", "worse")
