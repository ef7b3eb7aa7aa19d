"""Values held against the annotations of the parameters that take them."""

from __future__ import annotations

import functools
import inspect
import json
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mlsd.errors import Fault, nearest


def plain_value(key: str, value: object, annotation: Any) -> tuple[Any, list[Fault]]:
    """`value` as the annotation has it (a list as a tuple, a string as a path), or why it is not one.

    No conversion can lose anything: "3" is no number, 2.5 no integer, 1 no truth value.

    Example:
        >>> plain_value("a", [1, 2], tuple[int, ...])
        ((1, 2), [])
        >>> [str(fault) for fault in plain_value("n_out", "many", int)[1]]
        ["n_out == 'many': must be a valid integer."]
    """
    try:
        return _adapter(annotation).validate_json(json.dumps(value), strict=True), []
    except ValidationError as error:
        return None, _faults(key, value, error)


@functools.cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


def _faults(key: str, value: object, error: ValidationError) -> list[Fault]:
    found: dict[str, list[str]] = {}
    for one in error.errors(include_url=False):
        inner = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in one["loc"])
        found.setdefault(inner if _at(value, one["loc"]) else "", []).append(_rule(one["msg"]))
    return [
        Fault(key + inner, value, " or ".join(rules), _choice(value, rules)) for inner, rules in found.items()
    ]


WORDS = {
    "Input should be": "must be",
    "Field required": "lacks a value",
    "a valid array": "a list",
    "a valid dictionary": "a mapping",
    "an object": "a mapping",
    "a valid boolean": "true or false",
}
"""What pydantic says -> what YAML calls it."""


def _rule(message: str) -> str:
    for theirs, ours in WORDS.items():
        message = message.replace(theirs, ours)
    return message


def _at(value: object, location: tuple[int | str, ...]) -> bool:
    """Whether a location of pydantic's leads to something in the value, not into a union's arm."""
    for step in location:
        inside = isinstance(value, Mapping) and step in value
        within = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not inside and not within:
            return False
        value = value[step]  # type: ignore[index]
    return True


def _choice(value: object, rules: list[str]) -> str | None:
    choices = [quoted for rule in rules for quoted in rule.split("'")[1::2]]
    return nearest(str(value), choices)


def arms(annotation: Any) -> list[Any]:
    """The alternatives of a union, without None; a plain annotation is its own only one.

    Example:
        >>> arms(int | str | None)
        [<class 'int'>, <class 'str'>]
    """
    if get_origin(annotation) in {Union, types.UnionType}:
        return [arm for arm in get_args(annotation) if arm is not type(None)]
    return [annotation]


def is_optional(annotation: Any) -> bool:
    """Whether None is allowed."""
    return annotation is Any or type(None) in get_args(annotation)


def mapping_value(annotation: Any) -> Any:
    """The annotation of a mapping's values; None if it is no mapping's."""
    origin, args = get_origin(annotation), get_args(annotation)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return args[1]
    return Any if annotation in {dict, Mapping} else None


def element(annotation: Any) -> Any:
    """The annotation of the elements of a list, or of a tuple of any length; None for others."""
    origin, args = get_origin(annotation), get_args(annotation)
    if not inspect.isclass(origin) or not issubclass(origin, Sequence):
        return None
    if origin is tuple and args[1:] != (...,):
        return None
    return args[0]


def made_class(annotation: Any) -> type | None:
    """The class of object that an annotation asks for; for something to be completed, what it returns."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in {Callable, functools.partial}:
        return made_class(args[-1])
    if origin is not None:
        return origin if inspect.isclass(origin) else None
    return annotation if inspect.isclass(annotation) and annotation is not Any else None
