"""A run's outcome as a report shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlsd.labels.base import Labels
from mlsd.progress import silent
from mlsd.report.base import RunResult
from mlsd.runs import rate, steps
from mlsd.runs.finished import FinishedRun
from mlsd.runs.outcome import Outcome
from mlsd.runs.provenance import provenance
from mlsd.runs.result import result_of
from mlsd.store import write_json

OVERRIDES = ("problem=search", "report.title=A small world's")


@pytest.fixture(scope="module")
def outcome(trained: Any) -> Outcome:
    system, logged, labels, fitted = trained.system, trained.logged, trained.labels, trained.fitted
    return Outcome(
        logged,
        labels,
        fitted,
        steps.evaluate(system, logged, labels, fitted.funnel, silent),
        steps.try_online(system, logged, fitted.funnel, silent),
        steps.measure_latency(system, logged, fitted.funnel),
        rated_test=rate.rate_test(system, trained.config, logged, fitted, trained.store),
    )


@pytest.fixture(scope="module")
def result(trained: Any, outcome: Outcome) -> RunResult:
    return result_of(trained.system, trained.config, outcome, {"log": 1.5}, OVERRIDES)


def test_step_by_step_gives_the_figures_of_the_run(
    outcome: Outcome, small_run: FinishedRun, tmp_path: Any
) -> None:
    write_json(tmp_path / "metrics.json", outcome.metrics())
    assert (tmp_path / "metrics.json").read_bytes() == (small_run.folder / "metrics.json").read_bytes()


def test_a_report_has_every_figure(result: RunResult, outcome: Outcome) -> None:
    assert result.metrics == outcome.metrics()
    assert result.steps_s == {"log": 1.5}
    assert result.decides.offline == "nDCG@10"
    assert result.decides.online == "sessions_per_user"
    assert result.decides.guardrails == ("abandonment", "retention_7d")
    learnt = {model for model, curve in result.training.items() if curve.validation}
    understood = {"understand.intent", "understand.topic"}
    assert learnt == {*understood, "retrieve.two_tower", "light_rank.ranker", "full_rank.ranker"}


def test_stages_say_what_is_in_them(result: RunResult) -> None:
    stages = {stage.name: stage for stage in result.stages}
    assert list(stages) == ["rewrite", "understand", "retrieve", "light_rank", "full_rank", "display"]
    assert stages["retrieve"].contains == "bm25 + two_tower + popularity"
    assert stages["light_rank"].contains == "LogisticRegression, BCE, 8 features"


def test_what_users_did_and_where_they_looked(result: RunResult, trained: Any) -> None:
    labels = result.labels
    assert labels is not None
    assert labels.counts["impressions"] == trained.labels.diagnostics["n_impressions"]
    assert len(labels.examination) == 10
    assert labels.examination[0].truth == 1.0
    truth = [place.truth for place in labels.examination]
    assert truth == sorted(truth, reverse=True)


def test_how_a_run_is_repeated_can_be_pasted_into_a_shell(result: RunResult) -> None:
    """Quoted where it must be."""
    assert result.reproduce == """mlsd run problem=search 'report.title=A small world'"'"'s'"""


def test_where_labels_come_from_elsewhere_nothing_is_said_of_positions(
    trained: Any, outcome: Outcome
) -> None:
    bare = Labels.of_pairs(np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1))
    shown = result_of(trained.system, trained.config, replace(outcome, labels=bare), {}, OVERRIDES)
    assert shown.labels is None


def test_without_an_experiment_nothing_online_decides(trained: Any, outcome: Outcome) -> None:
    shown = result_of(trained.system, trained.config, replace(outcome, online=None), {}, OVERRIDES)
    assert (shown.decides.online, shown.decides.guardrails, shown.online_design) == ("", (), None)
    assert shown.metrics["online"] == {}


def test_provenance_names_versions_seeds_and_data_and_no_place(
    trained: Any, outcome: Outcome, small_run: FinishedRun
) -> None:
    made = provenance(trained.system, trained.config, outcome.offline.truth)
    assert {"numpy", "torch", "bm25s", "scipy"} <= set(made)
    assert made["data, SHA-256"] == "none: all data are generated"
    assert not [value for value in made.values() if "/" in str(value)]
    kept = json.loads((small_run.folder / "provenance.json").read_text(encoding="utf-8"))
    assert {**kept, "date": ""} == {**made, "date": ""}


def test_another_config_has_another_provenance(trained: Any) -> None:
    config = {**trained.config, "seed": 1}
    assert (
        provenance(trained.system, config, "")["config"]
        != provenance(trained.system, trained.config, "")["config"]
    )
