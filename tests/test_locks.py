"""A lock is held by one at a time, and by nobody who is dead."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

from mlsd.locks import locked

HOLDER = """\
import signal, sys
from pathlib import Path
from mlsd.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(_: int) -> None:
        with locked(tmp_path / "lock") as held:
            assert held
            inside.append(1)
            most.append(len(inside))
            sleep(0.002)
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert max(most) == 1
    assert list(tmp_path.iterdir()) == []


def test_who_does_not_wait_learns_that_it_is_taken(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"):
        with locked(tmp_path / "lock", wait=False) as held:
            assert not held
        assert (tmp_path / "lock").exists()
    with locked(tmp_path / "lock", wait=False) as held:
        assert held


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with locked(tmp_path / "lock", wait=False) as held:
            assert not held
        holder.send_signal(signal.SIGKILL)
    assert (tmp_path / "lock").exists()
    with locked(tmp_path / "lock", wait=False) as held:
        assert held
    assert list(tmp_path.iterdir()) == []
