"""One run, read top to bottom: from a checked config to a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from mlsd.commands.folders import claimed, require_free
from mlsd.config.build import build
from mlsd.config.check import check
from mlsd.config.compose import compose_overrides
from mlsd.config.identity import config_hash
from mlsd.config.resolve import resolve
from mlsd.config.schema import System
from mlsd.online.frontier import FrontierPoint
from mlsd.report.console import Terminal
from mlsd.report.progress import Steps
from mlsd.report.terminal import print_summary
from mlsd.runs import steps as run_steps
from mlsd.runs.files import write_run
from mlsd.runs.finished import FinishedRun
from mlsd.runs.outcome import Outcome
from mlsd.runs.rate import rate_for_labels, rate_test
from mlsd.runs.result import result_of
from mlsd.runs.steps import Config
from mlsd.store import Store, written_whole


def run(overrides: Sequence[str], folder: Path | None = None, console: Console | None = None) -> FinishedRun:
    """Compose a config, check it, and run it: `mlsd run` in Python.

    Args:
        overrides: as on the command line, such as `problem=search`.
        folder: of the run; one of its own under `outputs` unless named.
        console: where progress and the summary go; the terminal unless given.

    Raises:
        ConfigError: with everything that is wrong; nothing was drawn.
        InputError: the named folder exists and is not empty, or a file of the world is not what it should be.
        BudgetExceededError: the funnel is over its latency budget and the config says that this fails a run.
    """
    config = check(compose_overrides(overrides))
    if folder is not None:
        require_free(folder)
    with claimed(folder or _own_folder(config)) as mine:
        return FinishedRun(run_config(config, mine, overrides, console))


def _own_folder(config: DictConfig) -> Path:
    moment = datetime.now().astimezone()
    return Path("outputs", config.problem.name, f"{moment:%Y-%m-%d_%H-%M-%S}_{config_hash(config)}")


def run_config(
    config: DictConfig, folder: Path, overrides: Sequence[str] = (), console: Console | None = None
) -> Path:
    """Run a composed config; what it leaves behind is in `folder` once it is whole.

    Args:
        config: composed and checked.
        folder: of the run; not there, or empty.
        overrides: that the config was composed with, for whoever wants to run it again.
        console: where progress and the summary go.

    Raises:
        ConfigError: something is wrong with the config; nothing was drawn.
        BudgetExceededError: the funnel is over its latency budget and the config says that this fails a run.
    """
    system, plain = build(config), resolve(config).values
    console = console or Terminal()
    steps = Steps(console)
    outcome = run_system(system, plain, steps)
    with steps("report"), written_whole(folder) as unfinished:
        result = result_of(system, plain, outcome, steps.durations_s, overrides)
        write_run(overrides, system.world.catalog, outcome, result, unfinished)
    print_summary(result, folder / "report.html", console)
    run_steps.enforce(system, outcome.capacity)
    return folder


def run_system(system: System, config: Config, steps: Steps) -> Outcome:
    """Log a world, learn a funnel from it, and find out how it does."""
    store = Store(system.store.folder)
    with steps("log") as told:
        logged = run_steps.make_log(system, config, store, told)
    with steps("labels") as told:
        rated = rate_for_labels(system, config, logged, store, told)
        labels = system.labels.make(rated.log if rated else logged.log)
    with steps("funnel") as told:
        fitted = run_steps.fit(system, config, logged, labels, store, told)
    with steps("offline") as told:
        offline = run_steps.evaluate(system, logged, labels, fitted.funnel, told)
        rated_test = rate_test(system, config, logged, fitted, store)
    ablation = None
    if system.ablation:
        with steps("ablation") as told:
            ablation = run_steps.ablate(system, config, logged, labels, fitted.funnel, store, told)
    frontier: tuple[FrontierPoint, ...] = ()
    if system.frontier:
        with steps("frontier"):
            frontier = run_steps.sell_again(system, offline, fitted.funnel)
    with steps("online") as told:
        online = run_steps.try_online(system, logged, fitted.funnel, told)
    with steps("latency"):
        capacity = run_steps.measure_latency(system, logged, fitted.funnel)
        leaner = run_steps.measure_leaner(system, logged, ablation)
    return Outcome(
        logged, labels, fitted, offline, online, capacity, ablation, leaner, rated, rated_test, frontier
    )
