"""Whole funnels by the clock: what benchmarks of funnels share."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, perf_counter_ns, thread_time_ns
from typing import TypeVar

import numpy as np

from mlsd.capacity import Capacity, Latency, measure
from mlsd.config.build import build
from mlsd.config.compose import compose_overrides
from mlsd.config.resolve import resolve
from mlsd.funnel import Funnel
from mlsd.progress import silent
from mlsd.runs import steps
from mlsd.store import Store
from mlsd.types import RankingBatch, Requests, concat_batches

N_REQUESTS, N_WARM_UP, N_COMPARED = 1_000, 100, 100

Done = TypeVar("Done")


def time_funnel(overrides: Sequence[str], target_ms: float, things: str) -> None:
    """Fit the funnel of a config, try that requests alone are as in company, and time them one by one.

    The clock also counts waiting for a core that others use; processor time does not, and is what is held to
    the target.

    Args:
        overrides: of the config.
        target_ms: of the 99th percentile of a request.
        things: what items are called.
    """
    with TemporaryDirectory() as folder:
        funnel, requests = fitted(overrides, things, Store(Path(folder)))
    rows = np.arange(N_REQUESTS + N_WARM_UP) * len(requests) // (N_REQUESTS + N_WARM_UP)
    asked = requests.take(rows)
    passed_on = alone_as_in_company(funnel, asked.take(np.arange(0, len(asked), len(asked) // N_COMPARED)))
    by_clock, by_processor = (
        measure(funnel, asked, target_ms, N_REQUESTS, N_WARM_UP, clock)
        for clock in (perf_counter_ns, thread_time_ns)
    )
    show(passed_on, by_clock, by_processor)


def fitted(overrides: Sequence[str], things: str, store: Store) -> tuple[Funnel, Requests]:
    """The funnel, and the requests of the test window."""
    composed = compose_overrides(list(overrides)).required()
    system, config = build(composed), resolve(composed).values
    n_items = len(system.world.catalog)
    logged = timed("log", lambda: steps.make_log(system, config, store, silent))
    labels = system.labels.make(logged.log)
    funnel = timed("fit", lambda: steps.fit(system, config, logged, labels, store, silent)).funnel
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n_items:,} {things}, {len(logged.log.impressions):,} impressions, {peak_gib:.1f} GiB at the peak"
    )
    return funnel, logged.log.window("test").requests


def timed(what: str, work: Callable[[], Done]) -> Done:
    start = perf_counter()
    done = work()
    print(f"{what}: {perf_counter() - start:.0f} s")
    return done


def alone_as_in_company(funnel: Funnel, requests: Requests) -> Mapping[str, RankingBatch]:
    """What each stage passes on; it is the same to the last bit for requests that come one by one."""
    together = funnel.trace(requests)
    alone = [funnel.trace(requests.take(np.array([row]))) for row in range(len(requests))]
    for name, batch in together.items():
        single = concat_batches([traced[name] for traced in alone]).candidates.named_columns()
        for column, values in batch.candidates.named_columns().items():
            np.testing.assert_array_equal(single[column], values, err_msg=f"{name}: {column}")
    return together


def show(passed_on: Mapping[str, RankingBatch], by_clock: Capacity, by_processor: Capacity) -> None:
    """One table: what stages pass on, and milliseconds of processor time and by the clock."""
    measured = (by_processor, by_clock)
    print(
        f"{'ms':<12}{'passes on':>9} | {'processor':>9}: p50    p95    p99 | {'clock':>9}: p50    p95    p99"
    )
    for name, batch in passed_on.items():
        mean = f"{batch.candidates.counts.mean():,.1f}"
        print(f"{name:<12}{mean:>9}" + "".join(in_words(each.stages[name]) for each in measured))
    print(f"{'request':<21}" + "".join(in_words(each.request) for each in measured))
    verdict = "within" if by_processor.fits else "OVER"
    print(
        f"p99 {by_processor.request.p99_ms:.2f} ms of processor time, {verdict} {by_processor.budget_ms:g} ms"
    )
    print(f"in batches of {by_clock.batch_size}: {by_processor.throughput_per_s:,.0f} requests/s on one core")


def in_words(latency: Latency) -> str:
    return " | " + " " * 7 + "".join(f"{value:7.2f}" for value in latency)
