"""A config that was found, as an experiment that `mlsd run` knows how to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from mlsd.config.compose import config_groups
from mlsd.config.overrides import parse
from mlsd.errors import Fault

EXPERIMENT = "experiment"


def best_yaml(overrides: Sequence[str], place: Path, name: str, search: Sequence[Path] = ()) -> str:
    """An overlay that does what overrides do: it chooses groups in its defaults, values stand in its body.

    Args:
        overrides: of the run; of the same key the last counts.
        place: the folder that holds `experiment/`.
        name: of the experiment.
        search: further folders of YAML.
    """
    groups = config_groups(search)
    parsed = [one for text in overrides if not isinstance(one := parse(text), Fault)]
    chosen = {one.get_key_element().lstrip("+"): one for one in parsed if _is_group(one, groups)}
    inherited = chosen.pop(EXPERIMENT, None)
    defaults: list[Any] = [] if inherited is None or inherited.value() is None else _listed(inherited.value())
    defaults += [{f"override /{key}": one.value()} for key, one in chosen.items()]
    body: dict[str, Any] = {"defaults": [*defaults, "_self_"]}
    for one in parsed:
        if not _is_group(one, groups):
            _set(body, one.key_or_group.split("."), one.value())
    written = OmegaConf.to_yaml(OmegaConf.create(body))
    return f"# @package _global_\n# mlsd run -cd {place} experiment={name}\n{written}"


def _is_group(override: Override, groups: frozenset[str]) -> bool:
    return override.package is not None or override.key_or_group in groups


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _set(body: dict[str, Any], names: Sequence[str], value: Any) -> None:
    """Set a value in nested mappings; mappings are merged, as overrides do."""
    *parents, last = names
    for name in parents:
        inner = body.get(name)
        body[name] = inner if isinstance(inner, dict) else {}
        body = body[name]
    before = body.get(last)
    body[last] = {**before, **value} if isinstance(before, dict) and isinstance(value, Mapping) else value
