"""The mobile click log of Avazu, as Kaggle had it: comma-separated lines, with a header or without.

    id,click,hour,C1,banner_pos,site_id,...,device_conn_type,C14,...,C21

`click` is 0 or 1, `hour` is yymmddHH in UTC, the others are categories. The files are `train.csv` and, where
they have the column `click` too, `validation.csv` and `test.csv`.
Source: Avazu, Click-Through Rate Prediction (Kaggle, 2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlsd.datasets.base import SourceFile
from mlsd.datasets.ctr_source import CutSource, Part, clicks
from mlsd.datasets.splits import published
from mlsd.datasets.tables import Factor, Table, first_line, read_table
from mlsd.errors import InputError, nearest
from mlsd.types import Array, Catalog

CATEGORIES = (
    "C1", "banner_pos", "site_id", "site_domain", "site_category", "app_id", "app_domain", "app_category",
    "device_id", "device_ip", "device_model", "device_type", "device_conn_type",
    "C14", "C15", "C16", "C17", "C18", "C19", "C20", "C21",
)  # fmt: skip
COLUMNS = ("id", "click", "hour", *CATEGORIES)

NO_DEVICE = "a99f214a"
"""The `device_id` of most rows: that of devices which do not tell theirs."""


@dataclass(frozen=True)
class Avazu(CutSource):
    """Lines of 21 categories.

    A user is a `device_id`; where that is `NO_DEVICE`, a `device_ip` with a `device_model`, as in the winning
    entry of the challenge (Juan, Zhuang and Chin, 2014). `id` is not read, as it is different in each row.
    """

    format: ClassVar[str] = "avazu"

    def places(self) -> dict[str, str]:
        return published(self.folder, "csv", ["train"])

    def parse(self, files: Mapping[str, SourceFile]) -> tuple[dict[str, Part], Catalog | None]:
        return {split: _part(file) for split, file in files.items()}, None


def _part(file: SourceFile) -> Part:
    table = read_table(file, ",", COLUMNS, header=_has_header(file), keep=COLUMNS[1:])
    label, time = clicks(table, "click"), _times(table)
    categorical = {name: table.columns[name] for name in CATEGORIES}
    return Part(label, {}, categorical, time=time, user=_users(table))


def _has_header(file: SourceFile) -> bool:
    """Whether the first line names columns, which must then be those of `COLUMNS`."""
    number, line = first_line(file)
    names = tuple(line.split(","))
    if names == COLUMNS or not set(names) & set(COLUMNS):
        return names == COLUMNS
    lacking = [name for name in COLUMNS if name not in names]
    strange = next((name for name in names if name not in COLUMNS), None)
    close = nearest(strange, lacking) if strange else None
    hint = f"; {strange!r} is nearest to {close!r}" if close else ""
    problem = f"lacks {', '.join(lacking)}" if lacking else "has columns in another order, or more"
    raise InputError(f"{file.name}:{number} {problem}; a header must be {','.join(COLUMNS)}{hint}")


def _times(table: Table) -> Array:
    """(n,) the beginning of each row's hour."""
    codes, values = table.columns["hour"]
    texts = pd.Series(values, dtype=str)
    texts = texts.where(texts.str.fullmatch(r"\d{8}"), "")
    parsed = pd.DatetimeIndex(pd.to_datetime(texts.tolist(), format="%y%m%d%H", errors="coerce"))
    table.require(
        "hour", ~np.isnat(parsed.to_numpy()), "must be a date and hour as yymmddHH, such as 14102100"
    )
    return np.asarray(parsed.to_numpy().astype("datetime64[us]"))[codes]


def _users(table: Table) -> Factor:
    """Who was there, as far as devices tell."""
    device, ip, model = (table.columns[name] for name in ("device_id", "device_ip", "device_model"))
    n_models, n_devices = len(model.values), len(device.values)
    told = (device.values != NO_DEVICE)[device.codes]
    pair = n_devices + ip.codes * n_models + model.codes
    different, users = np.unique(np.where(told, device.codes, pair), return_inverse=True)
    by_ip, by_model = np.divmod(np.maximum(different - n_devices, 0), n_models)
    of_pair = ip.values[by_ip] + "-" + model.values[by_model]
    of_device = device.values[np.minimum(different, n_devices - 1)]
    return Factor(users, np.where(different < n_devices, of_device, of_pair))
