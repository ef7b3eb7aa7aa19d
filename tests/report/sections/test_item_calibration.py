from __future__ import annotations

from dataclasses import replace

from mlsd.report.base import RunResult
from mlsd.report.numbers import UNKNOWN
from mlsd.report.page import Fold, Table
from mlsd.report.sections.item_calibration import by_item
from mlsd.report.sections.predictions import predictions
from tests.report.conftest import item_calibration, realistic, sold


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def declared(*columns: str) -> RunResult:
    run = realistic()
    return replace(run, metrics={**run.metrics, "offline_calibration": item_calibration(*columns)})


def test_nothing_is_said_where_no_column_is_declared() -> None:
    assert by_item(realistic()) == ()


def test_the_first_column_of_the_last_stage_is_in_sight() -> None:
    table, fold = by_item(sold())
    assert isinstance(table, Table)
    assert table.caption.startswith("Predicted against observed clicks by campaign, full_rank")
    assert isinstance(fold, Fold)
    captions = [block.caption.partition(":")[0] for block in fold.blocks if isinstance(block, Table)]
    assert [caption.rpartition("by ")[2] for caption in captions] == [
        "category, full_rank",
        "campaign, light_rank",
        "category, light_rank",
    ]


def test_all_come_first_then_the_largest_then_the_others() -> None:
    table, *_ = by_item(declared("campaign"))
    assert isinstance(table, Table)
    assert [(row[0], row[4], row[5]) for row in texts(table)] == [
        ("all (40)", "not decided", "9,000"),
        ("3", "too high", "4,000"),
        ("12", "too low", "900"),
        ("8", UNKNOWN, "50"),
        ("others (37)", "not decided", "4,000"),
    ]
    assert table.rows[1][3].small == "[1.20, 1.60]"
    assert texts(table)[0][1:4] == ["2.1%", "2.0%", "1.02"]


def test_a_dash_says_that_nothing_was_clicked() -> None:
    table, *_ = by_item(declared("campaign"))
    assert isinstance(table, Table)
    assert f"{UNKNOWN} no click." in table.all_notes


def test_another_action_and_candidates_that_were_not_shown_are_named() -> None:
    run = replace(declared("campaign"), predicted={"full_rank": ("like", "hide")}, of_unshown=("full_rank",))
    table, *_ = by_item(run)
    assert isinstance(table, Table)
    assert "observed the action like by campaign" in table.caption
    assert [column.label for column in table.columns][-2] == "candidates"
    assert table.all_notes[0].startswith("Predicted and observed: the action like of candidates.")


def test_it_stands_among_the_predictions() -> None:
    found = predictions(sold())
    assert found is not None
    assert any(isinstance(block, Table) and "by campaign" in block.caption for block in found.blocks)
