"""A small made-up log of clicks, written in every layout that is read: what tests of logged worlds run on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlsd import rng
from mlsd.datasets import avazu
from mlsd.types import Ints

N_ROWS, N_ADS, N_USERS = 600, 12, 30
LAYOUTS = ("libfm", "criteo", "avazu", "open_bandit")
LIBFM_FIELDS = ("user", "ad", "device")

_CLICKS_OF_ADS = 0.1 + 0.6 * np.arange(N_ADS) / N_ADS
"""(N_ADS,) how often each ad is clicked."""


def write_click_log(folder: Path, layout: str, seed: int = 0) -> Path:
    """Write `N_ROWS` impressions of ads that differ in how often they are clicked; returns the folder.

    Args:
        folder: made where it is not there; several layouts may share one.
        layout: one of `LAYOUTS`.
        seed: of who sees what, and of the clicks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    {"libfm": _libfm, "criteo": _criteo, "avazu": _avazu, "open_bandit": _open_bandit}[layout](folder, seed)
    return folder


def _drawn(seed: int, name: str, n: int) -> Ints:
    return rng.integers(seed, name, n, np.arange(N_ROWS))


def _clicks(seed: int) -> Ints:
    prob = _CLICKS_OF_ADS[_drawn(seed, "ad", N_ADS)]
    return (rng.uniform(seed, "click", np.arange(N_ROWS)) < prob).astype(np.int64)


def _libfm(folder: Path, seed: int) -> None:
    fields = zip(LIBFM_FIELDS, (N_USERS, N_ADS, 3), (0, 100, 200), strict=True)
    columns = [[f"{start + value}:1" for value in _drawn(seed, name, n)] for name, n, start in fields]
    lines = _lines(" ", [_text(_clicks(seed)), *columns])
    for split, rows in (("train", lines[:400]), ("validation", lines[400:500]), ("test", lines[500:])):
        _write(folder / f"{split}.libfm", rows)


def _criteo(folder: Path, seed: int) -> None:
    integers = [_text(_drawn(seed, f"I{k}", 9)) for k in range(13)]
    categories = [[f"c{value}" for value in _drawn(seed, f"C{k}", 4)] for k in range(25)]
    ads = [f"ad{value}" for value in _drawn(seed, "ad", N_ADS)]
    _write(folder / "train.txt", _lines("\t", [_text(_clicks(seed)), *integers, *categories, ads]))


def _avazu(folder: Path, seed: int) -> None:
    named = {name: _text(_drawn(seed, name, 4)) for name in avazu.CATEGORIES}
    named |= {"id": _text(np.arange(N_ROWS)), "click": _text(_clicks(seed))}
    named |= {"hour": [f"141021{hour:02d}" for hour in np.arange(N_ROWS) * 24 // N_ROWS]}
    named |= {"C14": _text(_drawn(seed, "ad", N_ADS)), "device_id": _text(_drawn(seed, "user", N_USERS))}
    rows = _lines(",", [named[name] for name in avazu.COLUMNS])
    _write(folder / "train.csv", [",".join(avazu.COLUMNS), *rows])


def _open_bandit(folder: Path, seed: int) -> None:
    campaign = folder / "random" / "all"
    campaign.mkdir(parents=True, exist_ok=True)
    items = [f"{ad},{ad},{ad / 7},{ad % 3}a" for ad in range(N_ADS)]
    _write(campaign / "item_context.csv", [",item_id,item_feature_0,item_feature_1", *items])
    start = np.datetime64("2019-11-24T00:00:00")
    named = {
        "": _text(np.arange(N_ROWS)),
        "timestamp": [f"{start + 60 * row}+00:00" for row in range(N_ROWS)],
        "item_id": _text(_drawn(seed, "ad", N_ADS)),
        "position": _text(1 + _drawn(seed, "position", 3)),
        "click": _text(_clicks(seed)),
        "propensity_score": [repr(1 / N_ADS)] * N_ROWS,
        "user_feature_0": _text(_drawn(seed, "user", N_USERS)),
    }
    named |= {f"user-item_affinity_{ad}": _text(_drawn(seed, f"affinity {ad}", 4)) for ad in range(N_ADS)}
    _write(campaign / "all.csv", [",".join(named), *_lines(",", list(named.values()))])


def _text(numbers: Ints) -> list[str]:
    return [str(number) for number in numbers.tolist()]


def _lines(delimiter: str, columns: list[list[str]]) -> list[str]:
    return [delimiter.join(row) for row in zip(*columns, strict=True)]


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
