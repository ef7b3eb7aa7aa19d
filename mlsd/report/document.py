"""A small part of Markdown as HTML: what design documents are written in, and nothing that leads elsewhere.

Headings, paragraphs, lists, tables, fenced code, `code`, **bold** and *emphasis*. Everything else, raw HTML
and links among it, stands as the text it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markupsafe import escape

from mlsd.report.numbers import clean

_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_BULLET = re.compile(r"^\s*[-*+]\s+(.*)$")
_NUMBERED = re.compile(r"^\s*\d+[.)]\s+(.*)$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_CELL_END = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"(`+)(.+?)\1")
_BOLD = re.compile(r"\*\*(\S(?:.*?\S)?)\*\*")
_EMPHASIS = re.compile(r"(?<![\w*])\*([^\s*](?:[^*]*[^\s*])?)\*(?![\w*])")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~$&])")


def to_html(markdown: str) -> str:
    r"""Escaped HTML of a Markdown text; its highest heading becomes an h3.

    Example:
        >>> to_html("# A <b>\n\none *two* `x*y*`")
        '<h3>A &lt;b&gt;</h3>\n<p>one <em>two</em> <code>x*y*</code></p>'
    """
    lines = clean(markdown).split("\n")
    return "\n".join(_blocks(lines))


def _blocks(lines: list[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        block, at = _block(lines, at)
        yield block


def _block(lines: list[str], at: int) -> tuple[str, int]:
    """The block that starts at a line, and the line after it."""
    if fence := _FENCE.match(lines[at]):
        return _fenced(lines, at, fence[1])
    if heading := _HEADING.match(lines[at]):
        level = min(6, len(heading[1]) + 2)
        return f"<h{level}>{_inline(heading[2])}</h{level}>", at + 1
    if "|" in lines[at] and at + 1 < len(lines) and "|" in lines[at + 1] and _TABLE_RULE.match(lines[at + 1]):
        return _table(lines, at)
    if _BULLET.match(lines[at]):
        return _list(lines, at, _BULLET, "ul")
    if _NUMBERED.match(lines[at]):
        return _list(lines, at, _NUMBERED, "ol")
    return _paragraph(lines, at)


def _until(lines: list[str], at: int, ends: Callable[[str], object]) -> int:
    while at < len(lines) and not ends(lines[at]):
        at += 1
    return at


def _fenced(lines: list[str], at: int, fence: str) -> tuple[str, int]:
    end = _until(lines, at + 1, lambda line: line.strip().startswith(fence) and not line.strip(" `~"))
    return f"<pre><code>{escape(chr(10).join(lines[at + 1 : end]))}</code></pre>", end + 1


def _table(lines: list[str], at: int) -> tuple[str, int]:
    end = _until(lines, at + 2, lambda line: "|" not in line)
    head = "".join(f"<th>{_inline(cell)}</th>" for cell in _cells(lines[at]))
    rows = (
        "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in _cells(line)) + "</tr>"
        for line in lines[at + 2 : end]
    )
    body = "".join(rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>', end


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip() for cell in _CELL_END.split(inner)]


def _list(lines: list[str], at: int, item: re.Pattern[str], tag: str) -> tuple[str, int]:
    """Items of one level; a line that is no item of its own goes on with the one before."""
    items: list[str] = []
    while at < len(lines) and lines[at].strip() and not _HEADING.match(lines[at]):
        if found := item.match(lines[at]):
            items.append(found[1])
        else:
            items[-1] += " " + lines[at].strip()
        at += 1
    inner = "".join(f"<li>{_inline(text)}</li>" for text in items)
    return f"<{tag}>{inner}</{tag}>", at


def _ends_paragraph(line: str) -> bool:
    return not line.strip() or any(start.match(line) for start in (_HEADING, _FENCE, _BULLET))


def _paragraph(lines: list[str], at: int) -> tuple[str, int]:
    end = _until(lines, at + 1, _ends_paragraph)
    return f"<p>{_inline(' '.join(line.strip() for line in lines[at:end]))}</p>", end


def _inline(text: str) -> str:
    """Code first, since nothing within it means anything; bold and emphasis between."""
    parts, last = [], 0
    for found in _CODE.finditer(text):
        parts.append(_emphasised(text[last : found.start()]))
        parts.append(f"<code>{escape(_ESCAPED.sub(_bar, found[2].strip()))}</code>")
        last = found.end()
    return "".join([*parts, _emphasised(text[last:])])


def _bar(found: re.Match[str]) -> str:
    return "|" if found[1] == "|" else found[0]


def _emphasised(text: str) -> str:
    escaped = str(escape(_ESCAPED.sub(_set_aside, text)))
    bold = _BOLD.sub(r"<strong>\1</strong>", escaped)
    return _SET_ASIDE.sub(
        lambda found: str(escape(chr(ord(found[0]) - _ASIDE))), _EMPHASIS.sub(r"<em>\1</em>", bold)
    )


_ASIDE = 0xE000
"""Escaped characters wait here, in the private use area, until emphasis is done."""

_SET_ASIDE = re.compile("[\ue021-\ue07e]")


def _set_aside(found: re.Match[str]) -> str:
    return chr(ord(found[1]) + _ASIDE)
