"""Where the funnel gains and where it loses: the same figures for parts of the requests."""

from __future__ import annotations

from collections.abc import Iterable

from mlsd.report import numbers
from mlsd.report.base import ALL, FUNNEL, LOGGING, ORACLE, RunResult
from mlsd.report.charts.specs import IntervalChart, IntervalRow
from mlsd.report.estimate import Estimate
from mlsd.report.page import Block, Cell, Fold, Section, Table
from mlsd.report.sections.cells import (
    charts,
    columns,
    estimate_cell,
    figure_cell,
    metric_label,
    offline_cell,
    role_of,
    system_name,
    text_cell,
    with_count,
)
from mlsd.report.sections.predictions import predictions_title
from mlsd.report.verdicts import judged

N_SHOWN, N_SPARED = 10, 2
"""Segments of a table in sight, and how many more are not worth a fold."""


def segments(result: RunResult) -> Section | None:
    """The deciding metric by segment as a chart; all metrics as tables, folded."""
    names = [name for name in result.offline_metrics if result.segments(name)]
    if not names:
        return None
    metric = result.decides.offline
    lead = (
        "The same figures for parts of the requests. Many segments are looked at, so some intervals miss "
        "zero by chance alone; and a small segment decides little."
    )
    blocks: tuple[Block, ...] = (*charts(_segment_chart(result, metric)), *_folds(result, names))
    return Section("segments", "Segments", lead, blocks)


def _folds(result: RunResult, names: list[str]) -> tuple[Fold, ...]:
    """The deciding metric alone, then the others by kind."""
    first = result.decides.offline
    ranking = [name for name in result.ranking_metrics if name in names and name != first]
    predicting = [name for name in result.click_metrics if name in names and name != first]
    kinds = (
        (f"{first} by segment", [first] if first in names else []),
        ("Other ranking metrics by segment", ranking),
        (f"{predictions_title(result)} by segment", predicting),
    )
    return tuple(Fold(title, _of_metrics(result, inside)) for title, inside in kinds if inside)


def _of_metrics(result: RunResult, names: list[str]) -> tuple[Block, ...]:
    """Tables of a metric; of several, each behind its name."""
    if len(names) == 1:
        return _segment_tables(result, names[0])
    return tuple(Fold(metric_label(name), _segment_tables(result, name)) for name in names)


def _segment_chart(result: RunResult, metric: str) -> IntervalChart:
    unit = result.units.get(metric, "")
    names = [name for name in (result.metrics.get("offline_difference") or {}).get(metric, {}) if name != ALL]
    rows = tuple(_segment_row(result, metric, name, unit) for name in names)
    return IntervalChart(
        "segments-chart",
        f"Funnel minus pre-existing system, {metric}",
        "Differences by segment with their intervals. Right of zero the funnel is higher.",
        rows,
        axis=f"difference of {metric}" + numbers.suffix(unit, signed=True),
        reference=0.0,
        legend=(("good", "better"), ("open", "not decided"), ("bad", "worse"), ("stage", "differs")),
        signed=True,
        clipped=True,
    )


def _segment_row(result: RunResult, metric: str, segment: str, unit: str) -> IntervalRow:
    difference = result.difference(metric, segment) or Estimate()
    text = numbers.with_interval(difference, unit, signed=True)
    role = role_of(judged(result, metric, difference))
    return IntervalRow(numbers.segment_name(segment), numbers.in_unit(difference, unit), text, role)


def _segment_tables(result: RunResult, metric: str) -> tuple[Block, ...]:
    """All requests and the largest segments in sight; the others, where there are many more, folded."""
    systems = [system for system in _by_weight(result.systems) if metric in result.metrics["offline"][system]]
    differs = not metric.startswith(ORACLE) and metric in (result.metrics.get("offline_difference") or {})
    headings = ["funnel minus pre-existing"] * differs + [system_name(system) for system in systems]
    heads = columns("segment", result.units_word, *headings)

    def table(names: Iterable[str], caption: str) -> Table:
        rows = (_segment_cells(result, metric, name, systems, differs=differs) for name in names)
        return Table(heads, tuple(rows), caption)

    names = sorted(result.segments(metric), key=lambda name: -_size(result, metric, name, systems))
    n_shown = N_SHOWN if len(names) > N_SHOWN + N_SPARED else len(names)
    rest = names[n_shown:]
    smaller = (Fold(f"{len(rest)} smaller segments", (table(rest, ""),)),) if rest else ()
    return (table([ALL, *names[:n_shown]], f"{metric_label(metric)}, the largest segments first"), *smaller)


def _by_weight(systems: Iterable[str]) -> list[str]:
    """What is compared first, then the stages in their order."""
    return sorted(systems, key=lambda name: ({FUNNEL: 0, LOGGING: 1}).get(name, 2))


def _size(result: RunResult, metric: str, segment: str, systems: Iterable[str]) -> int:
    found = (result.offline(system, metric, segment) for system in systems)
    return max((estimate.n or 0 for estimate in found if estimate), default=0)


def _segment_cells(
    result: RunResult, metric: str, segment: str, systems: list[str], *, differs: bool
) -> tuple[Cell, ...]:
    found = [result.offline(system, metric, segment) for system in systems]
    counts = {estimate.n for estimate in found if estimate and estimate.n is not None}
    cells = [offline_cell(result, system, metric, segment) for system in systems]
    if len(counts) > 1:
        cells = [with_count(cell, estimate) for cell, estimate in zip(cells, found, strict=True)]
    if differs:
        difference = result.difference(metric, segment)
        tone = judged(result, metric, difference).tone
        cells = [estimate_cell(difference, result.units.get(metric, ""), signed=True, tone=tone), *cells]
    count = numbers.count(max(counts)) if counts else numbers.UNKNOWN
    return (text_cell(numbers.segment_name(segment)), figure_cell(count, "not counted"), *cells)
