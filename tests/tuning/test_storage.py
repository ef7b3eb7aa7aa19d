"""Storages that are damaged, held or out of reach: one message, nothing lost, never a password."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from mlsd.errors import StorageError
from mlsd.tuning import storage
from tests.tuning.conftest import Make
from tests.tuning.test_ledger import settle

SECRET = "hunter2"  # noqa: S105  (of nobody)


def test_half_a_last_line_is_taken_off(ledger: Make, tmp_path: Path) -> None:
    settle(ledger(n_trials=3))
    journal = tmp_path / "tried" / "journal.log"
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"wor')
    again = ledger(n_trials=5)
    assert again.n_settled == 3
    settle(again)
    assert ledger(n_trials=5).n_settled == 5


def test_a_damaged_journal_is_named_with_its_line_and_left_alone(ledger: Make, tmp_path: Path) -> None:
    settle(ledger(n_trials=3))
    journal = tmp_path / "tried" / "journal.log"
    lines = journal.read_bytes().splitlines(keepends=True)
    spoilt = b"".join([*lines[:4], b"\x00\x01 nonsense\n", *lines[5:]])
    journal.write_bytes(spoilt)
    with pytest.raises(StorageError, match=r"journal.log, line 5 is damaged .*nothing was changed"):
        ledger()
    assert journal.read_bytes() == spoilt


def test_a_journal_that_somebody_holds(ledger: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(ledger(n_trials=1))
    monkeypatch.setattr(storage, "LOCK_S", 0.05)
    with (tmp_path / "tried" / "journal.log.turn").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match=r"journal.log.turn is held by somebody else"):
            ledger()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/studies", r"me:\*\*\*@127.0.0.1:1/studies cannot"),
        (f"nonsense://me:{SECRET}@there/studies", "no driver for 'nonsense'"),
        ("studies.db", "tuning.storage is no URL"),
        ("sqlite:////no/such/folder/studies.db", "cannot be used: unable to open database file"),
    ],
)  # fmt: skip
def test_a_storage_that_is_not_there(ledger: Make, url: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as raised:
        ledger(storage=url)
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wrong_password_is_not_repeated(ledger: Make, postgres: str) -> None:
    with pytest.raises(StorageError, match="password authentication failed") as raised:
        ledger(storage=postgres.replace("s3cret", SECRET))
    assert SECRET not in str(raised.value)


def test_no_file_of_a_study_holds_the_password(ledger: Make, postgres: str, tmp_path: Path) -> None:
    one = ledger(storage=postgres, study="secret", n_trials=2)
    settle(one)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cret" in path.read_bytes()]
    assert "s3cret" not in str([trial.user_attrs for trial in one.trials]) + str(one.study.user_attrs)
