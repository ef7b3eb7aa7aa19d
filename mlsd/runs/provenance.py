"""What made a run: code, packages, seeds, data and the type of machine; no person and no place."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import requires, version
from typing import Any

from mlsd.config.schema import System
from mlsd.runs.leaves import leaves
from mlsd.runs.revision import revision
from mlsd.store import code_version, key_of

DATA = "data, SHA-256"
TRUTH = "test window, SHA-256"
CONFIG = "config"
UNIT = "independent unit"

GENERATED = "none: all data are generated"

MACHINE = ("operating system", "architecture", "CPU capability", "torch threads")
"""Entries that, with the versions of Python and of the packages, are the type of a machine."""


def provenance(system: System, config: Mapping[str, Any], truth: str) -> dict[str, object]:
    """Versions, seeds and hashes; data by name and SHA-256, never by path.

    Args:
        system: what was run.
        config: resolved, as plain values.
        truth: tells the test window's requests and what is true of them from any others.
    """
    from mlsd.models.inference import cpu_capability  # noqa: PLC0415  (it loads torch, which checks need not)

    commit, code = revision()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "mlsd": version("mlsd"),
        "mlsd source": code_version(),
        "commit": commit,
        "code": code,
        **package_versions(),
        **_seeds(config),
        CONFIG: key_of(config),
        "operating system": platform.system(),
        "architecture": platform.machine(),
        "CPU capability": cpu_capability(),
        "cores": os.cpu_count(),
        "torch threads": system.trainer.n_threads,
        "world": system.world.name,
        UNIT: system.world.unit,
        DATA: system.world.fingerprint or GENERATED,
        TRUTH: truth,
    }


def package_versions() -> dict[str, str]:
    """Python's version, and those of all packages that mlsd asks for."""
    asked = (requirement for requirement in requires("mlsd") or () if "extra ==" not in requirement)
    names = sorted(re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in asked)
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def machine_type(made: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal for figures to be equal bit for bit, of the provenance of a run."""
    return {name: made.get(name) for name in (*MACHINE, *package_versions())}


def _seeds(config: Mapping[str, Any]) -> dict[str, object]:
    """Full key -> every seed of a config."""
    return {".".join(path): value for path, value in leaves(config) if path[-1] == "seed"}
