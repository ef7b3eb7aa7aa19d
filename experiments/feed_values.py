"""What should a feed be ordered by? Engagement against what people hide, as the values of actions move.

    python experiments/feed_values.py

Worlds of eight seeds, fixed before the first run. In each a log is collected by the feed that stands, and
the funnel of `mlsd run problem=feed` is learnt from it, once. Every arm is that funnel at other values:
nothing is learnt anew, since values only say what predictions are worth. Each arm serves everybody for two
weeks, from the same state and with the same luck, and so does the feed that stands (newest first).

The hypothesis, set down before the first run: **ordered by the probability of a click alone, people come back
less than at the declared values**. It is tested by the true visits of a person, paired by world.

The frontier is of engagement, what is done at the declared values without those below 0, and of negative
actions. At first hides and reports weighed up to 10 times as much as declared; no end of the frontier was in
sight there, so 30 and 100 times and hides alone were added, in the same worlds, after that was known.

Worlds are kept in `--store`, so that a study that was cut off goes on. Results are written to
`experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlsd.config.build import build
from mlsd.config.check import check
from mlsd.config.compose import compose_overrides
from mlsd.config.resolve import resolve
from mlsd.config.schema import System
from mlsd.estimators.worlds import OverWorlds, over_worlds
from mlsd.funnel import Funnel
from mlsd.online.base import Ratio, total, totals
from mlsd.online.feed_test import HIDDEN, METRICS, FeedCounter, FeedTest
from mlsd.online.frontier import is_unbeaten
from mlsd.online.outcomes import served_days
from mlsd.problems.feed import FeedProblem
from mlsd.progress import silent
from mlsd.runs import steps
from mlsd.runs.outcome import Logged
from mlsd.serving import Greedy, Observing
from mlsd.stages.rank import ActionRank
from mlsd.store import Store, code_version, key_of, read_json, write_json, write_text
from mlsd.worlds.base import LiveWorld

SEEDS = tuple(range(601, 609))
DECLARED, CLICKS, STANDING = "declared", "clicks alone", "newest first"
FACTORS = (0, 3, 10, 30, 100)
"""How many times as much as declared hides and reports weigh."""

WEIGHED = tuple(f"hides x {factor}" for factor in FACTORS)
ALONE = {CLICKS: "click", "likes alone": "like", "reading alone": "dwell_s", "replies alone": "reply"}
ARMS = (DECLARED, *WEIGHED, "hides alone", *ALONE, STANDING)
CHART = "feed_values.svg"
ENGAGEMENT, NEGATIVE, VISITS = "engagement_per_page", "negative_rate", "sessions_per_user"

RATIOS: Mapping[str, Ratio] = {**METRICS, **HIDDEN, ENGAGEMENT: METRICS["value_per_page"]}
WORDS = {
    ENGAGEMENT: "engagement per page",
    "click_rate": "clicks per 1,000 posts",
    "like_rate": "likes per 1,000 posts",
    "dwell_s_per_page": "seconds read per page",
    NEGATIVE: "hidden or reported per 1,000 posts",
    "satisfied_per_page": "satisfying posts per page",
    "annoyed_per_page": "annoying posts per page",
    VISITS: "visits of a person",
    "retention_7d": "back after 7 days, %",
}
SHOWN = tuple(WORDS)
SCALE = {"click_rate": 1000.0, "like_rate": 1000.0, NEGATIVE: 1000.0, "retention_7d": 100.0}

Found = dict[str, dict[str, float]]
"""Arm -> metric -> its value in one world."""


def arms_of(declared: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Arm -> what each action is worth; an action that is not there is worth nothing.

    Example:
        >>> arms_of({"click": 0.2, "hide": -8.0})["hides x 3"]
        {'click': 0.2, 'hide': -24.0}
    """
    liked, disliked = parted(declared)
    weighed = {
        arm: {**liked, **{action: value * factor for action, value in disliked.items()}}
        for arm, factor in zip(WEIGHED, FACTORS, strict=True)
    }
    alone = {arm: {action: 1.0} for arm, action in ALONE.items()}
    return {DECLARED: dict(declared), **weighed, "hides alone": disliked, **alone}


def parted(declared: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """The values above 0, and those below."""
    liked = {action: value for action, value in declared.items() if value > 0}
    return liked, {action: value for action, value in declared.items() if value < 0}


def one_world(overrides: Sequence[str], store: Path, seed: int) -> Found:
    """A world under every arm."""
    config = check(compose_overrides(["problem=feed", f"seed={seed}", f"store.folder={store}", *overrides]))
    system, plain = build(config), resolve(config).values
    kept = Store(store)
    logged = steps.make_log(system, plain, kept, silent)
    labels = system.labels.make(logged.log)
    funnel = steps.fit(system, plain, logged, labels, kept, silent).funnel
    assert isinstance(system.problem, FeedProblem)  # noqa: S101
    declared = system.problem.values
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
    assert isinstance(system.problem, FeedProblem)  # noqa: S101
    assert collect  # noqa: S101
    liked, _ = parted(system.problem.values)
    counter, users = FeedCounter(world, replace(online, values=liked)), np.arange(world.n_users)
    days = range(collect.n_days, collect.n_days + online.n_days)
    policy = Observing(funnel, lambda known: Greedy(known, system.problem.n_positions))
    counts = totals(served_days(counter, policy, users, days, logged.state, system.problem.latency_ms))
    return {name: total(counts, RATIOS[name]) for name in SHOWN}


def kept(overrides: Sequence[str], store: Path, code: str, seed: int) -> Found:
    """The same, from the store if it is there."""
    return Store(store).get_or_make(
        "feed_values",
        key_of("feed values", list(overrides), FACTORS, ALONE, SHOWN, code, seed),
        partial(one_world, overrides, store, seed),
        lambda made, folder: write_json(folder / "found.json", made),
        lambda folder: read_json(folder / "found.json"),
    )


def figures(worlds: Sequence[Found]) -> dict[str, dict[str, OverWorlds]]:
    """Arm -> metric -> its figure, against the declared values."""
    values = {
        arm: {name: np.array([world[arm][name] for world in worlds]) for name in SHOWN}
        for arm in ARMS
        if arm in worlds[0]
    }
    base = values[DECLARED]
    return {
        arm: {name: over_worlds(of_metric[name], base[name]) for name in SHOWN}
        for arm, of_metric in values.items()
    }


def unbeaten(found: Mapping[str, Mapping[str, OverWorlds]]) -> list[str]:
    """Arms on the frontier: no other has as much engagement for fewer negative actions, on the mean."""
    gained, cost = (np.array([of[name].value for of in found.values()]) for name in (ENGAGEMENT, NEGATIVE))
    return [arm for arm, best in zip(found, is_unbeaten(gained, cost).tolist(), strict=True) if best]


HEAD = """# What should a feed be ordered by?

![Engagement, and visits, against what people hide]({chart})

Made by `experiments/feed_values.py`. Worlds of seeds {seeds}, fixed before the first run. Every arm is the
same funnel at other values of the same predictions, and serves everybody for two weeks; *{standing}* is the
feed that stands. Means over the worlds; below them differences from the declared values, paired by world,
with 95% intervals over the worlds. All figures are of all people: there is nothing to estimate. Engagement
is what is done, each action at its declared value, without those below 0. *hides x 3*: hides and reports
weigh three times as much as declared; the line goes along these factors. ◆ is on the frontier: no other arm
has as much engagement for fewer negative actions.

| ordered by | {names} |
|---|{rule}
"""


def as_markdown(found: Mapping[str, Mapping[str, OverWorlds]], seeds: Sequence[int]) -> str:
    """The figures as a table, and what they say of the hypothesis."""
    head = HEAD.format(
        chart=CHART,
        seeds=f"{seeds[0]} to {seeds[-1]}",
        standing=STANDING,
        names=" | ".join(WORDS[name] for name in SHOWN),
        rule="---|" * len(SHOWN),
    )
    front = unbeaten(found)
    rows = [
        f"| {arm}{' ◆' if arm in front else ''} | " + " | ".join(_cells(of)) + " |\n"
        for arm, of in found.items()
    ]
    return head + "".join(rows) + "\n" + verdict(found[CLICKS][VISITS]) + "\n"


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


def draw(found: Mapping[str, Mapping[str, OverWorlds]], path: Path) -> None:
    """Two panels against negative actions: engagement with its frontier, and visits."""
    front = unbeaten(found)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mlsd", "font.size": 8.5}):
        figure = Figure(figsize=(10.0, 4.4), layout="constrained", facecolor="white")
        for axes, name in zip(figure.subplots(1, 2), (ENGAGEMENT, VISITS), strict=True):
            _panel(axes, found, name, front)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _panel(
    axes: Axes, found: Mapping[str, Mapping[str, OverWorlds]], name: str, front: Sequence[str]
) -> None:
    """A mark for each arm but the feed that stands, far off; a line along the factors of hides, rising."""
    at = {arm: (SCALE[NEGATIVE] * of[NEGATIVE].value, of[name].value) for arm, of in found.items()}
    rising = (WEIGHED[0], DECLARED, *WEIGHED[1:], "hides alone")
    axes.plot(*zip(*(at[arm] for arm in rising), strict=True), color="#94a3b8", linewidth=1)
    for arm, (x, y) in at.items():
        if arm == STANDING:
            continue
        ink, mark = ("#2563eb", "D") if arm in front else ("#334155", "o")
        axes.plot(x, y, mark, color=ink, markersize=5)
        axes.annotate(arm.removeprefix("hides x "), (x, y), xytext=(5, 2), textcoords="offset points")
    axes.set_xlabel(WORDS[NEGATIVE])
    axes.set_title(WORDS[name], loc="left", fontsize=10)
    axes.margins(0.12)
    axes.spines[["top", "right"]].set_visible(False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Try every arm in every world, write the table and draw the frontier."""
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
    draw(found, options.out / CHART)


if __name__ == "__main__":
    main()
