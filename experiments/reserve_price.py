"""Which reserve price? What it earns, and what it does to people and to advertisers.

    python experiments/reserve_price.py

Worlds of ten seeds, fixed before the first run, are served for four weeks by ad servers that know every
probability and differ in the least that a click costs (GSP, dual pacing). So what is compared is the rule,
not a model. Every arm meets the same people with the same luck; differences are from no reserve, paired by
world, with Student's t intervals over the worlds.

Worlds are kept in `--store`, so that a study that was cut off goes on. Results are written to
`experiments/results/`.
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

from mlsd.auctions.gsp import GSP
from mlsd.estimators.worlds import OverWorlds, over_worlds
from mlsd.online.ads_test import METRICS, AdsCounter
from mlsd.online.base import total, totals
from mlsd.online.outcomes import served_days
from mlsd.pacing.dual import Dual
from mlsd.store import Store, code_version, key_of, read_json, write_json, write_text
from mlsd.testing.known_market import known_server
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

SEEDS = tuple(range(401, 411))
RESERVES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""For a click; half of all campaigns value one at .6 or less."""

SHOWN = ("revenue_per_1000", "advertiser_value_per_1000", "ad_load", "ctr", "hide_rate", "sessions_per_user")
LATENCY_MS = 100.0


@dataclass(frozen=True)
class Settings:
    """How large the worlds are, and how long they are served."""

    n_users: int = 1000
    n_campaigns: int = 200
    n_days: int = 28


Found = dict[str, dict[str, float]]
"""Reserve -> metric -> its value in one world."""


def one_world(settings: Settings, seed: int) -> Found:
    """A world under every reserve price."""
    world = AdsWorld(
        seed=seed,
        n_users=settings.n_users,
        n_campaigns=settings.n_campaigns,
        click_model=PositionBased(),
    )
    counter, users = AdsCounter(world), np.arange(world.n_users)
    found = {}
    for reserve in RESERVES:
        server = known_server(world, GSP(reserve), Dual(20.0, update_minutes=60))
        days = range(settings.n_days)
        served = served_days(counter, server, users, days, world.first_state(), LATENCY_MS)
        counts = totals(served)
        found[str(reserve)] = {name: total(counts, METRICS[name]) for name in SHOWN}
    return found


def kept(store: Store, settings: Settings, code: str, seed: int) -> Found:
    """The same, from the store if it is there."""
    key = key_of("reserve price", asdict(settings), list(RESERVES), code, seed)
    return store.get_or_make(
        "reserve_price",
        key,
        partial(one_world, settings, seed),
        lambda made, folder: write_json(folder / "found.json", made),
        lambda folder: read_json(folder / "found.json"),
    )


def figures(worlds: Sequence[Found]) -> dict[str, dict[str, OverWorlds]]:
    """Reserve -> metric -> its figure."""
    values = {
        reserve: {name: np.array([world[reserve][name] for world in worlds]) for name in SHOWN}
        for reserve in worlds[0]
    }
    base = values[str(RESERVES[0])]
    return {
        reserve: {name: over_worlds(of_metric[name], base[name]) for name in SHOWN}
        for reserve, of_metric in values.items()
    }


HEAD = """# Which reserve price?

Made by `experiments/reserve_price.py`. Worlds of seeds {seeds}, fixed before the first run: {n_users:,}
people, {n_campaigns} campaigns, {n_days} days. Ad servers know every probability, sell by GSP and pace
by dual pacing; they differ in the least that a click costs. Means over the worlds; below them differences
from no reserve, paired by world, with 95% intervals over the worlds.

| reserve | {names} |
|---|{rule}
"""

WORDS = {
    "revenue_per_1000": "revenue per 1,000 pages",
    "advertiser_value_per_1000": "worth to advertisers per 1,000 pages",
    "ad_load": "ads a page",
    "ctr": "clicks per 1,000 ads",
    "hide_rate": "hidden per 1,000 ads",
    "sessions_per_user": "visits of a person",
}
SCALE = {"ctr": 1000.0, "hide_rate": 1000.0}


def as_markdown(found: Mapping[str, Mapping[str, OverWorlds]], settings: Settings) -> str:
    """The figures as a table."""
    head = HEAD.format(
        seeds=f"{SEEDS[0]} to {SEEDS[-1]}",
        names=" | ".join(WORDS[name] for name in SHOWN),
        rule="---|" * len(SHOWN),
        **asdict(settings),
    )
    rows = [f"| {reserve} | " + " | ".join(_cells(of)) + " |\n" for reserve, of in found.items()]
    return head + "".join(rows)


def _cells(of_metric: Mapping[str, OverWorlds]) -> list[str]:
    cells = []
    for name in SHOWN:
        value, difference, low, high = (SCALE.get(name, 1.0) * part for part in of_metric[name])
        moved = "" if low == high else f"<br>{difference:+.2f} [{low:+.2f}, {high:+.2f}]"
        cells.append(f"{value:.2f}{moved}")
    return cells


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
    settings = Settings(options.n_users, options.n_campaigns, options.n_days)
    one = partial(kept, Store(options.store), settings, code_version())
    with ProcessPoolExecutor(options.n_processes, get_context("spawn")) as pool:
        found = figures(list(pool.map(one, SEEDS)))
    plain = {reserve: {name: of[name]._asdict() for name in SHOWN} for reserve, of in found.items()}
    write_json(options.out / "reserve_price.json", {"seeds": SEEDS, **asdict(settings), "figures": plain})
    write_text(options.out / "reserve_price.md", as_markdown(found, settings))


if __name__ == "__main__":
    main()
