"""What all tests share: where public data sets lie, and a switch that forbids skipping."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forbid-skips", action="store_true", help="a skipped test fails")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--forbid-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but skips are forbidden: {call.excinfo}"
    return report


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets: `MLSD_DATA`, or `shared/data` beside the checkout."""
    folder = Path(os.environ.get("MLSD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no public data sets: set MLSD_DATA to their folder")
    return folder
