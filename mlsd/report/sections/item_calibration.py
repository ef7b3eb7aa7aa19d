"""Whether predicted actions mean what they say where the most is shown: by campaign, for example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlsd.report import numbers
from mlsd.report.base import ALL, CLICK, RunResult
from mlsd.report.estimate import Estimate
from mlsd.report.page import Block, Cell, Fold, Table
from mlsd.report.sections.cells import columns, estimate_cell, figure_cell, text_cell

NOTE = (
    "Predicted and observed: {actions} of {rows}. Ratio: the one over the other; above 1 too many are "
    "predicted. Not decided: the interval holds 1. Every row is looked at by itself, so that of twenty that "
    "are right one or so is found too high or too low."
)


def by_item(result: RunResult) -> tuple[Block, ...]:
    """The first declared column of the last stage that predicts in sight; other columns and stages folded."""
    found: Mapping[str, Any] = result.metrics.get("offline_calibration") or {}
    stages = [stage for stage in reversed(result.systems) if stage in found]
    tables = [_table(result, stage, *column) for stage in stages for column in found[stage].items()]
    folded = (Fold("By other columns, and of the stages before", tuple(tables[1:])),) if tables[1:] else ()
    return (*tables[:1], *folded)


def _table(result: RunResult, stage: str, column: str, found: Mapping[str, Any]) -> Table:
    largest = sorted(found["largest"].items(), key=lambda pair: -pair[1]["n_impressions"])
    n_values = found["n_values"]
    rows = [(f"all ({numbers.count(n_values)})", found[ALL]), *largest]
    if "others" in found:
        rows.append((f"others ({numbers.count(n_values - len(largest))})", found["others"]))
    one, action = numbers.spoken(column), numbers.spoken(result.predicted_by(stage))
    actions = "clicks" if action == CLICK else f"the action {action}"
    counted = "candidates" if stage in result.of_unshown else "impressions"
    return Table(
        columns(one, "predicted", "observed", "ratio", "verdict", counted, "users", words=("verdict",)),
        tuple(_cells(name, figures, f"no {action}") for name, figures in rows),
        f"Predicted against observed {actions} by {one}, {numbers.one_line(stage)}: those most shown",
        (NOTE.format(actions=actions, rows=counted),),
    )


def _cells(name: str, figures: Mapping[str, Any], missing: str) -> tuple[Cell, ...]:
    ratio = Estimate.of(figures["ratio"])
    shares = (numbers.share(Estimate.of(figures[kind]).value) for kind in ("predicted", "observed"))
    cell = estimate_cell(ratio) if ratio.is_known else Cell(numbers.UNKNOWN, reason=missing)
    n_users = Estimate.of(figures["predicted"]).n
    return (
        text_cell(name),
        *(figure_cell(share) for share in shares),
        cell,
        text_cell(_verdict(ratio)),
        text_cell(numbers.count(figures["n_impressions"])),
        text_cell(numbers.count(n_users)),
    )


def _verdict(ratio: Estimate) -> str:
    if not ratio.has_interval:
        return numbers.UNKNOWN
    if ratio.low > 1:
        return "too high"
    return "too low" if ratio.high < 1 else "not decided"
