"""`mlsd show`: what there is, read from source and YAML without importing any of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mlsd.commands.options import parser
from mlsd.commands.terminal import say, say_rows
from mlsd.config.inventory import parts_of, summaries
from mlsd.config.places import PACKAGE, conf_dir
from mlsd.errors import MlsdError, nearest

DESCRIPTION = """\
What there is, one line each. Without a group: the groups.

  mlsd show rankers
  mlsd show worlds
"""

HIDDEN = {"bench", "commands", "config", "testing", "hydra"}
"""Folders that hold nothing to choose from."""

TARGET = re.compile(r"^_target_:\s*(\S+)", re.MULTILINE)


def main(arguments: Sequence[str]) -> int:
    """Print what the arguments ask for."""
    options = parser("show", "[GROUP]", DESCRIPTION)
    options.add_argument("group", nargs="?", help="such as rankers, losses, worlds")
    group = options.parse_args(list(arguments)).group
    if group is None:
        say_rows([(name, _contents(name)) for name in groups()], indent="")
    else:
        show(find(group))
    return 0


def groups() -> list[str]:
    """Plural names of everything that there is to choose from."""
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    choices = {_plural(path.name) for path in conf_dir().iterdir() if path.is_dir()}
    return sorted(name for name in (folders | choices) - HIDDEN if _options(name) or parts_of(name))


def find(name: str) -> str:
    """A group by its plural or singular name.

    Raises:
        MlsdError: there is none.
    """
    known = groups()
    for one in (name, _plural(name)):
        if one in known:
            return one
    close = nearest(name, known)
    hint = f"did you mean {close!r}?" if close else f"there are {', '.join(known)}"
    raise MlsdError(f"no group {name!r}; {hint}")


def show(group: str) -> None:
    """Options of the group's YAML, then the classes that no YAML names."""
    options = _options(group)
    named = {target for path in options for target in _targets(path)}
    others = [part for part in parts_of(group) if part.target not in named]
    if options:
        say(f"{_singular(group)}=")
        say_rows([(path.stem, _summary(path)) for path in options])
    if others:
        say(f"in mlsd.{group}")
        say_rows([(part.name, part.summary) for part in others])


def _contents(group: str) -> str:
    return ", ".join(path.stem for path in _options(group)) or f"{len(parts_of(group))} classes"


def _options(group: str) -> list[Path]:
    folder = conf_dir() / _singular(group)
    return sorted(folder.glob("*.yaml")) if folder.is_dir() else []


def _targets(path: Path) -> list[str]:
    return TARGET.findall(path.read_text(encoding="utf-8"))


def _summary(path: Path) -> str:
    """What an option is: the docstring of its class, else what its second comment line says."""
    described = [summary for target in _targets(path) if (summary := _described(target))]
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line[1:].strip() for line in lines if line.startswith("#")]
    said = [one for one in comments if one and not one.startswith(("@package", "mlsd "))]
    return next(iter([*described, *said, *comments]), "")


def _described(target: str) -> str:
    """The first line of a class's docstring, also where a package passes the class on from its modules."""
    package, _, name = target.rpartition(".")
    found = (
        summary
        for known, summary in summaries().items()
        if known.startswith(f"{package}.") and known.endswith(f".{name}")
    )
    return next(found, "")


IRREGULAR = {"loss": "losses", "features": "features", "labels": "labels", "metrics": "metrics",
             "logging": "logging", "online": "online", "store": "store", "report": "report",
             "ratings": "ratings", "tuning": "tuning"}  # fmt: skip
"""Groups whose plural is not simply an s more."""


def _plural(name: str) -> str:
    return IRREGULAR.get(name, name if name in IRREGULAR.values() else f"{name}s")


def _singular(name: str) -> str:
    back = {plural: singular for singular, plural in IRREGULAR.items()}
    return back.get(name, name.removesuffix("s"))
