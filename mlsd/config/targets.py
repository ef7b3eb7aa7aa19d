"""Dotted `_target_` names: allowed, found, and the parameters of what they name."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from typing import Any, get_type_hints

from mlsd.config.inventory import summaries
from mlsd.errors import Fault, nearest

ALLOW_TARGETS = "MLSD_ALLOW_TARGETS"
"""The environment variable that lists further allowed prefixes, divided by commas."""

OWN_PREFIX = "mlsd."


def allowed_prefixes() -> tuple[str, ...]:
    """Prefixes that a `_target_` may have: ours, and those the environment names; never from YAML."""
    listed = os.environ.get(ALLOW_TARGETS, "").split(",")
    return (OWN_PREFIX, *(prefix.strip() for prefix in listed if prefix.strip()))


@dataclass(frozen=True)
class Target:
    """What a `_target_` names.

    Args:
        make: the class or function.
        parameters: its parameters by name, without `self`, `*args` and `**kwargs`.
        hints: parameter -> its annotation, resolved.
        open_ended: whether it takes any further keyword.
    """

    make: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]
    hints: dict[str, Any]
    open_ended: bool

    @property
    def name(self) -> str:
        return getattr(self.make, "__name__", str(self.make))

    @property
    def required(self) -> list[str]:
        empty = inspect.Parameter.empty
        return [name for name, parameter in self.parameters.items() if parameter.default is empty]

    def hint(self, name: str) -> Any:
        return self.hints.get(name, Any)


def is_allowed(target: str, prefixes: Sequence[str]) -> bool:
    """Whether a dotted name lies under one of the prefixes.

    Example:
        >>> is_allowed("mlsd.rankers.mlp.MLP", ["mlsd."]), is_allowed("os.system", ["mlsd."])
        (True, False)
        >>> is_allowed("my_pkg_evil.run", ["my_pkg"])
        False
    """
    return any(target.startswith(f"{prefix.rstrip('.')}.") for prefix in prefixes)


def find(key: str, target: object, prefixes: Sequence[str]) -> Target | Fault:
    """What `target` names, or what is wrong with it. Nothing that is not allowed is imported.

    Args:
        key: of the `_target_`, for the fault.
        target: a dotted name.
        prefixes: those allowed.
    """
    if not isinstance(target, str) or "." not in target:
        return Fault(key, target, "must be the dotted name of a class, such as mlsd.stages.rank.Rank")
    if not is_allowed(target, prefixes):
        rule = f"must begin with {' or '.join(prefixes)}; allow others with --allow-target or {ALLOW_TARGETS}"
        return Fault(key, target, rule, nearest(target, summaries()))
    return _imported(key, target, tuple(prefixes))


@functools.cache
def _imported(key: str, target: str, prefixes: tuple[str, ...]) -> Target | Fault:
    module, _, name = target.rpartition(".")
    try:
        make = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        return Fault(key, target, f"cannot be found ({error})", nearest(target, summaries()))
    home = f"{getattr(make, '__module__', '')}.{name}"
    if not callable(make) or not is_allowed(home, prefixes):
        return Fault(
            key, target, f"must name a class or function that is defined under {' or '.join(prefixes)}"
        )
    return describe(make)


def describe(make: Callable[..., Any]) -> Target:
    """The parameters of a class or function."""
    every = inspect.signature(make).parameters
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return Target(
        make,
        {name: parameter for name, parameter in every.items() if parameter.kind not in kinds},
        _hints(make),
        any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in every.values()),
    )


def _hints(make: Callable[..., Any]) -> dict[str, Any]:
    """Parameter -> annotation. A dataclass's fields are resolved where each of them was declared."""
    if is_dataclass(make) or not inspect.isclass(make):
        return get_type_hints(make)
    return get_type_hints(make.__init__)
