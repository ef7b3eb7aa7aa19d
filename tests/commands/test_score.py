from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlsd.commands.score import main
from mlsd.errors import InputError, MlsdError


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.json").write_text("{}", encoding="utf-8")
    return tmp_path / "run"


def test_a_folder_without_a_finished_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no finished run: it has no metrics\.json"):
        main([str(tmp_path), str(tmp_path / "requests.parquet")])


def test_requests_that_are_not_there(run_folder: Path) -> None:
    with pytest.raises(InputError, match=r"requests\.parquet: no such file"):
        main([str(run_folder), str(run_folder.parent / "requests.parquet")])


def test_requests_that_are_no_parquet(run_folder: Path) -> None:
    path = run_folder.parent / "requests.parquet"
    path.write_text("query\ntides\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"requests\.parquet cannot be read as Parquet: "):
        main([str(run_folder), str(path)])


def test_a_run_without_its_config(run_folder: Path) -> None:
    path = run_folder.parent / "requests.parquet"
    pd.DataFrame({"query": ["tides"]}).to_parquet(path)
    with pytest.raises(InputError, match=r"cannot read .*config\.yaml: No such file or directory$"):
        main([str(run_folder), str(path)])


def test_usage() -> None:
    with pytest.raises(
        MlsdError, match="the following arguments are required: RUN, REQUESTS; see `mlsd score --help`"
    ):
        main([])
