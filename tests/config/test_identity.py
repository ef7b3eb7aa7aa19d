from __future__ import annotations

from omegaconf import OmegaConf

from mlsd.config.identity import config_hash, register


def test_the_hash_is_of_the_config_and_not_of_where_it_runs() -> None:
    one = OmegaConf.create({"seed": 0, "a": {"b": 1, "c": 2}})
    same = OmegaConf.create({"a": {"c": 2, "b": 1}, "seed": 0, "hydra": {"run": {"dir": "x"}}})
    other = OmegaConf.create({"seed": 0, "a": {"b": 1, "c": 3}})
    assert config_hash(one) == config_hash(same)
    assert config_hash(one) != config_hash(other)
    assert len(config_hash(one)) == 8


def test_yaml_can_ask_for_it() -> None:
    register()
    config = OmegaConf.create({"seed": 0, "hydra": {"dir": "out_${mlsd.config_hash:}"}})
    assert config.hydra.dir == f"out_{config_hash(OmegaConf.create({'seed': 0}))}"
