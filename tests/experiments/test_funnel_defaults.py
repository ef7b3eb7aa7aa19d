"""The study's arithmetic, and that its committed results say what their tables say."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from mlsd.errors import InputError
from mlsd.testing.tiny_collection import some_judged, write_collection

ROOT = Path(__file__).resolve().parents[2]


def test_every_arm_but_the_base_changes_one_choice(experiment: ModuleType) -> None:
    study = experiment.Study("x", (), {"a": "1", "b": "2"}, {"a": ("3", "4"), "b": ("5",)}, ("user",))
    assert study.arms() == {
        "base": ["a=1", "b=2"],
        "a=3": ["a=3", "b=2"],
        "a=4": ["a=4", "b=2"],
        "b=5": ["a=1", "b=5"],
    }


def table(experiment: ModuleType, *values: float) -> pd.DataFrame:
    rows = range(len(values))
    return pd.DataFrame({"request_id": rows, "user": rows, **dict.fromkeys(experiment.COLUMNS, values)})


def test_figures_by_hand(experiment: ModuleType) -> None:
    """Users 0 and 1 of three worlds gain .1 and .3 each: .2 on average over six users."""
    worlds = len(experiment.SEEDS)
    base, better = [table(experiment, 0.5, 0.5)] * worlds, [table(experiment, 0.6, 0.8)] * worlds
    found = experiment.figures({"base": base, "better": better}, ("seed", "user"))
    figure = found["better"][experiment.DECIDES]
    assert (figure.value, figure.difference) == (pytest.approx(0.7), pytest.approx(0.2))
    assert 0.0999 < figure.low < 0.2 < figure.high < 0.3001


def test_arms_judged_on_other_requests_do_not_compare(experiment: ModuleType) -> None:
    worlds = len(experiment.SEEDS)
    tables = {"base": [table(experiment, 0.5, 0.5)] * worlds, "odd": [table(experiment, 0.5)] * worlds}
    with pytest.raises(InputError, match="arm 'odd' was judged on other requests than 'base'"):
        experiment.figures(tables, ("user",))


def test_only_training_queries_are_used(experiment: ModuleType, tmp_path: Path) -> None:
    judged = {"train": some_judged([3, 4]), "test": some_judged([5, 6])}
    source = write_collection(tmp_path / "tiny", judged)
    copy = experiment.training_queries_only(source, tmp_path / "copies")
    assert copy.name == "tiny"
    assert [path.name for path in (copy / "qrels").iterdir()] == ["test.tsv"]
    learnt = (source / "qrels" / "train.tsv").read_text(encoding="utf-8")
    assert (copy / "qrels" / "test.tsv").read_text(encoding="utf-8") == learnt
    (source / "qrels" / "train.tsv").unlink()
    with pytest.raises(InputError, match="publishes no training queries"):
        experiment.training_queries_only(source, tmp_path / "copies")


@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("funnel_defaults", "the synthetic world", ("seed", "user")),
        ("funnel_defaults_scifact", "training queries of scifact", ("user",)),
    ],
)
def test_the_committed_tables_say_what_was_found(
    experiment: ModuleType, name: str, title: str, unit: tuple[str, ...]
) -> None:
    results = ROOT / "experiments" / "results"
    written = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    collection = "scifact" in name
    choices = experiment.COLLECTION_CHOICES if collection else experiment.WORLD_CHOICES
    base = experiment.COLLECTION_BASE if collection else experiment.WORLD_BASE
    study = experiment.Study(title, (), base, choices, unit)
    assert written["seeds"] == list(experiment.SEEDS)
    assert written["base"] == base
    found = {
        arm: {column: experiment.Figure(**of_arm[column]) for column in experiment.COLUMNS}
        for arm, of_arm in written["figures"].items()
    }
    assert set(found) == set(study.arms())
    ordered = {arm: found[arm] for arm in study.arms()}
    assert experiment.as_markdown(study, ordered) == (results / f"{name}.md").read_text(encoding="utf-8")
