"""The report as GitHub-flavoured Markdown: the same page, without charts.

Everything is escaped on its way out unless it is markup made here, as HTML templates do it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import singledispatch
from pathlib import Path

from mlsd.report.base import RunResult
from mlsd.report.numbers import clean, one_line
from mlsd.report.page import (
    SIGNS,
    Block,
    Bullets,
    Charts,
    Code,
    Document,
    Fold,
    Page,
    Paragraph,
    Section,
    Table,
    Verdict,
)
from mlsd.report.sections import build_page
from mlsd.store import write_text

_SPECIAL = re.compile(r"([\\`*<>|~$&]|^\[|\](?=[(\[:]))")
_OUTER_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINE_START = re.compile(r"^([#+=-]|\d+[.)])(?=\s|$|[-=+#])")
_ADDRESS = re.compile(r"(?i)(https?|ftp)(://)|(www)(\.)|(@)(?=[\w-])")


def render_markdown(result: RunResult) -> str:
    """The whole page; the same result gives the same bytes."""
    return render_page(build_page(result))


def render_page(page: Page) -> str:
    """Any page as Markdown."""
    return "\n\n".join(_page(page)) + "\n"


def write_markdown(result: RunResult, path: Path) -> None:
    """Write the page, whole or not at all."""
    write_text(path, render_markdown(result))


def escape(text: object) -> str:
    r"""Text on one line that Markdown shows as it is, in a table too.

    Example:
        >>> print(escape("a|b *c* light_rank <i> `x`"))
        a\|b \*c\* light_rank \<i\> \`x\`
        >>> print(escape("- 1 _x_"), escape("0.5 [0.4, 0.6]"), escape("[a](b)"))
        \- 1 \_x\_ 0.5 [0.4, 0.6] \[a\](b)
    """
    line = _SPECIAL.sub(r"\\\1", one_line(text))
    line = _OUTER_UNDERSCORE.sub(r"\\_", line)
    line = _LINE_START.sub(_quoted_start, line)
    return _ADDRESS.sub(_broken_address, line)


def _quoted_start(found: re.Match[str]) -> str:
    mark = found[1]
    return f"{mark[:-1]}\\{mark[-1]}"


def _broken_address(found: re.Match[str]) -> str:
    """Addresses and mentions would become links by themselves; a space of no width stops them."""
    if found[5]:
        return found[0] if found.start() and found.string[found.start() - 1].isalnum() else "@\u200b"
    return "".join(part for part in (found[1], found[3]) if part) + "\u200b" + (found[2] or found[4])


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any inside.

    Example:
        >>> print(fenced("a", "sh"))
        ```sh
        a
        ```
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{clean(text).rstrip()}\n{fence}"


def _page(page: Page) -> Iterator[str]:
    yield f"# {escape(page.title)}"
    yield escape(" · ".join(page.facts))
    yield f"**{escape(page.headline)}**"
    if page.summary:
        yield escape(page.summary)
    yield _verdicts(page.verdicts)
    yield escape(page.reading)
    yield f"Charts are in `report.html`, all figures in `{page.figures_in}`."
    for section in page.sections:
        yield from _section(section)


def _verdicts(verdicts: tuple[Verdict, ...]) -> str:
    rows = [
        (
            escape(verdict.question),
            f"{SIGNS[verdict.tone]} {escape(verdict.answer)}",
            escape(f"{verdict.figure} {verdict.interval}"),
            escape(verdict.detail),
        )
        for verdict in verdicts
    ]
    return _grid(("question", "answer", "figure", "what was compared"), ("---",) * 4, rows)


def _section(section: Section) -> Iterator[str]:
    badge = f" ({escape(section.badge)})" if section.badge else ""
    yield f"## {escape(section.title)}{badge}"
    if section.lead:
        yield escape(section.lead)
    for block in section.blocks:
        yield from write(block)


@singledispatch
def write(block: Block) -> Iterator[str]:
    """The Markdown paragraphs of one block."""
    raise TypeError(f"no Markdown for {type(block).__name__}")


@write.register
def _(block: Paragraph) -> Iterator[str]:
    yield escape(block.text)


@write.register
def _(block: Bullets) -> Iterator[str]:
    if block.title:
        yield f"**{escape(block.title)}**"
    yield "\n".join(f"- {escape(item)}" for item in block.items)


@write.register
def _(block: Charts) -> Iterator[str]:
    """Charts are for looking at; only the table beside them is written."""
    if block.beside:
        yield from write(block.beside)


@write.register
def _(block: Table) -> Iterator[str]:
    if block.caption:
        yield f"**{escape(block.caption)}**"
    rules = tuple("---:" if column.numeric else "---" for column in block.columns)
    rows = [tuple(escape(f"{cell.text} {cell.small}") for cell in row) for row in block.rows]
    yield _grid(tuple(escape(column.label) for column in block.columns), rules, rows)
    for note in block.all_notes:
        yield escape(note)


@write.register
def _(block: Code) -> Iterator[str]:
    yield fenced(block.text, block.language)


@write.register
def _(block: Document) -> Iterator[str]:
    yield fenced(block.text, "markdown")


@write.register
def _(block: Fold) -> Iterator[str]:
    yield f"<details><summary>{_summary(block.title)}</summary>"
    for inner in block.blocks:
        yield from write(inner)
    yield "</details>"


def _summary(title: str) -> str:
    """Inside an HTML element Markdown's escapes mean nothing, HTML's do."""
    line = one_line(title).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ADDRESS.sub(_broken_address, line)


def _grid(headings: tuple[str, ...], rules: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headings, rules, *rows))
