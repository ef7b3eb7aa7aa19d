"""The experiment at a tiny size, and that its committed result says what its tables say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mlsd.store import Store

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--n-worlds=3", "--n-groups=2", "--n-items=200", "--n-queries=60", "--n-users=60", "--judged-share=1"]


def tiny_settings(experiment: ModuleType) -> object:
    return experiment.Settings(n_items=200, n_queries=60, n_users=60, judged_share=1.0)


def test_worlds_are_kept_and_are_what_they_were(experiment: ModuleType, tmp_path: Path) -> None:
    settings = tiny_settings(experiment)
    fresh = experiment._kept(Store(tmp_path), settings, "this code", 5)
    file = next(tmp_path.rglob("found.json"))
    changed = file.stat().st_mtime_ns
    again = experiment._kept(Store(tmp_path), settings, "this code", 5)
    assert file.stat().st_mtime_ns == changed
    assert again == fresh == experiment.one_world(settings, 5)
    assert fresh != experiment._kept(Store(tmp_path), settings, "this code", 6)


def test_groups_are_different_users_of_one_world(experiment: ModuleType) -> None:
    one, other = experiment.groups_of_users(tiny_settings(experiment), 2)
    assert one["ctr"] != other["ctr"]
    assert one.keys() == other.keys()


def test_summary_by_hand(experiment: ModuleType) -> None:
    """Truths 1 and 3 average 2: the first interval covers that alone, the second its own truth as well."""
    finding = experiment.Finding
    tests = [{"ctr": finding(0.5, 0.2, 2.5, 0.01, 3.0)}, {"ctr": finding(1.0, 0.5, 1.5, 0.2, 1.0)}]
    found = experiment.summary(tests)
    assert found["n_tests"] == 2
    coverage = found["metrics"]["ctr"]
    assert (coverage["truth"], coverage["truth_sd_between_tests"], coverage["mean_effect"]) == (2, 1, 0.75)
    assert (coverage["covers_mean_truth"], coverage["covers_own_truth"]) == (0.5, 0.5)
    assert coverage["significant"] == 0.5
    assert coverage["mean_standard_error"] == pytest.approx((2.3 + 1.0) / 2 / (2 * 1.959964))


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "experiments" / "ab_coverage.py"), *TINY]
    subprocess.run([*command, f"--store={tmp_path / 'store'}", f"--out={tmp_path}"], check=True)
    written = json.loads((tmp_path / "ab_coverage.json").read_text(encoding="utf-8"))
    assert written["settings"]["n_users"] == 60
    assert written["results"]["Fresh worlds"]["n_tests"] == 3
    assert written["results"]["Fresh users"]["n_tests"] == 2
    assert "| nDCG@10 as rated |" in (tmp_path / "ab_coverage.md").read_text(encoding="utf-8")


def test_the_committed_result_is_honest(experiment: ModuleType) -> None:
    """Over fresh users every interval keeps its word, but the raters' where its truth has no errors."""
    written = json.loads((ROOT / "experiments/results/ab_coverage.json").read_text(encoding="utf-8"))
    fresh_users = written["results"]["Fresh users"]
    low, high = fresh_users["band"]
    for name, metric in fresh_users["metrics"].items():
        if name != "nDCG@10":
            assert low <= metric["covers_mean_truth"] <= high, name
    page = experiment.as_markdown(experiment.Settings(**written["settings"]), written["results"])
    assert page == (ROOT / "experiments/results/ab_coverage.md").read_text(encoding="utf-8")
    assert np.isfinite([metric["truth"] for metric in fresh_users["metrics"].values()]).all()
