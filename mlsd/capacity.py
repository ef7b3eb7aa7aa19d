"""How quick a funnel is, measured: the one place where a clock is read.

What comes out belongs into `timings.json`, never into results: no other machine or moment gives the same.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.funnel import Funnel
from mlsd.serving import BLOCK, in_blocks
from mlsd.types import Floats, RankingBatch, Requests

Clock = Callable[[], int]
"""Nanoseconds now, from any beginning."""

MAX_BATCHES = 4
"""Batches that throughput is taken from, at most."""

_THREAD_COUNTS = {
    "torch": ("get_num_threads", "set_num_threads"),
    "faiss": ("omp_get_max_threads", "omp_set_num_threads"),
}
"""Library -> how the number of its threads is read and set."""


class Latency(NamedTuple):
    """Percentiles of the time that one request takes, in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Capacity:
    """What was measured, against what the problem allows.

    Args:
        request: latency of single requests through all stages.
        stages: name -> latency of single requests within this stage.
        n_requests: single requests that were timed.
        throughput_per_s: requests a second, in batches and on one core.
        batch_size: requests a batch held.
        budget_ms: what the 99th percentile of a request must not exceed.
    """

    request: Latency
    stages: Mapping[str, Latency]
    n_requests: int
    throughput_per_s: float
    batch_size: int
    budget_ms: float

    @property
    def fits(self) -> bool:
        """Whether the 99th percentile is within the budget."""
        return self.request.p99_ms <= self.budget_ms

    def to_timings(self) -> dict[str, object]:
        """As in `timings.json`: plain values only."""
        named = {name: latency._asdict() for name, latency in self.stages.items()}
        return asdict(self) | {"request": self.request._asdict(), "stages": named, "fits": self.fits}


def measure(
    funnel: Funnel,
    requests: Requests,
    budget_ms: float,
    n_requests: int = 500,
    n_warm_up: int = 50,
    clock: Clock = perf_counter_ns,
) -> Capacity:
    """Time a funnel: requests one by one, then in batches.

    One core serves one request at a time: requests follow each other, torch and faiss use one thread
    (two threads nearly double the 99th percentile), and the garbage collector waits, as a server would let
    it do between requests. Loading and first calls are over before anything is timed.

    Args:
        funnel: fitted.
        requests: real ones, at least one; used again from the start when they are fewer than `n_requests`.
        budget_ms: what the 99th percentile of a request must not exceed.
        n_requests: single requests that are timed.
        n_warm_up: single requests served before, at least one.
        clock: what people wait by; `time.thread_time_ns` leaves out waiting for a core that others use.

    Raises:
        InputError: there is no request.
    """
    checks.above("budget_ms", budget_ms, 0)
    checks.at_least("n_requests", n_requests, 1)
    checks.at_least("n_warm_up", n_warm_up, 1)
    if len(requests) == 0:
        raise InputError("no requests to measure latency with, there must be at least one")
    funnel(_one(requests, 0))  # whatever loads its libraries late has loaded them now
    with _one_thread(), _no_collection():
        elapsed_ms = _serially(funnel, requests, n_warm_up + n_requests, clock)[n_warm_up:]
        throughput_per_s, batch_size = _in_batches(funnel, requests, clock)
    stages = {name: _latency(elapsed_ms[:, place]) for place, name in enumerate(funnel.stages)}
    request = _latency(elapsed_ms.sum(axis=1))
    return Capacity(request, stages, n_requests, throughput_per_s, batch_size, budget_ms)


def _serially(funnel: Funnel, requests: Requests, n: int, clock: Clock) -> Floats:
    """(n, n_stages) milliseconds of each request in each stage."""
    moments = np.zeros((n, 1 + len(funnel.stages)), np.int64)
    for row in range(n):
        request = _one(requests, row % len(requests))
        moments[row, 0] = clock()
        batch = RankingBatch.of(request)
        for place, stage in enumerate(funnel.stages.values(), start=1):
            batch = stage(batch)
            moments[row, place] = clock()
    return np.diff(moments, axis=1) / 1e6


def _in_batches(funnel: Funnel, requests: Requests, clock: Clock) -> tuple[float, int]:
    """Requests a second, and requests a batch."""
    served = requests.take(np.arange(min(len(requests), MAX_BATCHES * BLOCK)))
    sum(1 for _ in islice(in_blocks(funnel, served), 1))
    start = clock()
    n_served = sum(len(batch) for batch in in_blocks(funnel, served))
    return n_served / (clock() - start) * 1e9, min(len(served), BLOCK)


def _one(requests: Requests, row: int) -> Requests:
    return requests.take(np.array([row]))


def _latency(elapsed_ms: Floats) -> Latency:
    return Latency(*(float(value) for value in np.percentile(elapsed_ms, [50, 95, 99])))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Libraries that are loaded compute with one thread; afterwards with as many as before."""
    before = []
    for library, (read, write) in _THREAD_COUNTS.items():
        module = sys.modules.get(library)
        if module is not None:
            before.append((getattr(module, write), getattr(module, read)()))
    try:
        for set_threads, _ in before:
            set_threads(1)
        yield
    finally:
        for set_threads, n_threads in before:
            set_threads(n_threads)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Garbage is collected before, and not within."""
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
