from __future__ import annotations

from mlsd.report.base import RunResult
from mlsd.report.charts.specs import PacingChart
from mlsd.report.numbers import UNKNOWN
from mlsd.report.page import Charts, Fold, Section, Table
from mlsd.report.sections.market import market
from tests.report.conftest import realistic, sold, sold_nothing


def section(result: RunResult) -> Section:
    found = market(result)
    assert found is not None
    return found


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_nothing_is_said_where_nothing_is_sold() -> None:
    assert market(realistic()) is None


def test_both_arms_stand_side_by_side() -> None:
    charts, payers, largest, positions = section(sold()).blocks
    assert isinstance(charts, Charts)
    (chart,) = charts.specs
    assert isinstance(chart, PacingChart)
    assert len(chart.plan) == len(chart.before) == len(chart.after) == 25
    assert charts.beside is not None
    assert texts(charts.beside)[0] == ["of all budgets was spent", "48.0%", "48.0%"]
    assert isinstance(payers, Table)
    first = texts(payers)[0]
    assert first[0] == "all (40)"
    assert first[4:] == ["402", "1,208", "3.00", "50.0%", "310", "930"]
    assert isinstance(largest, Fold)
    assert isinstance(positions, Fold)
    (before, after) = positions.blocks
    assert isinstance(after, Table)
    assert texts(after)[0] == ["0", "100%", "3.00%", "1.12", "33.54"]
    assert isinstance(before, Table)
    assert before.caption == "pre-existing system"


def test_what_is_undefined_says_why() -> None:
    table, payers, *_ = section(sold_nothing()).blocks
    assert isinstance(table, Table)
    assert {cell for row in texts(table) for cell in row[1:]} == {UNKNOWN}
    assert isinstance(payers, Table)
    assert f"{UNKNOWN} nothing of the kind." in payers.all_notes
