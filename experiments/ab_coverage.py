"""Do the intervals of the simulated A/B test cover the truth in 95 of 100 cases?

    python experiments/ab_coverage.py --n-worlds 300 --n-groups 400

Two policies of a small search world are compared again and again: the pre-existing system (BM25 with a
shuffled slice) and a better one (BM25 that lets repetitions count for more, weighed with authority). An
interval of an A/B test is about users like the ones tested, so it is judged against the truth averaged over
many tests, never over its own users alone. Two questions:

- **fresh worlds**: each test has its own collection, queries, users and luck;
- **fresh users**: all tests share one collection and its queries; users and luck are each test's own.

Finished worlds are kept in `--store`, so that a run that was cut off goes on. Any number of processes gives
the same result.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
from scipy import stats

from mlsd.fitting import Fitting
from mlsd.metrics.ndcg import NDCG
from mlsd.online.ab_test import ABTest
from mlsd.online.outcomes import RATED
from mlsd.online.raters import Raters
from mlsd.online.result import ABResult
from mlsd.progress import Progress
from mlsd.retrievers.bm25 import BM25
from mlsd.serving import Explore, Greedy, Policy
from mlsd.store import Store, code_version, key_of, read_json, write_json, write_text
from mlsd.types import Floats, RankingBatch, Requests
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld
from mlsd.worlds.search.vocabulary import LanguageOptions
from mlsd.worlds.search.wordings import ReformulationOptions, WordingOptions

LATENCIES_MS = {"control": 100.0, "treatment": 100.0}
LEVEL = 0.95
BAND_LEVEL = 0.999
AS_RATED = " as rated"
"""Raters' errors shrink the effect on their metric; as rated, the truth is shrunk alike."""


@dataclass(frozen=True)
class Settings:
    """What is simulated; with the seeds, all that results depend on."""

    n_items: int = 2000
    n_queries: int = 1000
    n_users: int = 2000
    n_days: int = 14
    judged_share: float = 0.1
    first_seed: int = 1

    @property
    def test(self) -> ABTest:
        return ABTest(raters=Raters(metric=NDCG(10), share=self.judged_share), n_days=self.n_days)

    def world(self, seed: int) -> SearchWorld:
        """Of clean queries, each about one thing and asked once."""
        return SearchWorld(
            seed=seed,
            n_items=self.n_items,
            n_queries=self.n_queries,
            n_users=self.n_users,
            click_model=PositionBased(),
            language=LanguageOptions(homonym_share=0.0),
            wordings=WordingOptions(misspelled_share=0.0, synonym_share=0.0, wordy_share=0.0),
            reformulation=ReformulationOptions(prob=0.0),
        )


class Finding(NamedTuple):
    """One metric of one test."""

    effect: float
    low: float
    high: float
    p_value: float
    truth: float


Findings = dict[str, Finding]


@dataclass(frozen=True)
class Weighed:
    """BM25, its best 50 ordered again by score times a weight that grows with authority."""

    bm25: BM25
    weight: Floats

    def __call__(self, requests: Requests) -> RankingBatch:
        found = RankingBatch(requests, self.bm25.retrieve(requests, 50))
        return found.top(found.candidates["score"] * self.weight[found.candidates.items], 20)


def policies(world: SearchWorld, seed: int) -> tuple[Policy, Policy]:
    """The pre-existing system and a better one."""
    standing, better = BM25(), BM25(k1=3.0)
    for retriever in (standing, better):
        retriever.fit(world.catalog, None, Fitting())
    flat = Weighed(standing, np.ones(len(world.catalog)))
    weighed = Weighed(better, 0.7 + 0.3 * np.sqrt(world.catalog["authority"]))
    return Explore(flat, n_positions=10, share=0.1, depth=20, seed=seed), Greedy(weighed, n_positions=10)


def one_world(settings: Settings, seed: int) -> Findings:
    """A test in a world of its own."""
    return findings_of(serve_both(settings, seed))


def serve_both(settings: Settings, seed: int) -> ABResult:
    """All users of a world under both policies."""
    world = settings.world(seed)
    return settings.test.run(world, *policies(world, seed), 0, world.first_state(), LATENCIES_MS, seed)


def groups_of_users(settings: Settings, n_groups: int) -> list[Findings]:
    """Tests on disjoint groups of the users of one world; since users do not meet, all are served at once."""
    crowd = replace(settings, n_users=settings.n_users * n_groups)
    users = serve_both(crowd, settings.first_seed - 1).users
    groups = users.groupby(users["user"] // settings.n_users)
    return [findings_of(settings.test.compare(group)) for _, group in groups]


def findings_of(result: ABResult) -> Findings:
    """Every metric that is estimated, and the raters' once more with the truth as raters see it."""
    found = {
        name: Finding(estimate.effect, estimate.low, estimate.high, estimate.p_value, effect.truth)
        for name, effect in result.effects.items()
        if np.isfinite((estimate := effect.estimate).low)
    }
    rated = next(iter(result.effects))
    return {**found, rated + AS_RATED: found[rated]._replace(truth=_truth_as_rated(result))}


def _truth_as_rated(result: ABResult) -> float:
    arms = result.users.groupby("arm")[list(RATED)].sum()
    rated = arms[RATED.numerator] / arms[RATED.denominator]
    return float(rated["treatment"] - rated["control"])


def fresh_worlds(
    settings: Settings, n_worlds: int, n_processes: int, store: Store, told: Progress
) -> list[Findings]:
    """A test in each of many worlds; those that an earlier run finished are in the store."""
    seeds = range(settings.first_seed, settings.first_seed + n_worlds)
    work = partial(_kept, store, settings, code_version())
    tests = []
    with ProcessPoolExecutor(n_processes, get_context("spawn")) as pool:
        for test in pool.map(work, seeds):
            tests.append(test)
            told(len(tests), n_worlds, "worlds")
    return tests


def _kept(store: Store, settings: Settings, code: str, seed: int) -> Findings:
    key = key_of("A/B test of a fresh world", asdict(settings), seed, code)
    return store.get_or_make("ab_coverage", key, lambda: one_world(settings, seed), _save, _load)


def _save(test: Findings, folder: Path) -> None:
    write_json(folder / "found.json", test)


def _load(folder: Path) -> Findings:
    return {name: Finding(*values) for name, values in read_json(folder / "found.json").items()}


class Coverage(TypedDict):
    """How one metric's intervals did."""

    truth: float
    truth_sd_between_tests: float
    mean_effect: float
    mean_standard_error: float
    covers_mean_truth: float
    covers_own_truth: float
    significant: float


class Summary(TypedDict):
    """How all intervals did, and the band that an honest 95% keeps to in 99.9 of 100 cases."""

    n_tests: int
    band: tuple[float, float]
    metrics: dict[str, Coverage]


def summary(tests: Sequence[Findings]) -> Summary:
    """Of every metric: how often its interval covers the mean truth, and the truth of its own users."""
    low, high = stats.binom.interval(BAND_LEVEL, len(tests), LEVEL)
    metrics = {name: _coverage([test[name] for test in tests]) for name in tests[0]}
    return Summary(n_tests=len(tests), band=(low / len(tests), high / len(tests)), metrics=metrics)


def _coverage(found: Sequence[Finding]) -> Coverage:
    effect, low, high, p_value, truth = np.array(found).T
    mean = truth.mean()
    return Coverage(
        truth=float(mean),
        truth_sd_between_tests=float(truth.std()),
        mean_effect=float(effect.mean()),
        mean_standard_error=float((high - low).mean() / (2 * stats.norm.isf((1 - LEVEL) / 2))),
        covers_mean_truth=float(((low <= mean) & (mean <= high)).mean()),
        covers_own_truth=float(((low <= truth) & (truth <= high)).mean()),
        significant=float((p_value < 1 - LEVEL).mean()),
    )


HEAD = """# Coverage of the simulated A/B test's 95% intervals

Made by `experiments/ab_coverage.py`; seeds were fixed before the first run. Search worlds of {n_items}
documents, {n_queries} queries and {n_users} users, of whom some four in five come; {n_days} days. Control:
BM25 with a tenth of its slates shuffled. Treatment: BM25 (k1 = 3) weighed with authority.
"""

TABLE = """
## {title}: {n_tests} tests

An honest 95% lies within {low:.1%} and {high:.1%} in 99.9 of 100 such experiments.

| metric | truth | its sd between tests | standard error | covers mean truth | covers own truth | p < .05 |
|---|---|---|---|---|---|---|
"""

ROW = (
    "| {name} | {truth:.5f} | {truth_sd_between_tests:.5f} | {mean_standard_error:.5f} "
    "| {covers_mean_truth:.1%} | {covers_own_truth:.1%} | {significant:.1%} |\n"
)


def as_markdown(settings: Settings, results: Mapping[str, Summary]) -> str:
    """The summaries as tables."""
    page = [HEAD.format(**asdict(settings))]
    for title, result in sorted(results.items()):
        low, high = result["band"]
        page.append(TABLE.format(title=title, n_tests=result["n_tests"], low=low, high=high))
        page += [ROW.format(name=name, **metric) for name, metric in sorted(result["metrics"].items())]
    return "".join(page)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both experiments and write `ab_coverage.json` and `ab_coverage.md`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--n-worlds", type=int, default=100)
    parser.add_argument("--n-groups", type=int, default=100)
    parser.add_argument("--n-processes", type=int, default=2)
    parser.add_argument("--store", type=Path, default=Path("outputs/store"))
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    settings = Settings(**{name: getattr(options, name) for name in asdict(Settings())})
    worlds = fresh_worlds(settings, options.n_worlds, options.n_processes, Store(options.store), _print)
    groups = groups_of_users(settings, options.n_groups)
    results = {"Fresh worlds": summary(worlds), "Fresh users": summary(groups)}
    write_json(options.out / "ab_coverage.json", {"settings": asdict(settings), "results": results})
    write_text(options.out / "ab_coverage.md", as_markdown(settings, results))


def _print(done: int, total: int, what: str) -> None:
    print(f"\r{done} of {total} {what}", end="" if done < total else "\n", flush=True)


if __name__ == "__main__":
    main()
