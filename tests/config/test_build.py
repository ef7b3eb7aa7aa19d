from __future__ import annotations

import re

import pytest
from omegaconf import DictConfig, OmegaConf

from mlsd.config.build import build, build_sections
from mlsd.config.compose import compose_overrides
from mlsd.config.schema import FunnelPlan
from mlsd.errors import ConfigError
from mlsd.problems.search import SearchProblem


def config(**changed: object) -> DictConfig:
    made = OmegaConf.create(OmegaConf.to_container(compose_overrides(["problem=search"]).required()))
    assert isinstance(made, DictConfig)
    for key, value in changed.items():
        made[key] = value
    return made


def test_sections_are_built_without_the_others() -> None:
    """Here nothing but the two is right."""
    odd = config(world={"_target_": "mlsd.nowhere.World"}, metrics=3, trainer=None)
    made = build_sections(odd, ("problem", "funnel"))
    assert isinstance(made["problem"], SearchProblem)
    assert isinstance(made["funnel"], FunnelPlan)
    with pytest.raises(ConfigError, match=r"world\._target_ == 'mlsd\.nowhere\.World': cannot be found"):
        build(odd)


def test_sections_are_those_of_the_whole_system() -> None:
    system, made = build(config()), build_sections(config(), ("funnel",))
    assert list(made["funnel"].active) == list(system.funnel.active)
    assert made["funnel"].active["full_rank"].n_out == system.funnel.active["full_rank"].n_out


@pytest.mark.parametrize(
    ("funnel", "message"),
    [
        (
            {"_target_": "os.system", "command": "true"},
            "funnel._target_ == 'os.system': must begin with mlsd.",
        ),
        ({"order": ["a"], "stages": {}}, "funnel.order[0] == 'a': must be one of"),
        ("${problem.nowhere}", "funnel == '${problem.nowhere}': no such key: problem.nowhere"),
    ],
)
def test_what_is_wrong_in_a_section_is_said(funnel: object, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        build_sections(config(funnel=funnel), ("problem", "funnel"))


def test_a_section_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"funnel == '\?\?\?': must be"):
        build_sections(OmegaConf.create({"seed": 1}), ("funnel",))
