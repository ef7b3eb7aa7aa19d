"""Where a study is kept: a journal in its folder, or a database. Its faults are said in one message."""

from __future__ import annotations

import fcntl
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

from optuna import Study
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage
from optuna.trial import FrozenTrial
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from mlsd.errors import StorageError

JOURNAL = "journal.log"

HEARTBEAT_S, GRACE_S = 15, 60
"""How often a caller tells a database that its trials go on; after how long without it they are given up."""

LOCK_S = 30.0
"""How long a journal may be held by somebody else."""

EXTRAS = {"postgresql": ("psycopg", "postgres")}
"""Kind of database -> the package that its URL needs, and the extra of mlsd that brings it."""

Stale = Callable[[Study, FrozenTrial], None]
"""What is done about a trial whose caller no longer tells that it goes on."""


def shown(url: str | None, place: Path) -> str:
    """A storage as it may be printed: never with a password.

    Example:
        >>> shown("postgresql+psycopg://ann:secret@db:5432/studies", Path("outputs"))
        'postgresql+psycopg://ann:***@db:5432/studies'
    """
    if url is None:
        return str(place / JOURNAL)
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "the URL in tuning.storage"


def open_storage(url: str | None, place: Path, stale: Stale) -> BaseStorage:
    """The storage, ready to be used.

    Args:
        url: of a database; None for the journal.
        place: the study's folder, which is made.
        stale: for a database, where callers elsewhere may vanish.

    Raises:
        StorageError: it cannot be reached, is no storage, or is damaged.
    """
    place.mkdir(parents=True, exist_ok=True)
    with said_plainly(url, place):
        return _journal(place / JOURNAL) if url is None else _database(url, stale)


@contextmanager
def said_plainly(url: str | None, place: Path) -> Iterator[None]:
    """Faults of a storage as one message without a password in it.

    Raises:
        StorageError: in place of what the storage raised.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise StorageError(_message(url, place, error)) from error
    except (json.JSONDecodeError, KeyError, UnicodeDecodeError) as error:
        if url is not None:
            raise
        raise _damaged(place / JOURNAL, error) from error


def _database(url: str, stale: Stale) -> RDBStorage:
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise StorageError("tuning.storage is no URL: must be such as sqlite:///studies.db") from error
    package, extra = EXTRAS.get(kind, ("", ""))
    if package and find_spec(package) is None:
        raise StorageError(f"tuning.storage needs {package}: pip install 'mlsd[{extra}]'")
    options = {"connect_args": {"timeout": LOCK_S}} if kind == "sqlite" else {"pool_pre_ping": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return RDBStorage(
                url,
                engine_kwargs=options,
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
                heartbeat_stale_trial_callback=stale,
            )
    except (ImportError, NoSuchModuleError) as error:
        raise StorageError(f"tuning.storage: no driver for {kind!r}: {_first_line(error)}") from error


def _message(url: str | None, place: Path, error: Exception) -> str:
    cause = getattr(error, "orig", None) or error.__cause__ or error
    text = _first_line(getattr(cause, "orig", None) or cause)
    password = make_url(url).password if url else None
    if password:
        text = text.replace(str(password), "***")
    return f"the storage {shown(url, place)} cannot be used: {text}; what was told to it is kept"


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


class _Turn(JournalFileOpenLock):
    """Whose turn it is to write a journal; a holder that is killed holds nothing.

    Args:
        path: of a file beside the journal.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path
        self.file: BinaryIO | None = None

    def acquire(self) -> bool:
        file, end = self.path.open("ab"), monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() > end:
                    file.close()
                    raise StorageError(
                        f"{self.path} is held by somebody else for more than {LOCK_S:g} s"
                    ) from None
                sleep(0.005)
                continue
            self.file = file
            return True

    def release(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None


def _journal(path: Path) -> JournalStorage:
    turn = _Turn(path.with_name(f"{path.name}.turn"))
    turn.acquire()
    try:
        _mend_end(path)
    finally:
        turn.release()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=turn))


def _mend_end(path: Path) -> None:
    """Take off half a last line: whoever wrote it was killed, and nobody was told that it was written.

    Raises:
        StorageError: a line before it is damaged.
    """
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    for number, line in enumerate(content[:whole].splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise _damaged(path, error, number) from error
        if not isinstance(entry, dict) or "op_code" not in entry:
            raise _damaged(path, ValueError("no entry of a journal"), number)
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _damaged(path: Path, error: Exception, number: int | None = None) -> StorageError:
    where = f", line {number}" if number else ""
    why = _first_line(error)
    return StorageError(
        f"{path}{where} is damaged ({why}); nothing was changed: put a copy in its place, or give "
        "another tuning.study"
    )
