"""The study on Frappe: its arithmetic, a training, and what its committed results say."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

from mlsd.store import Store
from mlsd.testing.tiny_click_logs import write_click_log

ROOT = Path(__file__).resolve().parents[2]


def test_a_row_by_hand(experiment: ModuleType) -> None:
    """Mean .98 and, with one degree less than values, a standard deviation of .001."""
    figures = [{"AUC": 0.979, "LogLoss": 0.1}, {"AUC": 0.98, "LogLoss": 0.1}, {"AUC": 0.981, "LogLoss": 0.1}]
    table = experiment.as_markdown({"FM": figures}, 28_860)
    assert table.splitlines()[-1] == (
        "| FM | 0.9800 ± 0.0010 | 0.9790 | 0.1000 ± 0.0000 | 0.9671 | BARS leaderboard, one run |"
    )


def test_a_training_is_kept_wherever_its_data_lie(experiment: ModuleType, tmp_path: Path) -> None:
    store, short = Store(tmp_path / "store"), ("trainer.max_epochs=1", "world.page_rows=10")
    places = [write_click_log(tmp_path / name / "frappe", "libfm") for name in ("here", "there")]
    arm = experiment.ARMS["DeepFM"].overrides
    first, again = (
        experiment.trained([*experiment.BASE, f"world.path={place}", *arm, *short], store) for place in places
    )
    assert set(first) == {"AUC", "LogLoss"}
    assert first == again
    assert len(list((tmp_path / "store" / "frappe").iterdir())) == 1


def test_the_committed_table_says_what_was_found(experiment: ModuleType) -> None:
    results = ROOT / "experiments" / "results"
    written = json.loads((results / "frappe.json").read_text(encoding="utf-8"))
    assert set(written) == set(experiment.ARMS)
    assert {len(figures) for figures in written.values()} == {len(experiment.SEEDS)}
    ordered = {name: written[name] for name in experiment.ARMS}
    text = (results / "frappe.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(ordered, experiment.N_TEST) == text


def test_the_committed_figure_is_what_we_hold_ourselves_to() -> None:
    written = json.loads((ROOT / "experiments" / "results" / "frappe.json").read_text(encoding="utf-8"))
    auc = [one["AUC"] for one in written["DeepFM"]]
    assert min(auc) >= 0.983
