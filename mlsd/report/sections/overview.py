"""What was designed, and the funnel as it ran."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.base import ORACLE, RunResult
from mlsd.report.charts.specs import FunnelChart, FunnelStep
from mlsd.report.page import Block, Bullets, Cell, Document, Fold, Section, Table
from mlsd.report.parts import StageResult
from mlsd.report.sections.cells import (
    NOT_MEASURED,
    charts,
    columns,
    estimate_cell,
    figure_cell,
    metric_label,
    pairs,
    text_cell,
)

REQUEST_ALONE = "none: the stage works on the request alone, before there are candidates"


def problem(result: RunResult) -> Section:
    """The problem, the world it was tried on, and the design document."""
    blocks: list[Block] = []
    if result.answers:
        blocks.append(pairs(("question", "answer"), result.answers))
    if result.world_notes:
        title = f"The world it was tried on: {numbers.one_line(result.world)}"
        blocks.append(Bullets(result.world_notes, title))
    if result.design.strip():
        blocks.append(Fold("The design document", (Document(result.design),)))
    return Section("problem", "Problem", _problem_lead(result), tuple(blocks))


def _problem_lead(result: RunResult) -> str:
    if result.purpose:
        return numbers.sentence(result.purpose)
    names = (numbers.one_line(name) for name in (result.problem, result.world))
    return "Problem “{}”, tried on the world “{}”.".format(*names)


def funnel(result: RunResult) -> Section:
    """How candidates become few, what each stage lets the next still reach, and what it costs."""
    if not result.stages:
        return Section("funnel", "Funnel", "The funnel has no stages.")
    lead = (
        f"{numbers.plural(len(result.stages), 'stage')} from the catalog to what is shown. The ceiling of a "
        f"stage is the {numbers.one_line(result.decides.offline)} of what it passes on, in the best order "
        "there is: what it loses, no later stage brings back."
    )
    return Section("funnel", "Funnel", lead, (*charts(_funnel_chart(result)), _stage_table(result)))


def _ceiling_label(result: RunResult) -> str:
    found = (result.ceiling(stage.name) for stage in result.stages)
    name = next((ceiling[0] for ceiling in found if ceiling), ORACLE + result.decides.offline)
    return metric_label(name)


def _ceiling_text(result: RunResult, stage: StageResult) -> str:
    found = result.ceiling(stage.name)
    return numbers.value_text(found[1]) if found else numbers.UNKNOWN


def _funnel_chart(result: RunResult) -> FunnelChart:
    steps = tuple(
        FunnelStep(
            stage.name,
            stage.contains or stage.kind,
            stage.n_in,
            stage.n_out,
            _counts_text(stage),
            _ceiling_text(result, stage),
            numbers.milliseconds(stage.latency.p50_ms),
        )
        for stage in result.stages
    )
    caption = (
        "Mean number of candidates of a request before and after each stage, on a logarithmic scale; the "
        "ceiling that the stage leaves; and its median latency."
    )
    return FunnelChart(
        "funnel-chart", "From the catalog to the slate", caption, steps, _ceiling_label(result)
    )


def _counts_text(stage: StageResult) -> str:
    if math.isnan(stage.n_out):
        return "the request"
    return f"{numbers.count(stage.n_in)} → {numbers.count(stage.n_out)}"


def _stage_table(result: RunResult) -> Table:
    label = _ceiling_label(result)
    headings = columns(
        "stage",
        "inside",
        "candidates in",
        "out",
        label,
        "p50",
        "p99",
        words=("inside",),
    )
    note = "p50 and p99: percentiles of the time that single requests spend in the stage."
    rows = tuple(_stage_row(result, stage) for stage in result.stages)
    return Table(headings, rows, "Stages", (note,))


def _stage_row(result: RunResult, stage: StageResult) -> tuple[Cell, ...]:
    ceiling = result.ceiling(stage.name)
    latency = stage.latency
    missing = REQUEST_ALONE if stage.name in result.components else NOT_MEASURED
    return (
        text_cell(stage.name),
        text_cell(stage.contains or stage.kind),
        figure_cell(numbers.count(stage.n_in), missing),
        figure_cell(numbers.count(stage.n_out), missing),
        estimate_cell(ceiling[1] if ceiling else None, missing=missing),
        *(figure_cell(numbers.milliseconds(ms)) for ms in (latency.p50_ms, latency.p99_ms)),
    )
