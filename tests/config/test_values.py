from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from mlsd.config.values import arms, element, is_optional, made_class, mapping_value, plain_value
from mlsd.stages.base import Stage


@pytest.mark.parametrize(
    ("value", "annotation", "made"),
    [
        (1, float, 1.0),
        (None, int | None, None),
        ("a/b", Path, Path("a/b")),
        ([1, 2.5], tuple[float, float], (1.0, 2.5)),
        ("b", Literal["a", "b"], "b"),
        ({"a": 1}, Mapping[str, int], {"a": 1}),
    ],
)
def test_values_that_fit(value: object, annotation: object, made: object) -> None:
    assert plain_value("key", value, annotation) == (made, [])


@pytest.mark.parametrize(
    ("value", "annotation", "fault"),
    [
        (True, int, "key == True: must be a valid integer."),
        ("1", int, "key == '1': must be a valid integer."),
        (2.5, int, "key == 2.5: must be a valid integer."),
        (1, bool, "key == 1: must be true or false."),
        (3, str, "key == 3: must be a valid string."),
        ("identty", Literal["identity", "log1p"], "must be 'identity' or 'log1p'. Did you mean 'identity'?"),
        ([1, "x"], tuple[int, ...], "key[1] == [1, 'x']: must be a valid integer."),
        (2.5, int | str, "key == 2.5: must be a valid integer or must be a valid string."),
        (None, int, "key == None: must be a valid integer."),
    ],
)
def test_values_that_do_not_fit(value: object, annotation: object, fault: str) -> None:
    (found,) = plain_value("key", value, annotation)[1]
    assert fault in str(found)


def test_infinite_numbers_are_left_to_the_rules_of_parts() -> None:
    made, faults = plain_value("key", float("inf"), float)
    assert made == float("inf")
    assert faults == []


def test_what_annotations_ask_for() -> None:
    assert arms(int | None) == [int]
    assert is_optional(int | None)
    assert not is_optional(int)
    assert mapping_value(Mapping[str, int]) is int
    assert mapping_value(dict) is Any
    assert mapping_value(int) is None
    assert element(tuple[int, ...]) is int
    assert element(Sequence[str]) is str
    assert element(tuple[int, int]) is None
    assert element(str) is None
    assert made_class(Callable[..., Stage]) is Stage
    assert made_class(functools.partial[Stage]) is Stage
    assert made_class(Any) is None
