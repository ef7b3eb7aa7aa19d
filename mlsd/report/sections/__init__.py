"""The parts of a report, in the order in which a reader wants them."""

from __future__ import annotations

from mlsd.report import numbers
from mlsd.report.base import RunResult
from mlsd.report.page import Page
from mlsd.report.sections.ablation import ablation
from mlsd.report.sections.learning import features, labels, training
from mlsd.report.sections.market import market
from mlsd.report.sections.offline import offline
from mlsd.report.sections.online import online
from mlsd.report.sections.overview import funnel, problem
from mlsd.report.sections.predictions import predictions
from mlsd.report.sections.queries import queries
from mlsd.report.sections.running import config, latency, provenance
from mlsd.report.sections.segments import segments
from mlsd.report.verdicts import headline, verdicts

BUILDERS = (
    problem,
    funnel,
    offline,
    segments,
    queries,
    ablation,
    online,
    market,
    predictions,
    labels,
    features,
    training,
    latency,
    provenance,
    config,
)
"""Each makes one section of a result, or None when the run has nothing of the kind."""


def build_page(result: RunResult) -> Page:
    """The report of a run, not yet written as anything."""
    sections = (build(result) for build in BUILDERS)
    return Page(
        result.title,
        _facts(result),
        headline(result),
        result.summary,
        verdicts(result),
        tuple(section for section in sections if section is not None),
        _reading(result),
    )


def _reading(result: RunResult) -> str:
    levels = {result.confidence} | ({result.online_design.confidence} if result.online_design else set())
    shown = " or ".join(numbers.share(level) for level in sorted(levels))
    return (
        f"Brackets hold {shown} intervals. “Does not decide” and “not decided” mean that the interval "
        "contains zero: the run is too small to tell, whatever the point says."
    )


def _facts(result: RunResult) -> tuple[str, ...]:
    named = ("date", "seed", "mlsd")
    return (
        f"problem {result.problem}",
        *(f"{name} {result.provenance[name]}" for name in named if name in result.provenance),
    )
