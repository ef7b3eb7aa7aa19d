"""What a command says: coloured and wrapped on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mlsd import progress


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


@contextmanager
def bars() -> Iterator[progress.Progress]:
    """A bar for each thing that reports its progress; nothing where nobody looks.

    Bars are drawn on standard error, so that standard output stays clean.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield progress.silent
        return
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as display:
        tasks: dict[str, int] = {}

        def advance(done: int, total: int, what: str) -> None:
            if what not in tasks:
                tasks[what] = display.add_task(what, total=total)
            display.update(display.tasks[tasks[what]].id, completed=done, total=total)

        yield advance
