"""Everything wrong with a composed config, found before any data is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig

from mlsd.config.compose import Composition
from mlsd.config.parts import Builder
from mlsd.config.resolve import Resolved, resolve
from mlsd.config.schema import System
from mlsd.config.targets import allowed_prefixes, describe
from mlsd.config.wiring import wiring_faults
from mlsd.errors import ConfigError, Fault, nearest

TORCH = ("mlsd.losses.", "mlsd.models.")
"""Targets whose modules load torch."""


@dataclass(frozen=True)
class Examined:
    """A config that was looked at from all sides.

    Args:
        values: plain, interpolations followed.
        sections: the built sections; something stands in for what could not be built.
        faults: everything wrong, each once, under the key where it was written.
    """

    values: dict[str, Any]
    sections: dict[str, Any]
    faults: tuple[Fault, ...]


def examine(config: DictConfig, without: Sequence[str] = ()) -> Examined:
    """Resolve, build and wire up a config, collecting faults on the way.

    Args:
        config: composed.
        without: prefixes of targets that are left alone, such as `TORCH`.
    """
    resolved = resolve(config)
    builder = Builder(allowed_prefixes(), without)
    run = describe(System)
    sections = builder.arguments("", resolved.values, run)
    builder.constructed("", run, sections)
    faults = [*resolved.faults, *builder.faults, *wiring_faults(sections)]
    return Examined(resolved.values, sections, _at_their_origin(faults, resolved))


def check(composition: Composition, without: Sequence[str] = ()) -> DictConfig:
    """The config, if nothing is wrong with its overrides or with itself.

    Raises:
        ConfigError: with all faults together.
    """
    raise_faults(all_faults(composition, without))
    return composition.required()


def all_faults(composition: Composition, without: Sequence[str] = ()) -> list[Fault]:
    """What is wrong with the overrides, then with what the others compose to."""
    if composition.config is None:
        return list(composition.faults)
    return [*composition.faults, *examine(composition.config, without).faults]


def raise_faults(faults: Iterable[Fault]) -> None:
    """Report faults together, each once.

    Raises:
        ConfigError: if there are any.
    """
    once = list({str(fault): fault for fault in faults}.values())
    if once:
        raise ConfigError(once)


def key_faults(config: DictConfig) -> list[Fault]:
    """Keys of the top level that no run has: what can be said without loading any part."""
    known = describe(System).parameters
    rule = f"no such key: a run has {', '.join(known)}"
    return [
        Fault(str(key), config.get(key), rule, nearest(str(key), known)) for key in config if key not in known
    ]


def _at_their_origin(faults: list[Fault], resolved: Resolved) -> tuple[Fault, ...]:
    """Each fault once, under the key where the value was written."""
    named = [replace(fault, key=resolved.origin(fault.key)) for fault in faults]
    return tuple({str(fault): fault for fault in named}.values())
