"""A world's YAML, made and taken apart: what its defaults are held against."""

from __future__ import annotations

import importlib
from typing import Any


def built(node: dict[str, Any]) -> Any:
    """A config node and the nodes in it, made."""
    module, name = node["_target_"].rsplit(".", 1)
    arguments = {
        key: built(value) if isinstance(value, dict) and "_target_" in value else value
        for key, value in node.items()
        if key != "_target_"
    }
    return getattr(importlib.import_module(module), name)(**arguments)


def parameters(part: object) -> dict[str, Any]:
    """The stored parameters of a part and of its parts, sequences as lists."""
    return {
        name: parameters(value) if hasattr(value, "__dataclass_fields__") else _plain(value)
        for name, value in vars(part).items()
        if name in part.__dataclass_fields__  # type: ignore[attr-defined]
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
