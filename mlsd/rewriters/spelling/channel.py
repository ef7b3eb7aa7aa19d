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
from itertools import accumulate

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
    if cost > SOUND and _sound_alike(typed, meant):
        return -SOUND
    return -cost


def _alignment_cost(typed: str, meant: str) -> float:
    """The cheapest alignment of what lies between the letters that both begin and end with."""
    start = _common_start(typed, meant)
    end = _common_start(typed[start:][::-1], meant[start:][::-1])
    too_many = [_too_many(typed, place) for place in range(start, len(typed) - end)]
    omitted = [_omitted(meant, place) for place in range(start, len(meant) - end)]
    wanted = meant[start : len(meant) - end]
    before: list[float] = []
    last = [0.0, *accumulate(omitted)]
    for i, one_too_many in enumerate(too_many, start):
        letter, cost = typed[i], last[0] + one_too_many
        row = [cost]
        for j, other in enumerate(wanted):
            cost += omitted[j]
            if last[j + 1] + one_too_many < cost:  # noqa: PLR1730 - calls of min take half of a cell's time
                cost = last[j + 1] + one_too_many
            if letter == other:
                if last[j] < cost:  # noqa: PLR1730
                    cost = last[j]
            elif last[j] + ALIKE < cost:
                cost = min(cost, last[j] + _replaced(letter, other, start + j))
            if j and letter == wanted[j - 1] and before and typed[i - 1] == other:
                cost = min(cost, before[j - 1] + EXCHANGED + (FIRST if start + j == 1 else 0.0))
            row.append(cost)
        before, last = last, row
    return last[-1]


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
    """A letter was typed in the place of another."""
    cost = _REPLACED.get(typed + meant, REPLACED)
    return cost + FIRST if place == 0 else cost


def _pairs(letters: str) -> set[str]:
    return {one + other for one in letters for other in letters if one != other}


def _neighbours() -> set[str]:
    """Keys that touch: beside each other, or in rows that are shifted by half a key."""
    places = {letter: (x + 0.5 * y, y) for y, row in enumerate(_ROWS) for x, letter in enumerate(row)}
    return {
        one + other
        for one, (x, y) in places.items()
        for other, (u, v) in places.items()
        if one != other and abs(x - u) <= 1 and abs(y - v) <= 1
    }


_SOUND_ALIKE = _pairs(_VOWELS).union(*map(_pairs, _CONSONANTS))
_REPLACED = dict.fromkeys(_neighbours(), NEAR_KEY) | dict.fromkeys(_SOUND_ALIKE, ALIKE)
"""Letter typed and letter meant -> what it costs where it is less than any other."""

_SOUNDS = tuple(
    (part, re.compile(pattern), heard)
    for part, pattern, heard in (
        ("n", r"^(kn|gn|pn)", "n"), ("wr", r"^wr", "r"), ("ps", r"^ps", "s"), ("x", r"^x", "s"),
        ("wh", r"^wh", "w"), ("ph", r"ph", "f"), ("gh", r"gh(?=t|$)", ""), ("gh", r"gh", "g"),
        ("ch", r"([st])ch", r"\1k"), ("h", r"ch|sh", "S"), ("i", r"ti(?=o|a)|ci(?=o|a)|si(?=o)", "S"),
        ("th", r"th", "T"), ("c", r"ck|c(?![eiy])", "k"), ("q", r"q", "k"), ("c", r"c", "s"),
        ("z", r"z", "s"), ("x", r"x", "ks"), ("g", r"dg(?=[eiy])|g(?=[eiy])", "j"), ("v", r"v", "f"),
        ("mb", r"mb$", "m"),
    )
)  # fmt: skip
"""What a word must have for a pattern to be looked for, the pattern, and what is heard in its place."""

_VOWEL_RUN = re.compile(r"[aeiouyhw]+")
_ALWAYS_HEARD = frozenset("lmnr")
"""Letters that no pattern takes away or brings in: few words need be heard in full to be told apart."""

_REPEATED = re.compile(r"(.)\1+")


def _sound_alike(one: str, other: str) -> bool:
    same = _ALWAYS_HEARD.intersection(one) == _ALWAYS_HEARD.intersection(other)
    return same and sound(one) == sound(other)


@lru_cache(maxsize=1 << 14)
def sound(word: str) -> str:
    """A word's consonants as they sound, `_` for vowels that it begins with; equal where words sound alike.

    Example:
        >>> sound("fonetic") == sound("phonetick")
        True
    """
    for part, pattern, heard in _SOUNDS:
        if part in word:
            word = pattern.sub(heard, word)
    first = _VOWEL_RUN.sub("_", word[:1])
    return _REPEATED.sub(r"\1", first + _VOWEL_RUN.sub("", word[1:]))
