"""How many requests changed from the baseline to each run, and the queries that changed most."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.page import Block, Cell, Fold, Paragraph, Section, Table
from mlsd.report.paired.base import ComparedRun, PairedComparison
from mlsd.report.parts import Changed
from mlsd.report.sections.cells import columns, figure_cell, text_cell


def queries(comparison: PairedComparison) -> Section:
    """How many requests changed, and the queries that changed most."""
    blocks = [block for run in comparison.runs for block in _query_blocks(comparison, run)]
    lead = f"By {numbers.one_line(comparison.metric)}; of a query, the mean over its requests."
    return Section("queries", "Requests that changed", lead, tuple(blocks))


def _query_blocks(comparison: PairedComparison, run: ComparedRun) -> tuple[Block, ...]:
    changes = run.changes
    n = changes.n_better + changes.n_worse + changes.n_same
    better, worse, same = (
        f"{numbers.count(part)} ({numbers.share(part / n if n else math.nan)})"
        for part in (changes.n_better, changes.n_worse, changes.n_same)
    )
    text = (
        f"Of {numbers.plural(n, 'request')}, {numbers.one_line(run.name)} answers {better} better than "
        f"{numbers.one_line(comparison.baseline)}, {worse} worse and {same} equally well."
    )
    tables = tuple(
        Table(
            columns("query", "requests", comparison.baseline, run.name, "difference"),
            tuple(map(_change_row, rows)),
            title,
        )
        for title, rows in (("Largest gains", changes.wins), ("Largest losses", changes.losses))
        if rows
    )
    title = f"Queries that gain and lose most in {numbers.one_line(run.name)}"
    return (Paragraph(text), *([Fold(title, tables)] if tables else []))


def _change_row(row: Changed) -> tuple[Cell, ...]:
    return (
        text_cell(row.query),
        figure_cell(numbers.count(row.n_requests)),
        figure_cell(numbers.fixed(row.before, 3)),
        figure_cell(numbers.fixed(row.after, 3)),
        figure_cell(numbers.fixed(row.after - row.before, 3, signed=True)),
    )
