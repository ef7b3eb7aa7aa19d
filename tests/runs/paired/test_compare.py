"""Whole comparisons of whole runs, against the runs' own figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.multiplicity import benjamini_hochberg, holm
from mlsd.estimators.sign_flip import SignFlip
from mlsd.report.paired.base import PairedComparison
from mlsd.runs.finished import FinishedRun
from mlsd.runs.paired.compare import compare

METRIC = "nDCG@10"


@pytest.fixture(scope="module")
def compared(small_run: FinishedRun, other_run: FinishedRun) -> PairedComparison:
    return compare([small_run.folder, other_run.folder])


@pytest.fixture(scope="module")
def gained(small_run: FinishedRun, other_run: FinishedRun) -> pd.DataFrame:
    """What each request gains, read without mlsd."""
    before, after = (
        pd.read_parquet(run.folder / "offline" / "per_request.parquet").set_index("request_id")
        for run in (small_run, other_run)
    )
    column = f"funnel.{METRIC}"
    return pd.DataFrame({"user": before["user"], "gain": after[column] - before[column]})


def test_what_is_compared(compared: PairedComparison, gained: pd.DataFrame) -> None:
    assert (compared.baseline, [run.name for run in compared.runs]) == ("run", ["other"])
    assert (compared.system, compared.metric, compared.metrics[0]) == ("funnel", METRIC, METRIC)
    assert "alpha_nDCG@10" in compared.metrics
    assert not [name for name in compared.metrics if name.startswith("oracle")]
    assert (compared.n_requests, compared.n_units) == (len(gained), gained["user"].nunique())
    differing = {one.key: one.values for one in compared.config_differences}
    assert differing.pop("funnel.skip") == ([], ["display"])
    assert all(key.startswith("online") for key in differing)


def test_each_runs_own_figures_are_those_of_its_report(
    compared: PairedComparison, small_run: FinishedRun, other_run: FinishedRun
) -> None:
    """Same bootstrap, same units: to the last bit."""
    for run in (small_run, other_run):
        offline = run.metrics["offline"]["funnel"]
        means = compared.means[run.folder.name]
        assert means[METRIC].keys() == offline[METRIC].keys()
        for metric, by_segment in means.items():
            for segment, figure in by_segment.items():
                assert figure == offline[metric][segment]


def test_differences_and_tests_from_the_tables_alone(
    compared: PairedComparison, gained: pd.DataFrame
) -> None:
    figure = compared.runs[0].figure(METRIC)
    totals = gained.groupby("user")["gain"].sum()
    assert figure["value"] == pytest.approx(gained["gain"].mean())
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert figure["n"] == len(totals)
    assert figure["p_t"] == pytest.approx(stats.ttest_1samp(totals, 0).pvalue)
    reference = stats.wilcoxon(totals.round(12), zero_method="pratt", method="approx", correction=False)
    assert figure["p_wilcoxon"] == pytest.approx(reference.pvalue)
    flips = SignFlip(seed=0).p_values(gained[["gain"]].to_numpy(), gained["user"].to_numpy())
    assert figure["p_value"] == flips[0]
    rounded = totals.round(12)
    counts = ((rounded > 0).sum(), (rounded == 0).sum(), (rounded < 0).sum())
    assert (figure["wins"], figure["ties"], figure["losses"]) == counts


def test_families_are_corrected_each_by_itself(compared: PairedComparison) -> None:
    (run,) = compared.runs
    families = [
        [(METRIC, "all")],
        [(metric, "all") for metric in compared.metrics[1:]],
        [(METRIC, segment) for segment in compared.segments],
    ]
    assert sum(map(len, families)) == sum(map(len, run.figures.values()))
    for family in families:
        figures = [run.figure(metric, segment) for metric, segment in family]
        p_values = np.array([figure["p_value"] for figure in figures])
        assert [figure["p_holm"] for figure in figures] == holm(p_values).tolist()
        assert [figure["p_bh"] for figure in figures] == benjamini_hochberg(p_values).tolist()


def test_three_runs_are_a_family_of_two(
    small_run: FinishedRun, other_run: FinishedRun, compared: PairedComparison, tmp_path: Path
) -> None:
    same = Path(shutil.copytree(small_run.folder, tmp_path / "same"))
    both = compare([small_run.folder, other_run.folder, same])
    once, twice = compared.runs[0].figure(METRIC), both.runs[0].figure(METRIC)
    assert twice["p_holm"] == min(1, 2 * once["p_value"])
    changed = {"p_holm", "p_bh"}
    assert {key: once[key] for key in once.keys() - changed} == {
        key: twice[key] for key in once.keys() - changed
    }
    itself = both.runs[1].figure(METRIC)
    assert (itself["value"], itself["p_value"], itself["p_t"], itself["p_wilcoxon"]) == (0, 1, 1, 1)
    assert (itself["wins"], itself["losses"]) == (0, 0)
    assert both.said(itself).tone == "open"
    assert both.runs[1].changes.n_better == both.runs[1].changes.n_worse == 0


def test_turned_around_it_says_the_opposite(
    small_run: FinishedRun, other_run: FinishedRun, compared: PairedComparison
) -> None:
    there = compared.runs[0].figure(METRIC)
    back = compare([other_run.folder, small_run.folder]).runs[0].figure(METRIC)
    assert back["value"] == pytest.approx(-there["value"])
    for test in ("p_value", "p_t", "p_wilcoxon"):
        assert back[test] == pytest.approx(there[test])
    assert (back["wins"], back["losses"]) == (there["losses"], there["wins"])


def test_queries_that_changed_most(compared: PairedComparison, gained: pd.DataFrame) -> None:
    changes = compared.runs[0].changes
    assert changes.n_better == (gained["gain"] > 0).sum()
    assert changes.n_worse == (gained["gain"] < 0).sum()
    sizes = [row.after - row.before for row in changes.wins]
    assert sizes == sorted(sizes, reverse=True)


def test_a_stage_by_another_metric(small_run: FinishedRun, other_run: FinishedRun) -> None:
    """Both runs fitted the same stages, so that what full_rank passes on is the same."""
    folders = [small_run.folder, other_run.folder]
    found = compare(folders, "AP(rel=2)", "full_rank")
    assert (found.metric, found.metrics[0]) == ("AP(rel=2)", "AP(rel=2)")
    assert "oracle nDCG@10" in found.metrics
    assert found.runs[0].figure("AP(rel=2)")["value"] == 0


def test_names_that_are_not_there(small_run: FinishedRun, other_run: FinishedRun) -> None:
    folders = [small_run.folder, other_run.folder]
    with pytest.raises(
        InvalidValueError, match=r"--metric \(run\) == 'nDCG@1', must be one of .*nearest is 'nDCG@10"
    ):
        compare(folders, "nDCG@1")
    with pytest.raises(InvalidValueError, match=r"--stage \(run\) == 'fullrank', .*nearest is 'full_rank'"):
        compare(folders, system="fullrank")
    with pytest.raises(InvalidValueError, match=r"--stage \(other\) == 'display', must be one of"):
        compare(folders, system="display")
    with pytest.raises(InputError, match="1 run given, must be two or more"):
        compare(folders[:1])


def test_queries_are_the_units_of_a_collection(collection_run: FinishedRun, tmp_path: Path) -> None:
    same = Path(shutil.copytree(collection_run.folder, tmp_path / "same"))
    found = compare([collection_run.folder, same])
    assert (found.unit, found.units_word, found.n_units, found.n_requests) == ("query", "queries", 10, 10)
    assert found.config_differences == found.provenance_differences == ()
