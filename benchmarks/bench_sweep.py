"""Sweeps: python benchmarks/bench_sweep.py.

On the default world, of the last rank stage alone: what a trial takes beyond its trainings; twenty trials of
a sweep beside twenty separate runs that share the store (both extrapolated from the few that are measured
here); and two workers beside one, once both have loaded what they need, in rounds that alternate. Every
training takes the same number of epochs, or luck would decide who has more to do. Fits what is before that
stage first unless the store has it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mlsd.tuning.crew import Alone, Processes
from mlsd.tuning.trial import Plan, Result

BASE = ("problem=search", "trainer.max_epochs=6", "trainer.patience=6")
METRICS = {"quality": "funnel.nDCG@10"}
RATE = "funnel.stages.full_rank.ranker.learning_rate"
N_TRIALS, N_RUNS, N_OF_SWEEP, N_ROUNDS = 8, 2, 20, 3

OVERHEAD_S, TIMES_QUICKER, TWO_WORKERS = 0.3, 5.0, 1.6


def main() -> None:
    started = int(time.time())
    with TemporaryDirectory() as folder:
        plan = Plan(BASE, (), METRICS, 1, Path(folder), 2)
        beside_runs(plan, started)
        beside_one_worker(plan, started)


def beside_runs(plan: Plan, started: int) -> None:
    """What a trial takes beyond its trainings, and twenty of them beside twenty runs."""
    first, *others = alone(plan, [rate(started, number) for number in range(N_TRIALS + 1)])
    overheads = [float(one.facts["seconds"]) - fitted_s(one) for one in others]
    trial_s = statistics.median(float(one.facts["seconds"]) for one in others)
    beyond_s = statistics.median(overheads)
    print(f"a trial: median {trial_s:.2f} s; beyond trainings {beyond_s:.2f} s (at most {OVERHEAD_S})")
    run_s = statistics.median(run(rate(started, 1000 + number), plan.place) for number in range(N_RUNS))
    sweep_s, runs_s = float(first.facts["seconds"]) + (N_OF_SWEEP - 1) * trial_s, N_OF_SWEEP * run_s
    print(f"a separate run that finds the earlier stages in the store: {run_s:.1f} s")
    print(f"{N_OF_SWEEP} trials {sweep_s:.0f} s, {N_OF_SWEEP} runs {runs_s:.0f} s, extrapolated:", end=" ")
    print(f"{runs_s / sweep_s:.1f} times as quick (at least {TIMES_QUICKER:g})")


def beside_one_worker(plan: Plan, started: int) -> None:
    """Two workers beside one, the work being equal."""
    ratios = []
    for number in range(N_ROUNDS):
        one, two = (workers_s(plan, n, started, 100 * (2 * number + n)) for n in (1, 2))
        ratios.append(one / two)
        print(f"{N_TRIALS} trials by one worker {one:.1f} s, by two {two:.1f} s: {ratios[-1]:.2f}")
    print(f"median {statistics.median(ratios):.2f} times as quick (at least {TWO_WORKERS})")


def rate(started: int, number: int) -> str:
    """A learning rate that no run before had, so that nothing is looked up."""
    return f"{RATE}={0.001 + (started % 100_000) * 1e-9 + number * 1e-6!r}"


def alone(plan: Plan, overrides: Sequence[str]) -> list[Result]:
    crew = Alone(plan, lambda *_: False)
    found = []
    for number, override in enumerate(overrides):
        crew.start(number, [override])
        found += [ended.result for ended in crew.ended(0) if ended.result]
    return found


def fitted_s(result: Result) -> float:
    return float(
        sum(s for of_seed in result.facts["stages"] for _, how, s in of_seed.values() if how == "fitted")
    )


def run(override: str, folder: Path) -> float:
    began = time.perf_counter()
    name = override.rpartition("=")[2]
    words = ["run", *BASE, override, f"hydra.run.dir={folder}/{name}"]
    subprocess.run(  # noqa: S603  (our own command)
        [sys.executable, "-m", "mlsd", *words], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def workers_s(plan: Plan, n: int, started: int, first: int) -> float:
    """Seconds of some trials by so many workers, after each has done one."""
    crew = Processes(Plan(plan.base, (), METRICS, 1, plan.place, 2 // n), n, lambda *_: False)
    try:
        work(crew, [rate(started, first + number) for number in range(n)])
        began = time.perf_counter()
        work(crew, [rate(started, first + n + number) for number in range(N_TRIALS)])
        return time.perf_counter() - began
    finally:
        crew.stop()


def work(crew: Processes, overrides: list[str]) -> None:
    waiting = list(enumerate(overrides))
    while waiting or crew.is_busy:
        while waiting and crew.n_free:
            number, override = waiting.pop()
            crew.start(number, [override])
        crew.ended(1.0)


if __name__ == "__main__":
    main()
