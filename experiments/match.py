"""Do two towers find the ads that earn most better than their offers do?

    python experiments/match.py

Worlds whose seeds were fixed before the first run are served by the pre-existing system: who offers most
stands first, budgets are paced, a tenth of the pages are shuffled over 40 ads and given away. On the day
after, all ads that may be shown on a page are put in order in four ways, and of each the first n are kept:

- by their offers, as `target` passes them on;
- by P(click) x offer, P(click) by towers fitted on the log's first days, as the default run has it;
- the same, fitted on all days of the log;
- by P(click) x offer, P(click) by the truth: what is lost now is lost by offers, not by towers.

What is left among the first n is the true value, P(click) x worth, of their best 4 or 30, over that of the
best 4 or 30 of all: 1 where nothing is lost. People have seen nothing. Options were chosen on a world of
another seed. Differences are from offers, paired by world, with 95% intervals over the worlds.

Worlds are kept in `--store`, so that a study that was cut off goes on. Results are written to
`experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from mlsd import ragged, rng
from mlsd.ad_server import AdServer, Giveaway, Market
from mlsd.auctions.gsp import GSP
from mlsd.estimators.worlds import OverWorlds, over_worlds
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.funnel import Funnel
from mlsd.logs import Log
from mlsd.pacing.dual import Dual
from mlsd.serving import collect_log
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import TrainingData
from mlsd.stages.match import Match
from mlsd.stages.target import Target
from mlsd.store import Store, code_version, key_of, read_json, write_json, write_text
from mlsd.types import Floats, RankingBatch, Requests, State
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

SEEDS = tuple(range(451, 457))
KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
REQUEST = ("region", "age_band", "audience", "device", "page_category")
ITEM = ("campaign", "advertiser", "category")
SAME = {"audience": "category", "page_category": "category"}
N_POSITIONS, LATENCY_MS = 4, 100.0

OFFERS, FEW_DAYS, ALL_DAYS, KNOWN = (
    "offers",
    "towers, first days",
    "towers, all days",
    "offers x true P(click)",
)
ARMS = (OFFERS, FEW_DAYS, ALL_DAYS, KNOWN)
FIRST, BEST = (30, 100, 300, 1000), (4, 30)


@dataclass(frozen=True)
class Settings:
    """How large the worlds are, how long they are logged, and how many pages are judged."""

    n_users: int = 2500
    n_campaigns: int = 20_000
    n_days: int = 14
    n_first_days: int = 3
    n_judged: int = 1000


Found = dict[str, dict[str, float]]
"""Arm -> "best k of first n" -> what is left, in one world; and "world" -> how large everything was."""


def one_world(settings: Settings, seed: int) -> Found:
    """A world, logged, learnt from and judged."""
    world = AdsWorld(
        seed=seed, n_users=settings.n_users, n_campaigns=settings.n_campaigns, click_model=PositionBased()
    )
    log, state = logged(world, settings)
    target = fitted_target(world, len(world.catalog))
    eligible = target(RankingBatch.of(judged_requests(world, state, settings)))
    orders = {
        OFFERS: eligible.candidates["score"],
        FEW_DAYS: match_scores(world, first_days(log, settings.n_first_days), eligible),
        ALL_DAYS: match_scores(world, first_days(log, settings.n_days), eligible),
        KNOWN: eligible.candidates["score"] * true_values(world, eligible)[0],
    }
    value = true_values(world, eligible)[1]
    found = {arm: left(eligible, order, value) for arm, order in orders.items()}
    return {**found, "world": sizes(log, eligible, settings)}


def logged(world: AdsWorld, settings: Settings) -> tuple[Log, State]:
    """What the pre-existing system of `problem=ads` logs."""
    auction = AuctionStage(N_POSITIONS, GSP(), [1.0, 0.9, 0.7, 0.5], value="candidate.score", quality=None)
    funnel = Funnel({"target": fitted_target(world, 1000), "auction": auction})
    market = Market(pacer=Dual(20.0, update_minutes=60), frequency_cap=6, traffic=world.audience.hour_shares)
    policy = AdServer(funnel, world.catalog, market, giveaway=Giveaway(share=0.1, depth=40), seed=world.seed)
    return collect_log(world, policy, settings.n_days, {"retrieval": 1.0}, LATENCY_MS)


def first_days(log: Log, n_days: int) -> Log:
    """The log with its first days as the window that towers learn from."""
    return replace(log, split=np.where(log.requests.day < n_days, "retrieval", "ranking"))


def fitted_target(world: AdsWorld, n_out: int) -> Target:
    """Passes on the best offers of the ads that may be shown."""
    target = Target(n_out, KEYS, action_prob=0.1)
    target.fit(TrainingData(world.catalog), Fitting())
    return target


def judged_requests(world: AdsWorld, state: State, settings: Settings) -> Requests:
    """Pages of the day after the log, drawn at random."""
    requests = world.arrivals(np.arange(world.n_users), settings.n_days, state)
    luck = rng.uniform(world.seed, "judged pages", requests.request_id)
    return requests.take(np.sort(np.argsort(luck)[: settings.n_judged]))


def match_scores(world: AdsWorld, log: Log, eligible: RankingBatch) -> Floats:
    """(n_candidates,) P(click) x offer by towers fitted on the log, with the options of `stage=match`."""
    match = Match(len(world.catalog), REQUEST, ITEM, SAME)
    options = TrainerOptions(n_threads=1)
    match.fit(TrainingData(world.catalog, log), Fitting(options, seed=world.seed))
    return match.scored(eligible).candidates["score"]


def true_values(world: AdsWorld, batch: RankingBatch) -> tuple[Floats, Floats]:
    """(n_candidates,) P(click | looked at) of each, and that times what a click is worth."""
    found = batch.candidates
    probs = world.probs(batch.requests, found.request_rows, found.items, np.zeros(len(found)))
    return probs.click, probs.click * world.worth(found.items, probs)


def left(batch: RankingBatch, order: Floats, value: Floats) -> dict[str, float]:
    """What is left of the best k among the first n of an order, as a share of the best k of all."""
    offsets = batch.candidates.offsets
    kept = {n: ragged.top(order, offsets, n) for n in FIRST}
    return {
        name_of(k, n): best_of(value[rows], cut, k) / best_of(value, offsets, k)
        for k in BEST
        for n, (rows, cut) in kept.items()
    }


def best_of(value: Floats, offsets: ragged.Ints, k: int) -> float:
    """The sum of each segment's k highest values, over all segments."""
    return float(value[ragged.top(value, offsets, k)[0]].sum())


def name_of(k: int, n: int) -> str:
    """What the figure is called."""
    return f"best {k} of first {n}"


def sizes(log: Log, eligible: RankingBatch, settings: Settings) -> dict[str, float]:
    """How much there was to learn from, and how many ads may be shown on a page."""
    click, day = log.impressions["click"], log.impressions["time_days"]
    return {
        "eligible": float(eligible.candidates.counts.mean()),
        "clicks, first days": float(click[day < settings.n_first_days].sum()),
        "clicks, all days": float(click.sum()),
    }


def kept_world(store: Store, settings: Settings, code: str, seed: int) -> Found:
    """The same, from the store if it is there."""
    key = key_of("match", asdict(settings), code, seed)
    return store.get_or_make(
        "match",
        key,
        partial(one_world, settings, seed),
        lambda made, folder: write_json(folder / "found.json", made),
        lambda folder: read_json(folder / "found.json"),
    )


def figures(worlds: Sequence[Found]) -> dict[str, dict[str, OverWorlds]]:
    """Arm -> "best k of first n" -> its figure."""
    return {
        arm: {
            name: over_worlds(*(np.array([world[each][name] for world in worlds]) for each in (arm, OFFERS)))
            for name in worlds[0][arm]
        }
        for arm in ARMS
    }


def mean_sizes(worlds: Sequence[Found]) -> dict[str, float]:
    """The sizes of the worlds, on average."""
    return {name: float(np.mean([world["world"][name] for world in worlds])) for name in worlds[0]["world"]}


HEAD = """# Do two towers find the ads that earn most?

Made by `experiments/match.py`. Worlds of seeds {seeds}, fixed before the first run: {n_users:,} people,
{n_campaigns:,} campaigns, {eligible:,.0f} ads eligible for a page. Towers learnt from the first
{n_first_days} days ({few:,.0f} clicks) or all {n_days} ({all:,.0f} clicks) of the pre-existing system's log;
{n_judged:,} pages of the day after are judged. What is left, among the first n, of the true value of the best
{k} of all; below it the difference from offers, paired by world, with 95% intervals over the worlds. The
truth itself leaves 1.
"""


def as_markdown(
    found: Mapping[str, Mapping[str, OverWorlds]], size: Mapping[str, float], settings: Settings
) -> str:
    """The figures as a table for each k."""
    head = HEAD.format(
        seeds=f"{SEEDS[0]} to {SEEDS[-1]}",
        eligible=size["eligible"],
        few=size["clicks, first days"],
        all=size["clicks, all days"],
        k=" or ".join(map(str, BEST)),
        **asdict(settings),
    )
    return head + "".join(_table(found, k) for k in BEST)


def _table(found: Mapping[str, Mapping[str, OverWorlds]], k: int) -> str:
    head = f"\n| best {k}, by | {' | '.join(f'n = {n:,}' for n in FIRST)} |\n|---|{'---|' * len(FIRST)}\n"
    rows = (
        f"| {arm} | {' | '.join(_cell(of[name_of(k, n)]) for n in FIRST)} |\n" for arm, of in found.items()
    )
    return head + "".join(rows)


def _cell(figure: OverWorlds) -> str:
    value, difference, low, high = figure
    moved = "" if low == high else f"<br>{difference:+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"{value:.3f}{moved}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value)
    parser.add_argument("--n-processes", type=int, default=2)
    parser.add_argument("--store", type=Path, default=Path("outputs/store"))
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    settings = Settings(**{name: getattr(options, name) for name in asdict(Settings())})
    one = partial(kept_world, Store(options.store), settings, code_version())
    with ProcessPoolExecutor(options.n_processes, get_context("spawn")) as pool:
        worlds = list(pool.map(one, SEEDS))
    found, size = figures(worlds), mean_sizes(worlds)
    plain = {arm: {name: figure._asdict() for name, figure in of.items()} for arm, of in found.items()}
    kept = {"seeds": SEEDS, **asdict(settings), "sizes": size, "figures": plain}
    write_json(options.out / "match.json", kept)
    write_text(options.out / "match.md", as_markdown(found, size, settings))


if __name__ == "__main__":
    main()
