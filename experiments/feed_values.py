"""What should a feed be ordered by? Engagement against what people hide, as the values of actions move.

    python experiments/feed_values.py

Worlds of eight seeds, fixed before the first run. In each a log is collected by the feed that stands, and
the funnel of `mlsd run problem=feed` is learnt from it, once. Every arm is that funnel at other values:
nothing is learnt anew, since values only say what predictions are worth. Each arm serves everybody for two
weeks, from the same state and with the same luck, and so does the feed that stands (newest first).

The hypothesis, set down before the first run: **ordered by the probability of a click alone, people come back
less than at the declared values**. It is tested by the true visits of a person, paired by world.

Worlds are kept in `--store`, so that a study that was cut off goes on. Results are written to
`experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from mlsd.config.build import build
from mlsd.config.check import check
from mlsd.config.compose import compose_overrides
from mlsd.config.resolve import resolve
from mlsd.config.schema import System
from mlsd.estimators.worlds import OverWorlds, over_worlds
from mlsd.funnel import Funnel
from mlsd.online.base import Ratio, total, totals
from mlsd.online.feed_test import HIDDEN, METRICS, FeedCounter, FeedTest
from mlsd.online.outcomes import served_days
from mlsd.progress import silent
from mlsd.runs import steps
from mlsd.runs.outcome import Logged
from mlsd.serving import Greedy, Observing
from mlsd.stages.rank import ActionRank
from mlsd.store import Store, code_version, key_of, read_json, write_json, write_text
from mlsd.worlds.base import LiveWorld

SEEDS = tuple(range(601, 609))
DECLARED, CLICKS, STANDING = "declared", "clicks alone", "newest first"
NEGATIVE = ("hide", "report")

RATIOS: Mapping[str, Ratio] = {**METRICS, **HIDDEN}
SHOWN = (
    "click_rate", "like_rate", "dwell_s_per_page", "negative_rate", "satisfied_per_page", "annoyed_per_page",
    "sessions_per_user", "retention_7d",
)  # fmt: skip
WORDS = {
    "click_rate": "clicks per 1,000 posts",
    "like_rate": "likes per 1,000 posts",
    "dwell_s_per_page": "seconds read per page",
    "negative_rate": "hidden or reported per 1,000 posts",
    "satisfied_per_page": "satisfying posts per page",
    "annoyed_per_page": "annoying posts per page",
    "sessions_per_user": "visits of a person",
    "retention_7d": "back after 7 days, %",
}
SCALE = {"click_rate": 1000.0, "like_rate": 1000.0, "negative_rate": 1000.0, "retention_7d": 100.0}

Found = dict[str, dict[str, float]]
"""Arm -> metric -> its value in one world."""


def arms_of(declared: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Arm -> what each action is worth; an action that is not there is worth nothing.

    Example:
        >>> arms_of({"click": 0.2, "hide": -8.0})["hides x 3"]
        {'click': 0.2, 'hide': -24.0}
    """

    def times(factor: float) -> dict[str, float]:
        return {action: value * (factor if action in NEGATIVE else 1.0) for action, value in declared.items()}

    return {
        DECLARED: dict(declared),
        "hides x 0": times(0.0),
        "hides x 3": times(3.0),
        "hides x 10": times(10.0),
        CLICKS: {"click": 1.0},
        "likes alone": {"like": 1.0},
        "reading alone": {"dwell_s": 1.0},
        "replies alone": {"reply": 1.0},
    }


def one_world(overrides: Sequence[str], store: Path, seed: int) -> Found:
    """A world under every arm."""
    config = check(compose_overrides(["problem=feed", f"seed={seed}", f"store.folder={store}", *overrides]))
    system, plain = build(config), resolve(config).values
    kept = Store(store)
    logged = steps.make_log(system, plain, kept, silent)
    labels = system.labels.make(logged.log)
    funnel = steps.fit(system, plain, logged, labels, kept, silent).funnel
    declared = plain["problem"]["action_values"]
    found = {arm: served(system, logged, valued(funnel, values)) for arm, values in arms_of(declared).items()}
    assert logged.existing is not None  # noqa: S101  (users are live)
    return {**found, STANDING: served(system, logged, logged.existing)}


def valued(funnel: Funnel, values: Mapping[str, float]) -> Funnel:
    """The same predictions at other values."""
    stages = {
        name: stage.valued(values) if isinstance(stage, ActionRank) else stage
        for name, stage in funnel.stages.items()
    }
    return Funnel(stages)


def served(system: System, logged: Logged, funnel: Funnel) -> dict[str, float]:
    """What everybody does in the two weeks after the log, served by one funnel."""
    world, online, collect = system.world, system.online, system.logging and system.logging.collect
    assert isinstance(world, LiveWorld)  # noqa: S101
    assert isinstance(online, FeedTest)  # noqa: S101
    assert collect  # noqa: S101
    counter, users = FeedCounter(world, online), np.arange(world.n_users)
    days = range(collect.n_days, collect.n_days + online.n_days)
    policy = Observing(funnel, lambda known: Greedy(known, system.problem.n_positions))
    counts = totals(served_days(counter, policy, users, days, logged.state, system.problem.latency_ms))
    return {name: total(counts, RATIOS[name]) for name in SHOWN}


def kept(overrides: Sequence[str], store: Path, code: str, seed: int) -> Found:
    """The same, from the store if it is there."""
    return Store(store).get_or_make(
        "feed_values",
        key_of("feed values", list(overrides), code, seed),
        partial(one_world, overrides, store, seed),
        lambda made, folder: write_json(folder / "found.json", made),
        lambda folder: read_json(folder / "found.json"),
    )


def figures(worlds: Sequence[Found]) -> dict[str, dict[str, OverWorlds]]:
    """Arm -> metric -> its figure, against the declared values."""
    values = {
        arm: {name: np.array([world[arm][name] for world in worlds]) for name in SHOWN} for arm in worlds[0]
    }
    base = values[DECLARED]
    return {
        arm: {name: over_worlds(of_metric[name], base[name]) for name in SHOWN}
        for arm, of_metric in values.items()
    }


HEAD = """# What should a feed be ordered by?

Made by `experiments/feed_values.py`. Worlds of seeds {seeds}, fixed before the first run. Every arm is the
same funnel at other values of the same predictions, and serves everybody for two weeks; *{standing}* is the
feed that stands. Means over the worlds; below them differences from the declared values, paired by world,
with 95% intervals over the worlds. All figures are of all people: there is nothing to estimate.

| ordered by | {names} |
|---|{rule}
"""


def as_markdown(found: Mapping[str, Mapping[str, OverWorlds]], seeds: Sequence[int]) -> str:
    """The figures as a table, and what they say of the hypothesis."""
    head = HEAD.format(
        seeds=f"{seeds[0]} to {seeds[-1]}",
        standing=STANDING,
        names=" | ".join(WORDS[name] for name in SHOWN),
        rule="---|" * len(SHOWN),
    )
    rows = [f"| {arm} | " + " | ".join(_cells(of)) + " |\n" for arm, of in found.items()]
    return head + "".join(rows) + "\n" + verdict(found[CLICKS]["sessions_per_user"]) + "\n"


def verdict(visits: OverWorlds) -> str:
    """What the true visits of a person say of the hypothesis.

    Example:
        >>> verdict(OverWorlds(7.0, -0.2, -0.3, -0.1)).partition(":")[0]
        '**The hypothesis holds in these worlds'
    """
    moved = f"{visits.difference:+.3f} [{visits.low:+.3f}, {visits.high:+.3f}]"
    if visits.high < 0:
        answer = "The hypothesis holds in these worlds"
    elif visits.low > 0:
        answer = "The hypothesis is wrong in these worlds"
    else:
        answer = "The hypothesis is not decided"
    return f"**{answer}:** clicks alone change the visits of a person by {moved} against the declared values."


def _cells(of_metric: Mapping[str, OverWorlds]) -> list[str]:
    cells = []
    for name in SHOWN:
        value, difference, low, high = (SCALE.get(name, 1.0) * part for part in of_metric[name])
        moved = "" if low == high else f"<br>{difference:+.2f} [{low:+.2f}, {high:+.2f}]"
        cells.append(f"{value:.2f}{moved}")
    return cells


def main(arguments: Sequence[str] | None = None) -> None:
    """Try every arm in every world, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-processes", type=int, default=2, help="worlds at a time")
    parser.add_argument("--store", type=Path, default=Path("outputs/store"), help="where worlds are kept")
    parser.add_argument("--out", type=Path, default=Path("experiments/results"), help="of the results")
    options = parser.parse_args(arguments)
    work = partial(kept, (), options.store, code_version())
    with ProcessPoolExecutor(options.n_processes, get_context("spawn")) as pool:
        found = figures(list(pool.map(work, SEEDS)))
    plain = {arm: {name: of[name]._asdict() for name in SHOWN} for arm, of in found.items()}
    write_json(options.out / "feed_values.json", {"seeds": SEEDS, "figures": plain})
    write_text(options.out / "feed_values.md", as_markdown(found, SEEDS))


if __name__ == "__main__":
    main()
