"""The default funnel: python benchmarks/bench_funnel.py.

How long a request takes through the whole fitted funnel of `mlsd run problem=search` (20,000 documents),
in all and by stage, against BM25 alone and in batches. Fits the funnel first unless the store has it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from timing import paired

from mlsd.capacity import Latency, measure
from mlsd.config.build import build
from mlsd.config.compose import compose_overrides
from mlsd.config.resolve import resolve
from mlsd.progress import silent
from mlsd.runs import steps
from mlsd.store import Store

TARGET_MS = 15.0
N_REQUESTS = 2000


def main() -> None:
    composed = compose_overrides(["problem=search"]).required()
    system, config = build(composed), resolve(composed).values
    store = Store(Path(system.store.folder))
    logged = steps.make_log(system, config, store, silent)
    labels = system.labels.make(logged.log)
    funnel = steps.fit(system, config, logged, labels, store, silent).funnel
    requests = logged.log.window("test").requests
    assert logged.existing is not None
    existing = logged.existing

    capacity = measure(funnel, requests, TARGET_MS, N_REQUESTS)
    for name, latency in capacity.stages.items():
        print(f"{name:<12} {in_words(latency)}")
    verdict = "within" if capacity.fits else "OVER"
    print(f"{'request':<12} {in_words(capacity.request)}; p99 {verdict} the target of {TARGET_MS:g} ms")
    print(f"in batches of {capacity.batch_size}: {capacity.throughput_per_s:,.0f} requests/s on one core")
    one = [requests.take(np.array([row])) for row in range(200)]
    print(
        "200 single requests against BM25 alone:",
        paired(
            lambda: [funnel(request) for request in one], lambda: [existing(request) for request in one], 5
        ),
    )


def in_words(latency: Latency) -> str:
    return f"p50 {latency.p50_ms:5.2f} ms, p95 {latency.p95_ms:5.2f} ms, p99 {latency.p99_ms:5.2f} ms"


if __name__ == "__main__":
    main()
