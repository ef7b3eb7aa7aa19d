"""`mlsd reproduce`: a finished run, run again from nothing, and every figure held against what it was."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlsd import checks
from mlsd.commands.options import Parser, add_allow_target, allow_targets, parser
from mlsd.commands.terminal import say
from mlsd.errors import NotReproducedError
from mlsd.report import numbers
from mlsd.report.console import Terminal
from mlsd.report.progress import Steps
from mlsd.runner import run_system
from mlsd.runs.finished import FinishedRun
from mlsd.runs.leaves import MISSING
from mlsd.runs.provenance import TRUTH, provenance
from mlsd.runs.reproduction import (
    TOLERANCE,
    Again,
    Changed,
    changed_provenance,
    held,
    is_same_machine,
    prepared,
)
from mlsd.store import read_json, write_json

USAGE = "RUN [--data DIR] [--tolerance X]"

DESCRIPTION = f"""\
Run a finished run again, by its own config and from an empty store, and hold every figure of its metrics.json
against what comes out. On a machine of the same type (operating system, CPU, threads, packages) all must be
equal bit for bit, elsewhere within a tolerance ({TOLERANCE:g} x max(1, |then|) unless stated). Exit code 0 if
they are, 4 if not, 2 if the config or the data are no longer those of the run. Nothing is written.

  mlsd reproduce outputs/search/RUN
  mlsd reproduce RUN_OF_A_COLLECTION --data path/to/scifact
"""


def main(arguments: Sequence[str]) -> int:
    """Run again, say what differs, and fail if a figure does."""
    options = _parser().parse_args(list(arguments))
    allow_targets(options)
    checks.at_least("--tolerance", options.tolerance, 0)
    run = FinishedRun(options.run)
    then = run.metrics
    with TemporaryDirectory(prefix="mlsd-reproduce-") as place:
        again = prepared(run, Path(place, "store"), options.data)
        same = _say_what_made_it(run, again, options.tolerance)
        now = _metrics_of(again, Path(place))
    found = held(then, now, 0.0 if same else options.tolerance)
    for one in found.changed:
        say("\t".join((numbers.one_line(one.name), _written(one.then), _written(one.now), _difference(one))))
    if found.changed:
        raise NotReproducedError(
            f"{len(found.changed):,} of {found.n:,} figures of {options.run} are not what they were"
        )
    n_same = found.n - len(held(then, now).changed)
    how = "" if same else f" within the tolerance, {n_same:,} of them bit for bit"
    say(f"reproduced: all {found.n:,} figures are equal{how}")
    return 0


def _parser() -> Parser:
    options = parser("reproduce", USAGE, DESCRIPTION)
    options.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    options.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        metavar="X",
        help="what a figure may be off on a machine of another type",
    )
    options.add_argument(
        "--data", type=Path, metavar="DIR", help="where the world's files lie now, if not where they did"
    )
    add_allow_target(options)
    return options


def _say_what_made_it(run: FinishedRun, again: Again, tolerance: float) -> bool:
    """Say what differs between then and now; whether figures must be equal bit for bit."""
    then = run.provenance
    now = provenance(again.system, again.config, then.get(TRUTH, ""))
    changed = changed_provenance(then, now)
    for one in changed:
        say(f"{numbers.one_line(one.name)}: {_written(one.then)} then, {_written(one.now)} now")
    if not changed:
        say("code, packages, data and type of machine are those of then")
    same = is_same_machine(then, now)
    rule = "bit for bit" if same else f"within {tolerance:g} x max(1, |then|)"
    say(f"{'the same' if same else 'another'} type of machine: figures must be equal {rule}")
    return same


def _metrics_of(again: Again, place: Path) -> Any:
    """What comes out this time, as JSON has it."""
    outcome = run_system(again.system, again.config, Steps(Terminal()))
    write_json(place / "metrics.json", outcome.metrics())
    return read_json(place / "metrics.json")


def _written(value: object) -> str:
    return "missing" if value is MISSING else json.dumps(value)


def _difference(one: Changed) -> str:
    difference = one.difference
    return numbers.UNKNOWN if math.isnan(difference) else f"{difference:+.3g}"
