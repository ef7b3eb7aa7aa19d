"""What a part is worth: the funnel with it minus the funnel without it, paired by request.

The same requests are ranked by both, so a request's difference is the part's doing. Figures, segments and
units are those of the offline evaluation. For the metric that was named to decide there are p-values, and
Holm's over all parts that were taken out in the same way: one family of tests a removal and segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mlsd.estimators.bootstrap import Bootstrap
from mlsd.estimators.multiplicity import holm
from mlsd.estimators.sign_flip import SignFlip
from mlsd.evaluation import ORACLE, Evaluated, Figures, RankingValues, difference_figures, ranking_values
from mlsd.metrics.base import DiversityMetric, RankingMetric
from mlsd.types import Floats, RankingBatch


@dataclass(frozen=True)
class Judge:
    """How funnels with and without a part are held against each other.

    Args:
        evaluated: the requests, and what is true of them.
        metrics: of what is shown.
        decides: name of the metric that was named to decide.
        n_positions: of a slate: further candidates are not shown.
        bootstrap: of the intervals; the p-values draw from its seed.
    """

    evaluated: Evaluated
    metrics: Sequence[RankingMetric | DiversityMetric]
    decides: str
    n_positions: int
    bootstrap: Bootstrap

    def values(self, passed: RankingBatch) -> RankingValues:
        """Each metric of what is shown of each request. Ceilings are left out: nobody is shown them."""
        names, values = ranking_values(passed.first(self.n_positions), self.metrics, self.evaluated)
        kept = [place for place, name in enumerate(names) if not name.startswith(ORACLE)]
        return RankingValues(tuple(names[place] for place in kept), values[:, kept])

    def mean(self, values: RankingValues) -> float:
        """The deciding metric over all requests; NaN where it says nothing about any."""
        column = values.values[:, values.names.index(self.decides)]
        known = column[~np.isnan(column)]
        return float(known.mean()) if len(known) else np.nan

    def worth(self, whole: RankingValues, without: Mapping[str, RankingValues]) -> dict[str, Figures]:
        """Part -> metric -> segment -> the mean of whole minus without.

        Args:
            whole: of the funnel with all its parts.
            without: part -> of the funnel without it, taken out in the same way.
        """
        worth = {
            part: difference_figures(whole, less, self.evaluated, self.bootstrap)
            for part, less in without.items()
        }
        if not without:
            return worth
        column = whole.names.index(self.decides)
        lost = np.stack([(whole.values - less.values)[:, column] for less in without.values()], axis=1)
        for segment, p_values in zip(self.evaluated.segments, self._p_values(lost).T, strict=True):
            for part, p_value, p_holm in zip(without, p_values, holm(p_values), strict=True):
                worth[part][self.decides][segment] |= {"p_value": float(p_value), "p_holm": float(p_holm)}
        return worth

    def _p_values(self, lost: Floats) -> Floats:
        """(n_parts, n_segments) of the differences (n_requests, n_parts)."""
        masks = np.stack(list(self.evaluated.segments.values()), axis=1)
        cells = np.where(masks[:, None, :], lost[:, :, None], np.nan)
        flips = SignFlip(seed=self.bootstrap.seed)
        p_values = flips.p_values(cells.reshape(len(cells), -1), self.evaluated.requests.user)
        return p_values.reshape(lost.shape[1], masks.shape[1])


class Cost(Protocol):
    """What a stage is declared to cost."""

    @property
    def fixed_ms(self) -> float:
        """Time of a request that does not depend on the number of candidates."""

    @property
    def candidate_us(self) -> float:
        """Further time for each candidate that enters the stage."""


def declared_ms(n_in: Mapping[str, float], costs: Mapping[str, Cost]) -> float:
    """Declared time of a request in some stages, in milliseconds; NaN where one declares nothing.

        sum over stages:  fixed_ms + candidate_us / 1000 x candidates that enter

    Args:
        n_in: stage -> mean number of candidates that enter it.
        costs: stage -> what it is declared to cost.
    """
    if not n_in.keys() <= costs.keys():
        return np.nan
    return float(sum(costs[name].fixed_ms + costs[name].candidate_us / 1000 * n for name, n in n_in.items()))


def non_inferiority(
    stage: str,
    worth: Mapping[str, Any],
    margin: float,
    n_in: Mapping[str, Mapping[str, float]],
    costs: Mapping[str, Cost],
) -> dict[str, Any]:
    """Whether a stage that is there to save work costs no more quality than declared, and what it saves.

    Non-inferior is the funnel with it if the lower end of the interval of with minus without is above
    -margin; that the interval contains zero is neither needed nor enough. It pays if, besides, the declared
    time is less with it.

    Source: Piaggio et al. (2012), "Reporting of noninferiority and equivalence randomized trials", JAMA 308.

    Args:
        stage: that is there to save work.
        worth: the figure of with minus without.
        margin: of the metric, above 0.
        n_in: "with" and "without" -> stage -> mean number of candidates that enter it, from this stage on.
        costs: stage -> what it is declared to cost.
    """
    return {
        "margin": margin,
        **{name: worth[name] for name in ("value", "low", "high", "n")},
        "non_inferior": bool(worth["low"] > -margin),
        "candidates": {
            side: float(sum(n for name, n in counts.items() if name != stage))
            for side, counts in n_in.items()
        },
        "declared_ms": {side: declared_ms(counts, costs) for side, counts in n_in.items()},
    }
