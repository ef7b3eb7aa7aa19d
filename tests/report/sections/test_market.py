from __future__ import annotations

from dataclasses import replace

from mlsd.report.base import RunResult
from mlsd.report.charts.specs import CampaignPacingChart, FrontierChart, PacingChart
from mlsd.report.numbers import UNKNOWN
from mlsd.report.page import Charts, Fold, Paragraph, Section, Table
from mlsd.report.sections.market import market
from tests.report.conftest import realistic, sold, sold_nothing


def section(result: RunResult) -> Section:
    found = market(result)
    assert found is not None
    return found


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def folds(result: RunResult) -> list[Fold]:
    return [block for block in section(result).blocks if isinstance(block, Fold)]


def test_nothing_is_said_where_nothing_is_sold() -> None:
    assert market(realistic()) is None


def test_both_arms_stand_side_by_side() -> None:
    charts, payers, *_ = section(sold()).blocks
    largest, _, positions, _ = folds(sold())
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
    (by_campaign,) = largest.blocks
    assert isinstance(by_campaign, Table)
    assert by_campaign.columns[0].label == "campaign"
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


def test_single_campaigns_stand_in_a_fold_with_their_distance_from_the_plan() -> None:
    """The square root of t is furthest above t, at 1/4, by 1/4; its square furthest below, at 1/2, by 1/4."""
    _, paced, *_ = folds(sold())
    drawn, table = paced.blocks
    assert isinstance(drawn, Charts)
    (chart,) = drawn.specs
    assert isinstance(chart, CampaignPacingChart)
    assert [panel.title for panel in chart.panels] == ["campaign 17 (9 days)", "campaign 4 (1 day)"]
    assert len(chart.plan) == 25
    assert isinstance(table, Table)
    assert texts(table) == [
        ["17", "14 days", "9 days", "+25 pp", "3 days", "−25 pp"],  # noqa: RUF001
        ["4", "10 days", "1 day", "−25 pp", "0 days", UNKNOWN],  # noqa: RUF001
    ]
    assert f"{UNKNOWN} its budget was never spent." in table.all_notes


def test_where_no_budget_is_spent_no_campaign_is_singled_out() -> None:
    assert not any("single campaigns" in fold.title for fold in folds(sold_nothing()))


def test_other_terms_are_a_chart_a_sentence_and_a_table() -> None:
    _, _, drawn, words, grid, *_ = section(sold()).blocks
    assert isinstance(drawn, Charts)
    (chart,) = drawn.specs
    assert isinstance(chart, FrontierChart)
    assert "the least that a click costs" in chart.caption
    assert [(mark.cost, mark.gained) for mark in chart.marks] == [(12, 100), (12, 90), (6, 50), (6, 45)]
    assert [mark.is_own for mark in chart.marks] == [True, False, False, False]
    assert isinstance(words, Paragraph)
    assert "Bids are held fixed" in words.text
    assert "budgets, pacing and frequency caps are left out" in words.text
    assert isinstance(grid, Table)
    assert [column.label for column in grid.columns] == ["reserve", "1 position", "2 positions"]
    assert texts(grid) == [["0", "50.0 ✓", "100.0 ✓"], ["0.5", "45.0", "90.0"]]
    assert grid.rows[0][2].small == "with 12.00 hides, as run"


def test_every_figure_of_other_terms_is_kept_the_highest_revenue_first() -> None:
    *_, every = folds(sold())
    (table,) = every.blocks
    assert isinstance(table, Table)
    assert [row[:2] for row in texts(table)] == [["0, as run", "2"], ["0.5", "2"], ["0", "1"], ["0.5", "1"]]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_pages_can_be_sold_again_without_an_experiment() -> None:
    found = section(replace(sold(), market=None))
    assert found.badge == "simulated"
    assert isinstance(found.blocks[0], Charts)
    assert [block.title for block in found.blocks if isinstance(block, Fold)] == [
        "Every figure of the terms that were tried"
    ]
