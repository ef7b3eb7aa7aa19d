"""`mlsd compare`: finished runs held against the first of them, request by request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlsd.commands.options import Parser, add_allow_target, allow_targets, parser
from mlsd.commands.terminal import say
from mlsd.report.console import Terminal, print_shown
from mlsd.report.html import render_page
from mlsd.report.paired.page import build_page
from mlsd.report.paired.terminal import summary
from mlsd.runs.paired.compare import compare
from mlsd.runs.steps import SHOWN
from mlsd.store import write_text

USAGE = "RUN RUN [RUN ...] [--metric NAME] [--stage NAME] [--out FILE.html]"

DESCRIPTION = """\
Hold finished runs against the first of them, paired by request: tests over users (queries, in a collection),
corrected for how many there are, by metric and segment; queries that changed most; what differs between the
configs. Runs must be of the same requests, truth and metrics.

  mlsd compare outputs/search/FIRST outputs/search/SECOND
  mlsd compare outputs/search/FIRST outputs/search/SECOND --stage full_rank --out compared.html
"""


def main(arguments: Sequence[str]) -> int:
    """Print the comparison, and write its page where one is asked for."""
    options = _parser().parse_args(list(arguments))
    allow_targets(options)
    comparison = compare(options.runs, options.metric, options.stage)
    print_shown(summary(comparison), Terminal())
    if options.out is not None:
        write_text(options.out, render_page(build_page(comparison)))
        say(f"\nwritten to {options.out}")
    return 0


def _parser() -> Parser:
    options = parser("compare", USAGE, DESCRIPTION)
    options.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="folders of finished runs, the baseline first"
    )
    options.add_argument("--metric", metavar="NAME", help="that decides; else the baseline's goal")
    options.add_argument(
        "--stage", default=SHOWN, metavar="NAME", help="whose ranking; else what the whole funnel shows"
    )
    options.add_argument("--out", type=Path, metavar="FILE", help="write the whole page as HTML, too")
    add_allow_target(options)
    return options
