from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlsd.report.base import RunResult, StageResult
from mlsd.report.page import Block, Bullets, Charts, Fold, Section, Table
from mlsd.report.sections import build_page


def tables(blocks: tuple[Block, ...]) -> Iterator[Table]:
    for block in blocks:
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Fold):
            yield from tables(block.blocks)
        elif isinstance(block, Charts) and block.beside:
            yield block.beside


def section(result: RunResult, anchor: str) -> Section:
    return next(part for part in build_page(result).sections if part.anchor == anchor)


def test_the_page_runs_in_reading_order(result: RunResult) -> None:
    anchors = [part.anchor for part in build_page(result).sections]
    assert anchors == [
        "problem",
        "funnel",
        "offline",
        "online",
        "calibration",
        "labels",
        "features",
        "training",
        "latency",
        "segments",
        "provenance",
        "config",
    ]


def test_every_row_has_a_cell_for_every_column(any_result: RunResult) -> None:
    for part in build_page(any_result).sections:
        for table in tables(part.blocks):
            assert all(len(row) == len(table.columns) for row in table.rows)


def test_anchors_are_unique(any_result: RunResult) -> None:
    anchors = [part.anchor for part in build_page(any_result).sections]
    assert len(anchors) == len(set(anchors))


def test_without_an_online_test_the_page_says_so_and_is_not_called_simulated(result: RunResult) -> None:
    part = section(replace(result, metrics={"offline": result.metrics["offline"]}), "online")
    assert part.badge == ""
    assert part.blocks == (Bullets(result.assumptions, "This run takes for granted:", "open"),)
    assert part.lead.startswith("No online test was simulated")


def test_assumptions_stand_before_the_figures_they_carry(result: RunResult) -> None:
    first = section(result, "online").blocks[0]
    assert isinstance(first, Bullets)
    assert first.items == result.assumptions
    assert section(result, "online").badge == "simulated"


def test_truth_is_said_to_be_covered_or_missed(result: RunResult) -> None:
    online = {**result.metrics["online"]}
    online["ctr"] = {**online["ctr"], "truth": 0.5}
    online["retention_7d"] = {**online["retention_7d"], "truth": None}
    run = replace(result, metrics={**result.metrics, "online": online})
    (table,) = [table for table in tables(section(run, "online").blocks) if table.caption]
    said = {row[0].text: row[-1] for row in table.rows}
    assert said["session success ★"].small == "covered"
    assert said["ctr"].small == "missed"
    assert "no truth" in said["retention 7d"].reason


def test_relative_effects_are_by_the_control_arm(result: RunResult) -> None:
    (table,) = [table for table in tables(section(result, "online").blocks) if table.caption]
    row = next(row for row in table.rows if row[0].text == "served nDCG@10")
    # 0.061 / 0.612 = 9.97%, its interval 0.042 / 0.612 = 6.9% to 0.080 / 0.612 = 13.1%.
    assert (row[4].text, row[4].small) == ("+10.0%", "[+6.9, +13.1]")


def test_a_control_of_zero_has_no_relative_effect(result: RunResult) -> None:
    online = {"purchases": {"control": 0, "treatment": 1, "effect": 1, "low": 0.5, "high": 1.5}}
    (table,) = [
        table
        for table in tables(section(replace(result, metrics={"online": online}), "online").blocks)
        if table.caption
    ]
    assert table.rows[0][4].reason == "undefined where control is 0 or unknown"


def test_features_that_tell_nothing_are_named(result: RunResult) -> None:
    part = section(result, "features")
    assert part.lead.startswith("6 columns")
    assert "pair.topic_affinity" in str(part.blocks[0])


def test_a_stage_without_a_ceiling_shows_a_dash_and_why(result: RunResult) -> None:
    run = replace(result, stages=(*result.stages, StageResult("rerank", "rerank")))
    row = next(tables(section(run, "funnel").blocks)).rows[-1]
    assert (row[5].text, row[5].reason) == ("–", "not measured")  # noqa: RUF001


def test_segments_without_a_figure_for_a_system_do_not_fail(result: RunResult) -> None:
    offline = {
        "funnel": {"AP": {"all": {"value": 0.5}, "a": {"value": 0.4}}},
        "logging": {"AP": {"all": {"value": 0.3}}},
    }
    (table,) = tables(section(replace(result, metrics={"offline": offline}), "segments").blocks)
    assert [row[0].text for row in table.rows] == ["all", "a"]
    assert table.rows[1][1].reason.startswith("not measured here")


def test_the_level_of_intervals_is_the_one_that_was_used(result: RunResult) -> None:
    assert result.online_design is not None
    run = replace(result, confidence=0.9, online_design=replace(result.online_design, confidence=0.99))
    page = build_page(run)
    assert page.reading.startswith("Brackets hold 90% or 99% intervals.")
    assert "Intervals are 90%" in section(run, "offline").lead
    assert "99% intervals" in section(run, "online").lead
    assert "95%" not in str(page)
