"""Which commit the running code is of, where it runs from a checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from mlsd.config.places import PACKAGE

NO_CHECKOUT = "none: not run from a checkout"

TIMEOUT_S = 30


class Revision(NamedTuple):
    """A commit, and whether the code is as it was committed."""

    commit: str
    """40 hexadecimal digits."""
    code: str
    """"as committed", or how many files of the package and of `conf/` are not."""


def revision(package: Path = PACKAGE) -> Revision:
    """The commit of the checkout that holds a package; a package that git does not track has none.

    Args:
        package: the folder of the package.
    """
    conf = [name for name in ("conf",) if (package.parent / name).is_dir()]
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return Revision(NO_CHECKOUT, NO_CHECKOUT)
    commit = _git(package.parent, "rev-parse", "HEAD")
    changed = _git(package.parent, "status", "--porcelain", "--", package.name, *conf)
    if commit is None or changed is None:
        return Revision(NO_CHECKOUT, NO_CHECKOUT)
    n_changed = len(changed.splitlines())
    code = f"{n_changed} changed file{'s' if n_changed > 1 else ''}" if n_changed else "as committed"
    return Revision(commit.strip(), code)


def _git(folder: Path, *words: str) -> str | None:
    """What git says in a folder; None where there is no git, or it refuses."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(  # noqa: S603  (no word of it comes from a user)
            command, capture_output=True, text=True, check=False, env=own, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
