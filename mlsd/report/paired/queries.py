"""How many requests changed from the baseline to each run, and the queries that changed most."""

from __future__ import annotations

from mlsd.report import numbers
from mlsd.report.page import Block, Section
from mlsd.report.paired.base import ComparedRun, PairedComparison
from mlsd.report.sections.changes import change_blocks


def queries(comparison: PairedComparison) -> Section:
    """How many requests changed, and the queries that changed most."""
    blocks = [block for run in comparison.runs for block in _query_blocks(comparison, run)]
    lead = f"By {numbers.one_line(comparison.metric)}; of a query, the mean over its requests."
    return Section("queries", "Requests that changed", lead, tuple(blocks))


def _query_blocks(comparison: PairedComparison, run: ComparedRun) -> tuple[Block, ...]:
    baseline, name = comparison.baseline, numbers.one_line(run.name)
    return change_blocks(
        run.changes,
        before=numbers.one_line(baseline),
        after=name,
        metric=comparison.metric,
        heads=(baseline, run.name),
        title=f"Queries that gain and lose most in {name}",
    )
