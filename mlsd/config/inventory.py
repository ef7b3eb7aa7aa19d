"""What mlsd has, read from its source by `ast`: nothing is imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlsd.config.places import PACKAGE


@dataclass(frozen=True)
class Part:
    """A class of mlsd.

    Args:
        target: its dotted name.
        summary: the first line of its docstring.
        bases: the names of what it inherits from.
        is_abstract: whether it leaves methods to those that inherit from it.
    """

    target: str
    summary: str
    bases: frozenset[str] = frozenset()
    is_abstract: bool = False

    @property
    def name(self) -> str:
        return self.target.rpartition(".")[2]

    @property
    def is_choice(self) -> bool:
        """Whether a config may name it."""
        return not (self.is_abstract or self.name.startswith("_"))


@cache
def parts_of(folder: str) -> tuple[Part, ...]:
    """The parts under `mlsd/<folder>` to choose from, by name.

    They are what inherits, at whatever distance, from its `base.py`, without what is abstract itself.

    Example:
        >>> [part.name for part in parts_of("losses")]
        ['BCE', 'LambdaRank', 'Softmax']
    """
    found = [part for path in sorted((PACKAGE / folder).rglob("*.py")) for part in _classes(path)]
    base = f"mlsd.{folder}.base."
    kin = {part.name for part in found if part.target.startswith(base)}
    while more := {part.name for part in found if part.bases & kin} - kin:
        kin |= more
    parts = (
        part for part in found if part.is_choice and part.bases & kin and not part.target.startswith(base)
    )
    return tuple(sorted(parts, key=lambda part: part.name))


@cache
def summaries() -> dict[str, str]:
    """Dotted name of every class -> the first line of its docstring."""
    return {part.target: part.summary for path in sorted(PACKAGE.rglob("*.py")) for part in _classes(path)}


@cache
def _classes(path: Path) -> tuple[Part, ...]:
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return tuple(
        Part(f"{module}.{node.name}", _first_line(node), _bases(node), _is_abstract(node)) for node in classes
    )


def _is_abstract(node: ast.ClassDef) -> bool:
    if "ABC" in _bases(node):
        return True
    methods = (one for one in node.body if isinstance(one, ast.FunctionDef))
    return any("abstractmethod" in ast.unparse(mark) for one in methods for mark in one.decorator_list)


def _first_line(node: ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


def _bases(node: ast.ClassDef) -> frozenset[str]:
    """Last names of the bases, such as `Stage` of `base.Stage` and of `Stage[int]`."""
    written = (ast.unparse(base).partition("[")[0] for base in node.bases)
    return frozenset(name.rpartition(".")[2] for name in written)
