"""Display: python benchmarks/bench_display.py.

Each diversifier chooses 10 of 100 candidates for 10,000 requests, with a cap on sources, in the blocks in
which a funnel serves. MMR is also held against a plain loop over some of the requests, with a few small NumPy
operations a round.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from timing import median_seconds, paired

from mlsd.diversifiers.base import Diversifier
from mlsd.diversifiers.dpp import DPP
from mlsd.diversifiers.mmr import MMR
from mlsd.diversifiers.xquad import XQuAD
from mlsd.fitting import Fitting
from mlsd.serving import BLOCK
from mlsd.stages.base import TrainingData
from mlsd.stages.display import Display
from mlsd.types import Candidates, Catalog, Floats, Ints, RankingBatch, Requests

N_REQUESTS, N_CANDIDATES, N_SHOWN, N_ITEMS = 10_000, 100, 10, 20_000
N_TOPICS, N_SOURCES, N_WORDS, WORDS_OF_A_TITLE = 40, 300, 30_000, 6
N_LOOPED = 512


def catalog() -> Catalog:
    """Titles of six words, the first words of the vocabulary more often."""
    draws = np.random.default_rng(0)
    words = np.array([f"word{number}" for number in range(N_WORDS)])
    of_titles = (N_WORDS * draws.random((N_ITEMS, WORDS_OF_A_TITLE)) ** 3).astype(np.int64)
    columns = {
        "title": np.array([" ".join(title) for title in words[of_titles]], object),
        "category": draws.integers(0, N_TOPICS, N_ITEMS),
        "source": draws.integers(0, N_SOURCES, N_ITEMS),
    }
    return Catalog(np.arange(N_ITEMS).astype(str), columns)


def ranked() -> RankingBatch:
    draws = np.random.default_rng(1)
    ids = np.arange(N_REQUESTS)
    items = draws.random((N_REQUESTS, N_ITEMS // 10)).argsort(axis=1)[:, :N_CANDIDATES] * 10
    scores = draws.normal(size=items.size).astype(np.float32)
    topic_prob = draws.dirichlet(np.full(N_TOPICS, 0.1), N_REQUESTS).astype(np.float32)
    requests = Requests(ids, ids, ids, np.zeros(N_REQUESTS), {"topic_prob": topic_prob})
    offsets = np.arange(N_REQUESTS + 1) * N_CANDIDATES
    return RankingBatch(requests, Candidates(offsets, items.reshape(-1), {"score": scores}))


def blocks(batch: RankingBatch) -> Iterator[RankingBatch]:
    for start in range(0, len(batch), BLOCK):
        yield batch.take(np.arange(start, min(start + BLOCK, len(batch))))


def stage_of(diversifier: Diversifier | None, items: Catalog, cap: int | None = 2) -> Display:
    stage = Display(2 * N_SHOWN, N_SHOWN, diversifier, cap)
    stage.fit(TrainingData(items), Fitting())
    return stage


def looped(batch: RankingBatch, topic: Ints, trade_off: float) -> list[list[int]]:
    """MMR over topics, a request after the other."""
    items = batch.candidates.items.reshape(len(batch), N_CANDIDATES)
    scores = batch.candidates["score"].astype(np.float64).reshape(len(batch), N_CANDIDATES)
    return [_slate(row, score, topic, trade_off) for row, score in zip(items, scores, strict=True)]


def _slate(items: Ints, scores: Floats, topic: Ints, trade_off: float) -> list[int]:
    best = np.argsort(-scores, kind="stable")
    items, scores = items[best], scores[best]
    relevance = (scores - scores[-1]) / (scores[0] - scores[-1])
    highest, slate = np.zeros(len(items)), []
    gone = np.zeros(len(items))
    for _ in range(N_SHOWN):
        chosen = int(np.argmax((1 - trade_off) * relevance - trade_off * highest - gone))
        slate.append(int(items[chosen]))
        gone[chosen] = np.inf
        highest = np.maximum(highest, topic[items] == topic[items[chosen]])
    return slate


def main() -> None:
    items, batch = catalog(), ranked()
    understood = XQuAD(aspects="understood")
    named = {
        "caps alone": None,
        "MMR": MMR(),
        "xQuAD": XQuAD(),
        "xQuAD, understood": understood,
        "DPP": DPP(),
    }
    for name, diversifier in named.items():
        stage = stage_of(diversifier, items)
        taken = median_seconds(lambda run=stage: [run(block) for block in blocks(batch)], 3)  # type: ignore[misc]
        print(f"{name}: {N_CANDIDATES} candidates to {N_SHOWN}, {N_REQUESTS:,} requests: {taken:.2f} s")
    some, topic = batch.take(np.arange(N_LOOPED)), items["category"]
    stage = stage_of(MMR(0.3, topic_weight=1.0), items, cap=None)
    shown = stage(some).slates(N_SHOWN).items.tolist()
    assert shown == looped(some, topic, 0.3)
    timing = paired(lambda: stage(some), lambda: looped(some, topic, 0.3), n_repeats=5)
    print(f"MMR by topics beside a loop over {N_LOOPED} requests, the same slates: {timing}")


if __name__ == "__main__":
    main()
