"""Every run against the baseline: by the deciding metric, by all others, and by segment."""

from __future__ import annotations

from collections.abc import Iterable

from mlsd.report import numbers
from mlsd.report.base import ALL, ORACLE
from mlsd.report.charts.specs import IntervalChart, IntervalRow, Role
from mlsd.report.estimate import Estimate, Figure, number
from mlsd.report.page import Block, Cell, Fold, Section, Table
from mlsd.report.paired.base import ComparedRun, PairedComparison
from mlsd.report.sections.cells import charts, columns, estimate_cell, figure_cell, metric_label, text_cell

CORRECTED = ("p (Holm)", "p (BH)", "p")
OTHERWISE = ("same", "worse")
BESIDE = ("p (t)", "p (Wilcoxon)")
HOW = (
    "p: two-sided, by flipping the signs of whole {units} 10,000 times. Beside it Student's t and Wilcoxon's "
    "signed ranks of the same totals, not corrected: they decide nothing."
)
LEGEND: tuple[tuple[Role, str], ...] = (("good", "better"), ("open", "not told apart"), ("bad", "worse"))


def runs(comparison: PairedComparison) -> Section:
    """The deciding metric of every run: what verdicts go by."""
    metric = comparison.metric
    chart = _chart(
        comparison,
        "runs-chart",
        f"Each run minus {comparison.baseline}",
        ((run.name, run.figure(metric)) for run in comparison.runs),
        "p_holm",
    )
    headings = columns(
        "run",
        "verdict",
        metric,
        "difference",
        *CORRECTED,
        f"{comparison.units_word} better",
        *OTHERWISE,
        *BESIDE,
        words=("verdict",),
    )
    dash = Cell(numbers.UNKNOWN, reason="the baseline is not held against itself")
    first = (
        text_cell(comparison.baseline),
        Cell("baseline"),
        estimate_cell(comparison.mean(comparison.baseline, metric)),
        *([dash] * 9),
    )
    rows = tuple(_run_row(comparison, run) for run in comparison.runs)
    n = numbers.plural(len(comparison.runs), "test")
    lead = (
        f"Verdicts go by p (Holm) over the {n} of this table, which holds the chance of any false one below "
        f"{numbers.share(1 - comparison.confidence)}."
    )
    notes = (HOW.format(units=comparison.units_word),)
    return Section("runs", "Runs", lead, (*charts(chart), Table(headings, (first, *rows), "", notes)))


def _run_row(comparison: PairedComparison, run: ComparedRun) -> tuple[Cell, ...]:
    figure = run.figure(comparison.metric)
    tone, word = comparison.said(figure)
    return (
        text_cell(run.name),
        Cell(word, tone=tone),
        estimate_cell(comparison.mean(run.name, comparison.metric)),
        estimate_cell(Estimate.of(figure), signed=True, tone=tone),
        *_tests(figure),
    )


def _tests(figure: Figure) -> tuple[Cell, ...]:
    """Corrected p-values and their own, how many units gain and lose, and the tests beside."""
    return (
        *_p_cells(figure, "p_holm", "p_bh", "p_value"),
        *_counts(figure),
        *_p_cells(figure, "p_t", "p_wilcoxon"),
    )


def _p_cells(figure: Figure, *names: str) -> tuple[Cell, ...]:
    return tuple(figure_cell(numbers.p_text(number(figure.get(name))), "not tested") for name in names)


def _counts(figure: Figure) -> tuple[Cell, ...]:
    return tuple(figure_cell(numbers.count(figure.get(name))) for name in ("wins", "ties", "losses"))


def _chart(
    comparison: PairedComparison,
    name: str,
    title: str,
    rows: Iterable[tuple[str, Figure]],
    correction: str,
) -> IntervalChart:
    return IntervalChart(
        name,
        numbers.one_line(title),
        "Differences with their intervals. Right of zero the run is higher than the baseline.",
        tuple(_chart_row(comparison, label, figure, correction) for label, figure in rows),
        axis=f"difference of {numbers.one_line(comparison.metric)}",
        reference=0.0,
        legend=LEGEND,
        signed=True,
        clipped=True,
    )


def _chart_row(comparison: PairedComparison, label: str, figure: Figure, correction: str) -> IntervalRow:
    difference = Estimate.of(figure)
    tone = comparison.said(figure, correction).tone
    words = numbers.with_interval(difference, signed=True)
    return IntervalRow(numbers.one_line(label), difference, words, "open" if tone == "none" else tone)


def metrics(comparison: PairedComparison) -> Section | None:
    """All other metrics, all requests."""
    others = comparison.metrics[1:]
    if not others:
        return None
    n = numbers.plural(len(others) * len(comparison.runs), "test")
    lead = (
        f"The other metrics decide nothing. They are one family of {n}: p (Holm) holds the chance of any "
        "false finding in it, p (BH) the expected share of false ones among those found."
    )
    tables = tuple(
        _grid(comparison, run, [(metric_label(name), name, ALL) for name in others], "metric")
        for run in comparison.runs
    )
    return Section("metrics", "All metrics", lead, tables)


def segments(comparison: PairedComparison) -> Section | None:
    """The deciding metric by segment."""
    if not comparison.segments:
        return None
    n = numbers.plural(len(comparison.segments) * len(comparison.runs), "test")
    lead = (
        f"{numbers.one_line(comparison.metric)} of parts of the requests: where to look, not what to "
        f"conclude. One family of {n}; marks are by p (BH): of those that say better or worse, at most "
        f"{numbers.share(1 - comparison.confidence)} are false on average."
    )
    blocks = [block for run in comparison.runs for block in _segment_blocks(comparison, run)]
    return Section("segments", "Segments", lead, tuple(blocks))


def _segment_blocks(comparison: PairedComparison, run: ComparedRun) -> tuple[Block, ...]:
    named = [(numbers.segment_name(name), comparison.metric, name) for name in comparison.segments]
    place = comparison.names.index(run.name)
    chart = _chart(
        comparison,
        f"segments-chart-{place}",
        f"{run.name} minus {comparison.baseline}",
        ((label, run.figure(metric, segment)) for label, metric, segment in named),
        "p_bh",
    )
    return (
        *charts(chart),
        Fold(f"{numbers.one_line(run.name)} by segment", (_grid(comparison, run, named, "segment"),)),
    )


def _grid(
    comparison: PairedComparison, run: ComparedRun, named: list[tuple[str, str, str]], first: str
) -> Table:
    """A row for each (label, metric, segment): both runs, their difference and what tests say."""
    headings = columns(
        first,
        comparison.units_word,
        comparison.baseline,
        run.name,
        "difference",
        *CORRECTED,
        "better",
        *OTHERWISE,
        *BESIDE,
    )
    rows = tuple(
        _grid_row(comparison, run, label, metric, segment)
        for label, metric, segment in named
        if run.figure(metric, segment)
    )
    return Table(headings, rows, f"{run.name} minus {comparison.baseline}")


def _grid_row(
    comparison: PairedComparison, run: ComparedRun, label: str, metric: str, segment: str
) -> tuple[Cell, ...]:
    figure = run.figure(metric, segment)
    tone = "none" if metric.startswith(ORACLE) else comparison.said(figure, "p_bh").tone
    return (
        text_cell(label),
        figure_cell(numbers.count(figure.get("n"))),
        estimate_cell(comparison.mean(comparison.baseline, metric, segment)),
        estimate_cell(comparison.mean(run.name, metric, segment)),
        estimate_cell(Estimate.of(figure), signed=True, tone=tone),
        *_tests(figure),
    )
