from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mlsd.commands.folders import claimed, require_free
from mlsd.errors import InputError


def test_the_folder_asked_for_if_it_is_free(tmp_path: Path) -> None:
    with claimed(tmp_path / "runs" / "one") as folder:
        assert folder == tmp_path / "runs" / "one"
    assert list((tmp_path / "runs").iterdir()) == []


def test_an_empty_folder_is_free_and_one_that_holds_something_is_not(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with claimed(tmp_path / "one") as folder:
        assert folder == tmp_path / "one"
        folder.mkdir(exist_ok=True)
        (folder / "metrics.json").touch()
    with claimed(tmp_path / "one") as folder:
        assert folder == tmp_path / "one-2"
    require_free(tmp_path / "two")
    with pytest.raises(InputError, match="one exists and is not empty: name another folder, or move it away"):
        require_free(tmp_path / "one")


def test_a_failed_run_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with claimed(tmp_path / "one") as folder:
            folder.mkdir()
            raise InputError("no")

    with pytest.raises(InputError, match="no"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_runs_of_the_same_moment_never_share_a_folder(tmp_path: Path) -> None:
    n_runs = 8
    together = Barrier(n_runs)

    def run(_: int) -> Path:
        together.wait()
        with claimed(tmp_path / "one") as folder:
            folder.mkdir()
            (folder / "metrics.json").touch(exist_ok=False)
            return folder

    with ThreadPoolExecutor(n_runs) as pool:
        folders = list(pool.map(run, range(n_runs)))
    assert len(set(folders)) == n_runs
    assert len(list(tmp_path.iterdir())) == n_runs
