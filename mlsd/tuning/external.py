"""Samplers and pruners by `_target_`: Optuna's own classes, checked before they are made."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler

from mlsd.config.keys import join
from mlsd.config.parts import TARGET
from mlsd.errors import Fault, nearest

T = TypeVar("T")

HOMES: dict[Callable[..., Any], str] = {BaseSampler: "optuna.samplers", BasePruner: "optuna.pruners"}
"""Kind -> the module whose names a `_target_` of that kind may name."""

_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "None": (type(None),),
}
"""Words of Optuna's annotations -> what fits them."""


@dataclass(frozen=True)
class External(Generic[T]):
    """Something of Optuna's that can be made again and again.

    Args:
        target: its dotted name.
        cls: the class.
        arguments: of its constructor.
    """

    target: str
    cls: type[T]
    arguments: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def takes_seed(self) -> bool:
        return "seed" in inspect.signature(self.cls).parameters

    def make(self, **more: object) -> T:
        """A new one; what Optuna calls experimental is used without a warning."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return self.cls(**{**self.arguments, **more})


def external(key: str, value: Mapping[str, Any], kind: Callable[..., T]) -> External[T] | list[Fault]:
    """What a mapping with a `_target_` describes, or what is wrong with it.

    Args:
        key: full key of the mapping.
        value: plain.
        kind: `BaseSampler` or `BasePruner`.
    """
    cls = _class(join(key, TARGET), value.get(TARGET), kind)
    if isinstance(cls, Fault):
        return [cls]
    found = External(str(value[TARGET]), cls, {name: one for name, one in value.items() if name != TARGET})
    faults = _argument_faults(key, found)
    return faults or _made(key, found)


def _class(key: str, target: object, kind: Callable[..., T]) -> type[T] | Fault:
    home = HOMES[kind]
    module = import_module(home)
    names = [f"{home}.{name}" for name in module.__all__ if _is(getattr(module, name), kind)]
    if target not in names:
        return Fault(key, target, f"must be one of {', '.join(names)}", nearest(str(target), names))
    cls: type[T] = getattr(module, str(target).rpartition(".")[2])
    return cls


def _is(thing: object, kind: Callable[..., Any]) -> bool:
    return inspect.isclass(thing) and kind in thing.__mro__ and not inspect.isabstract(thing)


def _argument_faults(key: str, found: External[T]) -> list[Fault]:
    known = inspect.signature(found.cls).parameters
    faults = []
    for name, value in found.arguments.items():
        if name not in known:
            rule = f"no such key: {found.name} has {', '.join(known)}"
            faults.append(Fault(join(key, name), value, rule, nearest(name, known)))
        elif not _fits(value, str(known[name].annotation)):
            faults.append(Fault(join(key, name), value, f"must be {known[name].annotation}"))
    return faults


def _fits(value: object, annotation: str) -> bool:
    """Whether a value is of a kind that the annotation names; anything is where it names others."""
    words = [word.strip() for word in annotation.split("|")]
    if any(word not in _KINDS for word in words):
        return True
    if isinstance(value, bool):
        return "bool" in words
    return any(isinstance(value, _KINDS[word]) for word in words)


def _made(key: str, found: External[T]) -> External[T] | list[Fault]:
    """Itself, if its constructor has nothing to say about its arguments."""
    try:
        found.make()
    except (TypeError, ValueError) as error:
        return [Fault(key, found.target, f"cannot be made: {str(error).partition(chr(10))[0]}")]
    return found
