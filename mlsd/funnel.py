"""The funnel: stages in order, each with fewer candidates to process, simple models first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from mlsd import checks
from mlsd.stages.base import Stage
from mlsd.types import RankingBatch, Requests, Served


@dataclass(frozen=True)
class Funnel:
    """Stages in the order in which requests pass them. Called with requests, it ranks.

    Args:
        stages: name -> stage. No stage passes on more candidates than the one before it.
    """

    stages: Mapping[str, Stage]

    def __post_init__(self) -> None:
        checks.not_empty("stages", self.stages)
        widths = [(name, stage.n_out) for name, stage in self.stages.items() if stage.n_out is not None]
        found = bool(widths) or not self.stages
        checks.require(found, "stages", list(self.stages), "must have one that finds candidates")
        for (before, wide), (after, narrow) in pairwise(widths):
            rule = f"must be at most {before}'s n_out == {wide}: a funnel only narrows"
            checks.require(narrow <= wide, f"stages.{after}.n_out", narrow, rule)

    def __call__(self, requests: Requests) -> RankingBatch:
        """The last stage's candidates, best first."""
        batch = RankingBatch.of(requests)
        for stage in self.stages.values():
            batch = stage(batch)
        return batch

    def trace(self, requests: Requests) -> dict[str, RankingBatch]:
        """What every stage passes on, by the stage's name."""
        batches, batch = {}, RankingBatch.of(requests)
        for name, stage in self.stages.items():
            batch = batches[name] = stage(batch)
        return batches

    def observed(self, served: Served) -> Funnel:
        """The funnel when its stages know, too, what users did with what they were shown last."""
        return Funnel({name: stage.observed(served) for name, stage in self.stages.items()})

    @property
    def last(self) -> Stage:
        return list(self.stages.values())[-1]


def missing_columns(stages: Mapping[str, Stage], available: frozenset[str]) -> dict[str, frozenset[str]]:
    """Stage -> the columns it needs that neither the requests nor an earlier stage provide.

    Args:
        stages: in order, fitted or not: a dry run, no row of any table is touched.
        available: `request.<name>` columns that the problem's requests have.
    """
    missing = {}
    for name, stage in stages.items():
        lacking = stage.needs - available
        if lacking:
            missing[name] = lacking
        available = available | stage.produces
    return missing
