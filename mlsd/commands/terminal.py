"""What a command says: coloured and wrapped on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.markdown import Markdown


def say(text: str) -> None:
    """A line on standard output, as it is."""
    sys.stdout.write(f"{text}\n")


def say_markdown(text: str) -> None:
    """Markdown: laid out on a terminal, as it is elsewhere."""
    if sys.stdout.isatty():
        Console().print(Markdown(text))
    else:
        say(text.rstrip("\n"))


def say_rows(rows: list[tuple[str, str]], indent: str = "  ") -> None:
    """Two columns, the first as wide as its widest entry."""
    width = max((len(left) for left, _ in rows), default=0)
    for left, right in rows:
        say(f"{indent}{left:<{width}}  {right}".rstrip())
