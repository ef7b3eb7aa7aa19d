"""What made a leaderboard: versions, commit, config, seeds, data. No path, no clock."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from mlsd import __version__
from mlsd.bench.plan import Plan
from mlsd.config.places import PACKAGE, conf_dir
from mlsd.store import code_version

NO_COMMIT = "none: not run from a checkout"
CHANGED = ", with changes that are not committed"


def provenance_of(plan: Plan) -> dict[str, object]:
    """As in the rendered leaderboard."""
    return {
        "mlsd": __version__,
        "mlsd source": code_version(),
        "commit": commit_of(PACKAGE, conf_dir()),
        "configs": dict(plan.configs),
        "seeds": list(plan.benchmark.seeds),
        "varies": plan.benchmark.varies,
        "data, SHA-256": plan.data or "none: all data are generated",
    }


def commit_of(package: Path, *others: Path) -> str:
    """The commit that a package is checked out at; whether it or what is beside it was changed since.

    Args:
        package: its folder.
        others: further folders whose changes count.
    """
    head = _git(package, "rev-parse", "HEAD")
    tracked = _git(package, "ls-files", "--", "__init__.py")
    if not head or not tracked:
        return NO_COMMIT
    changed = _git(package, "status", "--porcelain", "--", ".", *map(str, others))
    return f"{head}{CHANGED}" if changed else head


def _git(folder: Path, *words: str) -> str:
    """What git answers; nothing where there is no git or no repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "-C", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (our words)
    return done.stdout.strip() if done.returncode == 0 else ""
