"""Figures as cells of tables."""

from __future__ import annotations

from collections.abc import Iterable

from mlsd.report import numbers
from mlsd.report.base import Estimate
from mlsd.report.charts.specs import ChartSpec
from mlsd.report.page import Block, Cell, Charts, Column, Table, Tone

UNDEFINED = (
    "undefined, since nothing was there to compute it from (no request that counts, or one class only)"
)
NOT_MEASURED = "not measured"


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
