"""The third whole system: a feed, from a config to a report."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlsd
from mlsd.cli import main
from mlsd.errors import ConfigError, InputError
from mlsd.online.feed_test import GINI, HIDDEN, METRICS
from mlsd.runs.finished import FinishedRun
from mlsd.store import read_json

SMALL = ("problem=feed", "experiment=feed_small")
SECTIONS = (
    "Problem",
    "Funnel",
    "Offline evaluation",
    "Segments",
    "Online test (simulated)",
    "Predictions of actions",
    "Labels",
    "Features",
    "Training",
    "Latency and capacity",
    "Provenance",
    "Config",
)
TASKS = ("click", "like", "reply", "follow", "hide", "dwell_s")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feed")


@pytest.fixture(scope="module")
def finished(store: Path) -> FinishedRun:
    return mlsd.run([*SMALL, f"store.folder={store / 'store'}"], store / "run")


def test_every_stage_and_the_experiment_have_their_figures(finished: FinishedRun) -> None:
    metrics = read_json(finished.folder / "metrics.json")
    stages = {"sources", "leave_out", "light_rank", "heavy_rank", "blend"}
    assert set(metrics["offline"]) == {"logging", *stages, "funnel"}
    assert set(metrics["online"]) == {*METRICS, *HIDDEN, GINI}
    for name in (*METRICS, GINI):
        assert metrics["online"][name]["effect"] is not None
    for name in metrics["online"]:
        assert metrics["online"][name]["truth"] is not None
    for name in HIDDEN:
        assert metrics["online"][name]["control"] is None


def test_every_action_that_is_predicted_is_judged(finished: FinishedRun) -> None:
    figures = read_json(finished.folder / "metrics.json")["offline"]["heavy_rank"]
    for metric in ("AUC", "LogLoss", "NE", "ECE", "CalibrationRatio"):
        for task in TASKS:
            name = metric if task == "click" else f"{metric}({task})"
            figure = figures[name]["all"]
            assert figure["low"] <= figure["value"] <= figure["high"], name
        assert f"{metric}(repost)" not in figures
    assert figures["AUC"]["all"]["value"] > 0.5


def test_predictions_are_judged_by_topic_and_media(finished: FinishedRun) -> None:
    metrics = read_json(finished.folder / "metrics.json")["offline_calibration"]["heavy_rank"]
    assert set(metrics) == {"topic", "media"}
    assert set(metrics["media"]["largest"]) == {"0", "1", "2", "3"}


def test_the_log_is_of_a_feed(finished: FinishedRun) -> None:
    """Nobody is shown a post of her own, twice the same in different hours, or one from the future."""
    shown = pd.read_parquet(finished.folder / "log" / "impressions.parquet")
    known = finished.funnel.stages["leave_out"].state()
    author, published = (known[name][shown["item"]] for name in ("own.author", "too_old.published"))
    assert not np.any(author == shown["user"])
    assert np.all(published < shown["time_days"])
    hour = 24 * np.floor(shown["time_days"]) + np.floor(24 * (shown["time_days"] % 1))
    assert hour.groupby([shown["user"], shown["item"]]).nunique().max() == 1


def test_the_report_says_how_the_experiment_was_made(finished: FinishedRun) -> None:
    report = (finished.folder / "report.md").read_text(encoding="utf-8")
    for section in SECTIONS:
        assert f"\n## {section}\n" in report, section
    assert "What is an action worth?" in report
    assert "one system of each" in report
    assert "value per page ★" in report
    assert "MMoE, BCE, " in report
    assert not re.search(r"\bnan\b", report, re.IGNORECASE)


def test_workers_change_no_figure(finished: FinishedRun, store: Path) -> None:
    """From the store of the first run, which has its log and its stages; what is served is served anew."""
    again = mlsd.run([*SMALL, f"store.folder={store / 'store'}", "n_workers=1"], store / "again")
    one, other = ((run.folder / "metrics.json").read_bytes() for run in (finished, again))
    assert one == other


def test_it_comes_out_as_it_did_from_nothing(
    finished: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", str(finished.folder)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert re.search(r"all [\d,]+ figures are equal", out)


def test_a_finished_run_ranks_posts(finished: FinishedRun) -> None:
    asked = pd.DataFrame({"user": [0, 3], "device": [0, 1], "time_days": [8.5, 8.6]})
    ranked = mlsd.load(finished.folder).rank(asked)
    assert set(ranked["request_id"]) <= {0, 1}
    assert len(ranked) > 0
    with pytest.raises(InputError, match=r"requests have no column 'device'; nearest is 'devise'"):
        mlsd.load(finished.folder).rank(asked.rename(columns={"device": "devise"}))


def test_a_request_with_nothing_to_show_is_told(
    finished: FinishedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A month after the last post all are too old."""
    asked = pd.DataFrame({"request_id": ["now", "late"], "user": 0, "device": 0, "time_days": [8.5, 60.0]})
    asked.to_parquet(tmp_path / "requests.parquet")
    assert main(["score", str(finished.folder), str(tmp_path / "requests.parquet")]) == 0
    out, err = capsys.readouterr()
    assert {line.partition("\t")[0] for line in out.splitlines()[1:]} == {"now"}
    assert err == "mlsd: nothing to show for 1 of 2 requests, the first of them 'late'\n"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["+problem.action_values.lik=1"],
            r"action_values == 'lik': must be one of .*; nearest is 'like'",
        ),
        (["problem.goals.online=valu_per_page"], r"Did you mean 'value_per_page'\?"),
        (["funnel.stages.blend.half_life_hours=0"], r"half_life_hours == 0.0: must be above 0"),
        (["funnel.stages.blend.decays.author=0"], r"decays.author == 0.0: must be a probability"),
        (["funnel.stages.blend.n_positions=40"], r"n_positions == 40: must be at most n_out == 30"),
        (["funnel.stages.leave_out.filters.blocked.relation=block"], r"relation.block"),
        (["funnel.stages.sources.retrievers.in_network.column=auther"], r"auther"),
        (
            ["funnel.stages.sources.retrievers.trending.half_life_hours=-1"],
            r"half_life_hours == -1.0: must be above 0",
        ),
        (
            ["logging.funnel.stages.newest.by=in_network_score"],
            r"by == 'in_network_score': must be a column of",
        ),
        (["funnel.stages.heavy_rank.tasks.hide.value=inf"], r"value == inf: must be finite"),
        (["online.n_days=7"], r"n_days == 7: must be at least 14"),
        (["online.values={lik: 1}"], r"values == 'lik': must be one of click, like"),
        (["loss@funnel.stages.heavy_rank.loss=softmax"], r"must make scores log-odds, as BCE does"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_drawn(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        mlsd.run([*SMALL, *overrides])
