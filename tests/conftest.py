"""What all tests share: public data sets, one finished run, and a switch that forbids skipping."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mlsd
from mlsd.testing.tiny_collection import some_judged, write_collection

if TYPE_CHECKING:
    from mlsd.runs.finished import FinishedRun

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forbid-skips", action="store_true", help="a skipped test fails")
    parser.addoption("--figures", action="store_true", help="tell what tests of figures measured")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for report in terminalreporter.stats.get("passed", []) if config.getoption("--figures") else ():
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} = {value:.5g}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--forbid-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but skips are forbidden: {call.excinfo}"
    return report


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C interrupts, here and in processes that tests start; jobs in a shell's background ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets: `MLSD_DATA`, or `shared/data` beside the checkout."""
    folder = Path(os.environ.get("MLSD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no public data sets: set MLSD_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds all work of `small_run`; runs that change a part of it find the rest there."""
    return tmp_path_factory.mktemp("small") / "store"


@pytest.fixture(scope="session")
def small_overrides(small_store: Path) -> tuple[str, ...]:
    """A run of some seconds with everything in it."""
    return ("problem=search", "experiment=search_small", f"store.folder={small_store}")


@pytest.fixture(scope="session")
def small_run(small_overrides: tuple[str, ...], small_store: Path) -> FinishedRun:
    """One finished run for all tests. What it left behind is only read."""
    return mlsd.run(small_overrides, small_store.parent / "run")


@pytest.fixture(scope="session")
def other_run(small_run: FinishedRun, small_overrides: tuple[str, ...], small_store: Path) -> FinishedRun:
    """Another system on the requests of `small_run`, whose fitted stages it shares: without diversity."""
    overrides = [*small_overrides, "funnel.skip=[display]", "online=none"]
    return mlsd.run(overrides, small_store.parent / "other")


@pytest.fixture(scope="session")
def collection_run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """The quickest whole run there is; its collection lies beside its folder."""
    place = tmp_path_factory.mktemp("collection")
    qrels = {"train": some_judged(range(20)), "test": some_judged(range(20, 30))}
    collection = write_collection(place / "music", qrels)
    overrides = ["problem=search", "world=beir", f"world.path={collection}", f"store.folder={place}/store"]
    quick = ["bootstrap.n_replicates=100", "budget.n_requests=5", "trainer.max_epochs=1"]
    return mlsd.run([*overrides, *quick], place / "run")
