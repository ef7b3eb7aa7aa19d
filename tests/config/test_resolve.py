from __future__ import annotations

from omegaconf import OmegaConf

from mlsd.config.resolve import Resolved, resolve
from mlsd.config.standin import STAND_IN


def resolved(**values: object) -> Resolved:
    return resolve(OmegaConf.create(values))


def faults(**values: object) -> list[str]:
    return [str(fault) for fault in resolved(**values).faults]


def test_interpolations_are_followed_and_remembered() -> None:
    found = resolved(a={"b": 1}, c={"d": "${a}", "e": ["${a.b}", "x${a.b}"]})
    assert found.values == {"a": {"b": 1}, "c": {"d": {"b": 1}, "e": [1, "x1"]}}
    assert found.references == {"c.d": "a", "c.e[0]": "a.b"}
    assert found.origin("c.d.b") == "a.b"


def test_origins_are_followed_to_the_end() -> None:
    assert resolved(a=1, b="${a}", c="${b}").origin("c") == "a"


def test_missing_values_and_dead_ends_are_named_all_at_once() -> None:
    found = resolved(a="???", funnel={"order": 1}, c="${funel.order}", d=["???"])
    assert [str(fault) for fault in found.faults] == [
        "a == '???': must be given.",
        "c == '${funel.order}': no such key: funel.order. Did you mean 'funnel.order'?",
        "d[0] == '???': must be given.",
    ]
    assert found.values["a"] is STAND_IN


def test_what_refers_to_something_missing() -> None:
    found = resolved(a="???", b="${a}", c="x${b}")
    assert [str(fault) for fault in found.faults] == ["a == '???': must be given."]
    assert found.values["b"] is found.values["c"] is STAND_IN


def test_a_circle_is_a_fault() -> None:
    assert faults(a={"b": "${a}"}) == ["a.b == '${a}': Interpolation to parent node detected."]
    assert [fault.partition(" ==")[0] for fault in faults(a="${b}", b="${a}")] == ["a", "b"]
    assert faults(a={"b": "${c}"}, c={"d": "${a}"})[0].endswith("refers to itself.")


def test_keys_with_signs_in_them() -> None:
    assert resolved(metrics={"nDCG@10": {"cutoff": 10}}).values == {"metrics": {"nDCG@10": {"cutoff": 10}}}
