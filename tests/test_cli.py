"""The command line from outside: a process with arguments, output and an exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter

import pytest

from mlsd import cli
from mlsd.cli import COMMANDS, exit_code_of, main
from mlsd.errors import BudgetExceededError, ConfigError, InputError


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlsd", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def imported_by(*arguments: str) -> set[str]:
    """Top-level modules that a command has loaded when it is done."""
    code = (
        "import io, sys, contextlib\n"
        "from mlsd.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    code = main({list(arguments)!r})\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


def test_help_names_every_command_and_every_command_is_there() -> None:
    out = run("--help").stdout
    for name in COMMANDS:
        assert f"\n  {name} " in out
        assert (Path(cli.__file__).parent / "commands" / f"{name}.py").is_file()
    assert run().stdout == out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"mlsd {command}" in capsys.readouterr().out


def test_help_is_quick() -> None:
    """At most 10 times a bare interpreter, which takes 0.02 s where it was written; help took 0.06 s."""

    def best(*command: str) -> float:
        times = []
        for _ in range(5):
            start = perf_counter()
            subprocess.run([sys.executable, *command], capture_output=True, check=True)
            times.append(perf_counter() - start)
        return min(times)

    assert best("-m", "mlsd", "--help") < 10 * best("-c", "pass")


def test_help_loads_nothing_heavy() -> None:
    assert not imported_by("--help") & {"torch", "hydra", "omegaconf", "numpy", "pandas", "rich", "pydantic"}


def test_show_loads_nothing_heavy() -> None:
    assert not imported_by("show", "rankers") & {"torch", "hydra", "numpy", "pandas"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "problem=search", "--cfg", "job"),
        ("design", "problem=search"),
        ("design", "problem=search", "--compare", "problem.latency_ms=100,500"),
    ],
)
def test_torch_stays_unloaded(arguments: tuple[str, ...]) -> None:
    assert not imported_by(*arguments) & {"torch", "pytorch_lightning"}


def test_an_unknown_command_is_told_the_nearest() -> None:
    done = run("shw", "rankers")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "mlsd: no command 'shw'. Did you mean 'show'?\n",
    )
    assert f"There are {', '.join(COMMANDS)}." in run("xyz").stderr


def test_a_mistake_is_one_message_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "problem=serch", "sed=1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "mlsd: 2 faults in the config:\n"
        "  problem == 'serch': must be one of ads, feed, search. Did you mean 'search'?\n"
        "  sed == 1: no such key. Did you mean 'seed'?\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_where_it_came_from() -> None:
    with pytest.raises(ConfigError, match="1 fault in the config"):
        main(["run", "problem=serch", "--debug"])


def test_output_elsewhere_than_on_a_terminal_is_plain() -> None:
    assert "\x1b" not in run("show", "rankers").stdout
    assert "\x1b" not in run("design", "problem=search").stdout


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("corpus.jsonl: no such file"), 2, "mlsd: corpus.jsonl: no such file\n"),
        (BudgetExceededError("too slow"), 3, "mlsd: too slow\n"),
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), 2, "mlsd: No space left on device: a/b\n"),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), 2, "mlsd: Permission denied: a/b\n"),
        (KeyboardInterrupt(), 130, "mlsd: interrupted\n"),
    ],
)
def test_exit_codes(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise error

    assert exit_code_of(fail) == code
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("command", COMMANDS)
def test_only_what_goes_on_says_so(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module(f"mlsd.commands.{command}"), "main", interrupted)
    assert main([command]) == 130
    kept = "; what was finished is kept, and the same command goes on from there"
    assert (
        capsys.readouterr().err
        == f"mlsd: interrupted{kept if command in {'run', 'sweep', 'bench'} else ''}\n"
    )


@pytest.mark.parametrize("words", ["show rankers", "run experiment=search_small store.folder=store"])
def test_whoever_reads_may_stop_reading(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out:
        command = [sys.executable, "-m", "mlsd", *words.split()]
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")
    assert list(tmp_path.rglob("report.html")) == []


def test_a_bug_is_not_hidden() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exit_code_of(fail)
