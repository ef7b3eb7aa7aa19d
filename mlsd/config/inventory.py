"""What mlsd has, read from its source by `ast`: nothing is imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlsd.config.places import PACKAGE


@dataclass(frozen=True)
class Part:
    """A public class of mlsd.

    Args:
        target: its dotted name.
        summary: the first line of its docstring.
    """

    target: str
    summary: str

    @property
    def name(self) -> str:
        return self.target.rpartition(".")[2]


@cache
def parts_of(folder: str) -> tuple[Part, ...]:
    """The public classes under `mlsd/<folder>`, in order of their names; bases left out.

    Example:
        >>> [part.name for part in parts_of("losses")][:1]
        ['BinaryCrossEntropy']
    """
    paths = sorted((PACKAGE / folder).rglob("*.py"))
    found = [part for path in paths if path.stem != "base" for part in _classes(path)]
    return tuple(sorted(found, key=lambda part: part.target))


@cache
def target_names() -> tuple[str, ...]:
    """The dotted names of all public classes."""
    folders = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file())
    return tuple(part.target for folder in folders for part in parts_of(folder))


@cache
def summaries() -> dict[str, str]:
    """Dotted name -> the first line of its docstring."""
    folders = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file())
    return {part.target: part.summary for folder in folders for part in parts_of(folder)}


def _classes(path: Path) -> list[Part]:
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [
        Part(f"{module}.{node.name}", _first_line(node)) for node in classes if not node.name.startswith("_")
    ]


def _first_line(node: ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]
