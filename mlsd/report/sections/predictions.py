"""What stages that predict actions predict, and whether it means what it says."""

from __future__ import annotations

from mlsd.report import numbers
from mlsd.report.base import CLICK, RunResult
from mlsd.report.charts.specs import ReliabilityChart
from mlsd.report.page import Block, Fold, Section, Table
from mlsd.report.sections.cells import (
    charts,
    columns,
    figure_cell,
    meanings,
    metric_label,
    metric_table,
    offline_cell,
    text_cell,
)
from mlsd.report.sections.item_calibration import by_item

_SCORES = ("ECE", "NE")
LEAD = (
    "The probability of a click that a stage predicts for what the log shows of the test window, against "
    "what happened. Points on the diagonal mean what they say."
)
ACTIONS_LEAD = (
    "The probabilities of actions that a stage predicts for the test window, against what happened. Points "
    "on the diagonal mean what they say."
)
UNSHOWN_NOTE = "What was not shown counts, too, as not done"
COVERAGE_NOTE = (
    "A stage predicts for its own candidates only, and later stages have fewer and harder ones: figures of "
    "different stages are of different impressions and do not compare."
)


def predictions(result: RunResult) -> Section | None:
    """Figures by stage, and predicted against observed."""
    known = {stage: bins for stage, bins in result.calibration.items() if bins}
    if not known and not result.prediction_metrics:
        return None
    drawn = (
        ReliabilityChart(
            f"calibration-{place}", _chart_title(result, stage), _calibration_words(result, stage), bins
        )
        for place, (stage, bins) in enumerate(known.items())
    )
    tables = tuple(_bin_table(result, stage) for stage in known)
    folded = (Fold("The points of the charts", tables),) if tables else ()
    blocks: tuple[Block, ...] = (
        *charts(*drawn),
        *_figures(result),
        *_actions(result),
        *by_item(result),
        *folded,
        *meanings(result, result.click_metrics),
    )
    lead = LEAD if result.predicts_clicks_alone else ACTIONS_LEAD
    return Section("predictions", predictions_title(result), lead, blocks)


def predictions_title(result: RunResult) -> str:
    """What predictions are called."""
    return "Click predictions" if result.predicts_clicks_alone else "Predictions of actions"


def _chart_title(result: RunResult, stage: str) -> str:
    """The stage, and which of its actions where that is not clear."""
    name = numbers.one_line(stage)
    return name if result.predicts_clicks_alone else f"{name}: {numbers.spoken(result.predicted_by(stage))}"


def _figures(result: RunResult) -> tuple[Table, ...]:
    names = result.click_metrics
    if not names:
        return ()
    offline = result.metrics.get("offline") or {}
    systems = [system for system in result.systems if any(name in offline[system] for name in names)]
    notes = (COVERAGE_NOTE,) if len(systems) > 1 else ()
    return (metric_table(result, names, systems, "How well clicks are predicted", notes),)


def _actions(result: RunResult) -> tuple[Table, ...]:
    """Stage by stage, all that it predicts: an action a row."""
    of_actions, offline = result.action_metrics, result.metrics.get("offline") or {}
    tables = []
    for system in result.systems:
        predicted = [name for name in of_actions if name in offline[system]]
        if not predicted:
            continue
        metrics = tuple(dict.fromkeys(of_actions[name][0] for name in predicted))
        actions = tuple(dict.fromkeys(of_actions[name][1] for name in predicted))
        of_clicks = [(CLICK, metrics)] if any(metric in offline[system] for metric in metrics) else []
        of_others = [(action, tuple(f"{metric}({action})" for metric in metrics)) for action in actions]
        rows = (
            (text_cell(numbers.action_name(action)), *(offline_cell(result, system, name) for name in names))
            for action, names in (*of_clicks, *of_others)
        )
        caption = f"How well {numbers.one_line(system)} predicts each action"
        tables.append(Table(columns("action", *map(metric_label, metrics)), tuple(rows), caption))
    return tuple(tables)


def _calibration_words(result: RunResult, stage: str) -> str:
    of_what = "" if result.predicted_by(stage) == CLICK else f"({result.predicted_by(stage)})"
    found = {name: result.offline(stage, name + of_what) for name in _SCORES}
    words = [
        f"{name} {numbers.with_interval(estimate)}"
        for name, estimate in found.items()
        if estimate and estimate.is_known
    ]
    if stage in result.coverage:
        words.insert(0, f"{numbers.share(result.coverage[stage])} of the impressions were its candidates")
    if stage in result.of_unshown:
        words.insert(0, UNSHOWN_NOTE)
    return "; ".join(words) + ("." if words else "")


def _bin_table(result: RunResult, stage: str) -> Table:
    rows = tuple(
        (
            text_cell(place + 1),
            figure_cell(numbers.significant(row.predicted)),
            figure_cell(numbers.significant(row.observed)),
            text_cell(numbers.count(row.n)),
        )
        for place, row in enumerate(result.calibration[stage])
    )
    return Table(columns("bin", "predicted", "observed", "rows"), rows, _chart_title(result, stage))
