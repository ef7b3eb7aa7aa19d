"""The simulated A/B test."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.base import Estimate, OnlineDesign, RunResult, number
from mlsd.report.charts.specs import IntervalChart, IntervalRow
from mlsd.report.page import Block, Bullets, Cell, Column, Fold, Section, Table
from mlsd.report.sections.cells import charts, columns, estimate_cell, text_cell
from mlsd.report.verdicts import WORDS, tone_of

NO_TRUTH = "not known: the world has no truth of this"
RELATIVE_NOTE = "Relative effects and their intervals are divided by the control arm's value, taken as exact."


def online(result: RunResult) -> Section:
    """Effects on users, with the truth where the world knows it and the assumptions beside."""
    if not result.online_metrics:
        lead = "No online test was simulated for this run, so nothing here tells what users would do."
        return Section("online", "Online test", lead, _assumptions(result, "This run takes for granted:"))
    blocks = list(_assumptions(result, "Simulated, not observed. It assumes:"))
    blocks.extend((*charts(_effect_chart(result)), _effect_table(result)))
    blocks.extend(_design_blocks(result.online_design))
    return Section("online", "Online test", _lead(result.online_design), tuple(blocks), badge="simulated")


def _assumptions(result: RunResult, title: str) -> tuple[Block, ...]:
    return (Bullets(result.assumptions, title, "open"),) if result.assumptions else ()


def _lead(design: OnlineDesign | None) -> str:
    if design is None:
        return "Treatment against control on simulated users."
    arms = []
    for arm, n_users in ((design.treatment, design.n_treatment), (design.control, design.n_control)):
        users = f" ({numbers.plural(n_users, 'user')})" if n_users is not None else ""
        arms.append(f"{numbers.one_line(arm)}{users}")
    days = f" over {numbers.plural(design.n_days, 'day')}" if design.n_days is not None else ""
    truth = f" {numbers.sentence('The true effect: ' + design.truth)}" if design.truth else ""
    level = numbers.share(design.confidence)
    return f"Treatment: {arms[0]}. Control: {arms[1]}. Simulated users{days}, {level} intervals.{truth}"


def _design_blocks(design: OnlineDesign | None) -> tuple[Block, ...]:
    if design is None or not design.differences:
        return ()
    headings = tuple(Column(label, numeric=False) for label in ("key", "control", "treatment"))
    rows = tuple(tuple(text_cell(part) for part in difference) for difference in design.differences)
    return (Fold("In what the arms differ", (Table(headings, rows),)),)


def _relative(result: RunResult, metric: str) -> tuple[Estimate, float]:
    """Effect and truth in percent of the control arm; NaN where control is 0 or unknown."""
    figure = result.online(metric) or {}
    control = number(figure.get("control"))
    scale = 100 / abs(control) if control else math.nan
    return (result.effect(metric) or Estimate()).scaled(scale), number(figure.get("truth")) * scale


def _effect_chart(result: RunResult) -> IntervalChart:
    rows = tuple(_effect_row(result, metric) for metric in result.online_metrics)
    has_truth = any(math.isfinite(row.mark) for row in rows)
    caption = "Effect in percent of control, with its interval. "
    caption += "A hollow diamond is the true effect, which only a simulation knows." if has_truth else ""
    return IntervalChart(
        "online-chart",
        "Simulated effects, relative to control",
        caption.strip(),
        rows,
        axis="effect, % of control",
        unit="%",
        reference=0.0,
        mark_label="true effect" if has_truth else "",
        legend=(("good", "better"), ("open", "not decided"), ("bad", "worse")),
        signed=True,
        clipped=True,
    )


def _effect_row(result: RunResult, metric: str) -> IntervalRow:
    relative, truth = _relative(result, metric)
    tone = tone_of(result.effect(metric), lower_is_better=result.is_lower_better(metric))
    name = numbers.spoken(metric) + (" ★" if metric == result.decides.online else "")
    return IntervalRow(name, relative, _percent(relative), "open" if tone == "none" else tone, truth)


def _percent(relative: Estimate) -> str:
    """An estimate that already counts in percent."""
    if not relative.is_known:
        return numbers.UNKNOWN
    value = numbers.value_text(relative, signed=True) + "%"
    return f"{value} {numbers.interval_text(relative, signed=True)}".strip()


def _effect_table(result: RunResult) -> Table:
    headings = columns(
        "metric",
        "control",
        "treatment",
        "effect",
        "relative",
        "p",
        "verdict",
        "true effect",
        words=("verdict",),
    )
    rows = tuple(_effect_cells(result, metric) for metric in result.online_metrics)
    decides = (
        f"★ was named to decide before the run. {RELATIVE_NOTE}" if result.decides.online else RELATIVE_NOTE
    )
    return Table(headings, rows, "Every metric", (decides,))


def _effect_cells(result: RunResult, metric: str) -> tuple[Cell, ...]:
    figure, unit = result.online(metric) or {}, result.units.get(metric, "")
    effect = result.effect(metric) or Estimate()
    tone = tone_of(effect, lower_is_better=result.is_lower_better(metric))
    name = numbers.spoken(metric) + (" ★" if metric == result.decides.online else "")
    return (
        text_cell(name),
        *(_arm_cell(number(figure.get(arm)), effect, unit) for arm in ("control", "treatment")),
        estimate_cell(effect, unit, signed=True, tone=tone),
        _relative_cell(result, metric),
        text_cell(numbers.p_text(effect.p_value)),
        Cell(WORDS[tone], tone=tone),
        _truth_cell(number(figure.get("truth")), effect, unit),
    )


def _arm_cell(value: float, effect: Estimate, unit: str) -> Cell:
    text = numbers.like(value, effect, unit)
    return Cell(text, reason="not measured" if text == numbers.UNKNOWN else "")


def _relative_cell(result: RunResult, metric: str) -> Cell:
    relative, _ = _relative(result, metric)
    if not relative.is_known:
        return Cell(numbers.UNKNOWN, reason="undefined where control is 0 or unknown")
    value = numbers.value_text(relative, signed=True)
    return Cell(f"{value}%", numbers.interval_text(relative, signed=True))


def _truth_cell(truth: float, effect: Estimate, unit: str) -> Cell:
    """The true effect, and whether the interval covers it."""
    if not math.isfinite(truth):
        return Cell(numbers.UNKNOWN, reason=NO_TRUTH)
    text = numbers.like(truth, effect, unit, signed=True)
    if not effect.has_interval:
        return Cell(text)
    return Cell(text, "covered" if effect.low <= truth <= effect.high else "missed")
