"""Reading logs of clicks: python benchmarks/bench_ctr_readers.py.

Each reader, with all its checks, beside a plain loop over lines that checks nothing and makes the same
columns, which is asserted. The files are made up, plain, with a few hundred to some thousand categories a
column. One thread; what has been read once comes from the store.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from timing import median_seconds, paired

from mlsd import rng
from mlsd.ctr_logs import read_kept
from mlsd.datasets.avazu import COLUMNS, Avazu
from mlsd.datasets.criteo import Criteo
from mlsd.datasets.ctr import CtrLog
from mlsd.datasets.ctr_source import CtrSource
from mlsd.datasets.libfm import LibFM
from mlsd.datasets.open_bandit import OpenBandit
from mlsd.store import Store
from mlsd.types import Array, Ints

N_ROWS = 100_000
N_TRAINING, N_ITEMS = 80_000, 34
SPLITS = {
    "train": slice(0, N_TRAINING),
    "validation": slice(N_TRAINING, 90_000),
    "test": slice(90_000, N_ROWS),
}
Rows = list[list[str]]


class Plain(NamedTuple):
    """What a loop over lines makes."""

    label: Array
    codes: list[Ints]
    """Of the categorical columns, in order."""
    dense: list[Array]
    """Of the dense columns, in order."""
    time_days: Array | None = None


def main() -> None:
    formats = ((libfm, plain_libfm), (criteo, plain_criteo), (avazu, plain_avazu), (bandit, plain_bandit))
    with tempfile.TemporaryDirectory() as place:
        for make, plain in formats:
            folder = Path(place) / make.__name__
            folder.mkdir()
            compare(make(folder), partial(plain, folder), Store(Path(place) / "store"))


def compare(source: CtrSource, plain: Callable[[], Plain], store: Store) -> None:
    assert_equal(source.read(), plain())
    timing = paired(source.read, plain, n_repeats=5)
    kept_s = median_seconds(lambda: read_kept(source, store))
    print(f"{source.format:<12} {timing}")
    print(f"{'':<12} {1e3 * N_ROWS / timing.ours_ms:,.0f} rows/s, plain loop", end=" ")
    print(f"{1e3 * N_ROWS / timing.other_ms:,.0f}; from the store {N_ROWS / kept_s:,.0f}")


def assert_equal(log: CtrLog, plain: Plain) -> None:
    np.testing.assert_array_equal(log.label, plain.label)
    for column, codes in zip(log.categorical.values(), plain.codes, strict=True):
        np.testing.assert_array_equal(column.codes, codes)
    for dense, values in zip(log.dense.values(), plain.dense, strict=True):
        np.testing.assert_allclose(dense, values, rtol=1e-6)
    if plain.time_days is not None:
        assert log.time_days is not None
        np.testing.assert_allclose(log.time_days, plain.time_days)


def category(stream: str, n: int) -> Ints:
    """(N_ROWS,) of n categories, low ones more often."""
    return np.asarray(rng.uniform(0, stream, np.arange(N_ROWS)) ** 3 * n, np.int64)


def clicked() -> list[str]:
    return ["1" if draw < 0.2 else "0" for draw in rng.uniform(0, "click", np.arange(N_ROWS))]


def hexes(stream: str, n: int) -> list[str]:
    return [f"{number * 2654435761 % 2**32:08x}" for number in category(stream, n).tolist()]


def libfm(folder: Path) -> CtrSource:
    sizes = (957, 4_082, 7, 7, 2, 3, 2, 9, 80, 233)
    starts = np.cumsum([0, *sizes])
    columns = [category(f"field {number}", n) + starts[number] for number, n in enumerate(sizes)]
    pairs = np.column_stack(columns).tolist()
    lines = [
        f"{2 * int(label) - 1} {' '.join(f'{index}:1' for index in row)}\n"
        for label, row in zip(clicked(), pairs, strict=True)
    ]
    for split, rows in SPLITS.items():
        (folder / f"{split}.libfm").write_text("".join(lines[rows]), encoding="utf-8")
    return LibFM(folder)


def criteo(folder: Path) -> CtrSource:
    integers = [[str(n) if n else "" for n in category(f"I{k}", 3_000).tolist()] for k in range(13)]
    write_rows(
        folder / "train.txt", "\t", [clicked(), *integers, *[hexes(f"C{k}", 3_000) for k in range(26)]]
    )
    return Criteo(folder)


def avazu(folder: Path) -> CtrSource:
    hours = [f"1410{21 + hour // 24}{hour % 24:02d}" for hour in (np.arange(N_ROWS) // 1_000).tolist()]
    others = [hexes(name, 3_000) for name in COLUMNS[3:]]
    columns = [[str(10**19 + row) for row in range(N_ROWS)], clicked(), hours, *others]
    write_rows(
        folder / "train.csv", ",", [[name, *column] for name, column in zip(COLUMNS, columns, strict=True)]
    )
    return Avazu(folder)


def bandit(folder: Path) -> CtrSource:
    campaign = folder / "random" / "men"
    campaign.mkdir(parents=True)
    items = "".join(f"{k},{k},{k / 7},{k % 5}a,{k % 3}b\n" for k in range(N_ITEMS))
    header = ",item_id,item_feature_0,item_feature_1,item_feature_2\n"
    (campaign / "item_context.csv").write_text(header + items, encoding="utf-8")
    seconds = np.arange(N_ROWS) * 6
    named = {
        "": [str(row) for row in range(N_ROWS)],
        "timestamp": [
            f"{time}+00:00" for time in (np.datetime64("2019-11-24T00:00:00") + seconds).astype(str).tolist()
        ],
        "item_id": [str(item) for item in category("item", N_ITEMS).tolist()],
        "position": [str(position + 1) for position in category("position", 3).tolist()],
        "click": clicked(),
        "propensity_score": [repr(1 / N_ITEMS)] * N_ROWS,
        **{f"user_feature_{k}": hexes(f"user {k}", 10) for k in range(4)},
        **{
            f"user-item_affinity_{k}": [f"{value}.0" for value in category(f"affinity {k}", 4).tolist()]
            for k in range(N_ITEMS)
        },
    }
    write_rows(campaign / "men.csv", ",", [[name, *column] for name, column in named.items()])
    return OpenBandit(folder)


def write_rows(path: Path, delimiter: str, columns: list[list[str]]) -> None:
    lines = (delimiter.join(row) for row in zip(*columns, strict=True))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def plain_codes(rows: Rows) -> list[Ints]:
    """Codes of every column of text, with the vocabulary of the training rows."""
    columns = []
    for column in range(len(rows[0])):
        known = {
            value: code for code, value in enumerate(sorted({row[column] for row in rows[:N_TRAINING]}), 1)
        }
        columns.append(np.array([known.get(row[column], 0) for row in rows]))
    return columns


def plain_libfm(folder: Path) -> Plain:
    labels, rows = [], []
    for split in SPLITS:
        with (folder / f"{split}.libfm").open(encoding="utf-8") as lines:
            for line in lines:
                label, *pairs = line.split()
                labels.append(int(label == "1"))
                rows.append([pair.partition(":")[0] for pair in pairs])
    return Plain(np.array(labels), plain_codes(rows), [])


def plain_criteo(folder: Path) -> Plain:
    labels, integers, rows = [], [], []
    with (folder / "train.txt").open(encoding="utf-8") as lines:
        for line in lines:
            label, *fields = line.rstrip("\n").split("\t")
            labels.append(int(label))
            integers.append([x for field in fields[:13] for x in plain_integer(field)])
            rows.append(fields[13:])
    return Plain(np.array(labels), plain_codes(rows), list(np.array(integers, np.float32).T))


def plain_integer(field: str) -> tuple[float, float]:
    if not field:
        return 0.0, 1.0
    number = int(field)
    return math.copysign(math.log1p(abs(number)), number), 0.0


def plain_avazu(folder: Path) -> Plain:
    labels, hours, rows = [], [], []
    users: dict[str, int] = {}
    with (folder / "train.csv").open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            _, label, hour, *fields = line.rstrip("\n").split(",")
            labels.append(int(label))
            hours.append(24 * int(hour[4:6]) + int(hour[6:]))
            users.setdefault(fields[8], len(users))
            rows.append(fields)
    time = np.array(hours)
    return Plain(np.array(labels), plain_codes(rows), [], time / 24 - time.min() // 24)


def plain_bandit(folder: Path) -> Plain:
    with (folder / "random/men/item_context.csv").open(encoding="utf-8") as lines:
        next(lines)
        items = [line.rstrip("\n").split(",")[1:] for line in lines]
    labels, times, rows, dense = [], [], [], []
    with (folder / "random/men/men.csv").open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            _, timestamp, item, position, click, propensity, *fields = line.rstrip("\n").split(",")
            int(position), float(propensity)
            labels.append(int(click))
            times.append(datetime.fromisoformat(timestamp).timestamp())
            affinities = [float(field) for field in fields[4:]]
            described = items[int(item)]
            dense.append([affinities[int(item)], *affinities, float(described[1])])
            rows.append([item, *described[2:], *fields[:4]])
    days = np.array(times) / 86_400
    return Plain(
        np.array(labels), plain_codes(rows), list(np.array(dense, np.float32).T), days - days.min() // 1
    )


if __name__ == "__main__":
    main()
