"""How words come to be misspelled: slips on the keyboard, and letters that sound alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, rng
from mlsd.types import Array, Floats, Ints

EDITS = ("omission", "insertion", "substitution", "transposition")
OMISSION, INSERTION, SUBSTITUTION, TRANSPOSITION = range(4)

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SOUND_ALIKE = (
    "aeiou", "iy", "fv", "sz", "ck", "cs", "kq", "gj", "dt", "bp", "mn", "vw",
)  # fmt: skip
_ATTEMPTS = 8
_N_CODES = 128
"""Letters outside ASCII have no neighbours."""


@dataclass(frozen=True)
class SpellingOptions:
    """What errors there are. Each misspelled word has one, never in its first letter.

    Args:
        edit_shares: kind of error -> its share; they are scaled to sum to 1.
        phonetic_prob: that a wrong letter sounds like the right one, or that a letter too many doubles one;
            else the letter is that of an adjacent key.
    """

    edit_shares: Mapping[str, float] = field(
        default_factory=lambda: {
            "omission": 0.35,
            "insertion": 0.3,
            "substitution": 0.2,
            "transposition": 0.15,
        }
    )
    phonetic_prob: float = 0.5

    def __post_init__(self) -> None:
        checks.require(
            set(self.edit_shares) == set(EDITS), "edit_shares", sorted(self.edit_shares),
            f"must name {', '.join(EDITS)}",
        )  # fmt: skip
        for edit, edit_share in self.edit_shares.items():
            checks.share(f"edit_shares.{edit}", edit_share)
        checks.above("sum of edit_shares", float(sum(self.edit_shares.values())), 0)
        checks.share("phonetic_prob", self.phonetic_prob)

    @property
    def weights(self) -> list[float]:
        """Shares in the order of `EDITS`."""
        return [self.edit_shares[edit] for edit in EDITS]


def misspelled(options: SpellingOptions, words: Array, known: Array, seed: int, *keys: Ints) -> Array:
    """(n_words,) str objects: each word with one error, or "" where none was found that makes no other word.

    An error that makes a known word is drawn again, a few times: nobody writes a real word for another here.

    Args:
        options: as declared.
        words: (n_words,) str.
        known: all words there are; these among them.
        seed: of the draws.
        keys: (n_words,) whom each draw concerns.
    """
    found = np.full(len(words), "", dtype=object)
    for attempt in range(_ATTEMPTS):
        rows = np.flatnonzero(found == "")
        tried = _with_error(options, words[rows], seed, *(key[rows] for key in keys), np.array(attempt))
        strange = ~np.isin(tried, known)
        found[rows[strange]] = tried[strange]
    return found


def _with_error(options: SpellingOptions, words: Array, seed: int, *keys: Ints) -> Array:
    """(n_words,) str: one error in each word of two letters or more; some leave it as it was."""
    width = max(1, int(np.char.str_len(words).max(initial=0))) + 2
    letters = np.ascontiguousarray(words.astype(f"U{width}")).view(np.uint32).reshape(len(words), width)
    n_letters = np.count_nonzero(letters, axis=1)
    place = 1 + rng.integers(seed, "misspelled_place", np.maximum(n_letters - 1, 1), *keys)
    edit = np.where(n_letters < 2, -1, rng.choice(seed, "edit", options.weights, *keys))
    edited = np.take_along_axis(letters, _sources(edit, place, n_letters, width), axis=1)
    wrong = _wrong_letter(options, edit, letters[np.arange(len(words)), place], seed, *keys)
    for kind, where in ((INSERTION, place + 1), (SUBSTITUTION, place)):
        rows = np.flatnonzero(edit == kind)
        edited[rows, where[rows]] = wrong[rows]
    return np.asarray(np.ascontiguousarray(edited).view(f"U{width}").reshape(len(words)))


def _sources(edit: Ints, place: Ints, n_letters: Ints, width: int) -> Ints:
    """(n_words, width) the column that each letter of the misspelled word is taken from."""
    columns = np.arange(width)
    edit, place = edit[:, None], place[:, None]
    left = np.minimum(place, n_letters[:, None] - 2)
    swapped = (edit == TRANSPOSITION) & (left > 0)
    sources = columns + ((edit == OMISSION) & (columns >= place)) - ((edit == INSERTION) & (columns > place))
    sources = sources + (swapped & (columns == left)) - (swapped & (columns == left + 1))
    return np.asarray(np.minimum(sources, width - 1))


def _wrong_letter(
    options: SpellingOptions, edit: Ints, letter: NDArray[np.uint32], seed: int, *keys: Ints
) -> Ints:
    """(n_words,) the letter that stands for `letter`, or beside it."""
    luck = rng.uniform(seed, "wrong_letter", *keys)
    phonetic = rng.uniform(seed, "phonetic", *keys) < options.phonetic_prob
    sound = np.where(edit == INSERTION, letter, _KIN_BY_SOUND.draw(letter, luck))
    key = _KIN_BY_KEY.draw(letter, luck)
    return np.where(phonetic & ((edit == INSERTION) | (sound != letter)), sound, key)


@dataclass(frozen=True)
class _Kin:
    """The letters that are taken for each letter."""

    table: NDArray[np.uint32]
    count: Ints

    @staticmethod
    def of(groups: Iterable[Iterable[str]]) -> _Kin:
        """Letters are kin that stand in a group together."""
        kin: dict[int, set[int]] = {}
        for group in groups:
            codes = {ord(letter) for letter in group}
            for code in codes:
                kin.setdefault(code, set()).update(codes - {code})
        table = np.zeros((_N_CODES, max(len(others) for others in kin.values())), np.uint32)
        for code, others in kin.items():
            table[code, : len(others)] = sorted(others)
        return _Kin(table, np.count_nonzero(table, axis=1))

    def draw(self, letter: NDArray[np.uint32], luck: Floats) -> Ints:
        """One of each letter's kin; the letter itself where it has none."""
        code = np.minimum(letter, _N_CODES - 1)
        drawn = self.table[code, (luck * self.count[code]).astype(np.int64)]
        return np.where(self.count[code] > 0, drawn, letter).astype(np.int64)


def _adjacent_keys() -> Iterable[str]:
    """Pairs of keys that touch on a QWERTY keyboard, whose lower rows are set off to the right."""
    for row in _KEYBOARD:
        yield from (row[place : place + 2] for place in range(len(row) - 1))
    for upper, lower in pairwise(_KEYBOARD):
        for place, letter in enumerate(lower):
            yield from (letter + above for above in upper[place : place + 2])


_KIN_BY_KEY = _Kin.of(_adjacent_keys())
_KIN_BY_SOUND = _Kin.of(_SOUND_ALIKE)
