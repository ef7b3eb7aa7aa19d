"""What came out of a benchmark: arms by their figure, and what can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from mlsd.bench.benchmark import Benchmark, Expectation, Held
from mlsd.bench.job import Costs, Finished
from mlsd.errors import InputError, nearest
from mlsd.estimators.multiplicity import holm
from mlsd.estimators.two_way import SeedsInterval, TwoWayBootstrap
from mlsd.types import Floats, Ints

Standing = Literal["best", "not separable from the best", "behind the best"]
Verdict = Literal["as expected", "not shown", "refuted"]


class Difference(NamedTuple):
    """One arm minus another, paired by request."""

    value: float
    low: float
    high: float
    p_holm: float
    """After Holm over all pairs of arms."""

    @property
    def reversed(self) -> Difference:
        """The other minus the one."""
        return Difference(-self.value, -self.high, -self.low, self.p_holm)


class Target(NamedTuple):
    """A figure that an arm is held to."""

    kind: Literal["published", "holds"]
    value: float
    tolerance: float
    source: str
    """Of what was published; empty for a figure of our own."""
    met: bool


class Row(NamedTuple):
    """An arm."""

    arm: str
    value: float
    """Mean over seeds."""
    low: float
    high: float
    by_seed: tuple[float, ...]
    """In the order of the benchmark's seeds."""
    standing: Standing
    from_best: Difference
    """This arm minus the best one."""
    targets: tuple[Target, ...]
    costs: Costs
    """Means over seeds; parts that a clock measured never come out the same again."""


@dataclass(frozen=True)
class Leaderboard:
    """Arms, highest figure first.

    Args:
        rows: one for each arm.
        verdict: on the benchmark's expectation.
        held_against: the difference that the verdict is about, with its interval.
        n_units: independent units whose requests were judged.
        n_requests: of all seeds.
    """

    rows: tuple[Row, ...]
    verdict: Verdict
    held_against: Difference
    n_units: int
    n_requests: int

    @property
    def missed(self) -> list[str]:
        """What lies outside its tolerance, a line each."""
        return [
            f"{row.arm} == {row.value:.4f}, {each.kind}: must be within {each.tolerance:g} of {each.value:g}"
            for row in self.rows
            for each in row.targets
            if not each.met
        ]


class _Judged(NamedTuple):
    """The deciding metric of all arms, row by row."""

    values: Floats
    """(n_requests, n_arms)."""
    seeds: Ints
    units: Ints


def leaderboard_of(
    benchmark: Benchmark,
    runs: Mapping[str, Sequence[Finished]],
    *,
    crossed: bool,
    bootstrap: TwoWayBootstrap | None = None,
) -> Leaderboard:
    """Hold arms against each other.

    Nobody knows beforehand which arm will be the best, so p-values are corrected over all pairs of arms and
    not only over those with whichever came out first. "Not separable" is no equality: two arms may both not
    be separable from a third and yet from each other.

    Args:
        benchmark: what was asked.
        runs: arm -> its runs in the order of the benchmark's seeds.
        crossed: whether the same units recur under every seed.
        bootstrap: of the intervals.

    Raises:
        InputError: the runs lack the metric, or arms were judged on different requests.
    """
    bootstrap = bootstrap or TwoWayBootstrap()
    arms = list(runs)
    judged = _judged(benchmark, runs, crossed=crossed)
    figures = bootstrap.means(judged.values, judged.seeds, judged.units, crossed=crossed)
    pairs = _pairs(arms, judged, bootstrap, crossed=crossed)
    alpha = 1 - bootstrap.confidence
    best = max(arms, key=lambda arm: figures[arms.index(arm)].value)
    by_seed = _by_seed(judged, len(benchmark.seeds))
    rows = [
        Row(
            arm,
            *figure[:3],
            tuple(by_seed[:, at].tolist()),
            _standing(arm, best, pairs, alpha),
            _difference(arm, best, pairs),
            tuple(_targets(benchmark, arm, figure.value)),
            _mean_costs([one.costs for one in runs[arm]]),
        )
        for at, (arm, figure) in enumerate(zip(arms, figures, strict=True))
    ]
    ranked = sorted(rows, key=lambda row: (-row.value, row.arm != best))
    verdict, against = _verdict(benchmark.expect, ranked, pairs, alpha)
    return Leaderboard(tuple(ranked), verdict, against, len(np.unique(judged.units)), len(judged.values))


def _judged(benchmark: Benchmark, runs: Mapping[str, Sequence[Finished]], *, crossed: bool) -> _Judged:
    tables = {arm: _together(benchmark, arm, of_arm) for arm, of_arm in runs.items()}
    (first, base), *_ = tables.items()
    for arm, table in tables.items():
        if not table[["seed", "request_id"]].equals(base[["seed", "request_id"]]):
            raise InputError(f"arm {arm!r} was judged on other requests than {first!r}")
    units = ["user"] if crossed else ["seed", "user"]
    return _Judged(
        np.stack([table[benchmark.metric].to_numpy(np.float64) for table in tables.values()], axis=1),
        base["seed"].to_numpy(np.int64),
        pd.factorize(pd.MultiIndex.from_frame(base[units]), sort=True)[0].astype(np.int64),
    )


def _together(benchmark: Benchmark, arm: str, runs: Sequence[Finished]) -> pd.DataFrame:
    """The requests of all seeds; seeds by their place."""
    for one in runs:
        if benchmark.metric not in one.table.columns:
            near = nearest(benchmark.metric, [str(name) for name in one.table.columns])
            hint = f"; nearest is {near!r}" if near else ""
            raise InputError(f"metric: runs of arm {arm!r} have no {benchmark.metric!r}{hint}")
    columns = ["request_id", "user", benchmark.metric]
    tables = [one.table[columns].assign(seed=place) for place, one in enumerate(runs)]
    return pd.concat(tables, ignore_index=True)


Pairs = Mapping[tuple[str, str], Difference]


def _pairs(arms: Sequence[str], judged: _Judged, bootstrap: TwoWayBootstrap, *, crossed: bool) -> Pairs:
    """Every pair of arms -> the first minus the second."""
    places = list(combinations(range(len(arms)), 2))
    differences = np.stack([judged.values[:, i] - judged.values[:, j] for i, j in places], axis=1)
    found: list[SeedsInterval] = bootstrap.means(differences, judged.seeds, judged.units, crossed=crossed)
    corrected = holm(np.array([each.p_value for each in found]))
    return {
        (arms[i], arms[j]): Difference(*each[:3], float(p))
        for (i, j), each, p in zip(places, found, corrected, strict=True)
    }


def _difference(one: str, other: str, pairs: Pairs) -> Difference:
    if one == other:
        return Difference(0.0, 0.0, 0.0, 1.0)
    return pairs[one, other] if (one, other) in pairs else pairs[other, one].reversed


def _standing(arm: str, best: str, pairs: Pairs, alpha: float) -> Standing:
    if arm == best:
        return "best"
    return (
        "behind the best" if _difference(arm, best, pairs).p_holm < alpha else "not separable from the best"
    )


def _verdict(
    expected: Expectation, rows: Sequence[Row], pairs: Pairs, alpha: float
) -> tuple[Verdict, Difference]:
    """Whether it came out as expected, and the difference that says so."""
    if expected.best is not None:
        others = [row.arm for row in rows if row.arm != expected.best]
        return _of_best(expected.best, others, pairs, alpha)
    assert expected.than is not None  # noqa: S101  (checked with the benchmark)
    if expected.better is not None:
        difference = _difference(expected.better, expected.than, pairs)
        return _direction(difference, alpha), difference
    assert expected.not_worse is not None  # noqa: S101
    assert expected.margin is not None  # noqa: S101
    difference = _difference(expected.not_worse, expected.than, pairs)
    if difference.low > -expected.margin:
        return "as expected", difference
    return ("refuted" if difference.high < -expected.margin else "not shown"), difference


def _of_best(best: str, others: Sequence[str], pairs: Pairs, alpha: float) -> tuple[Verdict, Difference]:
    """Better than each other arm; refuted by a single one that is better. The difference is the nearest."""
    differences = [_difference(best, other, pairs) for other in others]
    verdicts = [_direction(each, alpha) for each in differences]
    closest = min(differences, key=lambda each: each.value)
    if "refuted" in verdicts:
        return "refuted", closest
    return ("as expected" if set(verdicts) == {"as expected"} else "not shown"), closest


def _direction(difference: Difference, alpha: float) -> Verdict:
    if not difference.p_holm < alpha:
        return "not shown"
    return "as expected" if difference.value > 0 else "refuted"


def _targets(benchmark: Benchmark, arm: str, value: float) -> list[Target]:
    """What an arm is held to, and whether it holds."""

    def target(kind: Literal["published", "holds"], held: Held, source: str = "") -> Target:
        met = abs(value - held.value) <= held.tolerance
        return Target(kind, held.value, held.tolerance, source, met)

    published, holds = benchmark.published.get(arm), benchmark.holds.get(arm)
    found = [target("published", published, published.source)] if published else []
    return [*found, target("holds", holds)] if holds else found


def _by_seed(judged: _Judged, n_seeds: int) -> Floats:
    """(n_seeds, n_arms) each run's figure."""
    return np.stack([np.nanmean(judged.values[judged.seeds == seed], axis=0) for seed in range(n_seeds)])


def _mean_costs(costs: Sequence[Costs]) -> Costs:
    train_s, n_parameters, p50_ms, p99_ms = np.mean([tuple(one) for one in costs], axis=0).tolist()
    return Costs(train_s, round(n_parameters), p50_ms, p99_ms)
