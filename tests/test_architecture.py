"""Imports point down only: the contract of `docs/architecture.md`, held against the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlsd

PACKAGE = Path(mlsd.__file__).parent
GROUND = {
    "arrays",
    "relations",
    "types",
    "errors",
    "checks",
    "rng",
    "ragged",
    "text",
    "logs",
    "fitting",
    "progress",
    "columns",
}
PARTS = {
    "problems", "worlds", "datasets", "labels", "ratings", "aggregations", "features", "retrievers",
    "rewriters", "diversifiers", "filters", "stages", "rankers", "models", "losses", "metrics", "estimators",
    "auctions", "pacing", "targeting",
}  # fmt: skip
ASSEMBLY = {
    "funnel", "serving", "training", "store", "locks", "threads", "evaluation", "judging", "ablation",
    "ad_server", "capacity", "ctr_logs", "feed_logs", "kept_logs", "online",
}  # fmt: skip
UPPER = {"config", "report"}
TESTING = {"testing"}
LAYERS = [GROUND, PARTS, ASSEMBLY, UPPER]
ANYBODYS_PARTS = {"datasets", "estimators", "models", "ratings", "pacing", "targeting"}
"""What every other part may use: readers of files, estimates, networks inside rankers, raters, budgets,
rules of targeting."""

CONFINED = {
    "hydra": {"config", "commands", "tuning"},
    "omegaconf": {"config", "commands", "runner", "runs", "tuning"},
    "optuna": {"tuning"},
    "pytorch_lightning": {"models", "rankers.base", "training"},
    "torch": {"models", "losses", "rankers", "retrievers", "testing"},
    "matplotlib": {"report"},
    "rich": {"report", "cli", "commands", "runner", "bench", "tuning"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        yield name, path


def imports(path: Path) -> Iterator[str]:
    """Every imported module by its full dotted name, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> int:
    head = module.split(".", maxsplit=1)[0]
    return next((number for number, layer in enumerate(LAYERS) if head in layer), len(LAYERS))


def allowed(importer: str, imported: str) -> bool:
    """Whether one module of mlsd may import another, by their names within the package."""
    own, other = importer.split("."), imported.split(".")
    if own[0] in TESTING:
        return True
    if layer_of(imported) < layer_of(importer):
        return True
    if layer_of(imported) > layer_of(importer):
        return False
    if own[0] not in PARTS:
        return True
    if other[0] in ANYBODYS_PARTS or other[-1] == "base":
        return True
    return own[:2] == other[:2] and len(own) + len(other) > 2


MODULES = [name for name, _ in modules()]
OWN_IMPORTS = [
    (name, target)
    for name, path in modules()
    for target in sorted({imported.removeprefix("mlsd.") for imported in imports(path)} & set(MODULES))
    if target != name
]


@pytest.mark.parametrize(("importer", "imported"), OWN_IMPORTS)
def test_imports_point_down(importer: str, imported: str) -> None:
    assert allowed(importer, imported), f"mlsd.{importer} must not import mlsd.{imported}"


@pytest.mark.parametrize("library", sorted(CONFINED))
def test_a_library_stays_where_it_belongs(library: str) -> None:
    users = {name for name, path in modules() if any(i.split(".")[0] == library for i in imports(path))}
    strangers = {
        user
        for user in users
        if not any(user == home or user.startswith(f"{home}.") for home in CONFINED[library])
    }
    assert strangers == set()


def test_the_contract_refuses_what_it_should() -> None:
    assert not allowed("types", "stages.base")
    assert not allowed("stages.rank", "rankers.dcn_v2")
    assert not allowed("features.text", "features.statistics")
    assert not allowed("funnel", "config.build")
    assert allowed("stages.rank", "rankers.base")
    assert allowed("worlds.search.world", "worlds.search.queries")
    assert allowed("run", "funnel")


def test_every_module_has_its_layer() -> None:
    named = (
        GROUND
        | PARTS
        | ASSEMBLY
        | UPPER
        | TESTING
        | {"runner", "cli", "commands", "runs", "bench", "tuning", "__init__", "__main__"}
    )
    assert {name.split(".")[0] for name in MODULES} <= named
