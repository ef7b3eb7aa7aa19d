"""What a sweep is asked for: the overrides of its runs, what is tuned, and everything wrong with either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from mlsd.config.check import all_faults, examine, raise_faults
from mlsd.config.compose import Composition, compose_overrides
from mlsd.config.overrides import parse
from mlsd.config.resolve import resolve
from mlsd.config.schema import System
from mlsd.config.variants import Variants
from mlsd.errors import Fault
from mlsd.tuning.figures import metric_faults
from mlsd.tuning.parameter import Label
from mlsd.tuning.schema import PLACE, Search, Tuning, read_tuning
from mlsd.tuning.space import Space


@dataclass(frozen=True)
class Asked:
    """A sweep that can begin.

    Args:
        base: overrides of the runs, without those of `tuning`.
        search: further folders of YAML.
        tuning: what is tuned.
        method: how the next trial is chosen, and when one is ended.
        system: the base's, for what can be said before anything is tried.
        config: the base's, resolved.
        section: `tuning` as plain values.
    """

    base: tuple[str, ...]
    search: tuple[Path, ...]
    tuning: Tuning
    method: Search
    system: System
    config: Mapping[str, Any]
    section: Mapping[str, Any]


def read(overrides: Sequence[str], search: Iterable[Path] = ()) -> Asked:
    """Compose a sweep, and check all corners of its space.

    Raises:
        ConfigError: with everything that is wrong; nothing was drawn or written.
    """
    search = tuple(search)
    base = tuple(text for text in overrides if not _is_about_tuning(text))
    composition = compose_overrides(base, search)
    raise_faults([*_removals(base), *([] if composition.config is not None else composition.faults)])
    section, faults = _section(base, [text for text in overrides if text not in base], composition, search)
    read_off = read_tuning(section) if section is not None else faults
    raise_faults([*all_faults(composition), *faults, *(read_off if isinstance(read_off, list) else [])])
    assert not isinstance(read_off, list)  # noqa: S101  (its faults were raised)
    assert section is not None  # noqa: S101
    tuning, method = read_off
    examined = examine(composition.required())
    system = System(**examined.sections)
    raise_faults(metric_faults(_metrics(tuning), system))
    raise_faults(corner_faults(Variants(base, search), Space.of(tuning.space), _metrics(tuning)))
    return Asked(base, search, tuning, method, system, examined.values, section)


def _metrics(tuning: Tuning) -> dict[str, str]:
    return {name: objective.metric for name, objective in tuning.objectives.items()}


def _is_about_tuning(text: str) -> bool:
    parsed = parse(text)
    if isinstance(parsed, Fault):
        return text.startswith((f"{PLACE}.", f"{PLACE}="))
    place = parsed.package if parsed.package is not None else parsed.key_or_group
    return place.split(".")[0] == PLACE


def _removals(base: Sequence[str]) -> list[Fault]:
    rule = "cannot be written down in the best config's YAML: set the key to null"
    return [Fault(text, None, rule) for text in base if text.startswith("~")]


def _section(
    base: Sequence[str], about_tuning: Sequence[str], of_base: Composition, search: tuple[Path, ...]
) -> tuple[Mapping[str, Any] | None, list[Fault]]:
    """The section `tuning` under the overrides that are right, and what is wrong with the others."""
    chosen = [text for text in about_tuning if parsed_key(text) == PLACE]
    option = chosen[-1].partition("=")[2] if chosen else str(_problem(of_base))
    others = [text for text in about_tuning if text not in chosen]
    composition = compose_overrides([*base, f"+{PLACE}={option}", *others], search)
    if composition.config is None or PLACE not in composition.config:
        unknown = [replace(one, key=PLACE) for one in composition.faults if one.key == f"+{PLACE}"]
        return None, unknown or list(composition.faults)
    resolved = resolve(composition.config)
    own = [fault for fault in resolved.faults if fault.key.startswith(f"{PLACE}.")]
    return resolved.values[PLACE], [*composition.faults, *own]


def _problem(composition: Composition) -> object:
    return composition.config.problem.name if composition.config is not None else None


def parsed_key(text: str) -> str:
    """The key of an override, without what it does to it."""
    parsed = parse(text)
    return (
        text.partition("=")[0].lstrip("+~")
        if isinstance(parsed, Fault)
        else parsed.get_key_element().lstrip("+~")
    )


def corner_faults(variants: Variants, space: Space, metrics: Mapping[str, str]) -> list[Fault]:
    """What does not compose, or cannot be judged, at an end or a choice of a parameter on the base."""
    found: dict[str, Fault] = {}
    for name, chosen in space.corners():
        for fault in _faults_at(variants.of(space.overrides(chosen)), metrics):
            said = _at_corner(name, chosen, space, fault)
            found.setdefault(f"{name} {fault.key} {fault.rule}", said)
    return list(found.values())


def _faults_at(composition: Composition, metrics: Mapping[str, str]) -> list[Fault]:
    if composition.faults or composition.config is None:
        return list(composition.faults)
    config: DictConfig = composition.config
    examined = examine(config)
    return list(examined.faults) or metric_faults(metrics, System(**examined.sections))


def _at_corner(name: str, chosen: Mapping[str, Label], space: Space, fault: Fault) -> Fault:
    """A fault of a run, as one of the parameter."""
    parameter, place = space.parameters[name], f"{PLACE}.space.{name}"
    if fault.key.lstrip("+") == parameter.key.lstrip("+"):
        if fault.rule.startswith("no such key"):
            return Fault(f"{place}.key", parameter.key, fault.rule, fault.nearest)
        return Fault(place, fault.value, fault.rule, fault.nearest)
    under = " ".join(space.overrides(chosen)) or f"{parameter.key} as it is"
    return Fault(
        place, chosen[name], f"{under} is no run: {fault.key} == {fault.value!r}: {fault.rule}", fault.nearest
    )
