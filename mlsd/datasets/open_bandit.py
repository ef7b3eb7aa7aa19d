"""The Open Bandit Dataset: impressions of a fashion site with the probability of showing what was shown.

    POLICY/CAMPAIGN/CAMPAIGN.csv       ,timestamp,item_id,position,click,propensity_score,user_feature_0,...,
                                       user-item_affinity_0,...
    POLICY/CAMPAIGN/item_context.csv   ,item_id,item_feature_0,...

`position` is 1, 2 or 3, left to right; `user_feature_*` are hashed categories; `user-item_affinity_k` is how
often the user clicked item k before. `item_feature_0` is a number, the other features of items are hashed
categories. The first column numbers the lines and may be missing.
Source: Saito, Aihara, Matsutani and Narita, NeurIPS 2021 Datasets and Benchmarks, arXiv:2008.07146.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlsd import checks
from mlsd.datasets.base import SourceFile, missing
from mlsd.datasets.ctr_source import CutSource, Part, clicks, whole
from mlsd.datasets.tables import Factor, Table, first_line, read_table
from mlsd.errors import InputError, nearest
from mlsd.types import Array, Catalog, Floats, Ints

POLICIES = ("random", "bts")
"""Uniform, and Bernoulli Thompson sampling."""

AFFINITY = "affinity"
"""The dense column of the user's affinity to the item that was shown."""

_USER, _AFFINITIES, _ITEM = "user_feature_", "user-item_affinity_", "item_feature_"
_NEEDED = ("timestamp", "item_id", "position", "click", "propensity_score")
_LOG, _ITEMS = "train", "items"


@dataclass(frozen=True)
class OpenBandit(CutSource):
    """The impressions that one policy made in one campaign.

    Dense columns are `affinity`, to the item shown; `user-item_affinity_k`, to every item of the campaign,
    for judging what was not shown; and `item_feature_0` of the item shown. Categorical ones are `item_id`,
    `user_feature_*` and the other features of the item shown. Nothing tells users apart.

    Args:
        policy: whose impressions, "random" or "bts".
        campaign: such as "men"; may be left out where the policy has one.
    """

    format: ClassVar[str] = "open_bandit"

    policy: str = "random"
    campaign: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.one_of("policy", self.policy, POLICIES)

    @property
    def name(self) -> str:
        return f"{super().name} {self.policy}"

    def places(self) -> dict[str, str]:
        folder = f"{self.policy}/{self._campaign()}"
        places = {_LOG: f"{folder}/{folder.rpartition('/')[2]}.csv", _ITEMS: f"{folder}/item_context.csv"}
        problem = missing(self.folder, places.values())
        if problem:
            raise InputError(problem)
        return places

    def parse(self, files: Mapping[str, SourceFile]) -> tuple[dict[str, Part], Catalog | None]:
        items = _catalog(files[_ITEMS])
        return {"train": _part(files[_LOG], files[_ITEMS].name, items)}, items

    def _campaign(self) -> str:
        problem = missing(self.folder, [])
        if problem:
            raise InputError(problem)
        folder, name = self.folder / self.policy, self.folder.resolve().name
        if not folder.is_dir():
            raise InputError(
                f"{name} has no folder {self.policy!r}, which must hold a folder for each campaign"
            )
        there = sorted(path.name for path in folder.iterdir() if path.is_dir())
        if self.campaign in there or (not self.campaign and len(there) == 1):
            return self.campaign or there[0]
        close = nearest(self.campaign, there)
        hint = f"; nearest is {close!r}" if close else ""
        rule = f"must be one of {', '.join(there) or 'none'}"
        raise InputError(f"{name}/{self.policy}: campaign == {self.campaign!r}, {rule}{hint}")


def _catalog(file: SourceFile) -> Catalog:
    """The items, ascending by id."""
    table = _read(file, ["item_id", f"{_ITEM}0"], [_ITEM])
    ids = table.numbers("item_id", "must be a whole number, 0 or more", _is_index).astype(np.int64)
    again = np.flatnonzero(pd.Index(ids).duplicated())
    if len(again):
        raise table.fault("item_ids that come again", again, ids[again].tolist(), "each must be there once")
    order = np.argsort(ids)
    columns: dict[str, Array] = {
        name: factor.values[factor.codes][order]
        for name, factor in table.columns.items()
        if name.startswith(_ITEM)
    }
    columns[f"{_ITEM}0"] = table.numbers(f"{_ITEM}0", "must be a number", _is_number)[order]
    return Catalog(ids[order].astype(str).astype(object), columns)


def _part(file: SourceFile, items_name: str, items: Catalog) -> Part:
    table = _read(file, [*_NEEDED, f"{_USER}0"], [_USER, _AFFINITIES])
    item = _items_shown(table, items, items_name)
    position = table.numbers("position", "must be a whole number, 1 or more", lambda p: whole(p) & (p >= 1))
    propensity = table.numbers("propensity_score", "must be in (0, 1]", lambda p: (p > 0) & (p <= 1))
    return Part(
        label=clicks(table, "click"),
        dense=_dense(table, item, items),
        categorical=_categorical(table, item, items),
        time=_times(table),
        item=item,
        position=position.astype(np.int64) - 1,
        propensity=propensity,
    )


def _read(file: SourceFile, needed: Sequence[str], families: Sequence[str]) -> Table:
    """The needed columns and all whose names begin as those of the families, by the header."""
    number, line = first_line(file)
    names = line.split(",")
    place = f"{file.name}:{number}"
    lacking = [name for name in needed if name not in names]
    if lacking:
        close = nearest(lacking[0], [name for name in names if name not in needed])
        hint = f"; nearest is {close!r}" if close else ""
        rule = f"a header, cut by comma, must name {', '.join(needed)}"
        raise InputError(f"{place} lacks {', '.join(lacking)}{hint}; {rule}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{place} has columns {', '.join(twice)} twice; each must be there once")
    keep = [name for name in names if name in needed or name.startswith(tuple(families))]
    return read_table(file, ",", names, header=True, keep=keep)


def _items_shown(table: Table, items: Catalog, items_name: str) -> Ints:
    """(n,) rows of the catalog."""
    table.numbers("item_id", "must be a whole number, 0 or more", _is_index)
    codes, values = table.columns["item_id"]
    rows = pd.Index(items.item_id).get_indexer(pd.Index(values))
    table.require("item_id", rows >= 0, f"must be in {items_name}")
    return rows.astype(np.int64)[codes]


def _dense(table: Table, item: Ints, items: Catalog) -> dict[str, Array]:
    names = [name for name in table.columns if name.startswith(_AFFINITIES)]
    affinities = {name: table.numbers(name, "must be a number", _is_number) for name in names}
    shown = np.zeros(len(item))
    for row, item_id in enumerate(items.item_id):
        column = affinities.get(f"{_AFFINITIES}{item_id}")
        if column is None:
            raise InputError(
                f"{table.file.name}:1 lacks {_AFFINITIES}{item_id}: each item must have an affinity"
            )
        shown[item == row] = column[item == row]
    return {AFFINITY: shown, **affinities, f"{_ITEM}0": items[f"{_ITEM}0"][item]}


def _categorical(table: Table, item: Ints, items: Catalog) -> dict[str, Factor]:
    of_users = {name: factor for name, factor in table.columns.items() if name.startswith(_USER)}
    of_items = {name: column for name, column in items.columns.items() if name != f"{_ITEM}0"}
    named = {"item_id": Factor(item, items.item_id)}
    for name, column in of_items.items():
        codes, values = pd.factorize(column)
        named[name] = Factor(codes.astype(np.int64)[item], values)
    return {**named, **of_users}


def _times(table: Table) -> Array:
    """(n,) UTC."""
    codes, values = table.columns["timestamp"]
    parsed = pd.Series(pd.to_datetime(pd.Series(values), format="ISO8601", utc=True, errors="coerce"))
    table.require("timestamp", parsed.notna().to_numpy(), "must be a date and time as in ISO 8601")
    return parsed.dt.tz_localize(None).to_numpy().astype("datetime64[us]")[codes]


def _is_index(values: Floats) -> Array:
    return whole(values) & (values >= 0)


def _is_number(values: Floats) -> Array:
    return ~np.isnan(values)
