"""Follow a walk-through: type its commands, and put what they found into its tables.

    python experiments/walkthrough.py docs/walkthroughs/search.md

Every command of the page's `sh` blocks is typed, in order, in one folder (`--folder`); a run that is there
already is not run again. Then every figure of the page is looked up and written into it. A figure is named
in a cell of a table, `RUN: PATH`, and stands in the next cell:

    | `search: offline.funnel.nDCG@10.all` | 0.607 [0.593, 0.620] |

RUN is the run that some command left in `outputs/walkthrough/RUN`; PATH leads to a figure of its
`metrics.json`, or, after `timings.`, of its `timings.json`.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlsd.cli import main as mlsd
from mlsd.errors import InputError, nearest
from mlsd.store import read_json, write_text

RUNS = Path("outputs", "walkthrough")
TIMINGS = "timings."
SIGNED = ("ablation.", "offline_difference.", "offline_steps.", "online.")
"""Beginnings of the paths of figures that are differences."""

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FIGURE = re.compile(r"\| `(?P<run>\w+): (?P<path>[^`]+)` \|[^|\n]*(?=\|)")


def commands_of(page: str) -> list[list[str]]:
    r"""The words of each command, in order.

    Example:
        >>> commands_of("```sh\nmlsd show losses   # which there are\n```\n")
        [['mlsd', 'show', 'losses']]
    """
    lines = (line for block in _BLOCK.findall(page) for line in block.splitlines())
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def follow(page: str, folder: Path, overrides: Sequence[str] = ()) -> None:
    """Type the commands of a page in a folder.

    Args:
        page: its text.
        folder: where; runs that it holds are not run again.
        overrides: added to those of every `mlsd run`, such as a smaller world.

    Raises:
        InputError: a command is none of mlsd's, or did not end well.
    """
    with _working_in(folder):
        for words in commands_of(page):
            if words[0] != "mlsd":
                raise InputError(f"a command of the page begins with {words[0]!r}, must be mlsd")
            if words[1] != "run" or not _is_there(words):
                added = overrides if words[1] == "run" else ()
                _type([*words[1:], *added])


def refreshed(page: str, folder: Path) -> str:
    """A page with its figures as the runs in a folder have them.

    Raises:
        InputError: a run is not there, or has no such figure.
    """

    def found(cells: re.Match[str]) -> str:
        figure = rendered(figure_of(folder / RUNS / cells["run"], cells["path"]), cells["path"])
        return f"| `{cells['run']}: {cells['path']}` | {figure} "

    return _FIGURE.sub(found, page)


def figure_of(run: Path, path: str) -> object:
    """What a path leads to; parts of it are separated by dots, which names may hold as well.

    Raises:
        InputError: the run is not there, or the path leads nowhere.
    """
    name = "timings" if path.startswith(TIMINGS) else "metrics"
    found: object = read_json(run / f"{name}.json")
    rest = path.removeprefix(TIMINGS)
    while rest:
        known = found if isinstance(found, Mapping) else {}
        key = max((key for key in known if f"{rest}.".startswith(f"{key}.")), key=len, default=None)
        if key is None:
            hint = nearest(rest, known) or nearest(rest.partition(".")[0], known)
            raise InputError(
                f"{run.name}: {path} leads nowhere at {rest!r}{f'; nearest is {hint!r}' if hint else ''}"
            )
        found, rest = known[key], rest[len(key) + 1 :]
    return found


def rendered(figure: object, path: str) -> str:
    """A figure with its interval, if it has one.

    Example:
        >>> rendered({"value": 0.0182, "low": 0.0131, "high": 0.0236, "n": 629}, "ablation.serving")
        '+0.0182 [+0.0131, +0.0236]'
        >>> rendered(True, "non_inferior"), rendered(10.391, "timings.capacity.request.p99_ms")
        ('yes', '10.4')
    """
    sign = "+" if path.startswith(SIGNED) else ""
    if isinstance(figure, Mapping):
        value = figure.get("value", figure.get("effect"))
        low, high = figure["low"], figure["high"]
        return f"{_number(value, sign)} [{_number(low, sign)}, {_number(high, sign)}]"
    if isinstance(figure, bool):
        return "yes" if figure else "no"
    return _number(figure, "" if _is_level(path) else sign)


def _is_level(path: str) -> bool:
    """Whether a single number is no difference, though it stands among differences."""
    return path.endswith((".control", ".treatment", ".with", ".without", ".margin", ".reach", ".p_value"))


def _number(value: object, sign: str) -> str:
    if not isinstance(value, int | float):
        return "-"
    if abs(value) >= 1:
        return f"{value:{sign}.3g}"
    return f"{value:{sign}.4f}" if sign or abs(value) < 0.1 else f"{value:.3f}"


def _is_there(words: Sequence[str]) -> bool:
    """Whether the run of a command is finished."""
    folders = [word.partition("=")[2] for word in words if word.startswith("hydra.run.dir=")]
    return bool(folders) and Path(folders[0], "metrics.json").is_file()


def _type(words: Sequence[str]) -> None:
    code = mlsd(words)
    if code:
        raise InputError(f"mlsd {shlex.join(words)} ended with exit code {code}")


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def main(arguments: Sequence[str] | None = None) -> None:
    """Follow a page and refresh it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("--folder", type=Path, default=Path())
    options = parser.parse_args(arguments)
    page = options.page.read_text(encoding="utf-8")
    follow(page, options.folder)
    write_text(options.page, refreshed(page, options.folder))


if __name__ == "__main__":
    main()
