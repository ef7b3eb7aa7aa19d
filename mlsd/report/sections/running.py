"""What the run cost, what it was made of and how to have it again."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.base import RunResult
from mlsd.report.charts.specs import LatencyChart
from mlsd.report.page import Block, Cell, Code, Fold, Section, Table
from mlsd.report.parts import Capacity, Latency
from mlsd.report.sections.cells import charts, columns, figure_cell, pairs, text_cell
from mlsd.report.verdicts import catalog_caveat


def latency(result: RunResult) -> Section:
    """How quick each stage and the whole funnel are, against the budget."""
    chart = _latency_chart(result)
    blocks: list[Block] = [*charts(chart), _latency_table(result)] if chart.has_content else []
    blocks.append(pairs(("capacity", "figure"), _capacity_facts(result.capacity)))
    blocks.extend(_steps(result))
    return Section(
        "latency", "Latency and capacity", _lead(result, measured=chart.has_content), tuple(blocks)
    )


def _lead(result: RunResult, *, measured: bool) -> str:
    if not measured:
        return "No latency was measured in this run."
    capacity = result.capacity
    n_requests = (
        numbers.plural(capacity.n_requests, "single request") if capacity.n_requests else "single requests"
    )
    machine = f" on {capacity.machine}" if capacity.machine else ""
    words = f"Measured with a clock on {n_requests} after warm-up{machine}. It varies from run to run."
    return f"{words} {catalog_caveat(result)}".strip()


def _latency_rows(result: RunResult) -> list[tuple[str, Latency]]:
    rows = [(numbers.one_line(stage.name), stage.latency) for stage in result.stages]
    return [*rows, ("whole request", result.capacity.request)]


def _latency_chart(result: RunResult) -> LatencyChart:
    rows = tuple(
        (name, row, f"{numbers.milliseconds(row.p50_ms)} / {numbers.milliseconds(row.p99_ms)}")
        for name, row in _latency_rows(result)
    )
    budget = result.capacity.budget_ms
    caption = (
        "From the median (dot) over the 95th percentile to the 99th (ticks), on a logarithmic scale. "
        "Right: p50 / p99."
    )
    return LatencyChart(
        "latency-chart", "Latency of one request", caption, rows, math.nan if budget is None else budget
    )


def _latency_table(result: RunResult) -> Table:
    rows = tuple(_latency_cells(name, row) for name, row in _latency_rows(result))
    note = "Percentiles of stages do not add up to those of the whole request."
    return Table(columns("stage", "p50", "p95", "p99"), rows, "Latency of single requests", (note,))


def _latency_cells(name: str, row: Latency) -> tuple[Cell, ...]:
    return (
        text_cell(name),
        *(figure_cell(numbers.milliseconds(value)) for value in (row.p50_ms, row.p95_ms, row.p99_ms)),
    )


def _capacity_facts(capacity: Capacity) -> list[tuple[str, str]]:
    verdict = {True: ", within the budget", False: ", over the budget", None: ""}[capacity.fits]
    budget = numbers.milliseconds(math.nan if capacity.budget_ms is None else capacity.budget_ms)
    batch = f" in batches of {numbers.count(capacity.batch_size)}" if capacity.batch_size else ""
    throughput = numbers.count(capacity.throughput_per_s)
    facts = [
        ("budget of a request (p99)", budget),
        ("p99 of the whole request", f"{numbers.milliseconds(capacity.request.p99_ms)}{verdict}"),
        ("throughput", throughput if throughput == numbers.UNKNOWN else f"{throughput} requests/s{batch}"),
    ]
    if capacity.required_per_s is not None:
        facts.append(("needed at peak", _peak_words(capacity.required_per_s, capacity.throughput_per_s)))
    return facts


def _peak_words(required: float, throughput: float) -> str:
    words = f"{numbers.count(required)} requests/s"
    if not (math.isfinite(throughput) and throughput > 0):
        return words
    times = numbers.count(required / throughput)
    return f"{words}, {times} times this throughput"


def _steps(result: RunResult) -> tuple[Block, ...]:
    if not result.steps_s:
        return ()
    total = sum(value for value in result.steps_s.values() if math.isfinite(value))
    rows = [(numbers.spoken(name), numbers.seconds(value)) for name, value in result.steps_s.items()]
    table = pairs(("step", "took"), [*rows, ("all steps", numbers.seconds(total))])
    return (Fold(f"Where the run spent its {numbers.seconds(total)}", (table,)),)


def provenance(result: RunResult) -> Section | None:
    """What the run was made of."""
    blocks: list[Block] = []
    if result.reproduce:
        blocks.append(Code(result.reproduce, "sh"))
    if result.provenance:
        blocks.append(Fold("Versions, seed, data", (pairs(("what", "which"), result.provenance.items()),)))
    if not blocks:
        return None
    lead = "This command runs it again." if result.reproduce else "What the run was made of."
    return Section("provenance", "Provenance", lead, tuple(blocks))


def config(result: RunResult) -> Section | None:
    """The resolved config."""
    if not result.config_yaml.strip():
        return None
    fold = Fold("The resolved config", (Code(result.config_yaml, "yaml"),))
    return Section("config", "Config", "Everything that was set, defaults included.", (fold,))
