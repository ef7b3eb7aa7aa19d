"""`mlsd bench`: arms x seeds, a leaderboard with intervals and ties, and a gate against regressions."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

from rich.table import Table
from rich.text import Text

from mlsd.bench.job import Job, finished, is_finished, perform
from mlsd.bench.leaderboard import Leaderboard, leaderboard_of
from mlsd.bench.plan import Plan, plan_of
from mlsd.bench.processes import Processes
from mlsd.bench.provenance import provenance_of
from mlsd.bench.reading import read
from mlsd.bench.rendering import (
    cost_texts,
    difference_text,
    interval_text,
    markdown,
    plain,
    target_text,
    verdict_text,
)
from mlsd.commands.options import Parser, add_allow_target, add_config_dir, allow_targets, parser
from mlsd.commands.terminal import say
from mlsd.report.console import Terminal
from mlsd.report.numbers import p_text, plural, seconds
from mlsd.store import Store, write_json, write_text
from mlsd.threads import threads_each

USAGE = "FILE [FILE ...] [--quick] [--check] [--write] [--data DIR] [--n-workers N]"

DESCRIPTION = """\
Run a benchmark: every arm of a YAML under every seed, each in a process of its own. Finished runs are kept,
so that the same command goes on where it was cut off. See docs/bench.md.

  mlsd bench experiments/light_ranker.yaml
  mlsd bench experiments/retrieval_scifact.yaml --data DIR
  mlsd bench --quick --check experiments/light_ranker.yaml experiments/retrieval.yaml
"""

DATA = "MLSD_DATA"
"""The environment variable that names the folder of collections."""

WIDTH = 160
"""Columns where the output is no terminal."""

FAILED = 1
"""Exit code of a benchmark that is not whole, or whose figures lie outside their tolerances."""


def main(arguments: Sequence[str]) -> int:
    """Check every file, then run one after the other."""
    options = _parser().parse_args(list(arguments))
    allow_targets(options)
    files = [path for path in options.files if not options.quick or _is_quick(path)]
    if options.quick:
        say(f"quick benchmarks: {len(files)} of {len(options.files)}")
    plans = [(path, plan_of(path, _data(options), options.config_dir)) for path in files]
    return max((_bench(path, plan, options) for path, plan in plans), default=0)


def _parser() -> Parser:
    options = parser("bench", USAGE, DESCRIPTION)
    options.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a benchmark's YAML")
    options.add_argument("--quick", action="store_true", help="only those that say quick: true")
    options.add_argument("--check", action="store_true", help="exit 1 if a figure is outside its tolerance")
    options.add_argument("--write", action="store_true", help="render into the folder results beside FILE")
    options.add_argument("--data", type=Path, metavar="DIR", help=f"folder of collections; else {DATA}")
    options.add_argument(
        "--n-workers", type=_positive, default=os.cpu_count() or 1, metavar="N", help="runs at a time"
    )
    options.add_argument("--store", type=Path, default=Path("outputs/store"), metavar="DIR",
                         help="where finished runs are kept")  # fmt: skip
    add_config_dir(options)
    add_allow_target(options)
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text}, must be a whole number of at least 1")
    return int(text)


def _data(options: Namespace) -> Path | None:
    named = options.data or os.environ.get(DATA)
    return Path(named) if named else None


def _is_quick(path: Path) -> bool:
    """Whether a file says so; one that is no benchmark is not left out, so that its faults are named."""
    made, _, faults = read(path)
    return bool(faults) or made.quick


def _bench(path: Path, plan: Plan, options: Namespace) -> int:
    """Run what is missing, then show and write the leaderboard if it is whole."""
    store = Store(options.store.resolve())
    failures = _run(plan, store, options.n_workers, options.config_dir)
    if failures:
        say(f"{plan.name}: no leaderboard, {len(failures)} of {plural(len(plan.jobs), 'run')} missing")
        for job, failure in failures.items():
            say(f"  {job}: {failure}")
        say("The same command tries them again; what was finished is kept.")
        return FAILED
    of_arm = {
        arm: [finished(job, store) for job in plan.jobs if job.arm == arm] for arm in plan.benchmark.arms
    }
    board = leaderboard_of(plan.benchmark, of_arm, crossed=plan.crossed)
    _show(plan, board)
    _write(plan, board, path.parent / "results" if options.write else Path("outputs/bench"))
    return _checked(board) if options.check else 0


def _run(plan: Plan, store: Store, n_workers: int, search: Sequence[Path]) -> dict[Job, str]:
    """Do the jobs that are not in the store; those that failed, and why."""
    missing = [job for job in plan.jobs if not is_finished(job, store)]
    n_there, n_jobs = len(plan.jobs) - len(missing), len(plan.jobs)
    shape = f"{plural(len(plan.benchmark.arms), 'arm')} x {plural(len(plan.benchmark.seeds), 'seed')}"
    say(f"{plan.name}: {plural(n_jobs, 'run')} ({shape}), {n_there} of them there already")
    failures: dict[Job, str] = {}
    start, ended = perf_counter(), n_there

    def told(job: Job, failure: str) -> None:
        nonlocal ended
        ended += 1
        if failure:
            failures[job] = failure
        outcome = f"failed twice: {failure}" if failure else "done"
        say(f"  [{ended}/{n_jobs}] {job}: {outcome}, {seconds(perf_counter() - start)}")

    work = partial(perform, store=store, n_threads=threads_each(n_workers), search=search)
    Processes(work, n_workers, told).run(missing)
    return {job: failures[job] for job in plan.jobs if job in failures}


def _show(plan: Plan, board: Leaderboard) -> None:
    """The leaderboard on the terminal."""
    metric = plan.benchmark.metric
    figures = _table("arm", f"{metric}, 95% interval", "from the best", "p, Holm", "")
    costs = _table("arm", "training", "weights of rankers", "p50", "p99")
    for row in board.rows:
        figure = f"{row.value:.4f} {interval_text(row)}"
        best = row.standing == "best"
        against = ("", "") if best else (difference_text(row.from_best), p_text(row.from_best.p_holm))
        figures.add_row(*map(Text, (row.arm, figure, *against, row.standing)))
        costs.add_row(*map(Text, (row.arm, *cost_texts(row.costs))))
    console = Terminal() if sys.stdout.isatty() else Terminal(width=WIDTH)
    say(plan.benchmark.question)
    console.print(figures, "", costs, "")
    say(verdict_text(str(plan.benchmark.expect), board.verdict, board.held_against))
    for row in board.rows:
        for target in row.targets:
            say(f"{row.arm}, {target.kind}: {target_text(target)}")


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    return table


def _write(plan: Plan, board: Leaderboard, folder: Path) -> None:
    found = plain(plan, board, provenance_of(plan))
    write_json(folder / f"{plan.name}.json", found)
    write_text(folder / f"{plan.name}.md", markdown(found))
    say(f"Leaderboard: {folder / f'{plan.name}.md'}")


def _checked(board: Leaderboard) -> int:
    """1 if a figure lies outside its tolerance, each of which is named."""
    for line in board.missed:
        say(f"outside its tolerance: {line}")
    return FAILED if board.missed else 0
