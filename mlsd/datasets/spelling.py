"""Real misspellings and word counts, in the three formats in which they are published.

    `$word` lists    $receive          what was meant, then a line for each misspelling; `_` is a blank
                     recieve           (Birkbeck and Wikipedia lists of Roger Mitton's collection)
    test sets        receive: recieve receeve     one line for each word (Peter Norvig's)
    word counts      the 23135851162   word, blank, count (SymSpell's)

A file has one format. It is UTF-8, a byte order mark and empty lines do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlsd.datasets.base import SourceFile
from mlsd.errors import InputError
from mlsd.types import Array, Ints

Line = tuple[int, str]


class Misspellings(NamedTuple):
    """What people wrote and what they meant, pair by pair, in the order of the file."""

    typed: Array
    """(n,) str."""

    meant: Array
    """(n,) str."""


class WordCounts(NamedTuple):
    """How often words come, in the order of the file, each once."""

    words: Array
    """(n,) str."""

    counts: Ints
    """(n,) above 0."""


def read_lists(folder: Path, place: str) -> Misspellings:
    """Pairs of a file of `$word` lists.

    Raises:
        InputError: the file is missing, empty or not UTF-8, a misspelling stands before any `$word`, or a `$`
            stands alone.
    """
    file, lines = _lines(folder, place)
    pairs, meant = [], ""
    for number, line in lines:
        if line.startswith("$"):
            meant = line[1:].strip()
            _require(bool(meant), file, number, line, "a word must follow the $")
        else:
            _require(bool(meant), file, number, line, "a $word must come first")
            pairs.append((line, meant))
    return _misspellings(file, [(typed.replace("_", " "), word.replace("_", " ")) for typed, word in pairs])


def read_test_set(folder: Path, place: str) -> Misspellings:
    """Pairs of a file of lines such as `receive: recieve receeve`.

    Raises:
        InputError: the file is missing, empty or not UTF-8, or a line lacks its colon, the word before it or
            misspellings after it.
    """
    file, lines = _lines(folder, place)
    pairs = []
    for number, line in lines:
        meant, _, typed = (part.strip() for part in line.partition(":"))
        _require(bool(meant and typed), file, number, line, "must be a word, a colon and misspellings")
        pairs += [(one, meant) for one in typed.split()]
    return _misspellings(file, pairs)


def read_counts(folder: Path, place: str) -> WordCounts:
    """Words and their counts.

    Raises:
        InputError: the file is missing, empty or not UTF-8, a line is no word and a whole number above 0,
            or a word comes twice.
    """
    file, lines = _lines(folder, place)
    counts: dict[str, int] = {}
    for number, line in lines:
        word, _, count = line.partition(" ")
        right = count.strip().isdecimal() and int(count) > 0
        _require(right, file, number, line, "must be a word, a blank and a whole number above 0")
        _require(word not in counts, file, number, line, "a word must come once")
        counts[word] = int(count)
    return WordCounts(np.array(list(counts)), np.array(list(counts.values()), np.int64))


def _lines(folder: Path, place: str) -> tuple[SourceFile, Iterator[Line]]:
    """The file, and the number and stripped text of each of its lines that is not blank."""
    file = SourceFile.read(folder, place)
    stripped = ((number, line.decode().strip()) for number, line in file.rows)
    lines = [(number, line) for number, line in stripped if line]
    if not lines:
        raise InputError(f"{file.name} is empty")
    return file, iter(lines)


def _misspellings(file: SourceFile, pairs: list[tuple[str, str]]) -> Misspellings:
    if not pairs:
        raise InputError(f"{file.name} has no misspelling")
    typed, meant = zip(*pairs, strict=True)
    return Misspellings(np.array(typed), np.array(meant))


def _require(right: bool, file: SourceFile, number: int, line: str, rule: str) -> None:
    if not right:
        raise InputError(f"{file.name}:{number} is {line[:60]!r}; {rule}")
