"""The command line. Commands are loaded when they are called, so that help is quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from mlsd import __version__
from mlsd.commands.terminal import say_aside
from mlsd.errors import MlsdError, nearest

COMMANDS = {
    "run": "design, train and try a system: the main job",
    "sweep": "try configs and find the best: an Optuna study",
    "bench": "arms x seeds of a benchmark's YAML: a leaderboard with intervals and ties",
    "design": "the system-design document of a config, nothing is trained",
    "show": "what there is: problems, worlds, rankers, losses, metrics and so on",
    "score": "rank your own requests by a finished run",
    "compare": "hold finished runs against the first of them, request by request",
    "reproduce": "run a finished run again and compare every figure",
}

HELP = f"""\
mlsd {__version__}: ML system design, made executable.

usage: mlsd COMMAND [--debug] ...

{{commands}}

`mlsd COMMAND --help` says more. --debug shows where an error came from.
Exit codes: 0 done, 1 a bug, 2 something to be mended by you, 3 over the latency budget, 4 figures not
reproduced, 130 interrupted.
"""

GO_ON = frozenset({"run", "sweep", "bench"})
"""Commands that find what they had finished when they are called again."""
KEPT = "; what was finished is kept, and the same command goes on from there"

USER_ERROR, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    rest = [one for one in given if one != "--debug"]
    if debug:
        return _run(rest)
    return exit_code_of(lambda: _run(rest), KEPT if rest[:1] and rest[0] in GO_ON else "")


def exit_code_of(work: Callable[[], int], kept: str = "") -> int:
    """The exit code of some work. What went wrong is said in one message, without a traceback.

    Args:
        work: what to do.
        kept: said of what is left when somebody interrupts it.
    """
    try:
        return _flushed(work)
    except MlsdError as error:
        say_aside(str(error))
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        say_aside(_about(error))
        return USER_ERROR
    except KeyboardInterrupt:
        say_aside(f"interrupted{kept}")
        return INTERRUPTED


def _flushed(work: Callable[[], int]) -> int:
    code = work()
    sys.stdout.flush()
    return code


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        sys.stdout.write(help_text())
        return 0
    if arguments[0] == "--version":
        sys.stdout.write(f"mlsd {__version__}\n")
        return 0
    if arguments[0] not in COMMANDS:
        return _unknown(arguments[0])
    command = import_module(f"mlsd.commands.{arguments[0]}")
    return int(command.main(arguments[1:]))


def help_text() -> str:
    """What `mlsd --help` says."""
    width = max(map(len, COMMANDS))
    return HELP.format(commands="\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()))


def _unknown(name: str) -> int:
    close = nearest(name, COMMANDS)
    hint = f" Did you mean {close!r}?" if close else f" There are {', '.join(COMMANDS)}."
    say_aside(f"no command {name!r}.{hint}")
    return USER_ERROR


def _about(error: OSError) -> str:
    """One line about what the operating system refused, such as a full disk."""
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}"
