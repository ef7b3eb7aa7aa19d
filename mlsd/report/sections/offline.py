"""How well each stage and the whole funnel rank, on judged requests."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.base import ALL, FUNNEL, LOGGING, ORACLE, Estimate, RunResult
from mlsd.report.charts.specs import IntervalChart, IntervalRow, Role
from mlsd.report.page import Cell, Fold, Section, Table
from mlsd.report.sections.cells import charts, columns, estimate_cell, text_cell, with_count
from mlsd.report.verdicts import WORDS, tone_of

SYSTEM_NAMES = {LOGGING: "pre-existing system", FUNNEL: "whole funnel"}
MISSING = "not measured here; click probabilities and ceilings exist for some stages only"
ROLES: dict[str, Role] = {LOGGING: "baseline", FUNNEL: "funnel"}


def system_name(system: str) -> str:
    """What a reader calls an entry of the offline metrics."""
    return SYSTEM_NAMES.get(system, numbers.one_line(system))


def offline(result: RunResult) -> Section:
    """Metric by stage with intervals, and the funnel against the pre-existing system."""
    if not result.systems:
        return Section("offline", "Offline evaluation", "Nothing was evaluated offline.")
    metric = result.decides.offline
    lead = (
        "Each stage's output as if it were shown, on the test requests. "
        f"Intervals are {numbers.share(result.confidence)}, by resampling the independent units "
        "(users, or queries where there are none). "
        f"{numbers.one_line(metric)} was named to decide before the run."
    )
    blocks = (*charts(_stage_chart(result, metric)), _metric_table(result), *_difference_table(result))
    return Section("offline", "Offline evaluation", lead, blocks)


def _stage_chart(result: RunResult, metric: str) -> IntervalChart:
    unit = result.units.get(metric, "")
    rows = tuple(
        _system_row(result, system, metric, unit)
        for system in result.systems
        if result.offline(system, metric) is not None
    )
    before = result.offline(LOGGING, metric) or Estimate()
    ceilings = any(math.isfinite(row.mark) for row in rows)
    caption = "Points with their intervals."
    if before.is_known:
        caption += " The dashed line is the pre-existing system."
    if ceilings:
        caption += " A hollow diamond is the ceiling that the stage leaves to those after it."
    return IntervalChart(
        "offline-chart",
        f"{metric} by stage",
        caption,
        rows,
        axis=metric,
        unit=unit,
        reference=numbers.in_unit(before, unit).value,
        mark_label=f"{ORACLE}{metric}" if ceilings else "",
        legend=(("baseline", "pre-existing system"), ("stage", "stage"), ("funnel", "whole funnel")),
    )


def _system_row(result: RunResult, system: str, metric: str, unit: str) -> IntervalRow:
    estimate = result.offline(system, metric) or Estimate()
    ceiling = result.offline(system, ORACLE + metric) or Estimate()
    return IntervalRow(
        system_name(system),
        numbers.in_unit(estimate, unit),
        numbers.with_interval(estimate, unit),
        ROLES.get(system, "stage"),
        numbers.in_unit(ceiling, unit).value,
    )


def _metric_table(result: RunResult) -> Table:
    headings = columns("metric", *(system_name(system) for system in result.systems))
    rows = tuple(
        (text_cell(metric), *(_figure(result, system, metric) for system in result.systems))
        for metric in result.offline_metrics
    )
    return Table(headings, rows, "Every metric, all requests")


def _figure(result: RunResult, system: str, metric: str, segment: str = ALL) -> Cell:
    estimate = result.offline(system, metric, segment)
    return estimate_cell(estimate, result.units.get(metric, ""), missing=MISSING)


def _difference_table(result: RunResult) -> tuple[Table, ...]:
    differences = result.metrics.get("offline_difference") or {}
    if not differences:
        return ()
    known = [name for name in result.offline_metrics if name in differences]
    names = dict.fromkeys([*known, *differences])
    headings = columns("metric", "difference", "p", "verdict", "requests", words=("verdict",))
    note = "Paired by request, not corrected for the number of metrics: one metric was named to decide."
    rows = tuple(_difference_row(result, name) for name in names)
    return (Table(headings, rows, "Whole funnel minus pre-existing system", (note,)),)


def _difference_row(result: RunResult, metric: str) -> tuple[Cell, ...]:
    difference = result.difference(metric) or Estimate()
    tone = tone_of(difference, lower_is_better=result.is_lower_better(metric))
    return (
        text_cell(metric),
        estimate_cell(difference, result.units.get(metric, ""), signed=True),
        text_cell(numbers.p_text(difference.p_value)),
        Cell(WORDS[tone], tone=tone),
        text_cell(numbers.count(difference.n)),
    )


def segments(result: RunResult) -> Section | None:
    """Where the funnel gains and where it loses."""
    metrics = [name for name in result.offline_metrics if result.segments(name)]
    if not metrics:
        return None
    metric = result.decides.offline
    folds = (Fold(f"{name} by segment", (_segment_table(result, name),)) for name in metrics)
    blocks = (*charts(_segment_chart(result, metric)), *folds)
    lead = (
        "The same figures for parts of the requests. Many segments are looked at, so some intervals miss "
        "zero by chance alone; and a small segment decides little."
    )
    return Section("segments", "Segments", lead, blocks)


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
        legend=(("good", "better"), ("open", "not decided"), ("bad", "worse")),
        signed=True,
        clipped=True,
    )


def _segment_row(result: RunResult, metric: str, segment: str, unit: str) -> IntervalRow:
    difference = result.difference(metric, segment) or Estimate()
    tone = tone_of(difference, lower_is_better=result.is_lower_better(metric))
    text = numbers.with_interval(difference, unit, signed=True)
    return IntervalRow(segment, numbers.in_unit(difference, unit), text, "open" if tone == "none" else tone)


def _segment_table(result: RunResult, metric: str) -> Table:
    systems = [system for system in result.systems if metric in result.metrics["offline"][system]]
    has_difference = metric in (result.metrics.get("offline_difference") or {})
    headings = [system_name(system) for system in systems] + ["funnel minus pre-existing"] * has_difference
    rows = tuple(
        _segment_cells(result, metric, segment, systems, has_difference=has_difference)
        for segment in (ALL, *result.segments(metric))
    )
    return Table(columns("segment", *headings), rows)


def _segment_cells(
    result: RunResult, metric: str, segment: str, systems: list[str], *, has_difference: bool
) -> tuple[Cell, ...]:
    cells = [
        with_count(_figure(result, system, metric, segment), result.offline(system, metric, segment))
        for system in systems
    ]
    if has_difference:
        difference = result.difference(metric, segment)
        tone = tone_of(difference, lower_is_better=result.is_lower_better(metric))
        cells.append(estimate_cell(difference, result.units.get(metric, ""), signed=True, tone=tone))
    return (text_cell(segment), *cells)
