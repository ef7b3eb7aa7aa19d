"""How well each stage and the whole funnel rank and predict, on the requests of the test window."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.base import FUNNEL, LOGGING, ORACLE, RunResult
from mlsd.report.charts.specs import IntervalChart, IntervalRow, Role
from mlsd.report.estimate import Estimate
from mlsd.report.page import Block, Cell, Section, Table
from mlsd.report.sections.cells import (
    NO_SUCH_FIGURE,
    charts,
    columns,
    estimate_cell,
    meanings,
    metric_label,
    metric_table,
    system_name,
    text_cell,
)
from mlsd.report.sections.changes import change_blocks
from mlsd.report.sections.ratings import rated_blocks
from mlsd.report.verdicts import judged

ROLES: dict[str, Role] = {LOGGING: "baseline", FUNNEL: "funnel"}
SHOWN_NOTE = (
    "The whole funnel is what is shown: the last stage's output, cut to the length of a slate, which lowers "
    "metrics of longer lists."
)
STEP_NOTE = (
    "Each stage minus the one before it, paired by request, not corrected for the number of stages and "
    "metrics. Passing on fewer candidates lowers metrics of longer lists, AP among them, and the ceiling."
)


def offline(result: RunResult) -> Section:
    """Metric by stage with intervals, and the funnel against the pre-existing system."""
    if not result.systems:
        return Section("offline", "Offline evaluation", "Nothing was evaluated offline.")
    metric = result.decides.offline
    lead = (
        "Each stage's output as if it were shown, on the requests of the test window. "
        f"Intervals are {numbers.share(result.confidence)}, by resampling each {result.unit} whole. "
        f"{numbers.one_line(metric)} was named to decide before the run."
    )
    blocks: tuple[Block, ...] = (
        *charts(_stage_chart(result, metric)),
        *_difference_table(result),
        *_step_table(result),
        *_change_blocks(result),
        *_ranking_tables(result),
        *rated_blocks(result),
        *meanings(result, result.ranking_metrics),
    )
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
    return IntervalChart(
        "offline-chart",
        f"{metric} by stage",
        _stage_caption(before.is_known, ceilings),
        rows,
        axis=metric,
        unit=unit,
        reference=numbers.in_unit(before, unit).value,
        mark_label="ceiling" if ceilings else "",
        legend=(("baseline", "pre-existing system"), ("stage", "stage"), ("funnel", "whole funnel")),
    )


def _stage_caption(has_baseline: bool, has_ceilings: bool) -> str:
    caption = "Points with their intervals."
    if has_baseline:
        caption += " The dashed line is the pre-existing system."
    if has_ceilings:
        caption += (
            " Early stages are there to keep what is relevant, for later ones to order: judge them by the "
            "ceiling they leave (hollow diamond)."
        )
    return caption


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


def _ranking_tables(result: RunResult) -> tuple[Table, ...]:
    names = result.ranking_metrics
    if not names:
        return ()
    notes = (SHOWN_NOTE,) if FUNNEL in result.systems and len(result.systems) > 1 else ()
    return (metric_table(result, names, result.systems, "How each stage ranks", notes),)


def _difference_table(result: RunResult) -> tuple[Table, ...]:
    """Ceilings are left out: what could have been shown is no verdict on what was."""
    differences = result.metrics.get("offline_difference") or {}
    known = [name for name in result.offline_metrics if name in differences]
    names = [name for name in dict.fromkeys([*known, *differences]) if not name.startswith(ORACLE)]
    if not names:
        return ()
    found = [result.difference(name) or Estimate() for name in names]
    with_p = any(math.isfinite(difference.p_value) for difference in found)
    p_heading = ("p",) if with_p else ()
    headings = columns("metric", "difference", *p_heading, "verdict", result.units_word, words=("verdict",))
    note = "Paired by request, not corrected for the number of metrics: one metric was named to decide."
    rows = tuple(_difference_row(result, name, with_p=with_p) for name in names)
    return (Table(headings, rows, "Whole funnel minus pre-existing system", (note,)),)


def _difference_row(result: RunResult, metric: str, *, with_p: bool) -> tuple[Cell, ...]:
    difference = result.difference(metric) or Estimate()
    tone, word = judged(result, metric, difference)
    p_cell = (text_cell(numbers.p_text(difference.p_value)),) if with_p else ()
    return (
        text_cell(metric),
        estimate_cell(difference, result.units.get(metric, ""), signed=True),
        *p_cell,
        Cell(word, tone=tone),
        text_cell(numbers.count(difference.n)),
    )


def _step_table(result: RunResult) -> tuple[Table, ...]:
    """What each stage changes of what the one before it passed on."""
    steps = result.steps
    names = [name for name in result.ranking_metrics if any(result.step(stage, name) for _, stage in steps)]
    if not names:
        return ()
    headings = [f"{system_name(stage)} {numbers.MINUS} {system_name(before)}" for before, stage in steps]
    rows = tuple(
        (text_cell(metric_label(name)), *(_step_cell(result, stage, name) for _, stage in steps))
        for name in names
    )
    return (Table(columns("metric", *headings), rows, "What each step changes", (STEP_NOTE,)),)


def _step_cell(result: RunResult, stage: str, metric: str) -> Cell:
    difference = result.step(stage, metric)
    tone = "none" if metric.startswith(ORACLE) else judged(result, metric, difference).tone
    unit = result.units.get(metric, "")
    return estimate_cell(difference, unit, signed=True, tone=tone, missing=NO_SUCH_FIGURE)


def _change_blocks(result: RunResult) -> tuple[Block, ...]:
    if result.changes is None:
        return ()
    return change_blocks(
        result.changes,
        before="the pre-existing system",
        after="the funnel",
        metric=result.decides.offline,
        heads=("pre-existing", "funnel"),
        title="Queries that gain and lose most",
    )
