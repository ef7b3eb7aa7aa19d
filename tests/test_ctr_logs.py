"""Parsed logs in the store: found again by content and options, never beside the data."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from mlsd.ctr_logs import KIND, KeptReader, read_kept
from mlsd.datasets.base import SourceFile
from mlsd.datasets.criteo import Criteo
from mlsd.datasets.ctr_source import Reader
from mlsd.errors import InputError
from mlsd.store import Store

LINES = ["\t".join([str(row % 2), *[str(row)] * 13, *[f"c{row % 3}"] * 26]) + "\n" for row in range(20)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ads").mkdir()
    (tmp_path / "ads" / "train.txt").write_text("".join(LINES), encoding="utf-8")
    return tmp_path / "ads"


def n_kept(store: Store) -> int:
    return len(list((store.folder / KIND).iterdir()))


def test_what_is_kept_is_what_is_read(folder: Path, store: Store) -> None:
    source = Criteo(folder, min_count=2, hashed={"C1": 16})
    kept, read = read_kept(source, store), source.read()
    assert (kept.splits, kept.fingerprint) == (read.splits, read.fingerprint)
    for name, column in read.named_columns():
        np.testing.assert_array_equal(dict(kept.named_columns())[name], column)
    assert [path.name for path in folder.iterdir()] == ["train.txt"]


def test_a_second_reading_opens_no_file(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read_kept(Criteo(folder), store)
    monkeypatch.delattr(SourceFile, "read")
    assert len(read_kept(Criteo(folder), store)) == 20


def test_a_reader_that_keeps_is_a_reader(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader: Reader = KeptReader(store.folder)
    assert len(reader(Criteo(folder))) == len(Reader()(Criteo(folder))) == 20
    monkeypatch.delattr(SourceFile, "read")
    assert len(reader(Criteo(folder))) == 20


def test_bytes_and_options_tell_readings_apart(folder: Path, store: Store) -> None:
    read_kept(Criteo(folder), store)
    read_kept(Criteo(folder, min_count=2), store)
    read_kept(Criteo(folder, hashed={"C1": 16}), store)
    assert n_kept(store) == 3
    (folder / "train.txt").write_text("".join(LINES[:-1]), encoding="utf-8")
    assert len(read_kept(Criteo(folder), store)) == 19
    assert n_kept(store) == 4
    (folder.parent / "elsewhere").mkdir()
    read_kept(Criteo(folder.rename(folder.parent / "elsewhere" / "ads")), store)
    assert n_kept(store) == 4


def test_zipping_changes_neither_fingerprint_nor_content(folder: Path, store: Store) -> None:
    before = read_kept(Criteo(folder), store)
    (folder / "train.txt.gz").write_bytes(gzip.compress((folder / "train.txt").read_bytes()))
    (folder / "train.txt").unlink()
    after = read_kept(Criteo(folder), store)
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.dense["I1"], before.dense["I1"])


def test_a_broken_file_leaves_nothing_behind(folder: Path, store: Store) -> None:
    (folder / "train.txt").write_text("".join([*LINES, "1\t2\n"]), encoding="utf-8")
    with pytest.raises(InputError, match=r"ads/train\.txt:21"):
        read_kept(Criteo(folder), store)
    (folder / "train.txt").write_text("".join(LINES), encoding="utf-8")
    assert len(read_kept(Criteo(folder), store)) == 20
    assert n_kept(store) == 1


def test_files_that_change_while_they_are_read_are_not_kept(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Criteo.read

    def meanwhile(source: Criteo) -> object:
        log = read(source)
        (folder / "train.txt").write_text("".join(LINES[:-1]), encoding="utf-8")
        return log

    monkeypatch.setattr(Criteo, "read", meanwhile)
    with pytest.raises(InputError, match="the files of ads changed while they were read"):
        read_kept(Criteo(folder), store)
    monkeypatch.undo()
    assert len(read_kept(Criteo(folder), store)) == 19
