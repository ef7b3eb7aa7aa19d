"""What a report is made of, whatever it is written as: sections of text, tables and charts.

HTML and Markdown are two ways of writing the same page, so neither can lack what the other shows.
Texts are plain and unescaped here; whoever writes them out escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mlsd.report.charts.specs import ChartSpec
from mlsd.report.numbers import UNKNOWN

Tone = Literal["good", "bad", "open", "none"]
"""A verdict in one word: in favour, against, not decided, not measured."""


SIGNS: dict[Tone, str] = {"good": "✓", "bad": "✕", "open": "~", "none": UNKNOWN}
"""Says without colour what a tone says with it."""


@dataclass(frozen=True)
class Verdict:
    """The answer to one of the reader's questions.

    Args:
        question: in plain words.
        answer: a word or three.
        tone: how it turned out.
        figure: the number that settles it, big.
        interval: beside the number, small.
        detail: one sentence that says what was compared.
    """

    question: str
    answer: str
    tone: Tone
    figure: str = ""
    interval: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Args:
        text: what it says.
        small: said less loudly beside it, such as an interval.
        tone: colours it; the text says the same without colour.
        reason: why there is no figure; gathered under the table.
    """

    text: str
    small: str = ""
    tone: Tone = "none"
    reason: str = ""


@dataclass(frozen=True)
class Column:
    """One column's heading; numbers are aligned to the right."""

    label: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """Rows under headings; the first column names the row.

    Args:
        columns: headings.
        rows: as many cells each as there are columns.
        caption: what it shows.
        notes: sentences beneath.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    notes: tuple[str, ...] = ()

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, then once each reason why a cell has no figure."""
        reasons = dict.fromkeys(cell.reason for row in self.rows for cell in row if cell.reason)
        return (*self.notes, *(f"{UNKNOWN} {reason}." for reason in reasons))


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """Sentences, one a line.

    Args:
        items: the sentences.
        title: over them.
        tone: "open" sets them in a box that is not overlooked.
    """

    items: tuple[str, ...]
    title: str = ""
    tone: Tone = "none"


@dataclass(frozen=True)
class Charts:
    """One chart, or several side by side.

    Args:
        specs: what to draw.
        beside: a table to stand beside them.
    """

    specs: tuple[ChartSpec, ...]
    beside: Table | None = None


@dataclass(frozen=True)
class Code:
    """Text of a machine, set as it is."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Document:
    """A text in Markdown."""

    text: str


@dataclass(frozen=True)
class Fold:
    """Blocks behind a heading that opens them."""

    title: str
    blocks: tuple[Block, ...]


Block: TypeAlias = Paragraph | Bullets | Charts | Table | Code | Document | Fold


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Args:
        anchor: what links lead to.
        title: heading.
        lead: what it shows, in a sentence or two.
        blocks: in order.
        badge: a word that must not be missed beside the heading, such as "simulated".
    """

    anchor: str
    title: str
    lead: str = ""
    blocks: tuple[Block, ...] = ()
    badge: str = ""


@dataclass(frozen=True)
class Page:
    """A whole report.

    Args:
        title: heading.
        facts: a few words beneath: problem, world, seed.
        headline: the run in one sentence.
        summary: a paragraph by whoever ran it.
        verdicts: answers, the weightiest first.
        sections: in reading order.
        reading: how to read figures.
        brand: what kind of page it is, over the heading.
        colophon: what it was made from, at the end.
        figures_in: the file beside the report that holds them all.
    """

    title: str
    facts: tuple[str, ...] = ()
    headline: str = ""
    summary: str = ""
    verdicts: tuple[Verdict, ...] = ()
    sections: tuple[Section, ...] = ()
    reading: str = ""
    brand: str = "mlsd report"
    colophon: str = (
        "Made by mlsd from the run’s own figures; metrics.json beside this file holds all of them in full "  # noqa: RUF001
        "precision."
    )
    figures_in: str = "metrics.json"
