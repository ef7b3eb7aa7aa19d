from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mlsd.fitting import Curves
from mlsd.report.base import RunResult
from mlsd.report.page import Block, Bullets, Charts, Fold, Paragraph, Section, Table
from mlsd.report.parts import Decides, StageResult
from mlsd.report.sections import build_page
from tests.report.conftest import large


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
        "segments",
        "online",
        "predictions",
        "labels",
        "features",
        "training",
        "latency",
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


def step_table(result: RunResult) -> list[Table]:
    found = tables(section(result, "offline").blocks)
    return [table for table in found if table.caption == "What each step changes"]


def test_each_step_is_a_column_of_differences(result: RunResult) -> None:
    (table,) = step_table(result)
    assert [column.label for column in table.columns] == [
        "metric",
        "light_rank − retrieve",  # noqa: RUF001
        "full_rank − light_rank",  # noqa: RUF001
    ]
    rows = {row[0].text: row[1:] for row in table.rows}
    assert rows["nDCG@10"][0].text.startswith("+0.055")
    assert rows["nDCG@10"][0].tone == "good"
    assert rows["R@100"][1].tone == "bad"
    assert rows["ceiling (nDCG@10)"][0].tone == "none"
    assert "auc" not in {name.lower() for name in rows}


def test_without_steps_there_is_no_table_of_them(result: RunResult) -> None:
    metrics = {name: value for name, value in result.metrics.items() if name != "offline_steps"}
    assert not step_table(replace(result, metrics=metrics))


def effects(result: RunResult) -> Table:
    """The table of all online metrics."""
    (table,) = [table for table in tables(section(result, "online").blocks) if table.caption]
    return table


def findings(result: RunResult) -> tuple[str, ...]:
    """What is said of the online test before its figures."""
    bullets = [block for block in section(result, "online").blocks if isinstance(block, Bullets)]
    return bullets[-1].items


def test_truth_is_said_to_be_covered_or_missed(result: RunResult) -> None:
    online = {**result.metrics["online"]}
    online["ctr"] = {**online["ctr"], "truth": 0.5}
    online["retention_7d"] = {**online["retention_7d"], "truth": None}
    run = replace(result, metrics={**result.metrics, "online": online})
    said = {row[0].text: row[3] for row in effects(run).rows}
    assert said["session success ★"].small == "in the interval"
    assert said["click-through rate"].small == "outside"
    assert "no truth" in said["7-day retention"].reason


def test_what_raters_say_is_told_from_the_truth(result: RunResult) -> None:
    said = {row[0].text: row[3] for row in effects(result).rows}
    assert said["served nDCG@10 as rated"].small == "of exact grades"
    assert any("err now and then" in note for note in effects(result).notes)


def test_what_no_experiment_sees_is_a_sentence_and_no_row(result: RunResult) -> None:
    assert "Hidden from any experiment, the true effect on: satisfied requests +0.0689." in findings(result)
    assert not any("satisf" in row[0].text for row in effects(result).rows)


def test_the_test_says_what_it_could_find_and_what_it_takes_to_find_the_truth(result: RunResult) -> None:
    run = replace(result, decides=Decides("nDCG@10", "sessions_per_user"))
    # Half the interval is 0.081 and what is found four times in five 0.1158: the truth of 0.029 takes
    # 5,000 users x (0.1158 / 0.029)^2 = 79,700.
    power, truth = findings(run)[:2]
    assert "finds a true effect of 0.116 (2.8% of control) on sessions per user" in power
    assert truth.endswith("is +0.029: to find it four times in five takes about 80,000 users.")


def test_arms_of_odd_sizes_are_a_warning(result: RunResult) -> None:
    assert "The arms are as large as half and half makes them (p = 0.73)." in findings(result)
    assert result.online_design is not None
    broken = replace(result, online_design=replace(result.online_design, sample_ratio_p=1e-6))
    assert any("trust no figure" in sentence for sentence in findings(broken))


def test_relative_effects_are_by_the_control_arm(result: RunResult) -> None:
    row = next(row for row in effects(result).rows if row[0].text.startswith("served nDCG@10"))
    # 0.061 / 0.612 = 9.97%, its interval 0.042 / 0.612 = 6.9% to 0.080 / 0.612 = 13.1%.
    assert (row[6].text, row[6].small) == ("+10.0%", "[+6.9, +13.1]")


def test_a_control_of_zero_has_no_relative_effect(result: RunResult) -> None:
    effect = {"control": 0, "treatment": 1, "effect": 1, "low": 0.5, "high": 1.5, "relative": None}
    online = {"purchases": effect}
    table = effects(replace(result, metrics={"online": online}))
    assert table.rows[0][6].reason == "undefined where control is not above 0"


def test_features_that_tell_nothing_are_named(result: RunResult) -> None:
    part = section(result, "features")
    assert part.lead.startswith("6 numeric features")
    assert "pair.topic_affinity" in str(part.blocks[0])


def test_a_stage_without_a_ceiling_shows_a_dash_and_why(result: RunResult) -> None:
    run = replace(result, stages=(*result.stages, StageResult("rerank", "rerank")))
    row = next(tables(section(run, "funnel").blocks)).rows[-1]
    assert (row[4].text, row[4].reason) == ("–", "not measured")  # noqa: RUF001


def test_segments_without_a_figure_for_a_system_do_not_fail(result: RunResult) -> None:
    offline = {
        "funnel": {"AP": {"all": {"value": 0.5}, "a": {"value": 0.4}}},
        "logging": {"AP": {"all": {"value": 0.3}}},
    }
    (table,) = tables(section(replace(result, metrics={"offline": offline}), "segments").blocks)
    assert [row[0].text for row in table.rows] == ["all", "a"]
    assert [column.label for column in table.columns[2:]] == ["whole funnel", "pre-existing system"]
    assert table.rows[1][3].reason.startswith("not measured here")


def segment_blocks(result: RunResult) -> dict[str, tuple[Block, ...]]:
    """Folds of the section by title."""
    blocks = section(result, "segments").blocks
    return {block.title: block.blocks for block in blocks if isinstance(block, Fold)}


def test_what_is_compared_stands_before_the_stages(result: RunResult) -> None:
    (table,) = segment_blocks(result)["nDCG@10 by segment"]
    assert isinstance(table, Table)
    labels = [column.label for column in table.columns]
    assert labels[2:6] == ["funnel minus pre-existing", "whole funnel", "pre-existing system", "retrieve"]


def test_segments_come_by_size_and_small_ones_are_folded() -> None:
    run = large()
    table, rest = segment_blocks(run)["nDCG@10 by segment"]
    assert isinstance(table, Table)
    assert isinstance(rest, Fold)
    assert rest.title == "30 smaller segments"
    (others,) = rest.blocks
    assert isinstance(others, Table)
    names = [row[0].text for row in (*table.rows, *others.rows)]
    assert names == ["all", *(f"category: {place}" for place in reversed(range(40)))]
    assert others.columns == table.columns


def test_other_metrics_are_each_behind_their_name(result: RunResult) -> None:
    inside = segment_blocks(result)["Other ranking metrics by segment"]
    titles = [block.title for block in inside if isinstance(block, Fold)]
    assert titles == ["RR@10", "AP", "P@5", "R@100", "F1@10", "ceiling (nDCG@10)"]


def test_the_level_of_intervals_is_the_one_that_was_used(result: RunResult) -> None:
    assert result.online_design is not None
    run = replace(result, confidence=0.9, online_design=replace(result.online_design, confidence=0.99))
    page = build_page(run)
    assert page.reading.startswith("Brackets hold 90% or 99% intervals.")
    assert "Intervals are 90%" in section(run, "offline").lead
    assert "Intervals are 99%" in section(run, "online").lead
    assert "95%" not in str(page)


def test_ceilings_are_no_verdict_on_what_was_shown(result: RunResult) -> None:
    differences = {**result.metrics["offline_difference"]}
    differences["oracle nDCG@10"] = differences["nDCG@10"]
    run = replace(result, metrics={**result.metrics, "offline_difference": differences})
    table = next(t for t in tables(section(run, "offline").blocks) if t.caption.startswith("Whole funnel"))
    assert [column.label for column in table.columns] == ["metric", "difference", "p", "verdict", "users"]
    assert not any(row[0].text.startswith("oracle") for row in table.rows)


def test_a_column_of_p_values_that_nobody_has_is_left_out(result: RunResult) -> None:
    differences = {"nDCG@10": {"all": {"value": 0.1, "low": 0.05, "high": 0.15, "n": 10}}}
    run = replace(result, unit="query", metrics={**result.metrics, "offline_difference": differences})
    table = next(t for t in tables(section(run, "offline").blocks) if t.caption.startswith("Whole funnel"))
    assert [column.label for column in table.columns] == ["metric", "difference", "verdict", "queries"]


def test_requests_that_change_are_counted_and_the_most_changed_queries_named(result: RunResult) -> None:
    blocks = section(result, "offline").blocks
    (words,) = [block.text for block in blocks if isinstance(block, Paragraph)]
    # 1,200 of 2,140 are 56%, 600 are 28%.
    assert "Of 2,140 requests, the funnel answers 1,200 (56%) better" in words
    assert "600 (28%) worse and 340 (16%) equally well" in words
    gains, losses = (t for t in tables(blocks) if t.caption.startswith("Largest"))
    assert [cell.text for cell in gains.rows[0]] == ["rent a bicycle", "12", "0.310", "0.920", "+0.610"]
    assert [row[0].text for row in losses.rows] == ["tides", "opening hours"]


def test_ranking_and_predicting_metrics_are_told_apart(result: RunResult) -> None:
    assert "AUC" not in result.ranking_metrics
    assert set(result.prediction_metrics) == {"AUC", "LogLoss", "ECE", "NE", "Precision(threshold=0.5)"}
    table = next(tables(tuple(b for b in section(result, "predictions").blocks if isinstance(b, Table))))
    assert [column.label for column in table.columns] == ["metric", "light_rank", "full_rank"]
    assert "52% of the impressions" in str(section(result, "predictions").blocks[0])


def test_predictions_are_of_clicks_unless_a_stage_predicts_more(result: RunResult) -> None:
    assert section(result, "predictions").title == "Click predictions"
    likes = {"light_rank": ("click",), "full_rank": ("like", "hide")}
    both = replace(result, predicted=likes, of_unshown=("full_rank",))
    found = section(both, "predictions")
    assert found.title == "Predictions of actions"
    assert "a click" not in found.lead
    charts = next(block for block in found.blocks if isinstance(block, Charts)).specs
    assert [chart.title for chart in charts] == ["light_rank: click", "full_rank: like"]
    assert charts[1].caption.startswith("What was not shown counts, too, as not done; 52% of the impressions")
    folds = [block.title for block in section(both, "segments").blocks if isinstance(block, Fold)]
    assert "Predictions of actions by segment" in folds


def test_a_model_that_was_best_at_its_last_epoch_might_learn_more(result: RunResult) -> None:
    curves = {"still": Curves((0.5, 0.4), (0.5, 0.4)), "done": Curves((0.5, 0.4), (0.5, 0.6))}
    (charts, _) = section(replace(result, training=curves), "training").blocks
    assert isinstance(charts, Charts)
    assert ["more epochs" in spec.caption for spec in charts.specs] == [True, False]
