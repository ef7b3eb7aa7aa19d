"""The second whole system: ads, from a config to a report."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import mlsd
from mlsd.errors import ConfigError, InputError
from mlsd.online.ads_test import METRICS
from mlsd.runs.finished import FinishedRun
from mlsd.store import read_json

SMALL = ("problem=ads", "experiment=ads_small")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ads")


@pytest.fixture(scope="module")
def finished(store: Path) -> FinishedRun:
    return mlsd.run([*SMALL, f"store.folder={store / 'store'}"], store / "run")


def test_every_stage_and_the_experiment_have_their_figures(finished: FinishedRun) -> None:
    metrics = read_json(finished.folder / "metrics.json")
    stages = {"target", "value", "light_rank", "full_rank", "hide_filter", "auction"}
    assert set(metrics["offline"]) == {"logging", *stages, "funnel"}
    for name in ("AUC", "LogLoss", "NE", "ECE", "CalibrationRatio", "Precision(threshold=0.05)"):
        assert metrics["offline"]["full_rank"][name]["all"]["value"] is not None
    for name in METRICS:
        assert metrics["online"][name]["effect"] is not None
        assert metrics["online"][name]["truth"] is not None


def test_pages_are_sold_again_on_other_terms(finished: FinishedRun) -> None:
    metrics = read_json(finished.folder / "metrics.json")
    points = metrics["market"]["frontier"].values()
    assert len(points) == 28
    (own,) = (point for point in points if point["is_own"])
    assert (own["reserve"], own["n_positions"]) == (0.0, 4)
    assert own["n_positions"] >= own["ads_per_page"]["value"] > 3
    assert any(point["is_unbeaten"] for point in points)
    for point in points:
        assert point["revenue_per_1000"]["low"] < point["revenue_per_1000"]["high"]


def test_predictions_are_judged_by_campaign(finished: FinishedRun) -> None:
    metrics = read_json(finished.folder / "metrics.json")
    found = metrics["offline_calibration"]["full_rank"]["campaign"]
    assert len(found["largest"]) == 10
    sizes = [one["n_impressions"] for one in found["largest"].values()]
    assert sum(sizes) + found["others"]["n_impressions"] == found["all"]["n_impressions"]
    ratio = metrics["offline"]["full_rank"]["CalibrationRatio"]["all"]
    assert found["all"]["ratio"]["value"] == pytest.approx(ratio["value"], rel=1e-9)


def test_a_ranker_of_clicks_and_conversions_is_judged_and_taken_apart_as_one_of_clicks(store: Path) -> None:
    overrides = ["funnel=ads_esmm", "online=none", "ablation=true", "ablation_options.n_refits=1"]
    run = mlsd.run([*SMALL, *overrides, f"store.folder={store / 'store'}"], store / "together")
    metrics = read_json(run.folder / "metrics.json")
    for name in ("AUC", "LogLoss", "NE", "ECE", "CalibrationRatio", "Precision(threshold=0.05)"):
        assert metrics["offline"]["full_rank"][name]["all"]["value"] is not None
    for removal in ("serving", "redesign"):
        assert {"stage/full_rank", "features/item", "features/user"} <= set(metrics["ablation"][removal])
    report = (run.folder / "report.md").read_text(encoding="utf-8")
    assert "| full_rank | ESMM, BCE, 17 features |" in report
    assert not re.search(r"\bnan\b", report, re.IGNORECASE)


def test_the_report_says_how_the_experiment_was_made(finished: FinishedRun) -> None:
    report = (finished.folder / "report.md").read_text(encoding="utf-8")
    assert "from the start, half of every budget" in report
    assert "revenue per 1000 ★" in report
    assert "What do advertisers pay for?" in report
    assert "not what advertisers would answer" in report
    assert "Predicted against observed clicks by campaign, full_rank" in report
    assert "How the budgets of single campaigns last" in report
    assert not re.search(r"\bnan\b", report, re.IGNORECASE)


def test_the_design_has_every_stage_where_it_works(finished: FinishedRun) -> None:
    """What a click is worth is said of candidates, once they are found."""
    design = (finished.folder / "design.md").read_text(encoding="utf-8")
    places = [
        design.index(f"\n{name} ") for name in ("target", "value", "light_rank", "full_rank", "auction")
    ]
    assert places == sorted(places)
    assert "| value | 1,000 | 1,000 |" in design


def test_the_log_tells_what_was_paid(finished: FinishedRun) -> None:
    shown = pd.read_parquet(finished.folder / "log" / "impressions.parquet")
    assert shown["paid"].sum() > 0
    assert not shown.loc[shown["explored"], "paid"].any()


def test_workers_change_no_figure(finished: FinishedRun, store: Path) -> None:
    """From the store of the first run, which has its log and its stages; what is served is served anew."""
    again = mlsd.run([*SMALL, f"store.folder={store / 'store'}", "n_workers=1"], store / "again")
    one, other = ((run.folder / "metrics.json").read_bytes() for run in (finished, again))
    assert one == other


def test_a_finished_run_ranks_ads(finished: FinishedRun) -> None:
    who = {"region": [0, 3], "age_band": [1, 2], "audience": [4, 5]}
    asked = pd.DataFrame({**who, "device": [0, 1], "page_category": [4, 0], "time_days": [8.5, 8.6]})
    ranked = mlsd.load(finished.folder).rank(asked)
    assert set(ranked["request_id"]) <= {0, 1}
    assert len(ranked) > 0
    with pytest.raises(InputError, match=r"requests have no column 'region'; nearest is 'regoin'"):
        mlsd.load(finished.folder).rank(asked.rename(columns={"region": "regoin"}))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["market=none"], r"online == 'AdsTest': must be none: nothing is sold without a market"),
        (["online=ab_test"], r"online == 'ABTest': must be ads_test or none: pages are sold"),
        (["funnel.skip=[auction]"], r"funnel.order == .*: must end in an auction, since pages are sold"),
        (["market.pacer.update_minutes=30"], r"market.pacer.update_minutes == 30: must be at least 60"),
        (
            ["market.pacer.update_minutes=7"],
            r"pacer.update_minutes == 7: must divide the 1440 minutes",
        ),
        (
            ["market=none", "online=none", "funnel.skip=[auction]"],
            r"frontier == 'Frontier': must be none: the funnel does not end in an auction",
        ),
        (["frontier.reserves=[0.4,0.2]"], r"frontier.reserves\[1\] == 0.2: must be above 0.4"),
        (
            ["problem.item_segments=[campain]"],
            r"item_segments\[0\] == 'campain': must be a column of the catalog: .*Did you mean 'campaign'",
        ),
        (["market.frequency_cap=0"], r"market.frequency_cap == 0: must be at least 1"),
        (
            ["logging.collect.explore.depth=2000"],
            r"explore.depth == 2000: must be at most 1000, what the pre-existing funnel has before",
        ),
        (["problem.goals.online=revenu_per_1000"], r"Did you mean 'revenue_per_1000'\?"),
        (["+funnel.stages.target.keys.regoin=8"], r"'target_regoin': is needed of the catalog"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_drawn(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        mlsd.run([*SMALL, *overrides])
