"""Runs that must not be held against each other, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.runs.finished import FinishedRun
from mlsd.runs.paired.comparable import require_comparable
from mlsd.runs.paired.side import Side, read_sides


@pytest.fixture(scope="module")
def pair(small_run: FinishedRun, other_run: FinishedRun) -> tuple[Side, Side]:
    baseline, other = read_sides([small_run.folder, other_run.folder])
    return baseline, other


def reasons(baseline: Side, other: Side) -> list[str]:
    """Why two runs cannot be compared; nothing where they can."""
    try:
        require_comparable(baseline, other)
    except InputError as error:
        title, *lines = str(error).split("\n")
    else:
        return []
    assert title == f"{other.name} cannot be compared with {baseline.name}:"
    return [line.removeprefix("  ") for line in lines]


def made(side: Side, entries: Mapping[str, Any]) -> Side:
    """The same run with another provenance."""
    run = FinishedRun(side.run.folder)
    run.__dict__["provenance"] = {**side.provenance, **entries}
    return replace(side, run=run)


def test_another_funnel_on_the_same_requests_is_comparable(pair: tuple[Side, Side]) -> None:
    assert reasons(*pair) == []
    assert reasons(*pair[::-1]) == []


def test_other_data(pair: tuple[Side, Side]) -> None:
    found = reasons(pair[0], made(pair[1], {"data, SHA-256": "music 12"}))
    assert found == [
        "provenance.json, data, SHA-256: 'none: all data are generated' in run, 'music 12' in other"
    ]


def test_queries_are_not_users(pair: tuple[Side, Side]) -> None:
    (reason,) = reasons(pair[0], made(pair[1], {"independent unit": "query"}))
    assert reason == "provenance.json, independent unit: 'user' in run, 'query' in other"


def test_another_truth_with_the_keys_it_comes_from(pair: tuple[Side, Side]) -> None:
    world = {**pair[1].config["world"], "n_items": 7}
    other = replace(made(pair[1], {"test window, SHA-256": "x"}), config={**pair[1].config, "world": world})
    assert reasons(pair[0], other) == [
        "what is relevant to the test window's requests (provenance.json, test window, SHA-256)",
        "world.n_items: 800 in run, 7 in other",
    ]


def test_other_requests(pair: tuple[Side, Side]) -> None:
    baseline, other = pair
    kept = np.arange(2, len(other.table))
    fewer = replace(other, table=other.table.iloc[kept], requests=other.requests.take(kept))
    n, first = len(other.table), other.requests.request_id[0]
    assert reasons(baseline, fewer) == [
        f"test requests: 2 of {n:,} are only in run, the first is request_id == {first}"
    ]
    assert reasons(fewer, baseline) == [
        f"test requests: 2 of {n:,} are only in run, the first is request_id == {first}"
    ]


def test_another_user(pair: tuple[Side, Side]) -> None:
    requests = pair[1].requests
    user = requests.user + (np.arange(len(requests)) == 3)
    assert reasons(pair[0], replace(pair[1], requests=replace(requests, user=user))) == [
        (
            f"test requests: 1 differ; user of request_id == {requests.request_id[3]}: "
            f"{requests.user[3]} in run, {user[3]} in other"
        )
    ]


def test_other_queries(pair: tuple[Side, Side]) -> None:
    requests = pair[1].requests
    other = replace(pair[1], requests=requests.with_columns(query=requests["query"] + "!"))
    query = requests["query"][0]
    assert reasons(pair[0], other) == [
        (
            f"test requests: {len(requests)} differ; query of request_id == {requests.request_id[0]}: "
            f"{query!r} in run, {query + '!'!r} in other"
        )
    ]


def test_other_columns_and_segments(pair: tuple[Side, Side]) -> None:
    baseline, other = pair
    asked = other.requests.with_columns(device=np.zeros(len(other.table)))
    assert reasons(baseline, replace(other, requests=asked)) == [
        "test requests: column 'device' is only in other"
    ]
    fewer = replace(other, table=other.table.drop(columns="popularity=tail"))
    assert reasons(baseline, fewer) == ["segments: popularity=tail in one of them only"]
    turned = other.table.assign(**{"popularity=tail": ~other.table["popularity=tail"]})
    assert reasons(baseline, replace(other, table=turned)) == [
        "segments: popularity=tail are not of the same requests"
    ]


def test_another_definition_of_a_metric(pair: tuple[Side, Side]) -> None:
    metrics = {**pair[1].config["metrics"]}
    metrics["ndcg_10"] = {**metrics["ndcg_10"], "gain": "exponential"}
    other = replace(pair[1], config={**pair[1].config, "metrics": metrics})
    assert reasons(pair[0], other) == ["metrics.ndcg_10.gain: 'linear' in run, 'exponential' in other"]


def test_a_metric_that_only_one_declares_is_no_obstacle(pair: tuple[Side, Side]) -> None:
    metrics = {**pair[1].config["metrics"], "ap": None, "mine": {"_target_": "my.Metric"}}
    other = replace(pair[1], config={**pair[1].config, "metrics": metrics})
    assert reasons(pair[0], other) == []


def test_everything_is_said_at_once(pair: tuple[Side, Side]) -> None:
    metrics = {**pair[1].config["metrics"], "ap": {"_target_": "my.Metric"}}
    other = replace(made(pair[1], {"data, SHA-256": "x"}), config={**pair[1].config, "metrics": metrics})
    assert len(reasons(pair[0], other)) >= 3
