"""From a config to typed objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omegaconf import DictConfig

from mlsd.config.check import examine, raise_faults
from mlsd.config.parts import MISSING, Builder
from mlsd.config.resolve import resolve
from mlsd.config.schema import System
from mlsd.config.targets import allowed_prefixes, describe


def build(config: DictConfig) -> System:
    """The system that a config describes. Nothing is drawn, read or trained.

    Raises:
        ConfigError: with everything that is wrong.
    """
    examined = examine(config)
    raise_faults(examined.faults)
    return System(**examined.sections)


def build_sections(config: DictConfig, names: Iterable[str]) -> dict[str, Any]:
    """Some sections of a config by name, without the others: a funnel at work needs no world.

    Raises:
        ConfigError: with everything that is wrong in them.
    """
    resolved, builder, run = resolve(config), Builder(allowed_prefixes()), describe(System)
    made = {name: builder.build(name, resolved.values.get(name, MISSING), run.hint(name)) for name in names}
    raise_faults([*resolved.faults, *builder.faults])
    return made
