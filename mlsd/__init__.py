"""ML system design, made executable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlsd.runs.finished import FinishedRun

__version__ = "0.1.0"


def run(overrides: Sequence[str], folder: Path | str | None = None) -> FinishedRun:
    """Compose a config, check it and run it, as `mlsd run` does; see `mlsd.runner.run`.

    Args:
        overrides: as on the command line, such as `problem=search`.
        folder: of the run; one of its own under `outputs` unless named.
    """
    from mlsd.runner import run  # noqa: PLC0415  (importing mlsd is quick)

    return run(overrides, None if folder is None else Path(folder))


def load(folder: Path | str) -> FinishedRun:
    """A finished run: its figures, and its funnel at work on anybody's requests.

    Args:
        folder: of the run.
    """
    from mlsd.runs.finished import FinishedRun  # noqa: PLC0415

    return FinishedRun(Path(folder))
