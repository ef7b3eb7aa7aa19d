"""The simulated A/B test."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.base import RunResult
from mlsd.report.charts.specs import IntervalChart, IntervalRow
from mlsd.report.estimate import Estimate, number
from mlsd.report.page import Block, Bullets, Cell, Column, Fold, Section, Table
from mlsd.report.parts import OnlineDesign
from mlsd.report.power import POWER_WORDS, detectable, units_needed
from mlsd.report.sections.cells import charts, columns, estimate_cell, meanings, role_of, text_cell
from mlsd.report.verdicts import judged, others_online

NO_TRUTH = "not known: the world has no truth of this"
NO_EFFECT = "not estimated by the experiment"
RELATIVE_NOTE = "Relative: treatment / control - 1, its interval by the delta method on its logarithm."
BROKEN_RATIO_P = 0.001
"""Below this p-value users were not assigned as meant, and no figure of the test can be trusted."""


def online(result: RunResult) -> Section:
    """Effects on users, with the truth where the world knows it and the assumptions beside."""
    if not result.online_metrics:
        lead = "No online test was simulated for this run, so nothing here tells what users would do."
        return Section("online", "Online test", lead, _assumptions(result, "This run takes for granted:"))
    blocks = (
        *_assumptions(result, "Simulated, not observed. It takes for granted:"),
        *charts(_effect_chart(result)),
        *_findings(result),
        _effect_table(result),
        *meanings(result, result.online_metrics),
        *_differences(result.online_design),
    )
    return Section("online", "Online test", _lead(result.online_design), blocks, badge="simulated")


def _assumptions(result: RunResult, title: str) -> tuple[Block, ...]:
    return (Bullets(result.assumptions, title, "open"),) if result.assumptions else ()


def _lead(design: OnlineDesign | None) -> str:
    if design is None:
        return "Treatment against control on simulated users."
    arms = []
    for arm, n_users in ((design.control, design.n_control), (design.treatment, design.n_treatment)):
        users = f", {numbers.plural(n_users, 'user')}" if n_users is not None else ""
        arms.append(f"{numbers.one_line(arm)}{users}")
    days = f" {numbers.plural(design.n_days, 'day')} of simulated users." if design.n_days is not None else ""
    level = numbers.share(design.confidence)
    return f"Control: {arms[0]}. Treatment: {arms[1]}.{days} Intervals are {level}, by user."


def _findings(result: RunResult) -> tuple[Block, ...]:
    """What the test could find at its size, what its other metrics say, and whether it was a fair one."""
    sentences = (*_power(result), others_online(result), _hidden(result), _sample_ratio(result.online_design))
    said = tuple(sentence for sentence in sentences if sentence)
    return (Bullets(said, "What it says"),) if said else ()


def _power(result: RunResult) -> tuple[str, ...]:
    metric, design = result.decides.online, result.online_design
    effect = result.effect(metric)
    if effect is None or not effect.has_interval or effect.high <= effect.low or design is None:
        return ()
    unit = result.units.get(metric, "")
    size = detectable(effect, design.confidence)
    shown = numbers.like(size, effect, unit, signed=True).removeprefix("+")
    relative = _of_control(result, metric, size)
    name = numbers.metric_name(metric)
    first = f"A test of this size finds a true effect of {shown}{relative} on {name} {POWER_WORDS}."
    return (first, _truth_words(result, metric, effect, size))


def _of_control(result: RunResult, metric: str, size: float) -> str:
    control = number((result.online(metric) or {}).get("control"))
    return f" ({numbers.share(size / abs(control))} of control)" if control else ""


def _truth_words(result: RunResult, metric: str, effect: Estimate, size: float) -> str:
    """The true effect, and how many users it takes to find it; empty where it is not known."""
    truth = number((result.online(metric) or {}).get("truth"))
    if not math.isfinite(truth) or truth == 0:
        return ""
    shown = numbers.like(truth, effect, result.units.get(metric, ""), signed=True)
    start = f"The true effect, which the simulation knows, is {shown}"
    design = result.online_design
    if abs(truth) >= size or design is None or not design.n_control or not design.n_treatment:
        return f"{start}."
    needed = units_needed(design.n_control + design.n_treatment, size, truth)
    return f"{start}: to find it {POWER_WORDS} takes about {numbers.about(needed)} users."


def _hidden(result: RunResult) -> str:
    """Truths that no experiment could see."""
    told = [
        f"{numbers.metric_name(name)} {numbers.value_text(truth, result.units.get(name, ''), signed=True)}"
        for name in result.hidden_metrics
        for truth in (Estimate.of(result.online(name), "truth"),)
    ]
    return f"Hidden from any experiment, the true effect on: {', '.join(told)}." if told else ""


def _sample_ratio(design: OnlineDesign | None) -> str:
    """Whether the arms are as large as they were meant to be."""
    if design is None or not math.isfinite(design.sample_ratio_p):
        return ""
    p_value = _equals(design.sample_ratio_p)
    if design.sample_ratio_p < BROKEN_RATIO_P:
        return f"The arms differ in size more than chance allows (p {p_value}): trust no figure of this test."
    return f"The arms are as large as half and half makes them (p {p_value})."


def _differences(design: OnlineDesign | None) -> tuple[Block, ...]:
    if design is None or not design.differences:
        return ()
    headings = tuple(Column(label, numeric=False) for label in ("key", "control", "treatment"))
    rows = tuple(tuple(text_cell(part) for part in difference) for difference in design.differences)
    return (Fold("In what the arms differ", (Table(headings, rows),)),)


def _relative(result: RunResult, metric: str) -> tuple[Estimate, float]:
    """Relative effect in percent, and the true effect in percent of the control arm; NaN where undefined."""
    figure = result.online(metric) or {}
    value, low, high = (number(figure.get(name)) for name in ("relative", "relative_low", "relative_high"))
    control = number(figure.get("control"))
    truth = number(figure.get("truth")) / control if control else math.nan
    return Estimate(value, low, high).scaled(100), 100 * truth


def online_name(result: RunResult, metric: str) -> str:
    """With a star where it decides, and what it comes from where that is people."""
    rated = result.online_design is not None and metric == result.online_design.rated
    return f"{numbers.metric_name(metric)}{' as rated' * rated}{' ★' * (metric == result.decides.online)}"


def _effect_chart(result: RunResult) -> IntervalChart:
    rows = tuple(_effect_row(result, metric) for metric in result.seen_metrics)
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
        legend=(("good", "better"), ("open", "not decided"), ("bad", "worse"), ("stage", "differs")),
        signed=True,
        clipped=True,
    )


def _effect_row(result: RunResult, metric: str) -> IntervalRow:
    relative, truth = _relative(result, metric)
    role = role_of(judged(result, metric, result.effect(metric)))
    return IntervalRow(online_name(result, metric), relative, _percent(relative), role, truth)


def _percent(relative: Estimate) -> str:
    """An estimate that already counts in percent."""
    if not relative.is_known:
        return numbers.UNKNOWN
    value = numbers.value_text(relative, signed=True) + "%"
    return f"{value} {numbers.interval_text(relative, signed=True)}".strip()


def _effect_table(result: RunResult) -> Table:
    headings = columns(
        "metric",
        "effect",
        "verdict",
        "true effect",
        "control",
        "treatment",
        "relative",
        words=("verdict",),
    )
    rows = tuple(_effect_cells(result, metric) for metric in result.seen_metrics)
    return Table(headings, rows, "Every metric", _table_notes(result))


def _table_notes(result: RunResult) -> tuple[str, ...]:
    design = result.online_design or OnlineDesign()
    notes = (
        "★ was named to decide before the run." if result.decides.online else "",
        numbers.sentence(f"True effect: {design.truth}") if design.truth else "",
        f"{numbers.one_line(design.rated)} as rated: {numbers.sentence(design.raters)}"
        if design.raters
        else "",
        RELATIVE_NOTE,
    )
    return tuple(note for note in notes if note)


def _raters_note(design: OnlineDesign) -> str:
    return (
        f"{numbers.one_line(design.rated)} as rated: {numbers.sentence(design.raters)}"
        if design.raters
        else ""
    )


def _effect_cells(result: RunResult, metric: str) -> tuple[Cell, ...]:
    figure, unit = result.online(metric) or {}, result.units.get(metric, "")
    effect = result.effect(metric) or Estimate()
    tone, word = judged(result, metric, effect)
    return (
        text_cell(online_name(result, metric)),
        estimate_cell(effect if effect.is_known else None, unit, signed=True, tone=tone, missing=NO_EFFECT),
        Cell(word, _p_words(effect), tone),
        _truth_cell(result, metric, effect),
        *(_arm_cell(number(figure.get(arm)), effect, unit) for arm in ("control", "treatment")),
        _relative_cell(result, metric),
    )


def _p_words(effect: Estimate) -> str:
    return f"p {_equals(effect.p_value)}" if math.isfinite(effect.p_value) else ""


def _equals(p_value: float) -> str:
    """A p-value after its sign.

    Example:
        >>> _equals(0.43), _equals(0.0001)
        ('= 0.43', '< 0.001')
    """
    text = numbers.p_text(p_value)
    return f"< {text[1:]}" if text.startswith("<") else f"= {text}"


def _arm_cell(value: float, effect: Estimate, unit: str) -> Cell:
    text = numbers.like(value, effect, unit)
    return Cell(text, reason="not measured" if text == numbers.UNKNOWN else "")


def _relative_cell(result: RunResult, metric: str) -> Cell:
    relative, _ = _relative(result, metric)
    if not relative.is_known:
        return Cell(numbers.UNKNOWN, reason="undefined where control is not above 0")
    value = numbers.value_text(relative, signed=True)
    return Cell(f"{value}%", numbers.interval_text(relative, signed=True))


def _truth_cell(result: RunResult, metric: str, effect: Estimate) -> Cell:
    """The true effect, and whether the interval covers it; raters' errors make theirs another quantity."""
    truth = number((result.online(metric) or {}).get("truth"))
    if not math.isfinite(truth):
        return Cell(numbers.UNKNOWN, reason=NO_TRUTH)
    text = numbers.like(truth, effect, result.units.get(metric, ""), signed=True)
    if result.online_design is not None and metric == result.online_design.rated:
        return Cell(text, "of exact grades")
    if not effect.has_interval:
        return Cell(text)
    return Cell(text, "in the interval" if effect.low <= truth <= effect.high else "outside")
