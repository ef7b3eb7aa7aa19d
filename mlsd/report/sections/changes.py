"""How many requests one ranking changed of another, and the queries that changed most."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.page import Block, Cell, Fold, Paragraph, Table
from mlsd.report.parts import Changed, Changes
from mlsd.report.sections.cells import columns, figure_cell, text_cell


def change_blocks(
    changes: Changes, before: str, after: str, metric: str, heads: tuple[str, str], title: str
) -> tuple[Block, ...]:
    """A sentence, and tables of queries behind a fold.

    Args:
        changes: from one ranking to the other.
        before: what the first is called in the sentence.
        after: what the other is called there.
        metric: by which they are held against each other.
        heads: what both are called above their columns.
        title: of the fold.
    """
    n = changes.n_better + changes.n_worse + changes.n_same
    better, worse, same = (
        f"{numbers.count(part)} ({numbers.share(part / n if n else math.nan)})"
        for part in (changes.n_better, changes.n_worse, changes.n_same)
    )
    text = (
        f"Of {numbers.plural(n, 'request')}, {after} answers {better} better than {before}, {worse} worse "
        f"and {same} equally well, by {numbers.one_line(metric)}."
    )
    tables = tuple(
        Table(columns("query", "requests", *heads, "difference"), tuple(map(_row, rows)), name)
        for name, rows in (("Largest gains", changes.wins), ("Largest losses", changes.losses))
        if rows
    )
    return (Paragraph(text), *([Fold(title, tables)] if tables else []))


def _row(row: Changed) -> tuple[Cell, ...]:
    return (
        text_cell(row.query),
        figure_cell(numbers.count(row.n_requests)),
        figure_cell(numbers.fixed(row.before, 3)),
        figure_cell(numbers.fixed(row.after, 3)),
        figure_cell(numbers.fixed(row.after - row.before, 3, signed=True)),
    )
