"""`mlsd score`: a finished run's funnel at work on requests of the user's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from pyarrow import ArrowException

from mlsd.commands.options import Parser, add_allow_target, allow_targets, parser
from mlsd.commands.terminal import say
from mlsd.errors import InputError
from mlsd.runs.finished import FinishedRun

USAGE = "RUN REQUESTS [--out FILE]"

DESCRIPTION = """\
Rank requests by a finished run. REQUESTS is a Parquet table with the problem's text column, such as `query`,
and if known `request_id`, `user` and `time_days`. What comes out has a row for each item shown: `request_id`,
`position` (from 0), `item_id`, `score`.

  mlsd score outputs/search/RUN requests.parquet --out ranked.parquet
"""


def main(arguments: Sequence[str]) -> int:
    """Rank what the arguments name; without a file to write, print it as tab-separated lines."""
    options = _parser().parse_args(list(arguments))
    allow_targets(options)
    ranked = FinishedRun(options.run).rank(_read(options.requests))
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


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / path.name
        table.to_parquet(unfinished, index=False)
        unfinished.replace(path)
