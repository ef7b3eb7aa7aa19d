"""The wheel, built and installed elsewhere, has its YAML and templates with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package alone; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, timeout=120)
    return target


def run(installed: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mlsd", *arguments],
        cwd=installed.parent,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


def test_it_is_the_installed_package_that_runs(installed: Path) -> None:
    code = "import mlsd, mlsd.config.places as places; print(mlsd.__file__); print(places.conf_dir())"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(installed / "mlsd" / "__init__.py"), str(installed / "mlsd" / "conf")]


def test_help_show_config_and_design(installed: Path) -> None:
    assert "usage: mlsd COMMAND" in run(installed, "--help")
    assert "dcn_v2" in run(installed, "show", "rankers")
    assert "_target_: mlsd.worlds.search.SearchWorld" in run(
        installed, "run", "problem=search", "--cfg", "job"
    )
    assert run(installed, "design", "problem=search").startswith("# Design of search")


def test_it_has_every_yaml_and_template(installed: Path) -> None:
    def files(folder: Path, *endings: str) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in endings}

    assert files(installed / "mlsd" / "conf", ".yaml") == files(ROOT / "conf", ".yaml")
    assert files(installed / "mlsd", ".j2", ".css") == files(ROOT / "mlsd", ".j2", ".css")
