"""Configs that differ from one another in some overrides.

Hydra takes a good part of a second to compose a config, most of it for choosing groups. Whoever needs many
configs that make the same choices composes once and sets values on top, which is what Hydra does itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlsd.config.compose import Composition, compose_overrides, config_groups
from mlsd.config.overrides import parse
from mlsd.errors import Fault


class Variants:
    """What a base composes to under further overrides.

    Args:
        base: overrides that all have.
        search: further folders of YAML.
    """

    def __init__(self, base: Sequence[str], search: Iterable[Path] = ()) -> None:
        self.base, self.search = tuple(base), tuple(search)
        self._groups = config_groups(self.search)
        self._composed: dict[tuple[str, ...], Composition] = {}

    def of(self, overrides: Sequence[str]) -> Composition:
        """The same as `compose_overrides` of `overrides_with(overrides)`, mostly without its work."""
        all_of_them = self.overrides_with(overrides)
        values = [text for text in overrides if not self._is_group(text)]
        start = self._start([text for text in all_of_them if text not in values])
        config = None if start.faults or start.config is None else _with_values(start.config, values)
        return compose_overrides(all_of_them, self.search) if config is None else Composition(config)

    def overrides_with(self, overrides: Sequence[str]) -> list[str]:
        """The base's overrides without those that are given anew, and these."""
        given = {_key(text) for text in overrides}
        return [*(text for text in self.base if _key(text) not in given), *overrides]

    def _start(self, overrides: Sequence[str]) -> Composition:
        key = tuple(overrides)
        if key not in self._composed:
            self._composed[key] = compose_overrides(overrides, self.search)
        return self._composed[key]

    def _is_group(self, text: str) -> bool:
        parsed = parse(text)
        return isinstance(parsed, Fault) or parsed.package is not None or parsed.key_or_group in self._groups


def _key(text: str) -> str:
    """What an override sets, whether it adds it or changes it.

    Example:
        >>> _key("+a.b=1"), _key("ranker@x.y=mlp")
        ('a.b', 'ranker@x.y')
    """
    parsed = parse(text)
    return text if isinstance(parsed, Fault) else parsed.get_key_element().lstrip("+~")


def _with_values(config: DictConfig, values: Sequence[str]) -> DictConfig | None:
    """A copy with values set as Hydra sets them; None where one of them cannot be set."""
    copy = deepcopy(config)
    parsed = [parse(text) for text in values]
    overrides = [one for one in parsed if isinstance(one, Override) and not one.is_delete()]
    if len(overrides) < len(values) or any(one.is_sweep_override() for one in overrides):
        return None
    try:
        for one in overrides:
            adds = one.is_add() or one.is_force_add()
            if one.is_add() and OmegaConf.select(copy, one.key_or_group) is not None:
                return None
            OmegaConf.update(copy, one.key_or_group, one.value(), merge=True, force_add=adds)
    except OmegaConfBaseException:
        return None
    return copy
