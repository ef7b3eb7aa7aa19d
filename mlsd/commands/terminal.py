"""What a command says: plain lines, on standard output and beside it."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """A line on standard output, as it is."""
    sys.stdout.write(f"{text}\n")


def say_aside(text: str) -> None:
    """A line on standard error: what is wrong, or worth knowing beside a result that may go to a file."""
    sys.stderr.write(f"mlsd: {text}\n")


def say_rows(rows: list[tuple[str, str]], indent: str = "  ") -> None:
    """Two columns, the first as wide as its widest entry."""
    width = max((len(left) for left, _ in rows), default=0)
    for left, right in rows:
        say(f"{indent}{left:<{width}}  {right}".rstrip())
