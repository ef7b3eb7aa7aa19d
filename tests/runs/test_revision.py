from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlsd.runs.revision import NO_CHECKOUT, revision


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package beside its `conf/` in a checkout, all committed."""
    folder = tmp_path / "checkout" / "package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder.parent / "conf").mkdir()
    (folder.parent / "conf" / "run.yaml").write_text("seed: 0\n", encoding="utf-8")
    git(folder.parent, "init")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "-m", "first")
    return folder


def test_as_committed(package: Path) -> None:
    assert revision(package) == (git(package, "rev-parse", "HEAD"), "as committed")


def test_what_makes_no_figure_does_not_count(package: Path) -> None:
    (package.parent / "notes.txt").touch()
    assert revision(package).code == "as committed"


def test_changed_and_new_files_of_code_and_conf_count(package: Path) -> None:
    (package / "new.py").touch()
    assert revision(package).code == "1 changed file"
    (package.parent / "conf" / "run.yaml").write_text("seed: 1\n", encoding="utf-8")
    assert revision(package).code == "2 changed files"
    assert revision(package).commit == git(package, "rev-parse", "HEAD")


def test_an_installed_package_is_not_of_the_checkout_around_it(package: Path) -> None:
    """Such as one in the `.venv` of somebody's own repository."""
    installed = package.parent / ".venv" / "package"
    installed.mkdir(parents=True)
    (installed / "__init__.py").touch()
    assert revision(installed) == (NO_CHECKOUT, NO_CHECKOUT)


def test_no_checkout_and_no_git(tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alone").mkdir()
    assert revision(tmp_path / "alone").commit == NO_CHECKOUT
    monkeypatch.setenv("PATH", "")
    assert revision(package).commit == NO_CHECKOUT


def test_variables_of_another_checkout_lead_nowhere(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert revision(package).code == "as committed"
