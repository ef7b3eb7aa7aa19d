"""What the report says each part is worth, and of what could not be taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlsd.report.base import RunResult
from mlsd.report.charts.specs import IntervalChart
from mlsd.report.numbers import MINUS
from mlsd.report.page import Charts, Fold, Section, Table
from mlsd.report.parts import Latency
from mlsd.report.sections.ablation import ablation
from mlsd.report.worth import luck_words, part_name, parts_tried, said_of


def section(result: RunResult) -> Section:
    found = ablation(result)
    assert found is not None
    return found


def tables(result: RunResult) -> dict[str, Table]:
    return {block.caption: block for block in section(result).blocks if isinstance(block, Table)}


def rows(table: Table) -> dict[str, list[str]]:
    return {row[0].text: [cell.text.replace(MINUS, "-") for cell in row[1:]] for row in table.rows}


def changed(result: RunResult, **entries: Any) -> RunResult:
    return replace(result, metrics={"ablation": {**result.metrics["ablation"], **entries}})


def test_nothing_where_nothing_was_taken_out(result: RunResult) -> None:
    assert ablation(result) is None
    assert parts_tried(result) == ()


def test_parts_come_in_the_funnels_order(taken_apart_result: RunResult) -> None:
    assert [part_name(part) for part in parts_tried(taken_apart_result)] == [
        "stage: retrieve",
        "stage: light_rank",
        "stage: full_rank",
        "retriever: bm25",
        "retriever: popularity",
        "features: query-item",
    ]


def test_kinds_of_parts_come_together(taken_apart_result: RunResult) -> None:
    figures = taken_apart_result.metrics["ablation"]["redesign"]["stage/light_rank"]
    names = (
        "display/diversifier",
        "features/item",
        "retriever/bm25",
        "classifier/topic",
        "rewriter/spelling",
    )
    result = changed(taken_apart_result, redesign=dict.fromkeys([*names, "stage/full_rank"], figures))
    kinds = [part.partition("/")[0] for part in parts_tried(result)]
    assert list(dict.fromkeys(kinds)) == [
        "stage", "rewriter", "classifier", "retriever", "features", "display",
    ]  # fmt: skip
    assert kinds == sorted(kinds, key=list(dict.fromkeys(kinds)).index)


def test_a_stage_that_goes_whole_with_a_part_is_said_to(taken_apart_result: RunResult) -> None:
    off = {"full_rank": ["topic_match"], "display": ["diversifier"]}
    result = changed(
        taken_apart_result,
        switched_off={"retriever/bm25": off},
        emptied={"retriever/bm25": ["display"], "features/query_item": ["light_rank"]},
    )
    table = rows(tables(result)["Designed without it"])
    assert table["retriever: bm25"][-1] == "full_rank: topic_match; display: the whole stage"
    assert table["features: query-item"][-1] == "light_rank: the whole stage"


def test_a_verdict_for_every_part(taken_apart_result: RunResult) -> None:
    at_serving = rows(tables(taken_apart_result)["Taken out at serving"])
    unknown = "\N{EN DASH}"
    assert at_serving == {
        "stage: retrieve": [unknown, unknown, "not possible"],
        "stage: light_rank": ["+0.001", "1.00", "not shown"],
        "stage: full_rank": ["+0.013", "0.080", "not shown"],
        "retriever: popularity": ["-0.008", "0.003", "harmful"],
        "retriever: bm25": [unknown, unknown, "not possible"],
        "features: query-item": ["+0.210", "<0.001", "worth it"],
    }


def test_why_something_is_not_possible(taken_apart_result: RunResult) -> None:
    notes = " ".join(tables(taken_apart_result)["Taken out at serving"].all_notes)
    assert "stage: retrieve: retrieve finds the candidates" in notes
    assert "retriever: bm25: full_rank needs candidate.bm25_score" in notes


def test_a_redesign_says_what_went_with_the_part_and_what_could_be_luck(
    taken_apart_result: RunResult,
) -> None:
    table = tables(taken_apart_result)["Designed without it"]
    assert rows(table)["retriever: bm25"] == [
        "+0.012", "<0.001", "could be luck", "light_rank: bm25; full_rank: bm25, bm25_share",
    ]  # fmt: skip
    assert rows(table)["features: query-item"][2:] == ["worth it", "nothing else"]
    (luck,) = table.notes
    assert luck.startswith("The whole funnel was trained 4 times, with nDCG@10 from 0.6710 to 0.6780.")
    assert "stays within 0.0103 of their mean (95%)" in luck


def test_a_chart_for_each_removal_without_what_was_not_possible(taken_apart_result: RunResult) -> None:
    found = [
        chart
        for block in section(taken_apart_result).blocks
        if isinstance(block, Charts)
        for chart in block.specs
    ]
    assert [chart.name for chart in found] == ["ablation-serving-chart", "ablation-redesign-chart"]
    assert isinstance(found[0], IntervalChart)
    assert {row.label: row.role for row in found[0].rows} == {
        "stage: light_rank": "open",
        "stage: full_rank": "open",
        "retriever: popularity": "bad",
        "features: query-item": "good",
    }


def test_all_metrics_and_segments_are_folded_away(taken_apart_result: RunResult) -> None:
    folds = [block for block in section(taken_apart_result).blocks if isinstance(block, Fold)]
    assert len(folds) == 2
    by_metric, by_segment = folds[0].blocks
    assert isinstance(by_metric, Table)
    assert isinstance(by_segment, Table)
    assert [column.label for column in by_metric.columns] == ["part", "nDCG@10", "P@5"]
    assert [column.label for column in by_segment.columns] == ["part", "queries: tail"]


def test_the_light_ranker_by_non_inferiority_and_cost(taken_apart_result: RunResult) -> None:
    first, second = tables(taken_apart_result)["Stages that save work: with → without"].rows
    assert [cell.text for cell in first[1:]] == [
        "taken out at serving",
        "+0.001",
        "0.01",
        "non-inferior, at lower cost",
        "100 → 487",
        "2.2 ms → 5.4 ms",
        "4.6 ms → 7.3 ms",
    ]
    assert (first[4].tone, second[4].tone) == ("good", "open")
    assert second[4].text == "not shown to be non-inferior"
    assert second[6].text == "2.2 ms → \N{EN DASH}"


def test_non_inferior_but_no_cheaper_is_not_good(taken_apart_result: RunResult) -> None:
    saves = dict(taken_apart_result.metrics["ablation"]["non_inferiority"]["serving"]["stage/light_rank"])
    saves["declared_ms"] = {"with": 6.0, "without": 5.0}
    result = changed(taken_apart_result, non_inferiority={"serving": {"stage/light_rank": saves}})
    (row,) = tables(replace(result, leaner={}))["Stages that save work: with → without"].rows
    assert (row[4].text, row[4].tone) == ("non-inferior, but no cheaper", "open")
    assert row[7].text == "4.6 ms → \N{EN DASH}"


@pytest.mark.parametrize("luck", [{}, {"values": [0.6], "mean": 0.6, "reach": None, "exceeded": {}}])
def test_luck_that_was_not_measured_is_said_to_be_so(taken_apart_result: RunResult, luck: Any) -> None:
    result = changed(taken_apart_result, training_luck=luck)
    assert luck_words(result).startswith("The luck of training was not measured")
    assert said_of(result, "redesign", "retriever/bm25").word == "worth it"


def test_a_figure_without_a_test_is_not_judged(taken_apart_result: RunResult) -> None:
    figure = {"nDCG@10": {"all": {"value": None, "low": None, "high": None, "n": 0, "p_holm": None}}}
    result = changed(taken_apart_result, serving={"stage/light_rank": figure})
    assert said_of(result, "serving", "stage/light_rank") == ("none", "not measured")
    assert said_of(result, "serving", "stage/never_heard_of") == ("none", "not measured")


def test_latency_of_the_leaner_funnel_is_what_was_measured(taken_apart_result: RunResult) -> None:
    result = replace(taken_apart_result, leaner={"stage/light_rank": Latency(1, 2, 300.0)})
    first, *_ = tables(result)["Stages that save work: with → without"].rows
    assert first[7].text == "4.6 ms → 300 ms"
