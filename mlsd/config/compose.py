"""From overrides to one config, by Hydra; everything wrong with the overrides is found in one go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mlsd.config import identity
from mlsd.config import overrides as overriding
from mlsd.config.keys import flatten, nearest_key
from mlsd.config.places import conf_dir
from mlsd.config.targets import Target, allowed_prefixes, find
from mlsd.errors import ConfigError, Fault, nearest

PRIMARY = "run"
"""The name of the primary config."""

MISSING = "???"
"""How YAML says that a value must be given."""

COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException)


@dataclass(frozen=True)
class Composition:
    """What the overrides that are right compose to, and what is wrong with the others.

    Args:
        config: None where nothing can be composed at all.
        faults: in the order they were found.
    """

    config: DictConfig | None
    faults: tuple[Fault, ...] = ()

    def required(self) -> DictConfig:
        """The config.

        Raises:
            ConfigError: if any override is wrong.
        """
        if self.faults or self.config is None:
            raise ConfigError(self.faults)
        return self.config


def compose_overrides(overrides: Sequence[str], search: Iterable[Path] = ()) -> Composition:
    """The run's config under these overrides.

    Group choices are tried before values. If all together fail, they are tried one at a time, so that
    each wrong one is named and the others still count.

    Args:
        overrides: in Hydra's grammar, such as `problem=search` or `funnel.skip=[light_rank]`.
        search: further folders of YAML, looked into after the shipped one.
    """
    with _hydra() as loader:
        return _Composer(loader, search_path(search)).run(overrides)


def compose_jobs(overrides: Sequence[str], search: Iterable[Path] = ()) -> list[Composition]:
    """The config of each job of a multirun."""
    with _hydra() as loader:
        jobs = overriding.jobs_of(overrides, loader)
        return [_Composer(loader, search_path(search)).run(job) for job in jobs]


def config_groups(search: Iterable[Path] = ()) -> frozenset[str]:
    """The groups that there are, such as `ranker`.

    Args:
        search: further folders of YAML.
    """
    shipped = {path.name for path in conf_dir().iterdir() if path.is_dir()}
    return frozenset(shipped | {path.name for folder in search for path in folder.iterdir() if path.is_dir()})


@contextmanager
def _hydra() -> Iterator[ConfigLoader]:
    identity.register()
    with initialize_config_dir(version_base="1.3", config_dir=str(conf_dir()), job_name="mlsd"):
        yield GlobalHydra.instance().config_loader()


def search_path(folders: Iterable[Path]) -> list[str]:
    """The override that makes Hydra look into further folders; none for no folder."""
    listed = ",".join(f"'file://{folder.resolve()}'" for folder in folders)
    return [f"hydra.searchpath=[{listed}]"] if listed else []


@dataclass
class _Composer:
    """One composition.

    Args:
        loader: of the initialised Hydra.
        always: overrides that are right and come first.
        faults: found so far.
        composed: what has been composed so far, by its overrides.
        options: what each group that was asked for has.
    """

    loader: ConfigLoader
    always: list[str]
    faults: list[Fault] = field(default_factory=list)
    composed: dict[tuple[str, ...], DictConfig] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)

    def run(self, overrides: Sequence[str]) -> Composition:
        single = [one for text in overrides if (one := self._single(text))]
        groups = [one for one in single if self._is_group(one)]
        values = [str(one.input_line) for one in single if not self._is_group(one)]
        chosen = [one for one in groups if one.key_or_group == "problem"]
        right = [str(one.input_line) for one in chosen if self._is_option(one)]
        others = [str(one.input_line) for one in groups if one not in chosen and self._is_option(one)]
        problem = right[-1:] or self._supposed_problem(chosen, others)
        if problem is None:
            return Composition(None, tuple(self.faults))
        config = self._all_or_each(problem, [one for one in others if one not in problem], values)
        return Composition(config, tuple(self.faults))

    def _single(self, text: str) -> Override | None:
        """An override that gives one value; a fault if it does not."""
        parsed = overriding.parse(text)
        if isinstance(parsed, Fault):
            self.faults.append(parsed)
            return None
        if parsed.is_sweep_override():
            rule = "several values need -m (--multirun); a list is written [a,b]"
            self._wrong(parsed, text.partition("=")[2], rule)
            return None
        return parsed

    def _options(self, group: str) -> list[str]:
        if group not in self.options:
            self.options[group] = self.loader.get_group_options(
                group, config_name=PRIMARY, overrides=self.always
            )
        return self.options[group]

    def _is_group(self, override: Override) -> bool:
        return override.package is not None or bool(self._options(override.key_or_group))

    def _is_option(self, override: Override) -> bool:
        """Whether what is chosen exists; a fault if not."""
        options = self._options(override.key_or_group)
        if not options:
            close = nearest(override.key_or_group, self.loader.list_groups(""))
            self._wrong(override, override.value(), "no such group", close)
            return False
        unknown = [one for one in _names(override.value()) if one not in options]
        for one in unknown:
            self._wrong(override, one, f"must be one of {', '.join(options)}", nearest(one, options))
        return not unknown

    def _wrong(self, override: Override, value: object, rule: str, close: str | None = None) -> None:
        self.faults.append(Fault(override.get_key_element(), value, rule, close))

    def _supposed_problem(self, chosen: list[Override], others: list[str]) -> list[str] | None:
        """What a wrong or missing problem is taken for so that checking can go on; None if for nothing.

        Where another choice, an experiment's, chooses the problem, that choice.
        """
        choice = next((one for one in others if not chosen and self._composes([one])), None)
        if choice:
            return [choice]
        options = self._options("problem")
        if not chosen:
            rule = f"must be chosen, as in problem={options[0]}; there are {', '.join(options)}"
            self.faults.append(Fault("problem", MISSING, rule))
        wrong = str(chosen[-1].value()) if chosen else ""
        supposed = options[0] if len(options) == 1 else nearest(wrong, options)
        return [f"problem={supposed}"] if supposed else None

    def _composes(self, overrides: list[str]) -> bool:
        try:
            self._compose(overrides)
        except COMPOSITION_ERRORS:
            return False
        return True

    def _all_or_each(self, kept: list[str], groups: list[str], values: list[str]) -> DictConfig | None:
        try:
            return self._compose([*kept, *groups, *values])
        except COMPOSITION_ERRORS:
            pass
        try:
            self._compose(kept)
        except COMPOSITION_ERRORS as error:
            self.faults.append(Fault("defaults", kept, _first_line(error)))
            return None
        kept = self._add(kept, groups, self._wrong_group)
        kept = self._add(kept, self._known(values, kept), self._wrong_value)
        return self._compose(kept)

    def _known(self, values: list[str], kept: list[str]) -> list[str]:
        """The values whose keys are there; the others are faults, found without composing each.

        Hydra's own keys are not in what it composes: a wrong one of these is found by composing.
        """
        config = OmegaConf.to_container(self._compose(kept), resolve=False)
        parsed = {text: _parsed(text) for text in values}
        added = tuple(one.key_or_group for one in parsed.values() if _adds(one))
        keys = {*flatten(config), *added}
        inside = ("hydra.", *(f"{key}." for key in added))
        unknown = [text for text, one in parsed.items() if not _is_known(one.key_or_group, keys, inside)]
        self.faults += [_no_such_key(text, parsed[text], config) for text in unknown]
        return [text for text in values if text not in unknown]

    def _compose(self, overrides: list[str]) -> DictConfig:
        key = tuple(overrides)
        if key not in self.composed:
            self.composed[key] = compose(PRIMARY, [*self.always, *overrides])
        return self.composed[key]

    def _add(
        self, kept: list[str], more: list[str], wrong: Callable[[str, list[str], Exception], Fault]
    ) -> list[str]:
        """Overrides on top of the right ones: all, else each, again as long as any further one is right."""
        if self._composes([*kept, *more]):
            return [*kept, *more]
        failed: dict[str, Exception] = {}
        for text in more:
            try:
                self._compose([*kept, text])
            except COMPOSITION_ERRORS as error:
                failed[text] = error
            else:
                kept = [*kept, text]
        if failed and len(failed) < len(more):
            return self._add(kept, list(failed), wrong)
        self.faults += [wrong(text, kept, error) for text, error in failed.items()]
        return kept

    def _wrong_group(self, text: str, kept: list[str], error: Exception) -> Fault:
        del error
        override = _parsed(text)
        key, group = override.get_key_element(), override.key_or_group
        places = self._places(group, kept)
        rule = f"no {group} is chosen there; it is chosen at {', '.join(places)}"
        return Fault(key, override.value(), rule, nearest(key, places))

    def _places(self, group: str, kept: list[str]) -> list[str]:
        """Where a group's choice lands, as it is written in an override."""
        listed = self.loader.compute_defaults_list(PRIMARY, [*self.always, *kept], RunMode.RUN)
        at = {one.package for one in listed.defaults if str(one.config_path).startswith(f"{group}/")}
        return sorted(group if package == group else f"{group}@{package}" for package in at)

    @staticmethod
    def _wrong_value(text: str, kept: list[str], error: Exception) -> Fault:
        del kept
        override = _parsed(text)
        value = override.value()
        merged = "; a mapping is merged: add to it with +KEY.NAME=VALUE" if isinstance(value, dict) else ""
        return Fault(override.get_key_element(), value, _first_line(error) + merged)


def _is_known(key: str, keys: Collection[str], inside: tuple[str, ...]) -> bool:
    return key in keys or key.startswith(inside)


def _adds(override: Override) -> bool:
    return override.is_add() or override.is_force_add()


def _no_such_key(text: str, override: Override, values: object) -> Fault:
    key, value = override.get_key_element(), override.value()
    if _has_parameter(values, override.key_or_group):
        return Fault(key, value, f"is left at its default in the YAML: write +{text} to set it")
    return Fault(key, value, "no such key", nearest_key(values, override.key_or_group))


def _has_parameter(values: object, key: str) -> bool:
    """Whether a key is a parameter of the part that it would be set in."""
    *parents, name = key.split(".")
    for parent in parents:
        values = values.get(parent) if isinstance(values, Mapping) else None
    if not isinstance(values, Mapping) or "_target_" not in values:
        return False
    target = find(key, values["_target_"], allowed_prefixes())
    return isinstance(target, Target) and name in target.parameters


def _parsed(text: str) -> Override:
    parsed = overriding.parse(text)
    if isinstance(parsed, Fault):
        raise ConfigError([parsed])
    return parsed


def _names(value: object) -> list[str]:
    chosen = value if isinstance(value, list) else [value]
    return [str(one) for one in chosen if one is not None]


def _first_line(error: Exception) -> str:
    return str(error.__cause__ or error).strip().partition("\n")[0].rstrip(".")
