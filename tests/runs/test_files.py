"""What a run leaves behind: every file, and nothing that a clock measured among the figures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from mlsd.config.check import check
from mlsd.config.compose import compose_overrides
from mlsd.config.resolve import resolve
from mlsd.estimators.ab_test import Comparison
from mlsd.runs.finished import FinishedRun
from mlsd.training import load_stage

REQUEST_STAGES = ("rewrite", "understand")
CANDIDATE_STAGES = ("retrieve", "light_rank", "full_rank", "display")
STAGES = (*REQUEST_STAGES, *CANDIDATE_STAGES)

FILES = {
    "config.yaml",
    "overrides.yaml",
    "provenance.json",
    "metrics.json",
    "timings.json",
    "catalog.parquet",
    "log/requests.parquet",
    "log/impressions.parquet",
    "log/annotations.parquet",
    "offline/per_request.parquet",
    "ratings/test.parquet",
    "online/users.parquet",
    "design.md",
    "report.md",
    "report.html",
    *(f"stages/{stage}/{file}" for stage in STAGES for file in ("state.npz", "curves.json")),
}


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def leaves(value: object, *path: str) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, *path, name)
    else:
        yield path, value


def test_every_file_and_no_other(small_run: FinishedRun) -> None:
    assert everything(small_run.folder) == FILES
    assert [path.name for path in small_run.folder.parent.glob(".*")] == []


def test_nothing_unfinished_stays_in_the_store(small_run: FinishedRun, small_store: Path) -> None:
    assert everything(small_store / "unfinished") == set()
    assert {path.name for path in small_store.iterdir()} == {"log", "ratings", "stage", "unfinished"}
    assert not any(path.name.startswith(".") for path in small_store.rglob("*"))


def test_everybody_may_read_it(small_run: FinishedRun) -> None:
    for path in [small_run.folder, *small_run.folder.rglob("*")]:
        assert path.stat().st_mode & 0o044 == 0o044, path


def test_offline_figures_stand_under_stage_metric_and_segment(small_run: FinishedRun) -> None:
    offline = small_run.metrics["offline"]
    assert set(offline) == {"logging", *CANDIDATE_STAGES, "funnel"}
    for system, metrics in offline.items():
        assert {"nDCG@10", "oracle nDCG@10", "AP(rel=2)", "RR(rel=2)@10", "R(rel=2)@100"} <= set(metrics)
        predicts = {"AUC", "LogLoss", "ECE", "NE", "F1(threshold=0.5)"} <= set(metrics)
        assert predicts == (system in {"light_rank", "full_rank"})
        for metric, segments in metrics.items():
            named = {"all", "intent=navigational", "popularity=head", "popularity=tail"}
            assert named | {"wording=misspelled", "ambiguity=ambiguous"} <= set(segments), metric
            assert all(set(figure) == {"value", "low", "high", "n"} for figure in segments.values())


def test_what_works_on_requests_is_judged_by_itself(small_run: FinishedRun) -> None:
    components = small_run.metrics["components"]
    assert set(components) == set(REQUEST_STAGES)
    assert all(components.values())
    for figures in components.values():
        for metric, segments in figures.items():
            assert "all" in segments, metric
            assert all(set(figure) == {"value", "low", "high", "n"} for figure in segments.values())


def test_each_stage_after_the_first_is_held_against_the_one_before_it(small_run: FinishedRun) -> None:
    assert set(small_run.metrics["offline_steps"]) == set(CANDIDATE_STAGES[1:])


def test_a_sample_of_the_test_window_is_rated(small_run: FinishedRun) -> None:
    metrics = small_run.metrics
    assert set(metrics["ratings"]) == {"test"}
    assert set(metrics["offline_rated"]) == set(metrics["offline"])
    ratings = pd.read_parquet(small_run.folder / "ratings" / "test.parquet")
    assert len(ratings) == metrics["ratings"]["test"]["n_ratings"] > 0
    per_request = pd.read_parquet(small_run.folder / "offline" / "per_request.parquet")
    assert set(ratings["request_id"]) < set(per_request["request_id"])


def test_intervals_hold_their_values(small_run: FinishedRun) -> None:
    figures = [
        (path, figure)
        for system, metrics in small_run.metrics["offline"].items()
        for metric, segments in metrics.items()
        for segment, figure in segments.items()
        for path in [f"{system}.{metric}.{segment}"]
        if figure["value"] is not None and figure["low"] is not None
    ]
    assert len(figures) > 100
    for path, figure in figures:
        assert figure["low"] <= figure["value"] <= figure["high"], path
        assert figure["n"] > 0, path


def test_each_stage_leaves_a_ceiling_that_the_next_cannot_pass(small_run: FinishedRun) -> None:
    offline = small_run.metrics["offline"]
    ceilings = [offline[stage]["oracle nDCG@10"]["all"]["value"] for stage in CANDIDATE_STAGES]
    assert ceilings == sorted(ceilings, reverse=True)
    for system in (*CANDIDATE_STAGES, "funnel"):
        reached = offline[system]["nDCG@10"]["all"]["value"]
        assert reached <= offline[system]["oracle nDCG@10"]["all"]["value"]


def test_the_difference_is_that_of_the_means(small_run: FinishedRun) -> None:
    """Paired by request: both systems are judged on the same ones."""
    offline, difference = small_run.metrics["offline"], small_run.metrics["offline_difference"]
    assert list(difference) == list(offline["funnel"])
    for metric, segments in difference.items():
        funnel, logging = (offline[system][metric]["all"]["value"] for system in ("funnel", "logging"))
        assert segments["all"]["value"] == pytest.approx(funnel - logging, abs=1e-12), metric


def test_online_figures_have_arms_an_effect_and_the_truth(small_run: FinishedRun) -> None:
    online = small_run.metrics["online"]
    assert {"ctr", "sessions_per_user", "abandonment", "retention_7d", "session_success", "nDCG@10"} <= set(
        online
    )
    for name, metric in online.items():
        assert set(metric) == {*Comparison._fields, "truth"}, name
        assert metric["truth"] is not None, name
    measured = {name: metric for name, metric in online.items() if metric["effect"] is not None}
    assert set(online) - set(measured) == {"satisfaction"}, "only the simulator knows who is satisfied"
    for name, metric in measured.items():
        assert metric["treatment"] - metric["control"] == pytest.approx(metric["effect"], abs=1e-12), name
        assert metric["low"] <= metric["effect"] <= metric["high"], name
        assert 0 <= metric["p_value"] <= 1, name


def test_no_clock_is_in_the_figures(small_run: FinishedRun) -> None:
    """What was timed is in timings.json alone, and no number of it is among the figures."""
    names = {name for path, _ in leaves(small_run.metrics) for name in path}
    assert not [name for name in names if re.search(r"_ms$|_s$|second|latency|duration|time", name)]
    timings = json.loads((small_run.folder / "timings.json").read_text(encoding="utf-8"))
    timed = {value for _, value in leaves(timings["steps_s"])} | {
        value for _, value in leaves(timings["capacity"]["stages"])
    }
    assert timed.isdisjoint({value for _, value in leaves(small_run.metrics) if isinstance(value, float)})


def test_timings(small_run: FinishedRun) -> None:
    timings = json.loads((small_run.folder / "timings.json").read_text(encoding="utf-8"))
    assert list(timings["steps_s"]) == sorted(["log", "labels", "funnel", "offline", "online", "latency"])
    assert all(isfinite(seconds) and seconds >= 0 for seconds in timings["steps_s"].values())
    assert list(timings["capacity"]["stages"]) == sorted(STAGES)
    assert timings["capacity"]["n_requests"] == 20


def test_the_config_that_was_run_is_the_one_that_is_kept(
    small_run: FinishedRun, small_overrides: tuple[str, ...]
) -> None:
    kept = OmegaConf.load(small_run.folder / "config.yaml")
    composed = resolve(check(compose_overrides(small_overrides))).values
    assert OmegaConf.to_container(kept) == composed
    written = OmegaConf.to_container(OmegaConf.load(small_run.folder / "overrides.yaml"))
    assert written == list(small_overrides)


def test_provenance(small_run: FinishedRun) -> None:
    provenance = json.loads((small_run.folder / "provenance.json").read_text(encoding="utf-8"))
    assert {"mlsd", "mlsd source", "python", "torch", "numpy", "seed", "training.seed", "config"} <= set(
        provenance
    )
    assert not [value for value in provenance.values() if isinstance(value, str) and "/" in value]


def test_tables_agree_with_each_other_and_with_the_figures(small_run: FinishedRun) -> None:
    requests = pd.read_parquet(small_run.folder / "log" / "requests.parquet")
    impressions = pd.read_parquet(small_run.folder / "log" / "impressions.parquet")
    per_request = pd.read_parquet(small_run.folder / "offline" / "per_request.parquet")
    users = pd.read_parquet(small_run.folder / "online" / "users.parquet")
    assert requests["request_id"].is_unique
    assert set(impressions["request_id"]) <= set(requests["request_id"])
    assert set(per_request["request_id"]) <= set(requests["request_id"])
    assert impressions["propensity"].between(0, 1, inclusive="right").all()
    assert len(users) > 0
    figure = small_run.metrics["offline"]["funnel"]["nDCG@10"]["all"]
    known = per_request["funnel.nDCG@10"].dropna()
    assert known.mean() == pytest.approx(figure["value"])
    test_days = requests.set_index("request_id").loc[per_request["request_id"], "time_days"]
    assert test_days.between(18, 21).all()


def test_what_no_clicks_could_know_is_not_in_the_log(small_run: FinishedRun) -> None:
    """Truth never leaves the world: neither relevance nor satisfaction is logged."""
    for name in ("requests", "impressions"):
        columns = set(pd.read_parquet(small_run.folder / "log" / f"{name}.parquet").columns)
        assert columns.isdisjoint({"grade", "relevance", "satisfied", "intent", "examined"}), name


def test_stages_are_kept_as_plain_arrays(small_run: FinishedRun) -> None:
    for name in STAGES:
        state, curves = load_stage(small_run.folder / "stages" / name)
        assert state
        assert all(array.dtype != object for array in state.values())
        assert all(np.isfinite(curve.validation).all() for curve in curves.values())
