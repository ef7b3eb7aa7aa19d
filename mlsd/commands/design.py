"""`mlsd design`: the system-design document of a config. Nothing is trained, torch stays unloaded."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.markdown import Markdown

from mlsd.commands.options import Parser, add_allow_target, add_config_dir, allow_targets, parser, split
from mlsd.commands.terminal import say
from mlsd.config.check import TORCH, all_faults, examine, raise_faults
from mlsd.config.compose import Composition, compose_overrides
from mlsd.config.overrides import jobs_of
from mlsd.report.comparison import compared
from mlsd.report.console import Terminal
from mlsd.report.design_document import Design, design_of, markdown
from mlsd.store import write_text

USAGE = "problem=NAME [KEY=VALUE ...] [--compare KEY=A,B] [--out FILE]"

DESCRIPTION = """\
The system-design document of a config: problem, scale, metrics, funnel, training data, features, models,
evaluation and monitoring. Every number comes from the config; nothing is trained.

  mlsd design problem=search
  mlsd design problem=search --out design.md
  mlsd design problem=search --compare problem.latency_ms=100,500
"""


def main(arguments: Sequence[str]) -> int:
    """Print or write what the arguments ask for."""
    options, overrides = split(_parser(), arguments)
    allow_targets(options)
    text = _compared(options, overrides) if options.compare else markdown(_designs([overrides], options)[0])
    if options.out is None:
        _print(text)
    else:
        write_text(options.out, text)
        say(f"written to {options.out}")
    return 0


def _print(text: str) -> None:
    """Markdown: laid out on a terminal, as it is elsewhere."""
    if sys.stdout.isatty():
        Terminal().print(Markdown(text))
    else:
        say(text.rstrip("\n"))


def _parser() -> Parser:
    options = parser("design", USAGE, DESCRIPTION)
    options.add_argument(
        "--compare",
        action="append",
        default=[],
        metavar="KEY=A,B",
        help="what this answer changes, side by side",
    )
    options.add_argument("--out", type=Path, metavar="FILE", help="write Markdown instead of printing it")
    add_config_dir(options)
    add_allow_target(options)
    return options


def _compared(options: Namespace, overrides: list[str]) -> str:
    answers = jobs_of(options.compare)
    designs = _designs([[*overrides, *answer] for answer in answers], options)
    return compared({" ".join(answer): design for answer, design in zip(answers, designs, strict=True)})


def _designs(jobs: Sequence[Sequence[str]], options: Namespace) -> list[Design]:
    """The design of each job's overrides; the faults of all of them are reported together."""
    compositions = [compose_overrides(job, options.config_dir) for job in jobs]
    raise_faults(fault for composition in compositions for fault in all_faults(composition, TORCH))
    return [_design(composition) for composition in compositions]


def _design(composition: Composition) -> Design:
    examined = examine(composition.required(), TORCH)
    return design_of(examined.values, examined.sections)
