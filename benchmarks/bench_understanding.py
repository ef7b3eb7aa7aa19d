"""Understanding queries: python benchmarks/bench_understanding.py.

How long one query takes in the understand stage as fitted on the log of `mlsd run problem=search`: queries of
the test window as they come, queries made of words never read before, queries of 32 such words; and how many
a second in batches. The clock also counts waiting for a core that others use; processor time does not, and is
what is held to the target. Makes the log first unless the store has it, and fits the stage.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from time import perf_counter_ns, thread_time_ns

import numpy as np

from mlsd import rng
from mlsd.config.build import build
from mlsd.config.compose import compose_overrides
from mlsd.config.resolve import resolve
from mlsd.fitting import Fitting
from mlsd.progress import silent
from mlsd.runs import steps
from mlsd.serving import BLOCK
from mlsd.stages.base import TrainingData
from mlsd.stages.understand import Understand
from mlsd.store import Store
from mlsd.types import RankingBatch, Requests

TARGET_MS = 2.0
N_REQUESTS = 5000
SYLLABLES = ["".join(pair) for pair in product("bcdfghjklmnprstvz", "aeiou")]


def main() -> None:
    stage, requests = fitted()
    rows = np.arange(N_REQUESTS) % len(requests)
    asked = requests.take(rows)
    report("as they come", stage, asked)
    report("2 new words", stage, with_new_words(asked, 2))
    report("32 new words", stage, with_new_words(asked, 32))
    start = perf_counter_ns()
    for first in range(0, N_REQUESTS, BLOCK):
        stage(RankingBatch.of(asked.take(np.arange(first, min(first + BLOCK, N_REQUESTS)))))
    print(
        f"in batches of {BLOCK}: {N_REQUESTS / (perf_counter_ns() - start) * 1e9:,.0f} queries/s on one core"
    )


def fitted() -> tuple[Understand, Requests]:
    """The stage of `conf/stage/understand.yaml`, and the requests of the test window."""
    chosen = ["problem=search"]
    composed = compose_overrides(chosen).required()
    system, config = build(composed), resolve(composed).values
    log = steps.make_log(system, config, Store(Path(system.store.folder)), silent).log
    stage = system.funnel.stages["understand"]
    assert isinstance(stage, Understand)
    batches = {"validation": RankingBatch.of(log.window("validation").requests)}
    data = TrainingData(system.world.catalog, log, system.labels.make(log), batches)
    stage.fit(data, Fitting(system.trainer, system.training.seed))
    return stage, log.window("test").requests


def with_new_words(requests: Requests, n_words: int) -> Requests:
    """The requests with queries of made-up words, three syllables each, that were most likely never read."""
    keys = np.arange(len(requests))[:, None, None], np.arange(n_words)[:, None], np.arange(3)
    drawn = rng.integers(n_words, "new words", len(SYLLABLES), *keys)
    texts = [" ".join("".join(SYLLABLES[part] for part in word) for word in query) for query in drawn]
    return requests.with_columns(query=np.array(texts, object))


def report(name: str, stage: Understand, requests: Requests) -> None:
    """Time of single requests, one after the other: of the thread, and of the clock."""
    batches = [RankingBatch.of(requests.take(np.array([row]))) for row in range(len(requests))]
    stage(batches[0])
    elapsed_ms = np.empty((len(batches), 2))
    for row, batch in enumerate(batches):
        before = thread_time_ns(), perf_counter_ns()
        stage(batch)
        after = thread_time_ns(), perf_counter_ns()
        elapsed_ms[row] = np.subtract(after, before) / 1e6
    (p50, clock_p50), (p99, clock_p99) = np.percentile(elapsed_ms, [50, 99], axis=0)
    verdict = "within" if p99 <= TARGET_MS else "OVER"
    print(
        f"{name:<14} p50 {p50:5.2f} ms, p99 {p99:5.2f} ms of processor time, "
        f"p50 {clock_p50:5.2f} ms, p99 {clock_p99:5.2f} ms by the clock; "
        f"{verdict} the target of {TARGET_MS:g} ms"
    )


if __name__ == "__main__":
    main()
