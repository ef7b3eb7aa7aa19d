"""What does a rating budget buy, beside the clicks that a log has anyway?

    python experiments/rating_budget.py

Each arm learns the same funnel from other labels: from actions, from raters with several budgets, or from
both. Every arm is run on the same three worlds, whose seeds were fixed before the first run. The figure that
decides is the funnel's nDCG@10 by the truth; differences are from `labels=actions`, paired by request, with
intervals over the users of all worlds.

Finished runs are kept in `--store`, so that a study that was cut off goes on. Results are written to
`experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console

from mlsd.errors import InputError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.runner import run
from mlsd.store import Store, code_version, key_of, read_json, read_table, write_json, write_text

SEEDS = (201, 202, 203)
BUDGETS = (3000, 10_000, 30_000)
BASE = "labels=actions"
DECIDES = "funnel.nDCG@10"
"""The column of a run's per-request table that decides."""

SIZE = (
    "experiment=search_small",
    "world.n_items=3000",
    "world.n_queries=500",
    "world.n_users=500",
    "trainer.max_epochs=40",
    "trainer.patience=3",
    "online=none",
    "ratings@test_ratings=none",
    "budget.n_requests=10",
)
"""Of every run. Enough epochs for the smallest budget, whose epochs are short: the best one is kept."""

FACTS = ("cost", "n_ratings", "n_pairs", "n_requests")


class Run(NamedTuple):
    """What is kept of a run.

    `table` has a row for each request of the test window; `facts` say what was rated, where anything was.
    """

    table: pd.DataFrame
    facts: Mapping[str, float]


class Figure(NamedTuple):
    """An arm's figure, its difference from the base with the ends of its interval, and what was rated.

    Facts are means over the worlds.
    """

    value: float
    difference: float
    low: float
    high: float
    facts: Mapping[str, float]


def arms(budgets: Sequence[int] = BUDGETS) -> dict[str, list[str]]:
    """Name -> overrides; the base first."""
    rated = {
        f"labels={kind}, {budget:,} ratings": [f"labels={kind}", f"labels.programme.budget={budget}"]
        for kind in ("human", "both")
        for budget in budgets
    }
    return {BASE: [BASE], **rated}


def one_run(overrides: Sequence[str], store: Store) -> Run:
    """A run, from the store if it is there."""
    key = key_of("rating budget", list(overrides), code_version())

    def make() -> Run:
        with TemporaryDirectory() as folder:
            kept = [*overrides, f"store.folder={store.folder}"]
            finished = run(kept, Path(folder, "run"), Console(quiet=True)).folder
            table = read_table(finished / "offline" / "per_request.parquet")
            ratings = read_json(finished / "metrics.json").get("ratings", {}).get("labels", {})
        facts = {name: float(ratings.get(name, 0)) for name in FACTS}
        return Run(table[["request_id", "user", DECIDES]], facts)

    def save(made: Run, folder: Path) -> None:
        made.table.to_parquet(folder / "per_request.parquet", index=False)
        write_json(folder / "facts.json", made.facts)

    def load(folder: Path) -> Run:
        return Run(read_table(folder / "per_request.parquet"), read_json(folder / "facts.json"))

    return store.get_or_make("rating_budget", key, make, save, load)


def run_all(shared: Sequence[str], store: Store, n_processes: int) -> dict[str, list[Run]]:
    """Arm -> its runs, one for each seed."""
    jobs = [(arm, [*shared, *own, f"seed={seed}"]) for seed in SEEDS for arm, own in arms().items()]
    runs: dict[str, list[Run]] = {arm: [] for arm in arms()}
    with ProcessPoolExecutor(n_processes, get_context("spawn")) as pool:
        done = pool.map(partial(one_run, store=store), [overrides for _, overrides in jobs])
        for n, ((arm, _), made) in enumerate(zip(jobs, done, strict=True), start=1):
            runs[arm].append(made)
            print(f"\r{n} of {len(jobs)} runs", end="" if n < len(jobs) else "\n", flush=True)
    return runs


def figures(runs: Mapping[str, Sequence[Run]]) -> dict[str, Figure]:
    """Arm -> its figure."""
    tables = {arm: _together([one.table for one in of_arm]) for arm, of_arm in runs.items()}
    base = tables[BASE]
    unit = pd.factorize(pd.MultiIndex.from_frame(base[["seed", "user"]]))[0].astype(np.int64)
    found = {}
    for arm, table in tables.items():
        if not table["request_id"].equals(base["request_id"]):
            raise InputError(f"arm {arm!r} was judged on other requests than {BASE!r}")
        values, before = (one[[DECIDES]].to_numpy() for one in (table, base))
        (difference,) = Bootstrap(seed=0).differences(values, before, unit)
        facts = {name: float(np.mean([one.facts[name] for one in runs[arm]])) for name in FACTS}
        found[arm] = Figure(
            float(np.nanmean(values)), difference.value, difference.low, difference.high, facts
        )
    return found


def _together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, keys=SEEDS, names=["seed"]).reset_index("seed")


HEAD = """# What a rating budget buys

Made by `experiments/rating_budget.py`. Seeds {seeds} (world and training), fixed before the first run.
Every run: {size}.
The funnel's nDCG@10 by the truth; differences are from `labels=actions`, paired by request, with 95%
intervals over the users of all three worlds. Cost, ratings, pairs and requests are means over the worlds.

| labels | nDCG@10 | difference | cost | ratings | pairs | requests |
|---|---|---|---|---|---|---|
"""


def as_markdown(found: Mapping[str, Figure], shared: Sequence[str]) -> str:
    """The figures as a table."""
    rows = [f"| `{arm}` | " + " | ".join(_cells(arm, figure)) + " |\n" for arm, figure in found.items()]
    size = ", ".join(f"`{override}`" for override in shared)
    return HEAD.format(seeds=", ".join(map(str, SEEDS)), size=size) + "".join(rows)


def _cells(arm: str, figure: Figure) -> list[str]:
    value, difference, low, high, facts = figure
    moved = "" if arm == BASE else f"{difference:+.4f} [{low:+.4f}, {high:+.4f}]"
    return [f"{value:.4f}", moved, *(f"{facts[name]:,.0f}" for name in FACTS)]


def plain(found: Mapping[str, Figure], shared: Sequence[str]) -> dict[str, Any]:
    """The same as plain values."""
    of_arms = {arm: figure._asdict() for arm, figure in found.items()}
    return {"seeds": SEEDS, "overrides": list(shared), "figures": of_arms}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--override", action="append", default=[], help="of every run, such as another size")
    parser.add_argument("--n-processes", type=int, default=2)
    parser.add_argument("--store", type=Path, default=Path("outputs/store"))
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    shared = (*SIZE, *options.override)
    found = figures(run_all(shared, Store(options.store), options.n_processes))
    write_json(options.out / "rating_budget.json", plain(found, shared))
    write_text(options.out / "rating_budget.md", as_markdown(found, shared))


if __name__ == "__main__":
    main()
