"""Parameters and the space they span: what counts when, corners, and everything wrong with it."""

from __future__ import annotations

import re

import pytest

from mlsd.errors import InvalidValueError
from mlsd.tuning.parameter import Parameter
from mlsd.tuning.space import Space, space_faults

RANKER = Parameter(key="ranker@a.ranker", choices=("mlp", "dcn_v2"))
CROSS = Parameter(key="a.ranker.n_cross", low=1, high=4, when={"ranker": "dcn_v2"})
SKIP = Parameter(key="funnel.skip", choices=([], ["light_rank"]))
LIGHT = Parameter(key="light.n_out", low=20, high=100, step=20, when={"skip": []})


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"key": "a"}, "key == 'a', must have low and high, or choices, or switch: true"),
        ({"key": "a", "low": 1, "high": 2, "switch": True}, "must have low and high, or choices"),
        ({"key": "a", "low": 1}, "high == None, must be given, as the other end is"),
        ({"key": "a", "low": 3, "high": 2}, "low == 3, must be below high == 2"),
        ({"key": "a", "low": 0.0, "high": 1.0, "log": True}, "low == 0.0, must be above 0"),
        ({"key": "a", "low": 1, "high": 8, "log": True, "step": 2}, "step == 2, must be left out where log"),
        ({"key": "a", "low": 1, "high": 8, "step": 0}, "step == 0, must be above 0"),
        ({"key": "a", "choices": ()}, "choices == (), must not be empty"),
        ({"key": "a", "choices": (1, 2, 1)}, "choices == [1, 2, 1], must not repeat"),
        ({"key": "a", "choices": (1, 2), "log": True}, "log == True, is for numbers between low and high"),
        ({"key": "~a", "switch": True}, "key == '~a', must be a key as on the command line"),
    ],
)
def test_a_parameter_says_what_is_wrong_with_it(arguments: dict[str, object], rule: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(rule)):
        Parameter(**arguments)  # type: ignore[arg-type]


def test_whole_numbers_stay_whole() -> None:
    assert CROSS.is_whole
    assert LIGHT.is_whole
    assert not Parameter(key="a", low=0.0, high=1.0).is_whole
    assert not Parameter(key="a", low=0, high=1, step=0.5).is_whole


def test_a_parameter_counts_under_its_condition_alone() -> None:
    space = Space.of({"n_cross": CROSS, "ranker": RANKER, "n_light": LIGHT, "skip": SKIP})
    assert list(space.parameters) == ["ranker", "n_cross", "skip", "n_light"]
    assert space.counts("n_cross", {"ranker": "dcn_v2"})
    assert not space.counts("n_cross", {"ranker": "mlp"})
    assert not space.counts("n_cross", {})
    assert space.counts("n_light", {"skip": "[]"})
    assert space.overrides({"skip": "[light_rank]", "ranker": "mlp"}) == [
        "funnel.skip=[light_rank]",
        "ranker@a.ranker=mlp",
    ]


def test_corners_are_the_ends_and_choices_in_each_way_to_count() -> None:
    space = Space.of({"n_cross": CROSS, "ranker": RANKER})
    corners = [(name, space.overrides(chosen)) for name, chosen in space.corners()]
    assert corners == [
        ("ranker", ["ranker@a.ranker=mlp"]),
        ("ranker", ["ranker@a.ranker=dcn_v2"]),
        ("n_cross", ["ranker@a.ranker=dcn_v2", "a.ranker.n_cross=1"]),
        ("n_cross", ["ranker@a.ranker=dcn_v2", "a.ranker.n_cross=4"]),
    ]


def test_what_lies_within_a_choice_is_tried_under_each_of_them() -> None:
    width = Parameter(key="a.ranker.width", low=1, high=2)
    space = Space.of({"ranker": RANKER, "width": width})
    of_width = [space.overrides(chosen) for name, chosen in space.corners() if name == "width"]
    assert ["ranker@a.ranker=mlp", "a.ranker.width=1"] in of_width
    assert ["ranker@a.ranker=dcn_v2", "a.ranker.width=2"] in of_width


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({}, "tuning.space == {}: must name at least one parameter."),
        (
            {"ranker": RANKER, "a": Parameter(key="x", switch=True, when={"rankr": "mlp"})},
            "tuning.space.a.when.rankr == 'mlp': no such parameter. Did you mean 'ranker'?",
        ),
        (
            {"ranker": RANKER, "a": Parameter(key="x", switch=True, when={"ranker": "mpl"})},
            "tuning.space.a.when.ranker == 'mpl': must be one of mlp, dcn_v2. Did you mean 'mlp'?",
        ),
        (
            {"n": Parameter(key="n", low=1, high=3), "a": Parameter(key="x", switch=True, when={"n": 4})},
            "tuning.space.a.when.n == 4: must be from 1 to 3.",
        ),
        (
            {"n": Parameter(key="n", low=1.5, high=3), "a": Parameter(key="x", switch=True, when={"n": 2})},
            "tuning.space.a.when.n == 2: n takes any number: what depends on it needs choices.",
        ),
        (
            {
                "a": Parameter(key="x", switch=True, when={"b": True}),
                "b": Parameter(key="y", switch=True, when={"a": True}),
            },
            "tuning.space.a.when == {'b': True}: leads back to itself.",
        ),
        (
            {"a": Parameter(key="x", low=1, high=2), "b": Parameter(key="+x", low=3, high=4)},
            "tuning.space.b.key == '+x': is set by a, too, and nothing in `when` keeps the two apart.",
        ),
        (
            {
                "ranker": RANKER,
                "n_cross": Parameter(key="n", low=1, high=2, when={"ranker": "dcn_v2"}),
                "a": Parameter(key="x", switch=True, when={"ranker": "mlp", "n_cross": 1}),
            },
            "tuning.space.a.when == {'ranker': 'mlp', 'n_cross': 1}: can never hold: other parameters",
        ),
    ],
)
def test_what_is_wrong_with_a_space(parameters: dict[str, Parameter], fault: str) -> None:
    said = [str(one) for one in space_faults(parameters)]
    assert said
    assert said[0].startswith(fault)


def test_one_key_may_be_set_by_parameters_that_exclude_each_other() -> None:
    few = Parameter(key="x", low=1, high=2, when={"ranker": "mlp"})
    many = Parameter(key="x", low=3, high=4, when={"ranker": "dcn_v2"})
    assert space_faults({"ranker": RANKER, "few": few, "many": many}) == []
