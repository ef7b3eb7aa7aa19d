"""What raters did, as a report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlsd.ratings.programme import RatingProgramme
from mlsd.report import parts
from mlsd.report.estimate import Estimate

COUNTS = (
    "budget", "n_ratings", "n_pairs", "n_random_pairs", "n_requests", "n_raters", "overlap", "cost",
    "cost_per_rating", "aggregation",
)  # fmt: skip


def summary_of(programme: RatingProgramme, facts: Mapping[str, Any]) -> parts.RatingSummary:
    """The facts of `metrics.json` beside the guidelines that raters had."""
    by_grade = facts["by_grade"].items()
    return parts.RatingSummary(
        **{name: facts[name] for name in COUNTS},
        alpha={name: Estimate.of(figure) for name, figure in facts["alpha"].items()},
        undefined=facts["alpha_undefined"],
        accuracy={name: Estimate.of(figure) for name, figure in facts["accuracy"].items()},
        grades=tuple(
            parts.GradeShare(int(grade), programme.guidelines[int(grade)], **shares)
            for grade, shares in by_grade
        ),
        raters=tuple(parts.RaterSummary(**one) for one in facts["raters"]),
    )
