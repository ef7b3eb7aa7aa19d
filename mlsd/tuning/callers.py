"""Who works on a study: whether a caller that began a trial is still there to finish it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlsd.locks import locked


class Callers:
    """The callers of one study on this machine, each with a file that it holds for as long as it lives.

    Args:
        place: the study's folder.
    """

    def __init__(self, place: Path) -> None:
        self.folder = place / "callers"
        self.own = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"

    @contextmanager
    def here(self) -> Iterator[None]:
        """While the block lasts, this caller is there."""
        with locked(self.folder / self.own):
            yield

    def is_gone(self, caller: str, *, is_shared: bool) -> bool:
        """Whether a caller will never finish what it began.

        Args:
            caller: its name.
            is_shared: whether callers elsewhere, of whom this folder knows nothing, may be at work.
        """
        if caller == self.own:
            return False
        file = self.folder / caller
        if is_shared and not file.exists():
            return False
        with locked(file, wait=False) as nobody_holds_it:
            return nobody_holds_it
