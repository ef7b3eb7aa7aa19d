from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mlsd.report.html import render_page
from mlsd.report.page import Block, Charts, Fold, Section, Table
from mlsd.report.paired.base import PairedComparison
from mlsd.report.paired.page import build_page, headline

VOID = {"meta", "br", "hr"}


class Reader(HTMLParser):
    """Keeps what a browser would see, and fails on tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids.extend(value or "" for name, value in attrs if name == "id")
        self.links.extend(value or "" for name, value in attrs if name in {"href", "src"})
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids.extend(value or "" for name, value in attrs if name == "id")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def section(comparison: PairedComparison, anchor: str) -> Section:
    return next(one for one in build_page(comparison).sections if one.anchor == anchor)


def tables(blocks: tuple[Block, ...]) -> Iterator[Table]:
    for block in blocks:
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Fold):
            yield from tables(block.blocks)


def test_the_verdict_goes_by_holm(comparison: PairedComparison) -> None:
    assert (
        headline(comparison) == "By nDCG@10, better is better than base; alike is not told apart from base."
    )
    first, second = build_page(comparison).verdicts
    assert (first.question, first.answer, first.tone) == ("Is better better than base?", "Yes", "good")
    assert "found four times in five" not in first.detail
    assert (second.answer, second.tone) == ("Not told apart", "open")
    assert "found four times in five" in second.detail


@pytest.mark.parametrize(
    ("p_holm", "value", "word"), [(0.05, 1, "open"), (0.049, 1, "good"), (0.049, -1, "bad")]
)
def test_what_a_figure_says(comparison: PairedComparison, p_holm: float, value: float, word: str) -> None:
    """The same level as that of the intervals; p == 0.05 is not below it."""
    assert comparison.said({"value": value, "p_holm": p_holm}).tone == word
    assert comparison.said({"value": value, "p_holm": None}).tone == "none"


def test_the_page_in_reading_order(comparison: PairedComparison) -> None:
    anchors = [one.anchor for one in build_page(comparison).sections]
    assert anchors == ["runs", "metrics", "segments", "queries", "config", "provenance"]
    alone = replace(comparison, metrics=("nDCG@10",), segments=())
    assert [one.anchor for one in build_page(alone).sections] == ["runs", "queries", "config", "provenance"]


def test_every_row_has_a_cell_for_every_column(comparison: PairedComparison) -> None:
    found = [table for one in build_page(comparison).sections for table in tables(one.blocks)]
    assert len(found) >= 9
    for table in found:
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_row_of_a_run(comparison: PairedComparison) -> None:
    (table,) = tables(section(comparison, "runs").blocks)
    headings = [column.label for column in table.columns]
    row = dict(zip(headings, (cell.text for cell in table.rows[1]), strict=True))
    assert row == {
        "run": "better",
        "verdict": "better",
        "nDCG@10": "0.600",
        "difference": "+0.030",
        "p (Holm)": "0.002",
        "p (BH)": "0.001",
        "p": "0.001",
        "users better": "40",
        "same": "5",
        "worse": "20",
        "p (t)": "0.001",
        "p (Wilcoxon)": "<0.001",
    }


def test_families_are_named_with_their_size(comparison: PairedComparison) -> None:
    assert "over the 2 tests of this table" in section(comparison, "runs").lead
    assert "one family of 4 tests" in section(comparison, "metrics").lead
    assert "One family of 2 tests" in section(comparison, "segments").lead


def test_a_dash_has_a_reason(comparison: PairedComparison) -> None:
    for one in build_page(comparison).sections:
        for table in tables(one.blocks):
            for row in table.rows:
                assert all(cell.reason for cell in row if cell.text == "\N{EN DASH}")


def test_what_differs(comparison: PairedComparison) -> None:
    (table,) = tables(section(comparison, "config").blocks)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["funnel.tides", "[]", "[light_rank]", "null"],
        ["seed", "0", "1", "tides"],
    ]
    same = replace(comparison, config_differences=(), provenance_differences=())
    assert section(same, "config").lead == "The resolved configs are the same."
    assert section(same, "provenance").blocks == ()


def test_html_is_one_file_with_charts_that_fit_a_phone(comparison: PairedComparison) -> None:
    page = render_page(build_page(comparison))
    reader = Reader(page)
    assert all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)
    assert len(reader.ids) == len(set(reader.ids))
    assert "script" not in reader.tags
    assert "prefers-color-scheme: dark" in page
    assert {"wide", "narrow"} <= set(re.findall(r'class="chart (\w+)"', page))
    assert "metrics.json beside this file" not in reader.text
    assert render_page(build_page(comparison)) == page


def test_hostile_names_stay_text(hostile: PairedComparison) -> None:
    page = render_page(build_page(hostile))
    reader = Reader(page)
    assert "script" not in reader.tags
    assert '<script>alert("x")</script>' in reader.text
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_charts_only_where_something_is_known(comparison: PairedComparison) -> None:
    blocks = section(comparison, "segments").blocks
    assert sum(isinstance(block, Charts) for block in blocks) == 2
