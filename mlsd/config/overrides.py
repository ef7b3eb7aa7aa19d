"""One override of the command line: read, or said what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from mlsd import checks
from mlsd.errors import Fault

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_BEFORE_QUOTE = re.compile(r"(\\*)('|\Z)")
_WORDS = {"true", "false", "null", "nan", "inf"}
"""What is read as something else than a text."""


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


def value_text(value: object) -> str:
    r"""A value as an override writes it, so that it is read as what it is.

    Raises:
        InvalidValueError: a mapping has a key that only quotes would keep, and overrides quote no keys.

    Example:
        >>> value_text([1, "a b", None]), value_text({"k": True}), value_text("mlp")
        ("[1,'a b',null]", '{k:true}', 'mlp')
        >>> print(value_text("my data/it's"))
        'my data/it\'s'
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(name)}:{value_text(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(value_text(one) for one in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return repr(value)
    return value if _is_plain(value) else "'" + _BEFORE_QUOTE.sub(_escaped, value) + "'"


def _key(name: object) -> str:
    rule = "must be a plain word, as overrides quote no keys"
    return str(checks.require(isinstance(name, str) and _is_plain(name), "key of a mapping", name, rule))


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS


def _escaped(found: re.Match[str]) -> str:
    """Hydra reads a backslash as itself, except before a quote or the end."""
    return 2 * found[1] + ("\\'" if found[2] else "")
