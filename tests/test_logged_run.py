"""Logs of clicks, from a config to a report: every layout, every ranker, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

import mlsd
from mlsd.cli import main
from mlsd.datasets.avazu import CATEGORIES
from mlsd.errors import InputError
from mlsd.runs.finished import FinishedRun
from mlsd.store import read_json
from mlsd.testing.tiny_click_logs import LAYOUTS, write_click_log

QUICK = ("trainer.max_epochs=3", "budget.n_requests=20", "bootstrap.n_replicates=100", "world.page_rows=10")


def run(folder: Path, layout: str, *overrides: str) -> FinishedRun:
    path = write_click_log(folder / "ads", layout)
    store, names = (
        f"store.folder={folder / 'store'}",
        ("problem=ads", f"world={layout}", f"world.path={path}"),
    )
    return mlsd.run([*names, store, *QUICK, *overrides], folder / "run")


@pytest.fixture(scope="module")
def avazu(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return run(tmp_path_factory.mktemp("logged"), "avazu", "ablation=true", "ablation_options.n_refits=0")


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "avazu"])
def test_every_layout_runs(tmp_path: Path, layout: str) -> None:
    offline = read_json(run(tmp_path, layout).folder / "metrics.json")["offline"]
    assert set(offline) == {"page", "full_rank", "auction", "funnel"}
    assert offline["full_rank"]["AUC"]["all"]["value"] > 0.5


@pytest.mark.parametrize("ranker", ["logistic_regression", "fm", "deepfm"])
def test_every_ctr_ranker_fits(tmp_path: Path, ranker: str) -> None:
    finished = run(tmp_path, "libfm", f"ranker@funnel.stages.full_rank.ranker={ranker}")
    assert (
        read_json(finished.folder / "metrics.json")["offline"]["full_rank"]["LogLoss"]["all"]["value"] < 0.7
    )


def test_the_report_says_what_was_declared_and_where_figures_come_from(avazu: FinishedRun) -> None:
    report = (avazu.folder / "report.md").read_text(encoding="utf-8")
    assert "Bids are declared, not observed" in report
    assert "Relevance is what was clicked where the log shows it" in report
    assert "AUC" in report
    assert "page → full_rank → auction" in report.replace("\\", "")
    assert "audience" not in (avazu.folder / "design.md").read_text(encoding="utf-8")


def test_all_rows_of_the_test_split_are_predicted(avazu: FinishedRun) -> None:
    shown = pd.read_parquet(avazu.folder / "log" / "impressions.parquet")
    n_of_page = shown.groupby("request_id").size()
    assert n_of_page.max() == 10
    assert n_of_page.sum() == 600
    coverage = read_json(avazu.folder / "metrics.json")["offline"]["full_rank"]["AUC"]["all"]
    assert coverage["n"] == 6


def test_each_column_of_the_log_is_a_part_to_ablate(avazu: FinishedRun) -> None:
    parts = read_json(avazu.folder / "metrics.json")["ablation"]
    of_columns = {f"features/fields.{name}" for name in CATEGORIES}
    assert of_columns <= set(parts["serving"])
    assert of_columns <= set(parts["redesign"])


def test_a_finished_run_ranks_pages_of_its_log(avazu: FinishedRun) -> None:
    pages = pd.DataFrame({"first_item": [0, 590], "n_items": [10, 3]})
    ranked = avazu.rank(pages)
    assert ranked.groupby("request_id").size().tolist() == [4, 3]
    with pytest.raises(InputError, match="has 10 items from 595 on, must be within the 600 of the log"):
        avazu.rank(pd.DataFrame({"first_item": [595], "n_items": [10]}))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["world.page_by=users"],
            "world.page_by == 'users': must be 'order' or 'user'. Did you mean 'user'?",
        ),
        (["world.bids.median=0"], "world.bids.median == 0.0: must be above 0"),
        (["world.source.min_count=0"], "world.source.min_count == 0: must be at least 1"),
        (["online=ads_test"], "online == 'AdsTest': must be none"),
        (["funnel=ads"], "needed"),
        (["experiment=ads_small"], "world.n_users == 400: no such key: LoggedWorld has path, source"),
    ],
)
def test_a_mistake_in_the_config_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], overrides: list[str], message: str
) -> None:
    path = write_click_log(tmp_path / "ads", "avazu")
    code = main(["run", "problem=ads", "world=avazu", f"world.path={path}", *overrides])
    error = capsys.readouterr().err
    assert (code, "Traceback" in error) == (2, False)
    assert message in " ".join(error.split())


def test_a_broken_file_is_one_message_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_click_log(tmp_path / "ads", "avazu")
    whole = (path / "train.csv").read_bytes()
    (path / "train.csv").unlink()
    (path / "train.csv.gz").write_bytes(gzip.compress(whole)[:-20])
    out = tmp_path / "run"
    store = f"store.folder={tmp_path / 'store'}"
    code = main(["run", "problem=ads", "world=avazu", f"world.path={path}", store, f"hydra.run.dir={out}"])
    error = capsys.readouterr().err
    assert (code, "Traceback" in error) == (2, False)
    assert "cannot read ads/train.csv.gz: Compressed file ended" in " ".join(error.split())
    assert not out.exists()
