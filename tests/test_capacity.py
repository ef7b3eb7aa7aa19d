from __future__ import annotations

import gc
import itertools
import json
import subprocess
import sys
from collections.abc import Mapping
from time import sleep

import faiss
import numpy as np
import pytest
import torch

from mlsd import ragged
from mlsd.capacity import Capacity, Latency, measure
from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Curves, Fitting
from mlsd.funnel import Funnel
from mlsd.serving import BLOCK
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import Candidates, RankingBatch, Requests, State


class Waiting(CandidateStage):
    """Finds the same items after a wait; remembers what it was asked under which circumstances."""

    needs = frozenset()
    produces = frozenset()

    def __init__(self, n_out: int, wait_ms: float) -> None:
        super().__init__(n_out)
        self.wait_ms = wait_ms
        self.asked: list[tuple[int, ...]] = []
        self.circumstances: set[tuple[int, int, bool]] = set()

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        self.asked.append(tuple(batch.requests.request_id.tolist()))
        self.circumstances.add((torch.get_num_threads(), faiss.omp_get_max_threads(), gc.isenabled()))
        sleep(self.wait_ms / 1000)
        offsets = np.arange(len(batch) + 1) * self.n_out
        return RankingBatch(batch.requests, Candidates(offsets, ragged.positions(offsets)))

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        pass


def asking(n: int) -> Requests:
    return Requests(np.arange(n), np.arange(n), np.zeros(n, np.int64), np.zeros(n))


def waiting(*waits_ms: float) -> Funnel:
    return Funnel({f"wait_{place}": Waiting(2, wait_ms) for place, wait_ms in enumerate(waits_ms)})


def stage_of(funnel: Funnel) -> Waiting:
    stage = funnel.last
    assert isinstance(stage, Waiting)
    return stage


class TestMeasure:
    def test_stages_and_the_whole(self) -> None:
        """A sleep never ends early; how late it ends is the machine's affair."""
        capacity = measure(waiting(1.0, 4.0), asking(3), budget_ms=100, n_requests=20, n_warm_up=2)
        assert list(capacity.stages) == ["wait_0", "wait_1"]
        assert capacity.stages["wait_0"].p50_ms >= 1.0
        assert capacity.stages["wait_1"].p50_ms >= 4.0
        assert capacity.request.p50_ms >= 5.0
        assert capacity.request.p99_ms >= max(stage.p99_ms for stage in capacity.stages.values())
        for latency in (capacity.request, *capacity.stages.values()):
            assert latency.p50_ms <= latency.p95_ms <= latency.p99_ms

    def test_by_another_clock(self) -> None:
        """One that goes on by 2 ms whenever it is read: once before the first stage and after each."""
        clock = itertools.count(7, 2_000_000).__next__
        capacity = measure(waiting(0.0, 0.0), asking(5), budget_ms=100, n_requests=3, clock=clock)
        assert capacity.request == Latency(4.0, 4.0, 4.0)
        assert set(capacity.stages.values()) == {Latency(2.0, 2.0, 2.0)}
        assert capacity.throughput_per_s == 5 / 0.002

    def test_what_is_served(self) -> None:
        funnel = waiting(0.0)
        capacity = measure(funnel, asking(3), budget_ms=100, n_requests=5, n_warm_up=2)
        loading, *singles, warm_batch, batch = stage_of(funnel).asked
        assert loading == (0,)
        assert singles == [(0,), (1,), (2,), (0,), (1,), (2,), (0,)]
        assert warm_batch == batch == (0, 1, 2)
        assert (capacity.n_requests, capacity.batch_size) == (5, 3)

    def test_throughput_counts_requests(self) -> None:
        """Two batches of 20 ms: at most BLOCK + 1 requests in 40 ms."""
        capacity = measure(waiting(20.0), asking(BLOCK + 1), budget_ms=100, n_requests=1, n_warm_up=1)
        assert 0 < capacity.throughput_per_s <= (BLOCK + 1) / 0.040
        assert capacity.batch_size == BLOCK

    def test_threads_and_garbage(self) -> None:
        """Timed with one thread and no collection; left as they were, even by a failure."""
        threads = (torch.get_num_threads(), faiss.omp_get_max_threads())
        torch.set_num_threads(2)
        faiss.omp_set_num_threads(2)
        try:
            funnel = waiting(0.0)
            measure(funnel, asking(2), budget_ms=100, n_requests=3)
            assert stage_of(funnel).circumstances == {(2, 2, True), (1, 1, False)}
            assert (torch.get_num_threads(), faiss.omp_get_max_threads(), gc.isenabled()) == (2, 2, True)
            with pytest.raises(ValueError, match="sleep length must be non-negative"):
                measure(Funnel({"failing": Failing(2, 0.0)}), asking(2), budget_ms=100)
            assert (torch.get_num_threads(), faiss.omp_get_max_threads(), gc.isenabled()) == (2, 2, True)
        finally:
            torch.set_num_threads(threads[0])
            faiss.omp_set_num_threads(threads[1])

    def test_a_collector_that_was_off_stays_off(self) -> None:
        gc.disable()
        try:
            measure(waiting(0.0), asking(1), budget_ms=100, n_requests=1)
            assert not gc.isenabled()
        finally:
            gc.enable()

    def test_torch_stays_unloaded(self) -> None:
        program = "import mlsd.capacity, sys; print({'torch', 'faiss'} & set(sys.modules))"
        answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == "set()"


class Failing(Waiting):
    """Fails once it has been called a few times."""

    def process(self, batch: RankingBatch) -> RankingBatch:
        self.wait_ms -= 1.0 if len(self.asked) > 3 else 0.0
        return super().process(batch)


class TestCapacity:
    CAPACITY = Capacity(Latency(3, 5, 8.0), {"rank": Latency(2, 4, 7.0)}, 500, 1234.5, 512, budget_ms=8.0)

    def test_the_99th_percentile_decides(self) -> None:
        assert self.CAPACITY.fits
        tight = Capacity(Latency(3, 5, 8.1), {}, 500, 1234.5, 512, budget_ms=8.0)
        assert not tight.fits

    def test_timings_are_plain_values(self) -> None:
        timings = self.CAPACITY.to_timings()
        assert json.loads(json.dumps(timings)) == {
            "request": {"p50_ms": 3, "p95_ms": 5, "p99_ms": 8.0},
            "stages": {"rank": {"p50_ms": 2, "p95_ms": 4, "p99_ms": 7.0}},
            "n_requests": 500,
            "throughput_per_s": 1234.5,
            "batch_size": 512,
            "budget_ms": 8.0,
            "fits": True,
        }


class TestBadInput:
    def test_no_requests(self) -> None:
        with pytest.raises(InputError, match="no requests to measure latency with"):
            measure(waiting(0.0), asking(0), budget_ms=100)

    @pytest.mark.parametrize(
        ("budget_ms", "n_requests", "n_warm_up", "message"),
        [
            (0.0, 5, 5, r"budget_ms == 0\.0, must be above 0"),
            (9.0, 0, 5, "n_requests == 0, must be at least 1"),
            (9.0, 5, 0, "n_warm_up == 0, must be at least 1"),
        ],
    )
    def test_bad_values(self, budget_ms: float, n_requests: int, n_warm_up: int, message: str) -> None:
        with pytest.raises(InvalidValueError, match=message):
            measure(waiting(0.0), asking(1), budget_ms, n_requests, n_warm_up)
