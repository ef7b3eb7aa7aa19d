"""`mlsd sweep`: configs are tried, judged on the validation window, and the best one is written down."""

from __future__ import annotations

from collections.abc import Sequence

from mlsd.commands.options import Parser, add_allow_target, add_config_dir, allow_targets, parser, split

USAGE = "problem=NAME tuning.study=NAME [KEY=VALUE ...] [--config-dir DIR] [--allow-target PREFIX]"

DESCRIPTION = """\
Try configs of a named space and find the best: an Optuna study. The same command again goes on with it.

  mlsd sweep problem=search tuning.study=first tuning.n_trials=50
  mlsd sweep problem=search tuning.study=first tuning.n_trials=100 tuning.n_workers=2
  mlsd sweep problem=search tuning=search_cost tuning.study=cheap
  mlsd sweep problem=search tuning.study=shared tuning.storage=postgresql+psycopg://USER:PASSWORD@HOST/NAME
"""


def main(arguments: Sequence[str]) -> int:
    """Run the sweep that the arguments describe."""
    options, overrides = split(_parser(), arguments)
    allow_targets(options)
    from mlsd.tuning.sweep import sweep  # noqa: PLC0415  (help must not load what a sweep needs)

    sweep(overrides, options.config_dir)
    return 0


def _parser() -> Parser:
    options = parser("sweep", USAGE, DESCRIPTION)
    add_config_dir(options)
    add_allow_target(options)
    return options
