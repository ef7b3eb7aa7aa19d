from __future__ import annotations

import pytest

from mlsd.config.schema import FunnelPlan, StageCost
from mlsd.problems.base import Goals, Monitoring, Problem, Scale
from mlsd.report.scale import StageLoad, affordable, scale_figures, size, stage_loads
from mlsd.retrievers.popularity import Popularity
from mlsd.stages.retrieve import Retrieve


def problem(latency_ms: float = 100.0) -> Problem:
    return Problem(
        name="toy",
        purpose="to be small",
        n_positions=10,
        presentation="a list",
        latency_ms=latency_ms,
        scale=Scale(
            n_items=1_000_000,
            requests_per_second=100.0,
            peak_factor=2.0,
            n_matching=1000,
            n_ranked=50,
            item_index_bytes=100,
            embedding_bytes=4,
            utilisation=0.5,
        ),
        goals=Goals(objective="o", online="ctr", offline="ndcg_10", guardrails={}),
        actions={"click": "liked"},
        request_columns={},
        monitoring=Monitoring(watched={}, retraining="never"),
    )


def stage(n_out: int) -> Retrieve:
    return Retrieve(n_out, {"popularity": Popularity()})


def plan() -> FunnelPlan:
    return FunnelPlan(
        order=("find", "rank", "free"),
        stages={"find": stage(50), "rank": stage(20), "free": stage(10)},
        costs={
            "find": StageCost(latency_share=0.5, fixed_ms=2.0, candidate_us=1.0),
            "rank": StageCost(latency_share=0.01, fixed_ms=0.5, candidate_us=20.0),
        },
    )


def test_loads_worked_by_hand() -> None:
    find, rank, free = stage_loads(problem(), plan())
    # 2 ms + 1,000 * 1 us = 3 ms of 50 ms; 200 a second * 3 ms / 0.5 = 1.2 cores; (50 - 2) ms / 1 us = 48,000.
    assert find == StageLoad("find", 1000, 50, 50.0, 3.0, 48_000, 1.2, 200_000.0)
    # 0.5 ms + 50 * 20 us = 1.5 ms of 1 ms; (1 - 0.5) ms / 20 us = 25.
    assert rank == StageLoad("rank", 50, 20, 1.0, 1.5, 25, 0.6, 10_000.0)
    assert (find.fits, rank.fits, free.fits) == (True, False, None)
    assert free == StageLoad("free", 20, 10, None, None, None, None, 4_000.0)


def test_what_a_stage_can_afford() -> None:
    assert affordable(StageCost(latency_share=1, fixed_ms=5, candidate_us=1), 4.0) == 0
    assert affordable(StageCost(latency_share=1, fixed_ms=5), 10.0) is None


def test_figures_worked_by_hand() -> None:
    figures = {one.name: one for one in scale_figures(problem(), plan(), {"a.vectors.dim": 32})}
    assert figures["requests a day"].text == "8,640,000"
    assert figures["requests a second at the peak"].text == "200"
    assert figures["impressions logged a day, at most"].text == "86,400,000"
    assert figures["items ranked of those that match"].text == "5.0%"
    assert figures["memory of the term index"].text == "100 MB"
    assert figures["memory of the embeddings of vectors"].text == "128 MB"
    assert figures["memory of the embeddings of vectors"].how == (
        "problem.scale.n_items * a.vectors.dim * problem.scale.embedding_bytes"
    )
    assert figures["time of a request, declared"].text == "4.5 ms"
    assert figures["of it not given to any stage"].text == "49 ms"
    assert figures["cores at the peak"].text == "1.8"


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1e12, "1 TB"), (2.5e16, "25,000 TB")]
)
def test_sizes(n_bytes: float, text: str) -> None:
    assert size(n_bytes) == text
