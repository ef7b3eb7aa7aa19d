"""The page says what the JSON says, a clock's figures stand apart, and no text becomes markup."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlsd.bench.benchmark import Benchmark, Expectation, Held, Published
from mlsd.bench.job import Costs, Finished
from mlsd.bench.leaderboard import Leaderboard, leaderboard_of
from mlsd.bench.plan import Plan
from mlsd.bench.rendering import markdown, plain
from mlsd.store import read_json, write_json

METRIC = "funnel.nDCG@10"
ODD = "a|b *c*"


def runs(*figures: float, train_s: float = 12.3) -> list[Finished]:
    rows = np.arange(10)
    return [
        Finished(pd.DataFrame({"request_id": rows, "user": rows, METRIC: each}), Costs(train_s, 81, 0.5, 1.5))
        for each in figures
    ]


@pytest.fixture
def plan() -> Plan:
    benchmark = Benchmark(
        question="Is <b> better?",
        arms={ODD: (), "plain": ("x={y: 1}", "z=2")},
        seeds=(201, 202),
        metric=METRIC,
        expect=Expectation(better="plain", than=ODD),
        base=("problem=search",),
        holds={"plain": Held(value=0.5, tolerance=0.01)},
        published={"plain": Published(value=0.6, tolerance=0.01, source="some paper, table 2")},
    )
    return Plan("odd", benchmark, (), {ODD: "1", "plain": "2"}, "user", crossed=False, data="")


PROVENANCE = {"commit": "abc", "seeds": [201, 202], "varies": "seed", "configs": {ODD: "1", "plain": "2"}}


def made(plan: Plan, train_s: float = 12.3) -> tuple[Leaderboard, dict[str, Any]]:
    figures = {ODD: runs(0.4, 0.41, train_s=train_s), "plain": runs(0.5, 0.511, train_s=train_s)}
    board = leaderboard_of(plan.benchmark, figures, crossed=plan.crossed)
    return board, plain(plan, board, PROVENANCE)


def test_the_page(plan: Plan) -> None:
    page = markdown(made(plan)[1])
    assert page.startswith("# Is \\<b\\> better?\n\nMade by `mlsd bench odd.yaml --write`.\n")
    lines = page.splitlines()
    assert (
        "| plain | 0.5055 | [0.4356, 0.5754] |  |  | best | missed: 0.6 ± 0.01 (some paper, table 2); "
        "met: 0.5 ± 0.01 |"
    ) in lines
    assert any(line.startswith("| a\\|b \\*c\\* | 0.4050 | ") for line in lines)
    assert "| plain | 12 s | 81 | 0.50 ms | 1.5 ms |" in lines
    assert "- plain: `x={y: 1}`, `z=2`" in lines
    assert "- a\\|b \\*c\\*: nothing of their own" in lines
    assert "- seeds: 201, 202" in lines
    assert "`funnel.nDCG@10` over 20 requests of 20 users; seed = 201, 202." in page


def test_it_is_the_same_from_what_was_written(plan: Plan, tmp_path: Path) -> None:
    found = made(plan)[1]
    write_json(tmp_path / "found.json", found)
    assert markdown(read_json(tmp_path / "found.json")) == markdown(found)


def test_a_clock_changes_only_what_was_measured(plan: Plan) -> None:
    slow, quick = (made(plan, train_s)[1] for train_s in (99.0, 1.0))
    assert slow.pop("measured") != quick.pop("measured")
    assert json.dumps(slow) == json.dumps(quick)


@pytest.mark.parametrize(
    ("crossed", "unit", "words"),
    [
        (True, "query", "10 queries; seed = 201, 202. For intervals seeds and queries, which recur"),
        (
            False,
            "user",
            "20 users; seed = 201, 202. For intervals seeds are drawn, each with users of its own",
        ),
    ],
)
def test_what_is_resampled_is_said(plan: Plan, crossed: bool, unit: str, words: str) -> None:
    assert words in markdown(made(replace(plan, crossed=crossed, unit=unit))[1])


def test_verdicts_have_their_sign(plan: Plan) -> None:
    page = markdown(made(plan)[1])
    assert "Expected before the first run: plain is better than a\\|b \\*c\\*. ✓ as expected: +0.100" in page
