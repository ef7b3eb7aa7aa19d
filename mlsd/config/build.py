"""From a config to typed objects."""

from __future__ import annotations

from omegaconf import DictConfig

from mlsd.config.check import examine, raise_faults
from mlsd.config.schema import System


def build(config: DictConfig) -> System:
    """The system that a config describes. Nothing is drawn, read or trained.

    Raises:
        ConfigError: with everything that is wrong.
    """
    examined = examine(config)
    raise_faults(examined.faults)
    return System(**examined.sections)
