"""The section on stages that work on requests alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mlsd.report.base import RunResult
from mlsd.report.html import render_html
from mlsd.report.markdown import render_markdown
from mlsd.report.page import Block, Charts, Fold, Paragraph, Section, Table
from mlsd.report.sections import build_page
from mlsd.report.sections.queries import queries


def tables(blocks: tuple[Block, ...]) -> Iterator[Table]:
    for block in blocks:
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Charts) and block.beside:
            yield block.beside


@pytest.fixture
def section(queries_result: RunResult) -> Section:
    found = queries(queries_result)
    assert found is not None
    return found


def named(section: Section, caption: str) -> dict[str, list[str]]:
    """First cell of each row of a table -> the others."""
    (table,) = (table for table in tables(section.blocks) if table.caption == caption)
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def test_without_such_stages_there_is_no_section(result: RunResult) -> None:
    assert queries(result) is None
    nothing = replace(result, metrics={**result.metrics, "components": {"rewrite": {}}})
    assert queries(nothing) is None


def test_it_stands_between_segments_and_the_online_test(queries_result: RunResult) -> None:
    anchors = [part.anchor for part in build_page(queries_result).sections]
    assert anchors[anchors.index("queries") - 1 : anchors.index("queries") + 2] == [
        "segments",
        "queries",
        "online",
    ]


def test_figures_of_the_work_and_of_confidence_are_told_apart(section: Section) -> None:
    assert named(section, "How well rewrite works") == {"corrected": ["0.610", "310"]}
    work = named(section, "How well understand works")
    assert list(work) == ["Accuracy(intent)", "MacroF1(intent)", "F1(navigational)", "Accuracy(topic)"]
    assert work["F1(navigational)"] == ["0.830", "2,140"]
    sure = named(section, "Whether understand knows how sure it is")
    assert sure == {"ECE": ["0.050", "0.030"], "AUC": ["\N{EN DASH}", "0.810"]}


def test_the_price_of_annotations_is_told(section: Section, queries_result: RunResult) -> None:
    words = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert words == ["Annotators gave 1,400 answers about logged requests: 1,000 of intent and 400 of topic."]
    unpaid = queries(replace(queries_result, annotations={}))
    assert unpaid is not None
    assert not any(isinstance(block, Paragraph) for block in unpaid.blocks)


def test_segments_are_folded_away(section: Section) -> None:
    (fold,) = (block for block in section.blocks if isinstance(block, Fold))
    assert fold.title == "understand by segment"
    work, sure = (table for table in fold.blocks if isinstance(table, Table))
    assert [column.label for column in work.columns][:3] == ["segment", "users", "Accuracy(intent)"]
    assert [row[0].text for row in work.rows][:2] == ["all", "intent: navigational"]
    assert [column.label for column in sure.columns][2:] == ["ECE(intent)", "ECE(topic)", "AUC(topic)"]


def test_each_stage_has_a_chart_of_its_own(section: Section) -> None:
    charts = [spec for block in section.blocks if isinstance(block, Charts) for spec in block.specs]
    assert [chart.title for chart in charts] == ["The work of rewrite", "The work of understand"]
    assert len({chart.name for chart in charts}) == 2


def test_both_pages_have_it(queries_result: RunResult) -> None:
    for page in (render_html(queries_result), render_markdown(queries_result)):
        assert "How well understand works" in page
        assert "the request" in page


def test_a_stage_without_candidates_says_so_in_the_funnel(queries_result: RunResult) -> None:
    funnel = next(part for part in build_page(queries_result).sections if part.anchor == "funnel")
    (table,) = tables(funnel.blocks)
    reasons = {row[0].text: row[2].reason for row in table.rows}
    assert reasons["understand"].startswith("none: the stage works on the request alone")
    assert reasons["retrieve"] == ""
