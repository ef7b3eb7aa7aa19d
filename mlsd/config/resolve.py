"""A composed config as plain values: interpolations followed, missing values named."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, OmegaConfBaseException

from mlsd.config.keys import join, nearest_key
from mlsd.config.standin import STAND_IN, StandIn
from mlsd.errors import Fault

MAX_DEPTH = 40
"""Deeper nesting means a mapping that refers to itself."""

REFERENCE = re.compile(r"\$\{([^${}:]+)\}")
"""An interpolation that refers to another key."""


@dataclass(frozen=True)
class Resolved:
    """Plain values of a config.

    Args:
        values: nested mappings and lists; something stands in for what is missing or leads nowhere.
        references: full key -> the full key it refers to, for every value that is `${another.key}`.
        faults: missing values and interpolations that lead nowhere.
    """

    values: dict[str, Any]
    references: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def origin(self, key: str) -> str:
        """The key under which a value was written, however it is referred to.

        Example:
            >>> Resolved({}, {"funnel.features": "features"}).origin("funnel.features.bm25.k1")
            'features.bm25.k1'
        """
        parts = key.split(".")
        for end in range(len(parts), 0, -1):
            found = self.references.get(".".join(parts[:end]))
            if found is not None:
                return self.origin(".".join([found, *parts[end:]]))
        return key


def resolve(config: DictConfig) -> Resolved:
    """Follow every interpolation of a config. Values that have none stay as they are.

    Example:
        >>> resolve(OmegaConf.create({"seed": 3, "world": {"seed": "${seed}"}})).values
        {'seed': 3, 'world': {'seed': 3}}
    """
    found = Resolved({})
    found.values.update(_Resolver(config, found).mapping(config, ""))
    return found


@dataclass
class _Resolver:
    root: DictConfig
    found: Resolved

    def mapping(self, node: DictConfig, parent: str) -> dict[str, Any]:
        written = OmegaConf.to_container(node, resolve=False)
        assert isinstance(written, dict)  # noqa: S101  (a DictConfig's container is a dict)
        pairs = ((str(name), self._value(node, name, join(parent, name), written[name])) for name in node)
        return dict(pairs)

    def _sequence(self, node: ListConfig, parent: str) -> list[Any]:
        written = OmegaConf.to_container(node, resolve=False)
        assert isinstance(written, list)  # noqa: S101
        return [self._value(node, row, f"{parent}[{row}]", written[row]) for row in range(len(node))]

    def _value(self, node: DictConfig | ListConfig, name: Any, key: str, written: object) -> Any:
        if written == "???":
            return self._fault(key, written, "must be given")
        if key.count(".") > MAX_DEPTH:
            return self._fault(key[:80], written, "refers to itself")
        try:
            value = node[name]
        except InterpolationToMissingValueError:
            return STAND_IN  # that it must be given is said of the key that it is missing from
        except (OmegaConfBaseException, RecursionError) as error:
            return self._dangling(key, written, error)
        self._note_reference(key, written)
        return self._plain(value, key)

    def _plain(self, value: Any, key: str) -> Any:
        if isinstance(value, DictConfig):
            return self.mapping(value, key)
        return self._sequence(value, key) if isinstance(value, ListConfig) else value

    def _note_reference(self, key: str, written: object) -> None:
        match = REFERENCE.fullmatch(written) if isinstance(written, str) else None
        if match and not match[1].startswith("."):
            self.found.references[key] = match[1]

    def _dangling(self, key: str, written: object, error: Exception) -> StandIn:
        sought = REFERENCE.findall(written) if isinstance(written, str) else []
        missing = [one for one in sought if not self._is_there(one)]
        if not missing:
            return self._fault(key, written, str(error).partition("\n")[0])
        values = OmegaConf.to_container(self.root, resolve=False)
        return self._fault(key, written, f"no such key: {missing[0]}", nearest_key(values, missing[0]))

    def _is_there(self, key: str) -> bool:
        """Whether a key exists, wherever its own value leads."""
        try:
            return OmegaConf.select(self.root, key) is not None
        except OmegaConfBaseException:
            return True

    def _fault(self, key: str, value: object, rule: str, close: str | None = None) -> StandIn:
        self.found.faults.append(Fault(key, value, rule, close))
        return STAND_IN
