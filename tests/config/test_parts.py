from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from mlsd import checks
from mlsd.config.parts import Builder
from mlsd.config.standin import STAND_IN
from mlsd.config.targets import describe
from mlsd.features.base import Feature
from mlsd.features.item import ItemColumn
from mlsd.rankers.base import Ranker
from mlsd.rankers.mlp import MLP

COLUMN = {"_target_": "mlsd.features.item.ItemColumn", "name": "authority"}


@dataclass(frozen=True)
class Inner:
    size: int = 1

    def __post_init__(self) -> None:
        checks.at_least("size", self.size, 1)


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    widths: tuple[int, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    folder: Path = Path()
    kind: Literal["a", "b"] = "a"
    maybe: Inner | None = None
    named: Mapping[str, Inner | None] = field(default_factory=dict)
    anything: Any = None
    number_or_map: int | Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        checks.not_empty("name", self.name)


def built(**given: object) -> tuple[Any, list[str]]:
    builder = Builder(("mlsd.",))
    made = builder.section("outer", given, Outer)
    return made, [str(fault) for fault in builder.faults]


def test_values_become_what_annotations_say() -> None:
    given = {
        "name": "x",
        "inner": {"size": 2},
        "widths": [1, 2],
        "pair": [0, 1],
        "folder": "a/b",
        "maybe": {},
    }
    made, faults = built(
        **given, named={"one": {"size": 3}, "off": None}, anything={"k": [1]}, number_or_map={"a": 1}
    )
    assert faults == []
    assert made == Outer(
        name="x",
        inner=Inner(2),
        widths=(1, 2),
        pair=(0.0, 1.0),
        folder=Path("a/b"),
        named={"one": Inner(3), "off": None},
        anything={"k": [1]},
        number_or_map={"a": 1},
    )


def test_a_number_may_stand_where_a_mapping_may() -> None:
    made, faults = built(name="x", number_or_map=7)
    assert (made.number_or_map, faults) == (7, [])


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"named": 5}, "outer.named == 5: must be a mapping."),
        ({"widths": [1, "x"]}, "outer.widths[1] == 'x': must be a valid integer."),
        ({"widths": 3}, "outer.widths == 3: must be a list."),
        ({"pair": [1]}, "outer.pair == [1]: lacks a value."),
        ({"kind": "c"}, "outer.kind == 'c': must be 'a' or 'b'."),
        ({"inner": {"sice": 2}}, "outer.inner.sice == 2: no such key: Inner has size. Did you mean 'size'?"),
        ({"inner": {"size": 0}}, "outer.inner.size == 0: must be at least 1."),
        ({"inner": None}, "outer.inner == None: must be a mapping (Inner)."),
        ({"named": {"one": {"size": -1}}}, "outer.named.one.size == -1: must be at least 1."),
        ({"named": {"one": 5}}, "outer.named.one == 5: must be a mapping (Inner)."),
        ({"number_or_map": {"a": "b"}}, "outer.number_or_map.a == 'b': must be a valid integer."),
        ({"inner": {"size": True}}, "outer.inner.size == True: must be a valid integer."),
    ],
)
def test_what_does_not_fit_is_a_fault_under_its_full_key(given: dict[str, object], fault: str) -> None:
    assert built(name="x", **given)[1] == [fault]


def test_every_fault_of_a_part_is_found() -> None:
    _, faults = built(inner={"size": 0}, kind="c", nme="x")
    assert faults == [
        (
            "outer.nme == 'x': no such key: Outer has name, inner, widths, pair, folder, kind, maybe, named, "
            "anything, number_or_map. Did you mean 'name'?"
        ),
        "outer.name == '???': must be given to Outer.",
        "outer.inner.size == 0: must be at least 1.",
        "outer.kind == 'c': must be 'a' or 'b'.",
    ]


def test_a_target_is_built() -> None:
    builder = Builder(("mlsd.",))
    made = builder.build("features", {"a": COLUMN, "b": None}, Mapping[str, Feature | None])
    assert builder.faults == []
    assert isinstance(made["a"], ItemColumn)
    assert made["b"] is None


def test_a_partial_is_completed_to_check_its_rules_and_stays_partial() -> None:
    node = {"_target_": "mlsd.rankers.mlp.MLP", "_partial_": True, "learning_rate": 0.1, "hidden": [4]}
    builder = Builder(("mlsd.",))
    made = builder.build("ranker", node, Callable[..., Ranker])
    assert builder.faults == []
    assert isinstance(made, functools.partial)
    assert made.func is MLP
    builder.build("ranker", {**node, "learning_rate": 0.0, "hiden": 1}, Callable[..., Ranker])
    assert [fault.key for fault in builder.faults] == ["ranker.hiden", "ranker.learning_rate"]


def test_a_part_of_the_wrong_kind() -> None:
    builder = Builder(("mlsd.",))
    assert builder.build("ranker", COLUMN, Callable[..., Ranker]) is STAND_IN
    (fault,) = builder.faults
    assert str(fault) == "ranker._target_ == 'mlsd.features.item.ItemColumn': must be a Ranker."


def test_targets_left_alone_are_not_even_looked_for() -> None:
    builder = Builder(("mlsd.",), without=("mlsd.nowhere.",))
    assert builder.build("loss", {"_target_": "mlsd.nowhere.Loss"}, Any) is STAND_IN
    assert builder.faults == []


@dataclass(frozen=True)
class Refuses:
    a: int

    def __post_init__(self) -> None:
        raise ZeroDivisionError(f"{self.a} is no good")


def test_what_a_constructor_says_otherwise_is_a_fault_too() -> None:
    builder = Builder(("mlsd.",))
    assert builder.section("part", {"a": 1}, Refuses) is STAND_IN
    assert [str(fault) for fault in builder.faults] == ["part == 'Refuses': cannot be made: 1 is no good."]


def test_a_constructor_that_stumbles_over_a_stand_in_is_not_blamed() -> None:
    builder = Builder(("mlsd.",))
    builder.section("part", {"a": "x"}, Refuses)
    assert [fault.key for fault in builder.faults] == ["part.a"]


def test_parameters_are_described_without_self() -> None:
    target = describe(MLP)
    assert {"spec", "loss", "learning_rate", "hidden"} <= set(target.parameters)
    assert target.required == ["spec", "loss"]
