"""What each part of the funnel is worth: the funnel with it minus the funnel without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlsd.report import numbers
from mlsd.report.base import ALL, RunResult
from mlsd.report.charts.specs import IntervalChart, IntervalRow
from mlsd.report.estimate import Estimate, number
from mlsd.report.page import Block, Cell, Fold, Paragraph, Section, Table, Tone
from mlsd.report.sections.cells import charts, columns, estimate_cell, figure_cell, text_cell
from mlsd.report.worth import (
    REMOVALS,
    ablation_of,
    figure_of,
    luck_words,
    part_name,
    parts_tried,
    reason_of,
    said_of,
    switched_off,
)

HOW = {
    "serving": "Nothing is learnt again: later stages see what comes. A family of features is set to its "
    "training mean, a category to its most frequent value.",
    "redesign": "Stages after it are fitted again without it; what reads a column that is gone is "
    "switched off.",
}
NOTHING_OFF = "nothing else"


def ablation(result: RunResult) -> Section | None:
    """Worth of each part by removal, and what the stages that are there to save work save."""
    if not ablation_of(result):
        return None
    metric = numbers.one_line(result.decides.offline)
    lead = (
        "The funnel minus the funnel without the part, on the same requests of the test window, by "
        f"{metric} of what is shown: right of zero the part is worth something. Intervals are "
        f"{numbers.share(result.confidence)}, by resampling each {result.unit} whole, each for itself; "
        "verdicts go by Holm's p-values over all parts of a table. “Not shown” is not “worth nothing”."
    )
    blocks = [block for removal in REMOVALS for block in _of_removal(result, removal)]
    return Section("ablation", "What each part is worth", lead, (*blocks, *_saving(result)))


def _of_removal(result: RunResult, removal: str) -> tuple[Block, ...]:
    return (
        *charts(_chart(result, removal)),
        _table(result, removal),
        *_further(result, removal),
    )


def _chart(result: RunResult, removal: str) -> IntervalChart:
    metric = result.decides.offline
    return IntervalChart(
        f"ablation-{removal}-chart",
        f"Worth of each part, {REMOVALS[removal]}",
        HOW[removal],
        tuple(
            _chart_row(result, removal, part) for part in parts_tried(result) if _has(result, removal, part)
        ),
        axis=f"worth in {metric}",
        reference=0.0,
        legend=(("good", "worth it"), ("open", "not decided"), ("bad", "harmful")),
        signed=True,
        clipped=True,
    )


def _has(result: RunResult, removal: str, part: str) -> bool:
    return bool(figure_of(result, removal, part))


def _chart_row(result: RunResult, removal: str, part: str) -> IntervalRow:
    worth = Estimate.of(figure_of(result, removal, part))
    tone = said_of(result, removal, part).tone
    role = tone if tone != "none" else "open"
    return IntervalRow(part_name(part), worth, numbers.with_interval(worth, signed=True), role)


def _table(result: RunResult, removal: str) -> Table:
    redesign = removal == "redesign"
    extra = ("went with it",) if redesign else ()
    headings = columns("part", "worth", "p (Holm)", "verdict", *extra, words=("verdict", "went with it"))
    rows = tuple(_row(result, removal, part, redesign=redesign) for part in parts_tried(result))
    notes = (luck_words(result),) if redesign else ()
    return Table(headings, rows, numbers.sentence(REMOVALS[removal]).rstrip("."), notes)


def _row(result: RunResult, removal: str, part: str, *, redesign: bool) -> tuple[Cell, ...]:
    figure, name = figure_of(result, removal, part), part_name(part)
    if not figure:
        reason = f"{name}: {reason_of(result, removal, part) or 'not tried'}"
        blanks = (Cell(numbers.UNKNOWN), text_cell("not possible"), *([Cell(numbers.UNKNOWN)] * redesign))
        return (text_cell(name), Cell(numbers.UNKNOWN, reason=reason), *blanks)
    tone, word = said_of(result, removal, part)
    off = (text_cell(switched_off(result, part) or NOTHING_OFF),) if redesign else ()
    p_holm = numbers.p_text(number(figure.get("p_holm")))
    return (
        text_cell(name),
        estimate_cell(Estimate.of(figure), signed=True, tone=tone),
        figure_cell(p_holm, "not tested"),
        Cell(word, tone=tone),
        *off,
    )


def _further(result: RunResult, removal: str) -> tuple[Fold, ...]:
    """The other metrics, and the deciding one by segment."""
    found: Mapping[str, Any] = ablation_of(result).get(removal) or {}
    if not found:
        return ()
    parts = [part for part in parts_tried(result) if part in found]
    metrics = list(dict.fromkeys(name for part in parts for name in found[part]))
    segments = list(
        dict.fromkeys(name for part in parts for name in found[part].get(result.decides.offline, {}))
    )
    by_metric = _grid(result, removal, parts, [(name, name, ALL) for name in metrics])
    by_segment = _grid(
        result,
        removal,
        parts,
        [(numbers.segment_name(name), result.decides.offline, name) for name in segments if name != ALL],
    )
    tables = tuple(table for table in (by_metric, by_segment) if len(table.columns) > 1)
    return (Fold(f"All metrics and segments, {REMOVALS[removal]}", tables),) if tables else ()


def _grid(result: RunResult, removal: str, parts: list[str], across: list[tuple[str, str, str]]) -> Table:
    """Parts down; across, each heading with its metric and segment. Intervals, each for itself."""
    rows = tuple(
        (
            text_cell(part_name(part)),
            *(
                estimate_cell(Estimate.of(figure_of(result, removal, part, metric, segment)), signed=True)
                for _, metric, segment in across
            ),
        )
        for part in parts
    )
    note = "Intervals, each for itself. The p-values of the deciding metric by segment are in metrics.json."
    return Table(columns("part", *(heading for heading, _, _ in across)), rows, notes=(note,))


def _saving(result: RunResult) -> tuple[Block, ...]:
    """Verdicts on stages that are there to save work."""
    verdicts: Mapping[str, Any] = ablation_of(result).get("non_inferiority") or {}
    rows = tuple(
        _saving_row(result, removal, part, verdict)
        for removal in REMOVALS
        for part, verdict in (verdicts.get(removal) or {}).items()
    )
    if not rows:
        return ()
    text = (
        "A rank stage before another one is there to save work, not to rank better: it is non-inferior if "
        f"the lower end of with minus without is above −margin, {numbers.share(result.confidence)}. "  # noqa: RUF001
        "Declared time is of this stage and those after it; measured is p99 of the whole funnel."
    )
    headings = columns(
        "stage",
        "without it",
        "with minus without",
        "margin",
        "verdict",
        "candidates for later stages",
        "declared",
        "measured p99",
        words=("without it", "verdict"),
    )
    return (Paragraph(text), Table(headings, rows, "Stages that save work: with → without"))


def _saving_row(result: RunResult, removal: str, part: str, verdict: Mapping[str, Any]) -> tuple[Cell, ...]:
    worth, margin = Estimate.of(verdict), number(verdict.get("margin"))
    holds = verdict.get("non_inferior")
    candidates, declared = (_sides(verdict.get(name)) for name in ("candidates", "declared_ms"))
    cheaper = declared[0] < declared[1]
    p99 = (
        result.capacity.request.p99_ms,
        result.leaner[part].p99_ms if part in result.leaner else float("nan"),
    )
    word = "non-inferior" if holds else "not shown to be non-inferior"
    cost = (", at lower cost" if cheaper else ", but no cheaper") if holds else ""
    tone: Tone = "good" if holds and cheaper else "open"
    return (
        text_cell(part_name(part)),
        text_cell(REMOVALS[removal]),
        estimate_cell(worth, signed=True),
        figure_cell(numbers.significant(margin, 1)),
        Cell(word + cost, tone=tone),
        text_cell(f"{numbers.count(candidates[0])} → {numbers.count(candidates[1])}"),
        text_cell(_times(declared)),
        text_cell(_times(p99)),
    )


def _sides(found: Mapping[str, Any] | None) -> tuple[float, float]:
    return number((found or {}).get("with")), number((found or {}).get("without"))


def _times(sides: tuple[float, float]) -> str:
    return " → ".join(map(numbers.milliseconds, sides))
