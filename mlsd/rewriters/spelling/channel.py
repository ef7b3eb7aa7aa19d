"""How a word comes to be mistyped: the error model of the noisy channel.

    log P(typed | meant) = - min( cost of the cheapest alignment, SOUND if both sound alike )

An alignment is made of letters omitted, letters too many, letters replaced and neighbours exchanged; each
has a cost in nats, and what is right costs nothing. A letter is omitted in one of a few ways and replaced
in hundreds, so that a certain omission is likelier than a certain replacement. Hands and ears err in their
own ways: a doubled letter typed once or a single one twice, a neighbour on the keyboard, a vowel for a
vowel, a consonant for one that sounds like it. An error in the first letter costs more.

Source: Kernighan, Church and Gale (COLING 1990) for the channel; Damerau (1964) for its four errors;
Pollock and Zamora (CACM 1984) for first letters, which are seldom wrong; Brill and Moore (ACL 2000) for
errors by sound.
"""

from __future__ import annotations

import re
from functools import lru_cache

OMITTED = 6.0
TOO_MANY = 8.5
DOUBLED = 4.5
REPLACED = 10.0
NEAR_KEY = 8.0
ALIKE = 5.5
EXCHANGED = 5.0
FIRST = 4.0
SOUND = 9.0
BLANK = 6.0
CHEAPEST = 4.5

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_VOWELS = "aeiouy"
_CONSONANTS = ("ckq", "cs", "sz", "gj", "fv", "dt", "bp", "mn", "vw", "xs", "hw")


def log_prob(typed: str, meant: str) -> float:
    """Logarithm of P(typed | meant), in nats; 0 where both are the same.

    Example:
        >>> log_prob("acommodate", "accommodate") == -DOUBLED
        True
        >>> log_prob("xanana", "banana") == -(REPLACED + FIRST)
        True
    """
    if typed == meant:
        return 0.0
    cost = _alignment_cost(typed, meant)
    if cost > SOUND and sound(typed) == sound(meant):
        return -SOUND
    return -cost


def _alignment_cost(typed: str, meant: str) -> float:
    """The cheapest alignment of what lies between the letters that both begin and end with."""
    start = _common_start(typed, meant)
    shorter = min(len(typed), len(meant)) - start
    end = min(_common_start(typed[::-1], meant[::-1]), shorter)
    rows, columns = len(typed) - end - start, len(meant) - end - start
    before: list[float] = []
    last = [0.0]
    for j in range(columns):
        last.append(last[j] + _omitted(meant, start + j))
    for i in range(rows):
        at = start + i
        row = [last[0] + _too_many(typed, at)]
        for j in range(columns):
            to = start + j
            cost = last[j] + _replaced(typed[at], meant[to], to)
            cost = min(cost, row[j] + _omitted(meant, to), last[j + 1] + _too_many(typed, at))
            if before and j and typed[at] == meant[to - 1] and typed[at - 1] == meant[to]:
                cost = min(cost, before[j - 1] + EXCHANGED + (FIRST if to == 1 else 0.0))
            row.append(cost)
        before, last = last, row
    return last[columns]


def _common_start(one: str, other: str) -> int:
    n = 0
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            break
        n += 1
    return n


def _omitted(meant: str, place: int) -> float:
    """A letter of what was meant is not there."""
    if place == 0:
        return OMITTED + FIRST
    letter = meant[place]
    doubled = letter == meant[place - 1] or letter == meant[place + 1 : place + 2]
    return DOUBLED if doubled else OMITTED


def _too_many(typed: str, place: int) -> float:
    """A letter was typed that was not meant."""
    if place == 0:
        return TOO_MANY + FIRST
    letter = typed[place]
    doubled = letter == typed[place - 1] or letter == typed[place + 1 : place + 2]
    return DOUBLED if doubled else TOO_MANY


def _replaced(typed: str, meant: str, place: int) -> float:
    if typed == meant:
        return 0.0
    pair = typed, meant
    cost = ALIKE if pair in _SOUND_ALIKE else NEAR_KEY if pair in _TOUCH else REPLACED
    return cost + (FIRST if place == 0 else 0.0)


def _pairs(letters: str) -> set[tuple[str, str]]:
    return {(one, other) for one in letters for other in letters if one != other}


def _neighbours() -> set[tuple[str, str]]:
    """Keys that touch: beside each other, or in rows that are shifted by half a key."""
    places = {letter: (x + 0.5 * y, y) for y, row in enumerate(_ROWS) for x, letter in enumerate(row)}
    return {
        (one, other)
        for one, (x, y) in places.items()
        for other, (u, v) in places.items()
        if one != other and abs(x - u) <= 1 and abs(y - v) <= 1
    }


_TOUCH = frozenset(_neighbours())
_SOUND_ALIKE = frozenset(set[tuple[str, str]]().union(_pairs(_VOWELS), *map(_pairs, _CONSONANTS)))

_SOUNDS = (
    (re.compile(pattern), heard)
    for pattern, heard in (
        (r"^(kn|gn|pn)", "n"), (r"^wr", "r"), (r"^ps", "s"), (r"^x", "s"), (r"^wh", "w"),
        (r"ph", "f"), (r"gh(?=t|$)", ""), (r"gh", "g"), (r"([st])ch", r"\1k"),
        (r"ch|sh|ti(?=o|a)|ci(?=o|a)|si(?=o)", "S"),
        (r"th", "T"), (r"ck|q|c(?![eiy])", "k"), (r"c", "s"), (r"z", "s"), (r"x", "ks"),
        (r"dg(?=[eiy])|g(?=[eiy])", "j"), (r"v", "f"), (r"mb$", "m"),
    )
)  # fmt: skip
_RULES = tuple(_SOUNDS)
_VOWEL_RUN = re.compile(r"[aeiouyhw]+")
_REPEATED = re.compile(r"(.)\1+")


@lru_cache(maxsize=1 << 14)
def sound(word: str) -> str:
    """A word's consonants as they sound, `_` for vowels that it begins with; equal where words sound alike.

    Example:
        >>> sound("fonetic") == sound("phonetick")
        True
    """
    for pattern, replacement in _RULES:
        word = pattern.sub(replacement, word)
    first = _VOWEL_RUN.sub("_", word[:1])
    return _REPEATED.sub(r"\1", first + _VOWEL_RUN.sub("", word[1:]))
