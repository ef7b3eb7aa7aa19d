from __future__ import annotations

from dataclasses import replace

from mlsd.report.base import RunResult
from mlsd.report.estimate import Estimate
from mlsd.report.numbers import UNKNOWN
from mlsd.report.page import Block, Fold, Table
from mlsd.report.parts import RatingSummary
from mlsd.report.sections.ratings import rated_blocks, rating_blocks


def rated(result: RunResult) -> RatingSummary:
    assert result.label_ratings is not None
    return result.label_ratings


def as_text(blocks: tuple[Block, ...]) -> list[list[str]]:
    """Every row of every table, folded away or not."""
    rows = []
    for block in blocks:
        if isinstance(block, Fold):
            rows += as_text(block.blocks)
        if isinstance(block, Table):
            rows += [[cell.text for cell in row] for row in block.rows]
    return rows


def test_what_was_paid_for(result: RunResult) -> None:
    rows = as_text(rating_blocks(rated(result)))
    assert ["budget", "3,000 ratings"] in rows
    assert ["ratings", "2,970, by 3 of 12 raters a pair"] in rows
    assert ["cost", "148.50, at 0.05 a rating"] in rows


def test_agreement_and_accuracy_with_what_was_used(result: RunResult) -> None:
    rows = as_text(rating_blocks(rated(result)))
    assert ["ordinal", "0.861"] in rows
    assert [row[0] for row in rows if row[0].endswith("(used)")] == ["DawidSkene (used)"]
    assert ["0", "Useless.", "52%", "54%", "54%"] in rows
    assert ["12", "211", "90%", "80%"] in rows


def test_alpha_that_is_undefined_says_why(result: RunResult) -> None:
    summary = replace(
        rated(result),
        alpha={"ordinal": Estimate()},
        undefined="all ratings are the same, so nothing varies",
    )
    table = next(
        block for block in rating_blocks(summary) if isinstance(block, Table) and block.caption == "Agreement"
    )
    assert f"{UNKNOWN} undefined: all ratings are the same, so nothing varies." in table.all_notes


def test_a_rater_who_was_never_asked(result: RunResult) -> None:
    summary = rated(result)
    nobody = replace(summary.raters[0], n_ratings=0, estimated=float("nan"), true=float("nan"))
    rows = as_text(rating_blocks(replace(summary, raters=(nobody,))))
    assert ["1", "0", UNKNOWN, UNKNOWN] in rows


def test_every_system_by_what_raters_said(result: RunResult) -> None:
    table, fold = rated_blocks(result)
    assert isinstance(table, Table)
    assert table.notes[0].startswith("Raters graded 990 pairs of 69 requests of the test window")
    assert [row[0].text for row in table.rows] == [
        "pre-existing system",
        "retrieve",
        "light_rank",
        "full_rank",
        "whole funnel",
    ]
    assert isinstance(fold, Fold)


def test_where_nobody_was_asked_nothing_is_said(result: RunResult) -> None:
    assert rated_blocks(replace(result, test_ratings=None)) == ()
    assert rated_blocks(replace(result, metrics={"offline": result.metrics["offline"]})) == ()
