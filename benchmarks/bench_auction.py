"""Auctions: python benchmarks/bench_auction.py.

Four slots are sold among 100 to 300 candidates, 200 on average, for 20,000 requests in chunks of 1,000, on
one thread. A figure is the sum of the median CPU times of the chunks: those of one core, whatever waits for
it. Timed are the check of every bid and every quality, the scores, who wins and what each pays; drawing the
bids is not. The other way is a full sort of the scores, with the same outcome.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np
from timing import Work, paired

from mlsd import ragged
from mlsd.auctions.base import Auction, Bids
from mlsd.auctions.equilibrium import balanced_bids
from mlsd.auctions.first_price import FirstPrice
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.types import Floats

N_CHUNKS, N_A_CHUNK, FEWEST, MOST = 20, 1000, 100, 300
ALPHA = np.array([1.0, 0.6, 0.4, 0.3])


def chunk(number: int) -> Bids:
    """Bids of about 1, click probabilities of about .04, a reserve of each ad's own."""
    draws = np.random.default_rng(number)
    offsets = ragged.offsets_of_counts(draws.integers(FEWEST, MOST + 1, N_A_CHUNK))
    n = int(offsets[-1])
    bid, quality = draws.lognormal(0, 0.7, n), draws.beta(2, 48, n)
    return Bids(offsets, bid, quality, draws.choice([0.0, 0.2, 0.5], n), draws.random(n) < 0.9)


def cpu_seconds(work: Work, n_repeats: int = 9) -> float:
    """The median CPU time of `work` in this thread, after one round to warm up."""
    work()
    taken = []
    for _ in range(n_repeats):
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return statistics.median(taken)


def sold(auction: Auction, bids: Bids) -> Floats:
    """Prices of bids that are checked anew."""
    return auction(replace(bids), ALPHA).price_per_click


def sold_by_sorting(bids: Bids) -> Floats:
    """GSP without a reserve, by putting all candidates of a request in order."""
    checked = replace(bids)
    scores = checked.bid * checked.quality
    rows, offsets = ragged.top(scores, checked.offsets, len(ALPHA) + 1)
    rows = ragged.to_dense(rows, offsets, len(ALPHA) + 1, -1)
    return np.asarray(scores[rows[:, 1:]] / checked.quality[rows[:, :-1]])


def main() -> None:
    ruled = [chunk(number) for number in range(N_CHUNKS)]
    plain = [replace(bids, reserve=None, eligible=None) for bids in ruled]
    n_requests = N_CHUNKS * N_A_CHUNK
    of_each = f"{sum(map(len, plain)) / n_requests:.0f} candidates and {len(ALPHA)} slots, checked"
    runs: list[tuple[str, Auction, list[Bids]]] = [
        ("GSP", GSP(), plain),
        ("VCG", VCG(), plain),
        ("first price", FirstPrice(), plain),
        ("GSP, one reserve on bids", GSP(0.3), plain),
        ("GSP, each ad's own reserve, one in ten not eligible", GSP(), ruled),
    ]
    for name, auction, chunks in runs:
        taken = sum(cpu_seconds(lambda run=(auction, bids): sold(*run)) for bids in chunks)  # type: ignore[misc]
        print(f"{name}: {n_requests:,} auctions of {of_each}: {n_requests / taken:,.0f} a second")
    bids = plain[0]
    np.testing.assert_allclose(sold(GSP(), bids), sold_by_sorting(bids), rtol=1e-12)
    timing = paired(lambda: sold(GSP(), bids), lambda: sold_by_sorting(bids))
    print(f"GSP of {N_A_CHUNK:,} beside a full sort, the same prices: {timing}")
    answered = cpu_seconds(lambda: balanced_bids(GSP(), bids, ALPHA), 3)
    n_rounds = balanced_bids(GSP(), bids, ALPHA).n_rounds
    print(f"balanced bids of {N_A_CHUNK:,} auctions: {n_rounds} rounds, {1e3 * answered:.0f} ms")


if __name__ == "__main__":
    main()
