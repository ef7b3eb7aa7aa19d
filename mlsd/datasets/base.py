"""Files of public data sets: read whole, told apart by their content, and blamed line by line."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest, sha256
from itertools import accumulate
from pathlib import Path

from mlsd.errors import InputError, nearest
from mlsd.types import Array

_ROW = re.compile(rb"^[^\r\n]", re.MULTILINE)
_SHOWN = 3
"""Places of a fault that its message names."""
_WIDTH = 60
"""Bytes of a line that a message shows."""


@dataclass(frozen=True)
class SourceFile:
    """A text file of a data set.

    Args:
        name: how messages call it: the folder of the data set and the place within, never where that lies.
        content: UTF-8, unzipped.
    """

    name: str
    content: bytes

    @staticmethod
    def read(folder: Path, place: str, fallback: str | None = None) -> SourceFile:
        """Read `place` within the folder of a data set, or the same with `.gz`.

        Args:
            folder: of the data set.
            place: within it.
            fallback: the encoding, such as "latin-1", of a file that is not UTF-8; it becomes UTF-8.

        Raises:
            InputError: it is missing, there twice, not readable, broken or not UTF-8 without a fallback.
        """
        folder = folder.resolve()
        found = _found(folder, place)
        if found is None:
            raise InputError(missing(folder, [place]))
        name = f"{folder.name}/{found.relative_to(folder).as_posix()}"
        content = _unzipped(name, found).removeprefix(codecs.BOM_UTF8)
        try:
            content.decode()
        except UnicodeDecodeError as error:
            if fallback is not None:
                return SourceFile(name, content.decode(fallback).encode())
            line = content.count(b"\n", 0, error.start) + 1
            raise InputError(f"{name}:{line} is not UTF-8: byte 0x{content[error.start]:02x}") from None
        return SourceFile(name, content)

    @property
    def n_rows(self) -> int:
        """Lines that are not empty."""
        return sum(1 for _ in _ROW.finditer(self.content))

    def rows_at(self, places: Sequence[int]) -> list[int]:
        """Which rows, from 0, begin at these bytes of the content. For messages: slow on large files."""
        lines = self.content.splitlines(keepends=True)
        starts = accumulate((len(line) for line in lines), initial=0)
        filled = [start for start, line in zip(starts, lines, strict=False) if line.strip(b"\r\n")]
        return [bisect_left(filled, place) for place in places]

    @cached_property
    def rows(self) -> list[tuple[int, bytes]]:
        """Number, from 1, and content of every line that is not empty. For messages: slow on large files."""
        return [(number, line) for number, line in enumerate(self.content.splitlines(), start=1) if line]

    def lines(self, rows: Sequence[int] | Array) -> list[str]:
        """The beginnings of the first of these rows, as many as a message shows."""
        return [self.rows[row][1][:_WIDTH].decode(errors="replace") for row in rows[:_SHOWN]]

    def fault(self, what: str, rows: Sequence[int], values: Iterable[object], rule: str) -> InputError:
        r"""What is wrong with some rows.

        Args:
            what: is wrong, such as "items come twice".
            rows: which, from 0, among the lines that are not empty.
            values: of these rows, as they stand in the file.
            rule: that they break.

        Example:
            >>> file = SourceFile("music/songs.txt", b"one\n\ntwo\n")
            >>> str(file.fault("odd lines", [1], ["two"], "lines must rhyme"))
            "odd lines: 1, music/songs.txt:3 'two'; lines must rhyme"
        """
        shown = zip(rows[:_SHOWN], values, strict=False)
        places = ", ".join(f"{self.name}:{self.rows[row][0]} {value!r}" for row, value in shown)
        more = ", ..." if len(rows) > _SHOWN else ""
        return InputError(f"{what}: {len(rows)}, {places}{more}; {rule}")


def is_there(folder: Path, place: str) -> bool:
    """Whether a folder has a file, as it is or with `.gz`."""
    return any((folder / f"{place}{end}").is_file() for end in ("", ".gz"))


def missing(folder: Path, places: Iterable[str]) -> str:
    """Why the files of a data set cannot all be read; empty if they can.

    Args:
        folder: of the data set.
        places: files within it; each may be there as it is or with `.gz`, not both.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        return f"no folder {folder.name!r}{_hint(folder.name, folder.parent)}"
    for place in places:
        plain, zipped = folder / place, folder / f"{place}.gz"
        if plain.is_file() and zipped.is_file():
            return f"{folder.name} has {place} and {place}.gz: keep one"
        if not is_there(folder, place):
            return f"{folder.name} has no {place}[.gz]{_hint(plain.name, plain.parent)}"
    return ""


def fingerprint(files: Iterable[SourceFile]) -> str:
    """SHA-256 of the names and contents of files; zipping them changes nothing."""
    digest = sha256()
    for file in files:
        digest.update(f"{file.name.removesuffix('.gz')} {sha256(file.content).hexdigest()}\n".encode())
    return digest.hexdigest()


def stored_hash(folder: Path, places: Iterable[str]) -> str:
    """SHA-256 of the names and bytes of files as they lie on disk, zipped ones unopened.

    Raises:
        InputError: one is missing or not readable.
    """
    folder, digest = folder.resolve(), sha256()
    for place in places:
        found = _found(folder, place)
        if found is None:
            raise InputError(missing(folder, [place]))
        name = f"{folder.name}/{found.relative_to(folder).as_posix()}"
        try:
            with found.open("rb") as file:
                digest.update(f"{name} {file_digest(file, 'sha256').hexdigest()}\n".encode())
        except OSError as error:
            raise InputError(f"cannot read {name}: {error.strerror}") from error
    return digest.hexdigest()


def _found(folder: Path, place: str) -> Path | None:
    if missing(folder, [place]):
        return None
    plain = folder / place
    return plain if plain.is_file() else folder / f"{place}.gz"


def _hint(name: str, folder: Path) -> str:
    """The name in a folder that is most like the one that is missing."""
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    close = nearest(name, there)
    return f"; nearest is {close!r}" if close else ""


def _unzipped(name: str, path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {name}: {error}") from error
