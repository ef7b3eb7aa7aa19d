"""What was designed, and the funnel as it ran."""

from __future__ import annotations

from mlsd.report import numbers
from mlsd.report.base import ORACLE, RunResult, StageResult
from mlsd.report.charts.specs import FunnelChart, FunnelStep
from mlsd.report.page import Block, Bullets, Cell, Document, Fold, Section, Table
from mlsd.report.sections.cells import NOT_MEASURED, charts, columns, estimate_cell, figure_cell, text_cell


def problem(result: RunResult) -> Section:
    """The problem, the world it was tried on, and the design document."""
    blocks: list[Block] = []
    if result.world_notes:
        blocks.append(Bullets(result.world_notes, f"The world: {numbers.one_line(result.world)}"))
    if result.design.strip():
        blocks.append(Fold("The design document", (Document(result.design),)))
    names = (numbers.one_line(name) for name in (result.problem, result.world))
    lead = "Problem “{}”, tried on the world “{}”.".format(*names)
    return Section("problem", "Problem", lead, tuple(blocks))


def funnel(result: RunResult) -> Section:
    """How candidates become few, what each stage lets the next still reach, and what it costs."""
    if not result.stages:
        return Section("funnel", "Funnel", "The funnel has no stages.")
    step = "step" if len(result.stages) == 1 else "steps"
    lead = (
        f"{len(result.stages)} {step} from the catalog to what is shown. The ceiling of a step is the best "
        "that any later one could still make of what it passes on: what is lost there, no ranker brings back."
    )
    return Section("funnel", "Funnel", lead, (*charts(_funnel_chart(result)), _stage_table(result)))


def _ceiling_label(result: RunResult) -> str:
    found = (result.ceiling(stage.name) for stage in result.stages)
    return next((ceiling[0] for ceiling in found if ceiling), ORACLE + result.decides.offline)


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
            f"{numbers.count(stage.n_in)} → {numbers.count(stage.n_out)}",
            _ceiling_text(result, stage),
            numbers.milliseconds(stage.latency.p50_ms),
        )
        for stage in result.stages
    )
    caption = "Mean candidates of a request before and after each stage, widths logarithmic; median latency."
    return FunnelChart(
        "funnel-chart", "From the catalog to the slate", caption, steps, _ceiling_label(result)
    )


def _stage_table(result: RunResult) -> Table:
    label = _ceiling_label(result)
    headings = columns(
        "stage",
        "kind",
        "inside",
        "candidates in",
        "out",
        label,
        "p50",
        "p99",
        words=("kind", "inside"),
    )
    return Table(headings, tuple(_stage_row(result, stage) for stage in result.stages), "Stages")


def _stage_row(result: RunResult, stage: StageResult) -> tuple[Cell, ...]:
    ceiling = result.ceiling(stage.name)
    latency = stage.latency
    return (
        text_cell(stage.name),
        text_cell(stage.kind),
        text_cell(stage.contains),
        figure_cell(numbers.count(stage.n_in)),
        figure_cell(numbers.count(stage.n_out)),
        estimate_cell(ceiling[1] if ceiling else None, missing=NOT_MEASURED),
        *(figure_cell(numbers.milliseconds(ms)) for ms in (latency.p50_ms, latency.p99_ms)),
    )
