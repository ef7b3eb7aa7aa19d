"""Tables and words on a terminal, whoever has something to say there."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mlsd.report import numbers
from mlsd.report.page import Tone

STYLES: dict[Tone, str] = {"good": "green", "bad": "red", "open": "yellow", "none": "dim"}

_ASCII = str.maketrans({numbers.MINUS: "-", numbers.UNKNOWN: "-", "✓": "+", "✕": "x", "µ": "u", "★": "*"})


class Terminal(Console):
    """A console that tells the command when nobody reads any more; rich's own would exit with code 1."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


def print_shown(shown: RenderableType, console: Console) -> None:
    """Print; a terminal that knows ASCII alone gets that."""
    if not console.options.ascii_only:
        console.print(shown)
        return
    with console.capture() as captured:
        console.print(shown)
    console.file.write(captured.get().translate(_ASCII).encode("ascii", "replace").decode("ascii"))


def plain_table(words: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    """An empty table: columns of words to the left, of figures to the right, nothing wrapped."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for heading in words:
        table.add_column(plain(heading), no_wrap=True, overflow="ellipsis", max_width=32)
    for heading in figures:
        table.add_column(plain(heading), justify="right", no_wrap=True, overflow="ellipsis", max_width=32)
    return table


def plain(words: str) -> Text:
    """Words that rich does not read as markup."""
    return Text(numbers.one_line(words))
