"""What tells one config from another."""

from __future__ import annotations

import json
from hashlib import sha256

from omegaconf import DictConfig, OmegaConf

LENGTH = 8


def config_hash(config: DictConfig) -> str:
    """Eight hexadecimal digits of a run's config; where the run is written does not count.

    Example:
        >>> config_hash(OmegaConf.create({"seed": 0})) == config_hash(OmegaConf.create({"seed": 1}))
        False
    """
    written = OmegaConf.to_container(config, resolve=False)
    assert isinstance(written, dict)  # noqa: S101  (a DictConfig's container is a dict)
    written.pop("hydra", None)
    return sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:LENGTH]


def _of_root(*, _root_: DictConfig) -> str:
    return config_hash(_root_)


def register() -> None:
    """Let YAML write `${mlsd.config_hash:}`."""
    OmegaConf.register_new_resolver("mlsd.config_hash", _of_root, replace=True)
