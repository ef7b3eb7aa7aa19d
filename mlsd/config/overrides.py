"""One override of the command line: read, or said what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from mlsd.errors import Fault


def parse(text: str, loader: ConfigLoader | None = None) -> Override | Fault:
    """An override in Hydra's grammar, such as `seed=1`, `+a.b=2`, `~a.c` or `ranker@x.y=mlp`."""
    try:
        override = OverridesParser.create(config_loader=loader).parse_override(text)
    except HydraException:
        return _not_an_override(text)
    return _not_an_override(text) if override.value_type is None and "=" in text else override


def _not_an_override(text: str) -> Fault:
    key, _, value = text.partition("=")
    if "[" in key:
        return Fault(key, value, "a list is replaced whole, as in key=[a,b]")
    return Fault(
        key, value, "must be written key=value, with quotes around what has spaces, commas or brackets"
    )


def jobs_of(overrides: Sequence[str], loader: ConfigLoader | None = None) -> list[list[str]]:
    """The overrides of each job of a multirun: every combination of the swept values.

    Overrides that do not parse stay as they are, for the composition to name.

    Example:
        >>> jobs_of(["problem=search", "seed=1,2"])
        [['problem=search', 'seed=1'], ['problem=search', 'seed=2']]
    """
    return [list(job) for job in product(*(_swept(text, loader) for text in overrides))]


def _swept(text: str, loader: ConfigLoader | None) -> list[str]:
    override = parse(text, loader)
    if isinstance(override, Fault) or not override.is_sweep_override():
        return [text]
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def value_of(key: str, overrides: Sequence[str]) -> object:
    """What the overrides set a key to; None where they do not.

    Example:
        >>> value_of("hydra.run.dir", ["problem=search", "hydra.run.dir=outputs/first"])
        'outputs/first'
    """
    parsed = [one for text in overrides if not isinstance(one := parse(text), Fault)]
    return next((one.value() for one in reversed(parsed) if one.key_or_group == key), None)


def quoted(value: object) -> str:
    r"""A value as an override writes it, whatever characters it has.

    Example:
        >>> print(quoted("my data/it's"))
        'my data/it\'s'
    """
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
