from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mlsd.report import numbers
from mlsd.report.base import RunResult
from mlsd.report.markdown import escape, fenced, render_markdown, write_markdown

reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
"""An independent reader of Markdown."""

CELL_END = re.compile(r"(?<!\\)\|")


def inner(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in (token.children or [])]


def test_every_row_of_a_table_has_as_many_cells_as_its_heading(any_markdown: str) -> None:
    for table in re.findall(r"(?:^\|.*\n?)+", any_markdown, re.MULTILINE):
        counts = {len(CELL_END.split(line)) for line in table.strip().split("\n")}
        assert len(counts) == 1


def test_an_independent_reader_sees_every_table(any_markdown: str) -> None:
    written = len(re.findall(r"^\|(?: -+:? \|)+$", any_markdown, re.MULTILINE))
    assert sum(token.type == "table_open" for token in reader.parse(any_markdown)) == written


def test_what_users_write_stays_text(any_markdown: str) -> None:
    tokens = reader.parse(any_markdown)
    assert {token.type for token in inner(tokens)} <= {
        "text",
        "strong_open",
        "strong_close",
        "code_inline",
        "softbreak",
    }
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(r"</details>\n?|<details><summary>[^<>]*</summary>\n?", token.content)


def without_code(markdown: str) -> str:
    return re.sub(r"^(`{3,})\w*$.*?^\1$", "", markdown, flags=re.MULTILINE | re.DOTALL)


def test_nothing_becomes_a_link_by_itself(any_markdown: str) -> None:
    assert not re.search(r"https?://|www\.|(?<![A-Za-z0-9])@\w", without_code(any_markdown))


def test_every_figure_appears(any_result: RunResult, any_markdown: str) -> None:
    for _, metric, _, estimate in any_result.iterate_offline():
        shown = numbers.with_interval(estimate, any_result.units.get(metric, ""))
        assert escape(shown)[:200] in any_markdown


def test_both_reports_have_the_same_sections(any_markdown: str, any_html: str) -> None:
    written = re.findall(r"^## (.*?)(?: \(simulated\))?$", without_code(any_markdown), re.MULTILINE)
    assert written == re.findall(r'<li><a href="#[\w-]+">([^<]*)</a>', any_html)[1:]
    assert written[:3] == ["Problem", "Funnel", "Offline evaluation"]


def test_the_same_result_gives_the_same_bytes(result: RunResult, tmp_path: Path) -> None:
    write_markdown(result, tmp_path / "report.md")
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == render_markdown(result)


@pytest.mark.parametrize(
    "start", ["#", "-", "+", "1.", "2)", "[x]", ">", "=", "|", "```", "~~~", "    ", "* * *", "---"]
)
def test_a_line_cannot_start_a_block(start: str) -> None:
    tokens = reader.parse(escape(f"{start} words"))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]


@given(st.text())
def test_escaped_text_reads_as_it_was(text: str) -> None:
    tokens = inner(reader.parse(f"x {escape(text)} x"))
    assert {token.type for token in tokens} <= {"text"}
    read = "".join(token.content for token in tokens).replace("\u200b", "")
    assert " ".join(read.split()) == " ".join(f"x {numbers.one_line(text)} x".replace("\u200b", "").split())


@given(st.text(alphabet="`a\n ~"))
def test_a_fence_cannot_be_closed_from_within(text: str) -> None:
    tokens = reader.parse(fenced(text) + "\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
