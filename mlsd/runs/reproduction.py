"""A finished run, to be run again: whether it can be, and whether every figure came out as it did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from mlsd.config.build import build
from mlsd.config.resolve import resolve
from mlsd.config.schema import System
from mlsd.errors import InputError
from mlsd.report.estimate import number
from mlsd.runs.finished import FinishedRun
from mlsd.runs.leaves import MISSING, leaves, spelled
from mlsd.runs.paired.differences import differences_of
from mlsd.runs.provenance import CONFIG, DATA, GENERATED, machine_type
from mlsd.store import key_of

TOLERANCE = 0.01
"""How far a figure may lie off on a machine of another type, unless somebody says otherwise; measured in
`docs/reproduce.md`."""

DATA_KEY = "world.path"
"""Where a config says that the files of a world lie."""


class Again(NamedTuple):
    """What is run once more."""

    system: System
    """As it was run, with a store of its own."""
    config: Mapping[str, Any]
    """As it was run, resolved."""


def prepared(run: FinishedRun, store: Path, data: Path | None = None) -> Again:
    """A run's system once more, from its own config, which is checked like any other.

    Args:
        run: what it left behind.
        store: an empty folder, so that nothing is looked up.
        data: where the world's files lie now; `None` for where the config says.

    Raises:
        ConfigError: the config is not one that can be run, or names what is not allowed.
        InputError: the config or the data are not those of the run, or its world reads no data.
    """
    config = run.config if data is None else _with_data(run, data)
    system = build(config)
    plain = resolve(run.config).values
    _require_same(run, CONFIG, key_of(plain), "config.yaml is not what was run")
    _require_same(run, DATA, system.world.fingerprint or GENERATED, "the data are not those of the run")
    return Again(build(_with(config, "store.folder", store)), plain)


def _require_same(run: FinishedRun, entry: str, now: str, what: str) -> None:
    path = run.folder / "provenance.json"
    if entry not in run.provenance:
        raise InputError(f"{path}: no entry {entry!r}")
    if run.provenance[entry] != now:
        raise InputError(f"{what}: {entry} is {now!r}, {path} says {run.provenance[entry]!r}")


def _with_data(run: FinishedRun, data: Path) -> DictConfig:
    if OmegaConf.select(run.config, DATA_KEY) is None:
        raise InputError(f"--data == '{data}', but the world of {run.folder} reads no data: it has no `path`")
    return _with(run.config, DATA_KEY, data)


def _with(config: DictConfig, key: str, folder: Path) -> DictConfig:
    moved = config.copy()
    OmegaConf.update(moved, key, str(folder))
    return moved


class Changed(NamedTuple):
    """Something that is not as it was."""

    name: str
    then: object
    now: object

    @property
    def difference(self) -> float:
        """Now minus then; NaN where either is no number."""
        return _number(self.now) - _number(self.then)


def changed_provenance(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Changed]:
    """What made a run then and now, where it differs; the date always does."""
    kept = ({name: value for name, value in made.items() if name != "date"} for made in (then, now))
    return [Changed(key, before, after) for key, (before, after) in differences_of(list(kept))]


def is_same_machine(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether figures must be equal bit for bit: same operating system, CPU, threads and packages."""
    return machine_type(then) == machine_type(now)


class Held(NamedTuple):
    """The figures of then against those of now."""

    n: int
    """Figures in either."""
    changed: tuple[Changed, ...]
    """Those that are not equal; one that only one of them has among them."""


def held(then: object, now: object, tolerance: float = 0.0) -> Held:
    """Hold every leaf of `metrics.json` against the same leaf of another.

    With a tolerance, two numbers are equal if  |now - then| <= tolerance x max(1, |then|).  Without, all must
    be the same to the last bit. Words, truth values and missing figures must be the same in any case.

    Args:
        then: nested plain values, as read from JSON.
        now: likewise.
        tolerance: 0 or more.

    Example:
        >>> found = held({"AP": 0.5, "n": 3}, {"AP": 0.5000001, "n": 3, "RR": 1.0})
        >>> found.n, [one.name for one in found.changed], found.changed[1].then
        (3, ['AP', 'RR'], missing)
        >>> held({"AP": 0.5}, {"AP": 0.5000001}, tolerance=1e-6).changed
        ()
    """
    before, after = dict(leaves(then)), dict(leaves(now))
    paths = list(dict.fromkeys([*before, *after]))
    pairs = ((path, before.get(path, MISSING), after.get(path, MISSING)) for path in paths)
    return Held(len(paths), tuple(_unequal(pairs, tolerance)))


def _unequal(pairs: Iterator[tuple[tuple[str, ...], object, object]], tolerance: float) -> Iterator[Changed]:
    for path, then, now in pairs:
        if not _is_equal(then, now, tolerance):
            yield Changed(spelled(path), then, now)


def _is_equal(then: object, now: object, tolerance: float) -> bool:
    if then is MISSING or now is MISSING:
        return False
    if json.dumps(then) == json.dumps(now):
        return True
    before, after = _number(then), _number(now)
    return bool(tolerance) and abs(after - before) <= tolerance * max(1.0, abs(before))


def _number(value: object) -> float:
    return float("nan") if isinstance(value, bool) else number(value)
