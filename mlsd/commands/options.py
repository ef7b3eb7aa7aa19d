"""Options that stand before or between the overrides of a command."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from mlsd.config.targets import ALLOW_TARGETS
from mlsd.errors import MlsdError


class UsageError(MlsdError):
    """Options that a command does not have, or has otherwise."""


class Parser(ArgumentParser):
    """Says what is wrong in one line, like every other mistake."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def parser(command: str, usage: str, description: str) -> Parser:
    """The parser of a command.

    Args:
        command: its name.
        usage: what follows the name.
        description: what it does, with examples.
    """
    return Parser(
        prog=f"mlsd {command}",
        usage=f"mlsd {command} {usage}",
        description=description,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_allow_target(to: ArgumentParser) -> None:
    """The option that lets a config use classes of the user's own packages."""
    to.add_argument(
        "--allow-target",
        action="append",
        default=[],
        metavar="PREFIX",
        help="let `_target_` name what lies under this package, too; may be given several times",
    )


def allow_targets(options: Namespace) -> None:
    """Note the allowed prefixes in the environment, where every job of the command finds them."""
    before = [prefix for prefix in os.environ.get(ALLOW_TARGETS, "").split(",") if prefix]
    if options.allow_target:
        os.environ[ALLOW_TARGETS] = ",".join([*before, *options.allow_target])


def add_config_dir(to: ArgumentParser) -> None:
    """The option that adds a folder of the user's own YAML."""
    to.add_argument(
        "-cd",
        "--config-dir",
        type=_folder,
        action="append",
        default=[],
        metavar="DIR",
        help="a further folder of YAML",
    )


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ArgumentTypeError(f"{text}: no such folder")
    return path


def split(options: Parser, arguments: Sequence[str]) -> tuple[Namespace, list[str]]:
    """The command's own options, and the overrides.

    Raises:
        UsageError: an option that the command does not have.
    """
    known, overrides = options.parse_known_args(list(arguments))
    unknown = [one for one in overrides if one.startswith("-")]
    if unknown:
        options.error(f"no such option: {', '.join(unknown)}")
    return known, overrides
