"""A run whose funnel understands queries, from YAML to report and back."""

from __future__ import annotations

import pandas as pd
import pytest

import mlsd
from mlsd.runs.finished import FinishedRun

CHOSEN = (
    "funnel.order=[understand,retrieve]",
    "funnel.stages.understand.topic_from=annotations",
    "online=none",
)


@pytest.fixture(scope="module")
def run(
    small_run: FinishedRun, small_overrides: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> FinishedRun:
    assert small_run.folder.exists()  # its log is in the store
    return mlsd.run((*small_overrides, *CHOSEN), tmp_path_factory.mktemp("understood") / "run")


def test_the_stage_is_judged_by_what_is_true(run: FinishedRun) -> None:
    figures = run.metrics["components"]["understand"]
    of_intents = {f"F1({intent})" for intent in ("navigational", "informational", "transactional")}
    expected = {"Accuracy(intent)", "MacroF1(intent)", *of_intents, "Accuracy(topic)"}
    sure = {"ECE(intent)", "ECE(topic)", "LogLoss(intent)", "AUC(topic)"}
    assert expected | sure <= set(figures)
    assert not any("threshold" in name for name in figures)
    assert figures["Accuracy(intent)"]["all"]["value"] > figures["Accuracy(intent)"]["all"]["low"] > 0.5
    assert "intent=navigational" in figures["Accuracy(topic)"]


def test_both_reports_tell_of_it(run: FinishedRun) -> None:
    for name in ("report.html", "report.md"):
        page = (run.folder / name).read_text(encoding="utf-8")
        assert "How well understand works" in page
        assert "Whether understand knows how sure it is" in page


def test_a_finished_run_ranks_any_query(run: FinishedRun) -> None:
    assert len(run.rank(["", "чай", "x" * 10_000, "<b>\x00</b>"]).columns) == 4


def test_the_log_of_the_run_has_what_annotators_said(run: FinishedRun) -> None:
    said = pd.read_parquet(run.folder / "log" / "annotations.parquet")
    asked = pd.read_parquet(run.folder / "log" / "requests.parquet")
    assert set(said["name"]) == {"intent", "topic"}
    assert set(said["request_id"]) <= set(asked["request_id"])
    page = (run.folder / "report.md").read_text(encoding="utf-8")
    assert f"Annotators gave {len(said):,} answers about logged requests" in page
