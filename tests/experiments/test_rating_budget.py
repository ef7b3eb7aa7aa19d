"""Figures of made-up runs by hand, and that the committed result says what its tables say."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from mlsd.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "experiments" / "results"


def a_run(experiment: ModuleType, values: list[float], cost: float = 0.0) -> object:
    table = pd.DataFrame({"request_id": [1, 2, 3], "user": [0, 0, 1], experiment.DECIDES: values})
    return experiment.Run(table, {**dict.fromkeys(experiment.FACTS, 0.0), "cost": cost})


def test_arms_are_the_budgets_of_both_kinds(experiment: ModuleType) -> None:
    arms = experiment.arms((5, 7000))
    assert list(arms) == [
        "labels=actions",
        "labels=human, 5 ratings",
        "labels=human, 7,000 ratings",
        "labels=both, 5 ratings",
        "labels=both, 7,000 ratings",
    ]
    assert arms["labels=both, 7,000 ratings"] == ["labels=both", "labels.programme.budget=7000"]


def test_figures_by_hand(experiment: ModuleType) -> None:
    runs = {
        experiment.BASE: [a_run(experiment, [0.5, 0.5, np.nan])] * 3,
        "other": [a_run(experiment, [0.6, 0.5, np.nan], cost) for cost in (10.0, 20.0, 30.0)],
    }
    figure = experiment.figures(runs)["other"]
    assert figure.value == pytest.approx(0.55)
    assert figure.difference == pytest.approx(0.05)
    assert figure.facts["cost"] == 20


def test_arms_judged_on_other_requests_are_refused(experiment: ModuleType) -> None:
    other = a_run(experiment, [0.5, 0.5, 0.5])
    other = other._replace(table=other.table.assign(request_id=[1, 2, 4]))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="arm 'other' was judged on other requests"):
        experiment.figures({experiment.BASE: [a_run(experiment, [0.5] * 3)] * 3, "other": [other] * 3})


def test_the_committed_table_is_that_of_the_committed_figures(experiment: ModuleType) -> None:
    kept = json.loads((RESULTS / "rating_budget.json").read_text(encoding="utf-8"))
    assert tuple(kept["seeds"]) == experiment.SEEDS
    assert tuple(kept["overrides"]) == experiment.SIZE
    found = {arm: experiment.Figure(**figure) for arm, figure in kept["figures"].items()}
    assert sorted(found) == sorted(experiment.arms())
    in_order = {arm: found[arm] for arm in experiment.arms()}
    said = (RESULTS / "rating_budget.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(in_order, experiment.SIZE) == said


def test_the_documented_table_is_that_of_the_committed_figures() -> None:
    kept = json.loads((RESULTS / "rating_budget.json").read_text(encoding="utf-8"))["figures"]
    said = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    for arm, figure in kept.items():
        name = arm.removeprefix("labels=")
        cells = [f"{figure['value']:.3f}"]
        if name != "actions":
            ends = (figure["difference"], figure["low"], figure["high"])
            cells.append("{:+.3f} [{:+.3f}, {:+.3f}]".format(*ends))
        row = " | ".join([name, *(cell.replace("0.", ".") for cell in cells)])
        assert f"| {row} |" in said
