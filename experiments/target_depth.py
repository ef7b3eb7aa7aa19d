"""How many of the best offers must be passed on, among a million ads?

    python experiments/target_depth.py

Worlds of five seeds, fixed before the first run, with as many campaigns as a million ads have. On pages of
one day the ads that may be shown are put in order by what they offer for a click, as `target` does, and the
first n are kept. What is left is the true value, P(click) x worth, of the best 4 or 30 among them, over that
of the best 4 or 30 of all that may be shown. People have seen nothing. Intervals are Student's t over the
worlds.

Results are written to `experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from mlsd import ragged
from mlsd.estimators.worlds import OverWorlds, over_worlds
from mlsd.fitting import Fitting
from mlsd.stages.base import TrainingData
from mlsd.stages.target import Target
from mlsd.store import write_json, write_text
from mlsd.types import Floats, RankingBatch, Requests
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

SEEDS = tuple(range(461, 466))
KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
DAY, AT_ONCE = 14, 20
"""The day that is judged, and pages judged at once, so that the work stays in memory."""

FIRST, BEST = (100, 300, 1000, 3000, 10_000, 20_000), (4, 30)


@dataclass(frozen=True)
class Settings:
    """How large the worlds are, and how many pages are judged."""

    n_users: int = 300
    n_campaigns: int = 667_000
    n_judged: int = 100


Found = dict[str, float]
""" "best k of first n" -> what is left, in one world; and how many ads there are and may be shown."""


def one_world(settings: Settings, seed: int) -> Found:
    """What offers alone leave in one world."""
    world = AdsWorld(
        seed=seed, n_users=settings.n_users, n_campaigns=settings.n_campaigns, click_model=PositionBased()
    )
    target = Target(len(world.catalog), KEYS, action_prob=0.1)
    target.fit(TrainingData(world.catalog), Fitting())
    pages = world.arrivals(np.arange(world.n_users), DAY, world.people.first_state())
    blocks = np.array_split(np.arange(min(settings.n_judged, len(pages))), -(-settings.n_judged // AT_ONCE))
    sums = np.sum([best_sums(world, target, pages.take(block)) for block in blocks], axis=0)
    kept, of_all, n_eligible = sums[:-1, :-1], sums[:-1, -1:], sums[-1, 0]
    left = kept / of_all
    figures = {name_of(k, n): float(left[i, j]) for i, k in enumerate(BEST) for j, n in enumerate(FIRST)}
    n_pages = sum(map(len, blocks))
    return {**figures, "ads": float(len(world.catalog)), "eligible": float(n_eligible / n_pages)}


def best_sums(world: AdsWorld, target: Target, pages: Requests) -> Floats:
    """(n_best + 1, n_first + 1) the value of the best k of the first n and, last, of all; last row, ads."""
    found = target(RankingBatch.of(pages)).candidates
    probs = world.probs(pages, found.request_rows, found.items, np.zeros(len(found)))
    value = probs.click * world.worth(found.items, probs)
    cuts = [ragged.first(found.offsets, n) for n in (*FIRST, len(world.catalog))]
    sums = [[value[rows][ragged.top(value[rows], cut, k)[0]].sum() for rows, cut in cuts] for k in BEST]
    return np.array([*sums, [len(found)] * len(cuts)], np.float64)


def name_of(k: int, n: int) -> str:
    """What the figure is called."""
    return f"best {k} of first {n}"


def figures(worlds: Sequence[Found]) -> dict[str, OverWorlds]:
    """The mean of each figure over the worlds, with the ends of its interval."""
    values = {name: np.array([world[name] for world in worlds]) for name in worlds[0]}
    return {name: over_worlds(each, np.zeros(len(each))) for name, each in values.items()}


HEAD = """# How many of the best offers must be passed on?

Made by `experiments/target_depth.py`. Worlds of seeds {seeds}, fixed before the first run: {ads:,.0f} ads,
of which {eligible:,.0f} may be shown on a page; {n_judged:,} pages are judged. What is left, among the n best
offers, of the true value of the best k of all, with 95% intervals over the worlds.

| of the | {first} |
|---|{rule}
"""


def as_markdown(found: Mapping[str, OverWorlds], settings: Settings) -> str:
    """The figures as a table."""
    head = HEAD.format(
        seeds=f"{SEEDS[0]} to {SEEDS[-1]}",
        ads=found["ads"].value,
        eligible=found["eligible"].value,
        n_judged=settings.n_judged,
        first=" | ".join(f"n = {n:,}" for n in FIRST),
        rule="---|" * len(FIRST),
    )
    rows = (f"| best {k} | {' | '.join(_cell(found[name_of(k, n)]) for n in FIRST)} |\n" for k in BEST)
    return head + "".join(rows)


def _cell(figure: OverWorlds) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    parser.add_argument("--n-processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    settings = Settings(options.n_users, options.n_campaigns, options.n_judged)
    with ProcessPoolExecutor(options.n_processes, get_context("spawn")) as pool:
        found = figures(list(pool.map(partial(one_world, settings), SEEDS)))
    plain = {name: figure._asdict() for name, figure in found.items()}
    write_json(options.out / "target_depth.json", {"seeds": SEEDS, **asdict(settings), "figures": plain})
    write_text(options.out / "target_depth.md", as_markdown(found, settings))


if __name__ == "__main__":
    main()
