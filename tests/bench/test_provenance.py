"""The commit that a leaderboard was made at."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlsd.bench.plan import plan_of
from mlsd.bench.provenance import CHANGED, NO_COMMIT, commit_of, provenance_of

if TYPE_CHECKING:
    from tests.bench.conftest import Write


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A checkout with a package and its YAML, committed."""
    for name in ("package/__init__.py", "conf/run.yaml", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path / "package"


def test_a_commit_and_what_was_changed_since(package: Path) -> None:
    conf = package.parent / "conf"
    head = git(package, "rev-parse", "HEAD")
    assert commit_of(package, conf) == head
    (package.parent / "notes.txt").write_text("new", encoding="utf-8")
    assert commit_of(package, conf) == head, "nothing that is run was changed"
    (conf / "run.yaml").write_text("new", encoding="utf-8")
    assert commit_of(package, conf) == head + CHANGED
    assert commit_of(package) == head


def test_a_repository_of_somebody_elses(package: Path) -> None:
    """A package installed below a repository that does not track it has no commit of its own."""
    installed = package.parent / "site" / "package"
    installed.mkdir(parents=True)
    (installed / "__init__.py").touch()
    assert commit_of(installed) == NO_COMMIT


def test_no_git(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit_of(package) == NO_COMMIT


def test_no_path_and_no_clock(write: Write, tmp_path: Path) -> None:
    plan = plan_of(write())
    first, again = provenance_of(plan), provenance_of(plan)
    assert first == again
    assert str(tmp_path) not in str(first)
    assert str(Path.cwd()) not in str(first)
    assert first["seeds"] == [1, 2]
    assert first["configs"] == dict(plan.configs)
