"""Whether the synthetic search world is sensible: python experiments/search_world.py.

What relevant items, requests and users of the default world are like, over some seeds, and how three policies
fare: items at random, BM25 over title and text, and an oracle that shows the items of highest true grade. The
figures of docs/worlds/search.md come from here; they are written to `experiments/results/search_world.md`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mlsd import ragged, rng
from mlsd.fitting import Fitting
from mlsd.funnel import Funnel
from mlsd.metrics.base import RankedGrades
from mlsd.metrics.ndcg import NDCG
from mlsd.online.base import retention
from mlsd.retrievers.bm25 import BM25
from mlsd.serving import Greedy, Policy, in_blocks, serve
from mlsd.stages.base import TrainingData
from mlsd.stages.retrieve import Retrieve
from mlsd.text import analyze, item_texts
from mlsd.types import (
    NO_ITEM,
    Array,
    Candidates,
    Ints,
    Requests,
    Served,
    Slates,
    concat_requests,
    concat_served,
)
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld

SEEDS, N_DAYS, N_POSITIONS, DEPTH, LATENCY_MS = (0, 1, 2), 14, 10, 100, 100.0
RESULTS = Path(__file__).parent / "results" / "search_world.md"

Row = dict[str, float]


class Random:
    """Items at random.

    Args:
        world: whose.
    """

    def __init__(self, world: SearchWorld) -> None:
        self.n_items = world.n_items

    def rank(self, requests: Requests) -> Slates:
        request_id, positions = requests.request_id[:, None], np.arange(N_POSITIONS)
        return Slates(rng.integers(0, "random_items", self.n_items, request_id, positions))


class Oracle:
    """The items of highest true grade.

    Args:
        world: whose.
    """

    def __init__(self, world: SearchWorld) -> None:
        self.world = world

    def rank(self, requests: Requests) -> Slates:
        judged = self.world.judgements(requests)
        rows, offsets = ragged.top(judged.grades, judged.offsets, N_POSITIONS)
        return Slates(ragged.to_dense(judged.items[rows], offsets, N_POSITIONS, NO_ITEM))


def bm25(world: SearchWorld) -> Funnel:
    """`bm25s` with default parameters over title and text."""
    funnel = Funnel({"retrieve": Retrieve(n_out=DEPTH, retrievers={"bm25": BM25()})})
    funnel.last.fit(TrainingData(world.catalog), Fitting())
    return funnel


def lived(world: SearchWorld, policy: Policy) -> Served:
    """All that is served in the days from the first, all users taking part."""
    users, state, days = np.arange(world.n_users), world.first_state(), []
    for day in range(N_DAYS):
        served, state = serve(world, policy, users, day, state, LATENCY_MS)
        days.append(served)
    return concat_served(days)


def ndcg_of(world: SearchWorld, served: Served) -> Array:
    """(n_requests,) nDCG@10 of what was shown."""
    shown = served.slates.shown
    offsets = ragged.offsets_of_counts(shown.sum(axis=1))
    graded = RankedGrades.of(
        Candidates(offsets, served.slates.items[shown]), world.judgements(served.requests)
    )
    return np.asarray(NDCG(10)(graded))


def fared(world: SearchWorld, served: Served) -> Row:
    """How a policy fared."""
    satisfied = world.hidden_responses(served.requests, served.slates).satisfied.any(axis=1)
    clicks = served.feedback["click"]
    came = np.zeros((world.n_users, N_DAYS), bool)
    came[served.requests.user, served.requests.day] = True
    counts = retention(came)
    attempt = world.all_users.numbering.moments(served.requests.request_id).attempt
    return {
        "nDCG@10": float(np.nanmean(ndcg_of(world, served))),
        "clicks a request": float(clicks.sum() / len(clicks)),
        "requests without a click": float(1 - clicks.any(axis=1).mean()),
        "satisfied requests": float(satisfied.mean()),
        "requests that ask again": float((attempt > 0).mean()),
        "requests": float(len(clicks)),
        "7-day retention": float(counts["retained"].sum() / counts["retainable"].sum()),
    }


def following(world: SearchWorld, served: Served) -> Row:
    """Share of requests that follow another of the session, whatever they ask for."""
    moments = world.all_users.numbering.moments(served.requests.request_id)
    return {"requests that follow another": float(((moments.attempt > 0) | (moments.place > 0)).mean())}


def by_segment(world: SearchWorld, served: Served) -> Row:
    """Share of requests and nDCG@10 of each segment."""
    values = ndcg_of(world, served)
    figures = {}
    for name, of_request in world.segments(served.requests).items():
        for segment in np.unique(of_request):
            inside = of_request == segment
            figures[f"{name} {segment}: share of requests"] = float(inside.mean())
            figures[f"{name} {segment}: nDCG@10"] = float(np.nanmean(values[inside]))
    return figures


def relevant(world: SearchWorld) -> Row:
    """Relevant items of a request, by intent and grade, over 28 days of first tries."""
    days = [world.arrivals(np.arange(world.n_users), day, world.first_state()) for day in range(28)]
    requests = concat_requests(days)
    judged, intent = world.judgements(requests), world.segments(requests)["intent"]
    figures = {}
    good = ragged.sums((judged.grades >= world.relevant_grade).astype(np.int64), judged.offsets)
    best = ragged.sums((judged.grades == world.max_grade).astype(np.int64), judged.offsets)
    for name in np.unique(intent):
        inside = intent == name
        for grade in range(1, 5):
            of_grade = ragged.sums((judged.grades == grade).astype(np.int64), judged.offsets)
            figures[f"{name}: items of grade {grade}"] = float(of_grade[inside].mean())
        figures[f"{name}: requests without an item of grade 2 or more"] = float((good[inside] == 0).mean())
        figures[f"{name}: requests with an item of grade 4"] = float((best[inside] > 0).mean())
    return figures


def deep(world: SearchWorld, funnel: Funnel, served: Served) -> Row:
    """What BM25 finds and misses."""
    day = served.requests.take(served.requests.day == 0)
    judged = world.judgements(day)
    request = ragged.segment_ids(judged.offsets)
    good = judged.grades >= world.relevant_grade
    batches = list(in_blocks(funnel, day))
    found = np.concatenate([batch.candidates.items for batch in batches])
    asked = np.repeat(np.arange(len(day)), np.concatenate([batch.candidates.counts for batch in batches]))
    hit, _ = ragged.find_pairs((asked, found), (request[good], judged.items[good]))
    shown = served.slates.items[served.slates.shown]
    return {
        "items of grade 2 or more among BM25's first 100": float(hit.sum() / good.sum()),
        "spam among what BM25 shows": float(world.all_documents.spam[shown].mean()),
        "relevant items without a word of a clean query": _without_a_word(
            world, day, request, judged.items, good
        ),
    }


def _without_a_word(world: SearchWorld, day: Requests, request: Ints, items: Ints, good: Array) -> float:
    """Of items of grade 2 or more, for clean requests that seek no page by name."""
    segments = world.segments(day)
    asked = (segments["wording"] == "clean") & (segments["intent"] != "navigational")
    rows = np.flatnonzero(good & asked[request])
    said = [set(analyze(text)) for text in item_texts(world.catalog)]
    words = [set(analyze(text)) for text in day["query"].tolist()]
    return float(np.mean([not (words[request[row]] & said[items[row]]) for row in rows]))


def measured(seed: int, n_items: int = 20_000, n_users: int = 2_000) -> dict[str, Row]:
    """All tables of one world."""
    world = SearchWorld(seed=seed, n_items=n_items, n_users=n_users, click_model=PositionBased())
    funnel = bm25(world)
    served = {
        "random items": lived(world, Random(world)),
        "BM25": lived(world, Greedy(funnel, N_POSITIONS)),
        "oracle": lived(world, Oracle(world)),
    }
    tables: dict[str, Row] = {"relevant items": relevant(world)}
    tables |= {name: fared(world, of_policy) for name, of_policy in served.items()}
    tables["BM25 by segment"] = by_segment(world, served["BM25"])
    tables["BM25 in depth"] = deep(world, funnel, served["BM25"]) | following(world, served["BM25"])
    return tables


def in_words(seeds: Iterable[int], tables: list[dict[str, Row]]) -> str:
    """Markdown: the range of each figure over the seeds."""
    lines = ["# The search world, measured", "", f"`python experiments/search_world.py`, seeds {[*seeds]}."]
    for name in tables[0]:
        lines += ["", f"## {name}", "", "| figure | lowest | highest |", "|---|---|---|"]
        for figure in tables[0][name]:
            values = [table[name].get(figure, np.nan) for table in tables]
            lines.append(f"| {figure} | {np.nanmin(values):.4g} | {np.nanmax(values):.4g} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    text = in_words(arguments.seeds, [measured(seed) for seed in arguments.seeds])
    arguments.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
