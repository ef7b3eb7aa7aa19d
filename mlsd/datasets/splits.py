"""The splits of a data set: the files that publish them, and rows set apart where none does."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from mlsd.datasets.base import missing
from mlsd.datasets.ctr import SPLITS
from mlsd.errors import InputError, nearest
from mlsd.types import Array, Ints

_NAMES = {"train": "train", "validation": "validation|valid|val|dev", "test": "test"}


def published(folder: Path, ending: str, needed: Collection[str]) -> dict[str, str]:
    """Split -> the place of its file: `train.ENDING`, or `NAME.train.ENDING`, with or without `.gz`.

    `valid`, `val` and `dev` are other names of validation; before any of them may stand a name and `.`, `-`
    or `_`.

    Args:
        folder: of the data set.
        ending: such as "csv".
        needed: splits that must be there.

    Raises:
        InputError: there is no such folder, a needed split is not there, or two files could be one.
    """
    problem = missing(folder, [])
    if problem:
        raise InputError(problem)
    folder = folder.resolve()
    there = sorted({path.name.removesuffix(".gz") for path in folder.iterdir() if path.is_file()})
    named = {
        split: [name for name in there if re.fullmatch(rf"(.*[._-])?({names})\.{ending}", name)]
        for split, names in _NAMES.items()
    }
    others = set(there).difference(*named.values())
    places = {}
    for split, found in named.items():
        if len(found) > 1:
            raise InputError(f"{folder.name} has {' and '.join(found)}: keep one")
        if found:
            places[split] = found[0]
        elif split in needed:
            close = nearest(f"{split}.{ending}", sorted(others))
            hint = f"; nearest is {close!r}" if close else ""
            raise InputError(f"{folder.name} has no [NAME.]{split}.{ending}[.gz]{hint}")
    return places


def arrange(
    name: str, sizes: Mapping[str, int], time: Array | None, shares: Mapping[str, float]
) -> tuple[Ints, dict[str, slice]]:
    """Put the rows of the splits one after the other, cutting from the end of `train` what is not published.

    The latest rows of `train` become `test`, those before them `validation`. Rows of equal time keep
    their order, as all do where no time is known: a file is taken to be in order of time.

    Args:
        name: of the data set, for the message.
        sizes: published split -> its rows, `train` among them; the rows stand in this order.
        time: (n_rows,) when each was; None where unknown.
        shares: split -> its share of the rows of `train`, for a split that is not published. A share above 0
            is one row or more.

    Returns:
        The rows in their new order, and each split's slice of them; empty for a share of 0.

    Raises:
        InputError: nothing is left of `train`.

    Example:
        >>> rows, splits = arrange("ads", {"train": 4}, None, {"validation": 0.25, "test": 0.25})
        >>> rows.tolist(), splits["train"], splits["test"]
        ([0, 1, 2, 3], slice(0, 2, None), slice(3, 4, None))
    """
    ends = np.cumsum(list(sizes.values()))
    of_file = dict(zip(sizes, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    cut = {split: _n_cut(share, sizes["train"]) for split, share in shares.items() if split not in sizes}
    n_cut = int(np.sum(list(cut.values())))
    left = sizes["train"] - n_cut
    if left < 1:
        raise InputError(f"{name} has {sizes['train']} training rows: too few to cut {' and '.join(cut)} off")
    train = of_file["train"]
    if time is not None and n_cut:
        train = train[np.argsort(time[train], kind="stable")]
    train, validation, test = np.split(train, [left, left + cut.get("validation", 0)])
    rows = {"validation": validation, "test": test, **of_file, "train": train}
    stops = np.cumsum([0, *(len(rows[split]) for split in SPLITS)]).tolist()
    splits = {split: slice(*stops[number : number + 2]) for number, split in enumerate(SPLITS)}
    return np.concatenate([rows[split] for split in SPLITS]), splits


def _n_cut(share: float, n_rows: int) -> int:
    return max(1, round(share * n_rows)) if share > 0 else 0
