"""How well stages that work on requests alone do their own work, whatever becomes of it further on."""

from __future__ import annotations

from typing import NamedTuple

from mlsd.report import numbers
from mlsd.report.base import ALL, RunResult
from mlsd.report.charts.specs import IntervalChart, IntervalRow
from mlsd.report.estimate import Estimate
from mlsd.report.page import Block, Cell, Fold, Paragraph, Section, Table
from mlsd.report.sections.cells import (
    NO_SUCH_FIGURE,
    charts,
    columns,
    estimate_cell,
    figure_cell,
    text_cell,
)

CONFIDENCE_NOTE = (
    "Of P(what was chosen) as the prediction, and whether it was right as the outcome. ECE says how far they "
    "lie apart; AUC whether the surer ones are right more often."
)
MEANINGS = {
    "Accuracy": "Accuracy: the share of requests where it is right.",
    "F1": "F1 of a class: 2 right / (chosen + true), over requests.",
    "MacroF1": "MacroF1: the plain mean of the F1 of all classes that are chosen or true.",
}


class _Figures(NamedTuple):
    """The names of a stage's figures by kind."""

    work: tuple[str, ...]
    """Of what it did."""

    confidence: dict[tuple[str, str], str]
    """(prediction metric, what was predicted) -> name."""


def queries(result: RunResult) -> Section | None:
    """A chart and tables for each stage that works on requests."""
    stages = {name: figures for name, figures in result.components.items() if figures}
    if not stages:
        return None
    lead = (
        f"How well {_and(list(stages))} did {'their' if len(stages) > 1 else 'its'} own work on the requests "
        "of the test window, by what is true of them and no system is told. Whether it helps the ranking is "
        "another question."
    )
    blocks = tuple(
        block for place, stage in enumerate(stages) for block in _stage_blocks(result, stage, place)
    )
    return Section("queries", "Queries", lead, (*_cost(result), *blocks))


def _cost(result: RunResult) -> tuple[Paragraph, ...]:
    if not result.annotations:
        return ()
    asked = _and([f"{numbers.count(n)} of {name}" for name, n in sorted(result.annotations.items())])
    total = numbers.plural(sum(result.annotations.values()), "answer")
    return (Paragraph(f"Annotators gave {total} about logged requests: {asked}."),)


def _and(words: list[str]) -> str:
    """Words as a list in a sentence."""
    spoken = [numbers.one_line(word) for word in words]
    return " and ".join([", ".join(spoken[:-1]), spoken[-1]] if len(spoken) > 1 else spoken)


def _stage_blocks(result: RunResult, stage: str, place: int) -> tuple[Block, ...]:
    figures = _figures(result, stage)
    table = _work_table(result, stage, figures.work)
    tables = (_confidence_table(result, stage, figures.confidence),) if figures.confidence else ()
    return (
        *charts(_work_chart(result, stage, figures.work, place), beside=table),
        *tables,
        *_folds(result, stage, figures),
    )


def _figures(result: RunResult, stage: str) -> _Figures:
    """Parted by whether a name is a prediction metric with what was predicted, as in `ECE(intent)`."""
    known = {*result.meanings, *result.prediction_metrics}
    parts = {name: name.removesuffix(")").rpartition("(") for name in result.components[stage]}
    confidence = {(metric, what): name for name, (metric, _, what) in parts.items() if metric in known}
    work = tuple(name for name in parts if name not in confidence.values())
    return _Figures(work, confidence)


def _work_chart(result: RunResult, stage: str, names: tuple[str, ...], place: int) -> IntervalChart:
    found = {name: result.component(stage, name) or Estimate() for name in names}
    rows = tuple(
        IntervalRow(numbers.one_line(name), estimate, numbers.with_interval(estimate), "stage")
        for name, estimate in found.items()
    )
    title, caption = f"The work of {numbers.one_line(stage)}", "Points with their intervals."
    return IntervalChart(f"queries-{place}", title, caption, rows, axis="share, or F1")


def _work_table(result: RunResult, stage: str, names: tuple[str, ...]) -> Table:
    rows = tuple(
        (text_cell(name), _cell(result, stage, name), _count_cell(result, stage, (name,))) for name in names
    )
    kinds = dict.fromkeys(name.partition("(")[0] for name in names)
    notes = tuple(MEANINGS[kind] for kind in kinds if kind in MEANINGS)
    return Table(columns("figure", "value", result.units_word), rows, f"How well {stage} works", notes)


def _confidence_table(result: RunResult, stage: str, names: dict[tuple[str, str], str]) -> Table:
    """Prediction metrics down, what was predicted across."""
    metrics, across = dict.fromkeys(metric for metric, _ in names), dict.fromkeys(what for _, what in names)
    rows = tuple(
        (text_cell(metric), *(_cell(result, stage, names.get((metric, what), "")) for what in across))
        for metric in metrics
    )
    caption = f"Whether {stage} knows how sure it is"
    return Table(columns("metric", *across), rows, caption, (CONFIDENCE_NOTE,))


def _folds(result: RunResult, stage: str, figures: _Figures) -> tuple[Fold, ...]:
    segments = [name for name in _segments(result, stage) if name != ALL]
    if not segments:
        return ()
    tables = tuple(
        _segment_table(result, stage, names, segments)
        for names in (figures.work, tuple(figures.confidence.values()))
        if names
    )
    return (Fold(f"{numbers.one_line(stage)} by segment", tables),)


def _segments(result: RunResult, stage: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for by in result.components[stage].values() for name in by))


def _segment_table(result: RunResult, stage: str, names: tuple[str, ...], segments: list[str]) -> Table:
    rows = tuple(
        (
            text_cell(numbers.segment_name(segment)),
            _count_cell(result, stage, names, segment),
            *(_cell(result, stage, name, segment) for name in names),
        )
        for segment in (ALL, *segments)
    )
    return Table(columns("segment", result.units_word, *names), rows)


def _cell(result: RunResult, stage: str, name: str, segment: str = ALL) -> Cell:
    return estimate_cell(result.component(stage, name, segment), missing=NO_SUCH_FIGURE)


def _count_cell(result: RunResult, stage: str, names: tuple[str, ...], segment: str = ALL) -> Cell:
    """How many units the figures were computed from."""
    found = [result.component(stage, name, segment) for name in names]
    counts = [estimate.n for estimate in found if estimate and estimate.n is not None]
    return figure_cell(numbers.count(max(counts)) if counts else numbers.UNKNOWN, "not counted")
