"""Figures as cells of tables."""

from __future__ import annotations

from collections.abc import Iterable

from mlsd.report import numbers
from mlsd.report.base import ALL, FUNNEL, LOGGING, ORACLE, RunResult
from mlsd.report.charts.specs import ChartSpec, Role
from mlsd.report.estimate import Estimate
from mlsd.report.page import Block, Cell, Charts, Column, Fold, Table, Tone
from mlsd.report.verdicts import Judged

UNDEFINED = (
    "undefined: nothing to compute it from (no request that counts, one class only, or no prediction "
    "over the threshold)"
)
NOT_MEASURED = "not measured"
NO_SUCH_FIGURE = "not measured here"
SYSTEM_NAMES = {LOGGING: "pre-existing system", FUNNEL: "whole funnel"}


def charts(*specs: ChartSpec, beside: Table | None = None) -> tuple[Block, ...]:
    """The charts on which anything would be seen; the table alone where there is none."""
    shown = tuple(spec for spec in specs if spec.has_content)
    if shown:
        return (Charts(shown, beside),)
    return (beside,) if beside else ()


def estimate_cell(
    estimate: Estimate | None,
    unit: str = "",
    *,
    signed: bool = False,
    tone: Tone = "none",
    missing: str = NOT_MEASURED,
) -> Cell:
    """An estimate with its interval; without a figure, a dash and why."""
    if estimate is None:
        return Cell(numbers.UNKNOWN, reason=missing)
    if not estimate.is_known:
        return Cell(numbers.UNKNOWN, reason=UNDEFINED)
    text = numbers.value_text(estimate, unit, signed=signed)
    return Cell(text, numbers.interval_text(estimate, unit, signed=signed), tone)


def with_count(cell: Cell, estimate: Estimate | None) -> Cell:
    """The cell, with what its figure was computed from."""
    if estimate is None or estimate.n is None:
        return cell
    small = f"{cell.small} n = {numbers.count(estimate.n)}".strip()
    return Cell(cell.text, small, cell.tone, cell.reason)


def text_cell(text: object) -> Cell:
    """Words, or a dash where there are none."""
    return Cell(numbers.clean(text) or numbers.UNKNOWN)


def figure_cell(text: str, reason: str = NOT_MEASURED) -> Cell:
    """A figure that is already text; a dash says why."""
    return Cell(text, reason=reason if text == numbers.UNKNOWN else "")


def columns(first: str, *others: str, words: Iterable[str] = ()) -> tuple[Column, ...]:
    """Headings: the first and those in `words` hold words, the others numbers."""
    wordy = {first, *words}
    return tuple(Column(label, numeric=label not in wordy) for label in (first, *others))


def pairs(heading: tuple[str, str], values: Iterable[tuple[object, object]], caption: str = "") -> Table:
    """A table of names and what they stand for."""
    rows = tuple((text_cell(name), text_cell(value)) for name, value in values)
    return Table(tuple(Column(label, numeric=False) for label in heading), rows, caption)


def system_name(system: str) -> str:
    """What a reader calls an entry of the offline metrics."""
    return SYSTEM_NAMES.get(system, numbers.one_line(system))


def metric_label(metric: str) -> str:
    """What a reader calls a metric.

    Example:
        >>> metric_label("oracle nDCG@10"), metric_label("retention_7d")
        ('ceiling (nDCG@10)', '7-day retention')
    """
    if metric.startswith(ORACLE):
        return f"ceiling ({numbers.one_line(metric.removeprefix(ORACLE))})"
    return numbers.metric_name(metric)


def role_of(said: Judged) -> Role:
    """The mark of a difference in a chart; where it differs and neither is better, that of a plain point."""
    if said.tone == "none":
        return "stage" if said.word in {"higher", "lower"} else "open"
    return said.tone


def offline_cell(result: RunResult, system: str, metric: str, segment: str = ALL) -> Cell:
    """A figure of the offline evaluation."""
    estimate = result.offline(system, metric, segment)
    return estimate_cell(estimate, result.units.get(metric, ""), missing=NO_SUCH_FIGURE)


def metric_table(
    result: RunResult, metrics: Iterable[str], systems: Iterable[str], caption: str, notes: tuple[str, ...]
) -> Table:
    """Metrics down, systems across, all requests."""
    across = tuple(systems)
    rows = tuple(
        (text_cell(metric_label(metric)), *(offline_cell(result, system, metric) for system in across))
        for metric in metrics
    )
    return Table(columns("metric", *map(system_name, across)), rows, caption, notes)


def meanings(result: RunResult, metrics: Iterable[str]) -> tuple[Fold, ...]:
    """What metrics mean, folded away; nothing where nobody said."""
    said = [(metric_label(name), result.meanings[name]) for name in metrics if name in result.meanings]
    return (Fold("What the metrics mean", (pairs(("metric", "meaning"), said),)),) if said else ()
