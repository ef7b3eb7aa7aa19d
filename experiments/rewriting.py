"""What does spelling correction change on published collections, and what is it worth to BM25?

    python experiments/rewriting.py DIR DIR ...

Each DIR is a collection in BEIR layout. The rewrite stage, with spelling alone and its defaults, is fitted
on the catalog and on the queries before the test window. It prints, of the test window, how many requests
it changes, each change with its confidence, and nDCG@10 of BM25 before and after.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mlsd.fitting import Fitting
from mlsd.metrics.base import RankedGrades
from mlsd.metrics.ndcg import NDCG
from mlsd.retrievers.bm25 import BM25
from mlsd.rewriters.spelling import Spelling
from mlsd.stages.base import TrainingData
from mlsd.stages.rewrite import Rewrite
from mlsd.types import RankingBatch, Requests
from mlsd.worlds.beir import BeirWorld

DEPTH = 100


def main() -> None:
    """Each collection in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+", help="collections in BEIR layout")
    for folder in parser.parse_args().folders:
        told(BeirWorld(path=folder))


def told(world: BeirWorld) -> None:
    """What becomes of the requests of one collection's test window."""
    log = world.log()
    asked = log.window("test").requests
    stage = Rewrite({"spelling": Spelling()})
    stage.fit(TrainingData(world.catalog, log), Fitting())
    passed = stage(RankingBatch.of(asked)).requests
    changed = np.flatnonzero(passed["query"] != passed["original_query"])
    before, after = ndcg(world, asked), ndcg(world, passed)
    print(f"{world.name}: {len(changed)} of {len(asked)} requests changed,", end=" ")
    print(f"nDCG@10 of BM25 {before:.4f} before, {after:.4f} after")
    for row in changed.tolist():
        confidence = passed["rewrite_confidence"][row]
        print(f"  {confidence:.2f}  {passed['original_query'][row]}\n     -> {passed['query'][row]}")


def ndcg(world: BeirWorld, requests: Requests) -> float:
    """Mean nDCG@10 of BM25 for these texts."""
    bm25 = BM25()
    bm25.fit(world.catalog, None, Fitting())
    ranked = RankedGrades.of(bm25.retrieve(requests, DEPTH), world.judgements(requests))
    return float(np.nanmean(NDCG(10)(ranked)))


if __name__ == "__main__":
    main()
