"""Designs side by side: only what differs between them."""

from __future__ import annotations

from collections.abc import Mapping

from mlsd.report.design_document import NOT_DECLARED, Design, leaves
from mlsd.report.markdown import escape
from mlsd.report.numbers import count, milliseconds
from mlsd.report.scale import StageLoad

ABSENT = "–"  # noqa: RUF001
"""Stands where a design has no such thing."""

FITS = {True: "yes", False: "no", None: NOT_DECLARED}


def compared(designs: Mapping[str, Design]) -> str:
    """What differs between designs, as Markdown.

    Args:
        designs: what was answered, such as `problem.latency_ms=100` -> what that designs.
    """
    problem = next(iter(designs.values())).problem.name
    parts = [f"# What an answer changes in the design of {escape(problem)}"]
    parts += _table("What follows", {name: _figures(design) for name, design in designs.items()})
    parts += _table("In the config", {name: _config(design) for name, design in designs.items()})
    parts.append("Everything else is the same. Costs are declared, not measured; nothing was trained.")
    return "\n\n".join(parts) + "\n"


def _table(title: str, columns: Mapping[str, Mapping[str, str]]) -> list[str]:
    rows = _differing(columns)
    if not rows:
        return [f"## {title}", "Nothing differs."]
    head = ["| | " + " | ".join(f"`{name}`" for name in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    body = ["| " + " | ".join(map(escape, [name, *texts])) + " |" for name, texts in rows.items()]
    return [f"## {title}", "\n".join([*head, *body])]


def _differing(columns: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    names = dict.fromkeys(name for column in columns.values() for name in column)
    rows = {name: [column.get(name, ABSENT) for column in columns.values()] for name in names}
    return {name: texts for name, texts in rows.items() if len(set(texts)) > 1}


def _figures(design: Design) -> dict[str, str]:
    figures = {figure.name: figure.text for figure in design.figures}
    stages = {f"{load.name}: {name}": text for load in design.loads for name, text in _of_stage(load).items()}
    return {**figures, **stages}


def _of_stage(load: StageLoad) -> dict[str, str]:
    declared = load.declared_ms is not None and load.budget_ms is not None
    afford = (
        NOT_DECLARED if not declared else "any number" if load.affordable is None else count(load.affordable)
    )
    return {
        "candidates in": count(load.n_in),
        "share of the latency": milliseconds(load.budget_ms) if load.budget_ms is not None else NOT_DECLARED,
        "declared time": milliseconds(load.declared_ms) if load.declared_ms is not None else NOT_DECLARED,
        "fits": FITS[load.fits],
        "candidates it could afford": afford,
        "cores at the peak": count(load.cores) if load.cores is not None else NOT_DECLARED,
    }


def _config(design: Design) -> dict[str, str]:
    return dict(leaves(design.values, ""))
