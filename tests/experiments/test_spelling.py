"""The experiment on a tiny data set, and that its committed result says what its table says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_shares_and_their_intervals(experiment: ModuleType) -> None:
    """8 in 10: (.8 + z^2 / 20 -+ z sqrt(.016 + z^2 / 400)) / (1 + z^2 / 10)."""
    found = experiment.share(np.arange(10) < 8)
    assert found["value"] == 0.8
    assert (found["low"], found["high"]) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    files = {
        "frequency_dictionary_en_82_765.txt": "receive 900\nreview 800\ndon't 5\n",
        "spell-testset1.txt": "receive: recieve\n",
        "spell-testset2.txt": "receive: recieve rceive\nreview: revew\n",
        "wikipedia.dat": "$Receive\nReceeve\n",
        "missp.dat": "$review\nreceive\nxxxx\n$opera\nopra\n",
    }
    for name, content in files.items():
        (data / name).write_text(content, encoding="utf-8")
    command = [
        sys.executable,
        str(ROOT / "experiments" / "spelling.py"),
        f"--data={data}",
        f"--out={tmp_path}",
    ]
    subprocess.run(command, check=True)
    written = json.loads((tmp_path / "spelling.json").read_text(encoding="utf-8"))
    values = {name: figures["accuracy_at_1"]["value"] for name, figures in written.items()}
    assert values == {"testset1": 1, "testset2": 1, "wikipedia": 1, "birkbeck": 0}
    assert written["birkbeck"]["typed_in_dictionary"]["value"] == pytest.approx(1 / 3)
    assert written["birkbeck"]["meant_in_dictionary"]["value"] == pytest.approx(2 / 3)
    assert "| testset2 | 3 | 68 | 100.0" in (tmp_path / "spelling.md").read_text(encoding="utf-8")


def test_the_committed_table_is_that_of_the_committed_figures(experiment: ModuleType) -> None:
    written = json.loads((ROOT / "experiments/results/spelling.json").read_text(encoding="utf-8"))
    page = (ROOT / "experiments/results/spelling.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(written) == page
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line in (ROOT / "docs/search.md").read_text(encoding="utf-8") for line in table)


def test_the_committed_figures_can_be_had_again(experiment: ModuleType, public_data: Path) -> None:
    written = json.loads((ROOT / "experiments/results/spelling.json").read_text(encoding="utf-8"))
    folder = public_data / "spelling"
    spelling = experiment.made_of(experiment.read_counts(folder, experiment.COUNTS))
    pairs = experiment.read(folder, experiment.SOURCES["testset2"])
    tuned_on = set(experiment.told(experiment.read(folder, experiment.SOURCES["testset1"])))
    assert experiment.judged(spelling, pairs, tuned_on) == written["testset2"]
