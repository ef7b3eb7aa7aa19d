"""Rules of targeting: whom each ad is for, in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd import checks
from mlsd.errors import InputError, InvalidValueError
from mlsd.targeting.keys import EXCLUDED, UNKNOWN, Key, ValueSets, flatten, is_missing
from mlsd.types import State


class Targets(NamedTuple):
    """What the ads say about one key, n_ads sets each."""

    included: ValueSets
    """Values of which a request must have one; empty: any will do."""

    excluded: ValueSets
    """Values of which a request must have none."""


@dataclass(frozen=True)
class Rules:
    """Whom each ad is for.

        targeted(ad, request) = all over keys that the ad says something about:
            request has a known value,  and one of the included values if any are,  and no excluded value

    A conjunction over keys of a disjunction within each: the conjunctive boolean expressions of Whang et al.
    (VLDB 2009) with their strong NOT, which a request of unknown value does not satisfy. An ad that says
    nothing about a key is for anybody as far as that key goes, and one that says nothing at all is for every
    request ("run of network").

    Args:
        n_ads: how many ads.
        keys: what they are targeted by.
        included: name of a key -> n_ads sets of values, empty where the ad says nothing. A key that is left
            out is one that no ad says anything about.
        excluded: name of a key with exclusions -> n_ads sets of values.

    Raises:
        InvalidValueError: a key or a value is not declared, a key is there twice, has no exclusions, or an
            ad includes and excludes the same value.
        InputError: not n_ads sets.
    """

    n_ads: int
    keys: tuple[Key, ...]
    included: Mapping[str, ValueSets]
    excluded: Mapping[str, ValueSets] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.at_least("n_ads", self.n_ads, 0)
        names = [key.name for key in self.keys]
        for name in names:
            checks.require(names.count(name) == 1, "keys", name, "must be there once")
        with_exclusions = [key.name for key in self.keys if key.exclusions]
        for name, sets in self.included.items():
            self._check(f"included.{name}", sets, self.key(name))
        for name, sets in self.excluded.items():
            key = self.key(name)
            checks.require(
                key.exclusions, "excluded", name, f"must be one of {', '.join(with_exclusions) or 'none'}"
            )
            self._check(f"excluded.{name}", sets, key)
            self._check_disjoint(key)

    def __len__(self) -> int:
        return self.n_ads

    def key(self, name: str) -> Key:
        """A key by its name."""
        checks.one_of("key", name, [key.name for key in self.keys])
        return next(key for key in self.keys if key.name == name)

    def of(self, name: str) -> Targets:
        """What the ads say about a key."""
        nothing = ValueSets.empty(self.n_ads)
        return Targets(self.included.get(name, nothing), self.excluded.get(name, nothing))

    @property
    def untargeted(self) -> NDArray[np.bool_]:
        """(n_ads,) whether an ad says nothing at all and is for anybody."""
        untargeted = np.ones(self.n_ads, bool)
        for sets in (*self.included.values(), *self.excluded.values()):
            untargeted &= ~sets.filled
        return untargeted

    @staticmethod
    def read(keys: Sequence[Key], ads: Sequence[Mapping[str, object]]) -> Rules:
        """Rules as people write them.

        Args:
            keys: what ads can be targeted by.
            ads: for each, name of a key -> list of values, and `not_` before the name of a key with
                exclusions -> list of values. What is left out, or None, is anybody.

        Raises:
            InvalidValueError: a key or a value that is not declared, with the nearest that is; a value that
                is not in a list; an empty list, which would be for nobody.

        Example:
            >>> keys = [Key("region", ["north", "south"], exclusions=True), Key("hour", range(24))]
            >>> ads = [{"region": ["north"], "hour": [8, 9]}, {"not_region": ["north"]}, {}]
            >>> rules = Rules.read(keys, ads)
            >>> rules.of("hour").included.of(0).tolist(), rules.untargeted.tolist()
            ([8, 9], [False, False, True])
            >>> Rules.read(keys, [{"regoin": ["north"]}])
            Traceback (most recent call last):
                ...
            mlsd.errors.InvalidValueError: ads[0] == 'regoin', must be one of region, not_region, hour; \
nearest is 'region'
        """
        names = [name for key in keys for name in key.names]
        for row, ad in enumerate(ads):
            for name in ad:
                checks.one_of(f"ads[{row}]", name, names)
        columns = {name: [ad.get(name) for ad in ads] for name in names}
        return Rules.of_columns(keys, len(ads), columns)

    @staticmethod
    def of_columns(keys: Sequence[Key], n_ads: int, columns: Mapping[str, Sequence[object]]) -> Rules:
        """Rules from columns of n_ads lists, each named as in `read`; None is anybody.

        Raises:
            InvalidValueError: as for `read`.
        """
        names = [name for key in keys for name in key.names]
        for name in columns:
            checks.one_of("columns", name, names)
        included = {key.name: _sets(key, key.name, columns) for key in keys if key.name in columns}
        excluded = {
            key.name: _sets(key, name, columns) for key in keys for name in key.names[1:] if name in columns
        }
        return Rules(n_ads, tuple(keys), included, excluded)

    def state(self, prefix: str) -> State:
        """All of it as arrays, each key's values of one type."""
        state = {
            f"{prefix}.n_ads": np.array(self.n_ads),
            f"{prefix}.keys": np.array([key.name for key in self.keys], str),
            f"{prefix}.multi_valued": np.array([key.multi_valued for key in self.keys], bool),
            f"{prefix}.exclusions": np.array([key.exclusions for key in self.keys], bool),
        }
        for key in self.keys:
            state[f"{prefix}.{key.name}.values"] = np.array(list(key.values))
        for side, targets in (("included", self.included), ("excluded", self.excluded)):
            for name, sets in targets.items():
                state[f"{prefix}.{name}.{side}.offsets"] = sets.offsets
                state[f"{prefix}.{name}.{side}.codes"] = sets.codes
        return state

    @staticmethod
    def from_state(state: State, prefix: str) -> Rules:
        flags = zip(
            *(state[f"{prefix}.{name}"].tolist() for name in ("keys", "multi_valued", "exclusions")),
            strict=True,
        )
        keys = tuple(Key(name, state[f"{prefix}.{name}.values"].tolist(), *more) for name, *more in flags)
        included, excluded = (
            {
                key.name: ValueSets(state[f"{stem}.offsets"], state[f"{stem}.codes"])
                for key in keys
                if f"{(stem := f'{prefix}.{key.name}.{side}')}.offsets" in state
            }
            for side in ("included", "excluded")
        )
        return Rules(int(state[f"{prefix}.n_ads"]), keys, included, excluded)

    def _check(self, where: str, sets: ValueSets, key: Key) -> None:
        """There is a set for every ad, of values that the key has."""
        if len(sets) != self.n_ads:
            raise InputError(f"{where} has {len(sets)} rows, must have {self.n_ads}")
        sets.check_codes(where, len(key))

    def _check_disjoint(self, key: Key) -> None:
        """No ad includes what it excludes."""
        included, excluded = (_pairs(sets, len(key)) for sets in self.of(key.name))
        both = np.isin(excluded, included)
        if both.any():
            row, code = divmod(int(excluded[np.argmax(both)]), len(key))
            rule = f"must not also be in {EXCLUDED}{key.name}"
            raise InvalidValueError(f"ads.{key.name}[{row}]", key.values[code], rule)


def _pairs(sets: ValueSets, n_values: int) -> NDArray[np.int64]:
    """(n_listed,) ad and value in one integer."""
    return np.repeat(np.arange(len(sets)) * n_values, np.diff(sets.offsets)) + sets.codes


def _sets(key: Key, name: str, columns: Mapping[str, Sequence[object]]) -> ValueSets:
    """The sets of a column, whose values must be those of the key."""
    where, cells = f"ads.{name}", columns[name]
    values, offsets = flatten(cells, where)
    for row in np.flatnonzero(np.diff(offsets) == 0).tolist():
        if not is_missing(cells[row]):
            rule = "must have a value; leave it out for anybody"
            raise InvalidValueError(f"{where}[{row}]", cells[row], rule)
    codes = key.codes(values)
    if len(codes) and codes.min() == UNKNOWN:
        place = int(np.argmin(codes))
        row = int(np.searchsorted(offsets, place, side="right")) - 1
        raise key.unknown(f"{where}[{row}]", values[place])
    return ValueSets(offsets, codes)
