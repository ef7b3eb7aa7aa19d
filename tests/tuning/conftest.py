"""A study without any training: what asking and telling needs. A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from mlsd.tuning.ledger import Ledger
from mlsd.tuning.schema import read_tuning

Make = Callable[..., Ledger]

SECTION: dict[str, Any] = {
    "study": "tried",
    "n_trials": 6,
    "objectives": {"quality": {"metric": "funnel.nDCG@10", "direction": "maximize"}},
    "sampler": {"_target_": "optuna.samplers.TPESampler", "n_startup_trials": 2},
    "pruner": {},
    "space": {
        "ranker": {"key": "ranker@a", "choices": ["mlp", "dcn_v2"]},
        "rate": {"key": "a.rate", "low": 0.001, "high": 0.1, "log": True},
        "n_cross": {"key": "a.n_cross", "low": 1, "high": 4, "when": {"ranker": "dcn_v2"}},
    },
}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Make]:
    """Makes a caller's view of one study; what is given replaces values of its section."""

    def make(**more: Any) -> Ledger:
        section = {**SECTION, "folder": str(tmp_path), **more}
        read = read_tuning(section)
        assert not isinstance(read, list), [str(fault) for fault in read]
        tuning, search = read
        made.append(Ledger(tuning, search, {"config": {"seed": 0}, "space": section["space"]}))
        return made[-1]

    made: list[Ledger] = []
    yield make
    for one in made:
        one.close()


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs, on the path or where Debian puts them."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a server that lasts as long as the tests, on a port of this machine alone."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: no initdb on the path or in /usr/lib/postgresql")
    with TemporaryDirectory(prefix="postgres") as folder:  # pytest's own are closed to other users
        yield from _serving(programs, Path(folder))


def _serving(programs: Path, folder: Path) -> Iterator[str]:
    """A server whose files are in the folder."""
    user: str | None = "postgres" if os.geteuid() == 0 else None
    if user:  # the server refuses to run as root, and must reach its files
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data, port = folder / "data", _free_port()
    secret = folder / "secret"
    secret.write_text("s3cret\n", encoding="utf-8")
    secret.chmod(0o644)

    def run(*words: str) -> None:
        subprocess.run(
            [str(programs / words[0]), *words[1:]], check=True, user=user, cwd=folder, capture_output=True
        )

    run("initdb", "-D", str(data), "-U", "me", f"--pwfile={secret}", "-A", "scram-sha-256", "--no-sync")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    run("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://me:s3cret@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
