"""Where the shipped configuration lies: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from mlsd.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]


def conf_dir() -> Path:
    """The folder of the shipped YAML: `mlsd/conf` when installed, else `conf` of the checkout.

    Raises:
        InputError: if neither is there.
    """
    for folder in (PACKAGE / "conf", PACKAGE.parent / "conf"):
        if (folder / "run.yaml").is_file():
            return folder
    raise InputError(f"no conf/run.yaml in or beside {PACKAGE}: the installation is incomplete")
