"""`mlsd score`: a finished run's funnel at work on requests of the user's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from pyarrow import ArrowException

from mlsd.commands.options import Parser, add_allow_target, allow_targets, parser
from mlsd.commands.terminal import say, say_aside
from mlsd.errors import InputError
from mlsd.runs.asked import request_ids
from mlsd.runs.finished import FinishedRun

USAGE = "RUN REQUESTS [--out FILE]"

DESCRIPTION = """\
Rank requests by a finished run. REQUESTS is a Parquet table with the columns of the requests of the problem,
such as `query` (search), `region` (ads) or `device` (feed), and if known `request_id`, `user` and `time_days`
(days since the start of the run's log). What comes out has a row for each item shown: `request_id`,
`position` (from 0), `item_id`, `score`. Requests with nothing to show are told on standard error.

  mlsd score outputs/search/RUN requests.parquet --out ranked.parquet
"""


def main(arguments: Sequence[str]) -> int:
    """Rank what the arguments name; without a file to write, print it as tab-separated lines."""
    options = _parser().parse_args(list(arguments))
    allow_targets(options)
    run, requests = FinishedRun(options.run), _read(options.requests)
    ranked = run.rank(requests)
    _tell_empty(request_ids(requests), ranked)
    if options.out is None:
        ranked.to_csv(sys.stdout, sep="\t", index=False)
        return 0
    _write(ranked, options.out)
    say(f"{len(ranked):,} rows written to {options.out}")
    return 0


def _parser() -> Parser:
    options = parser("score", USAGE, DESCRIPTION)
    options.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    options.add_argument("requests", type=Path, metavar="REQUESTS", help="a Parquet table")
    options.add_argument("--out", type=Path, metavar="FILE", help="write Parquet instead of printing lines")
    add_allow_target(options)
    return options


def _read(path: Path) -> pd.DataFrame:
    """The table of requests.

    Raises:
        InputError: there is no such file, or it is no Parquet.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        return pd.read_parquet(path)
    except (ArrowException, ValueError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {str(error).partition(chr(10))[0]}") from error


def _tell_empty(asked: pd.Series, ranked: pd.DataFrame) -> None:
    """Requests that got no page have no row in the result: say how many, and name the first."""
    empty = asked[~asked.isin(ranked["request_id"])]
    if len(empty):
        first = repr(empty.tolist()[0])
        say_aside(f"nothing to show for {len(empty):,} of {len(asked):,} requests, the first of them {first}")


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / path.name
        table.to_parquet(unfinished, index=False)
        unfinished.replace(path)
