"""Whether two runs can be held against each other: the same requests, the same truth, the same metrics."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlsd.errors import InputError
from mlsd.runs.leaves import MISSING
from mlsd.runs.paired.differences import differences_of
from mlsd.runs.paired.side import Side
from mlsd.runs.provenance import DATA, TRUTH, UNIT

N_KEYS = 5
"""Keys of a config that a message names, at most."""


def require_comparable(baseline: Side, other: Side) -> None:
    """Refuse a pair of runs whose difference would be that of something else than their systems.

    Raises:
        InputError: with everything that differs and must not, and where.
    """
    reasons = [*_data(baseline, other), *_asked(baseline, other), *_metrics(baseline, other)]
    if reasons:
        lines = "\n".join(f"  {reason}" for reason in reasons)
        raise InputError(f"{other.name} cannot be compared with {baseline.name}:\n{lines}")


def _data(baseline: Side, other: Side) -> Iterator[str]:
    for entry in (DATA, UNIT):
        ours, theirs = baseline.provenance[entry], other.provenance[entry]
        if ours != theirs:
            yield f"provenance.json, {entry}: {ours!r} in {baseline.name}, {theirs!r} in {other.name}"


def _asked(baseline: Side, other: Side) -> Iterator[str]:
    """What differs between the requests; of their truth only if they are the same."""
    reasons = [*_ids(baseline, other)] or [*_columns(baseline, other), *_segments(baseline, other)]
    yield from reasons
    if not reasons and baseline.provenance[TRUTH] != other.provenance[TRUTH]:
        yield f"what is relevant to the test window's requests (provenance.json, {TRUTH})"
        reasons = [TRUTH]
    if reasons:
        yield from _of_world(baseline, other)


def _ids(baseline: Side, other: Side) -> Iterator[str]:
    ours, theirs = baseline.requests.request_id, other.requests.request_id
    for side, alone in ((baseline, np.setdiff1d(ours, theirs)), (other, np.setdiff1d(theirs, ours))):
        if len(alone):
            yield (
                f"test requests: {len(alone):,} of {len(side.table):,} are only in {side.name}, "
                f"the first is request_id == {alone[0]}"
            )


def _columns(baseline: Side, other: Side) -> Iterator[str]:
    ours, theirs = baseline.requests.named_columns(), other.requests.named_columns()
    for name in dict.fromkeys([*ours, *theirs]):
        if name not in ours or name not in theirs:
            yield f"test requests: column {name!r} is only in {(baseline if name in ours else other).name}"
            continue
        unlike = np.flatnonzero(ours[name] != theirs[name])
        if len(unlike):
            row = unlike[0]
            values = tuple(_plain(each[name][row]) for each in (ours, theirs))
            first = f"{name} of request_id == {baseline.requests.request_id[row]}"
            yield f"test requests: {len(unlike):,} differ; {_said(first, values, baseline, other)}"


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _segments(baseline: Side, other: Side) -> Iterator[str]:
    if set(baseline.segments) != set(other.segments):
        names = sorted(set(baseline.segments) ^ set(other.segments))
        yield f"segments: {', '.join(names)} in one of them only"
        return
    unlike = [name for name in baseline.segments if (baseline.table[name] != other.table[name]).any()]
    if unlike:
        yield f"segments: {', '.join(unlike)} are not of the same requests"


def _of_world(baseline: Side, other: Side) -> Iterator[str]:
    """Keys that requests and truth come from, where they differ."""
    sections = ("world", "logging")
    ours, theirs = ({name: side.config.get(name) for name in sections} for side in (baseline, other))
    found = differences_of([ours, theirs])
    for difference in found[:N_KEYS]:
        yield _said(difference.key, difference.values, baseline, other)
    if len(found) > N_KEYS:
        yield f"and {len(found) - N_KEYS:,} further keys of {' and '.join(sections)}"


def _metrics(baseline: Side, other: Side) -> Iterator[str]:
    """Metrics that both declare, otherwise each."""
    ours, theirs = (side.config.get("metrics") or {} for side in (baseline, other))
    both = [name for name in ours if ours[name] is not None and theirs.get(name) is not None]
    found = differences_of([{name: metrics[name] for name in both} for metrics in (ours, theirs)])
    for difference in found:
        yield _said(f"metrics.{difference.key}", difference.values, baseline, other)


def _said(key: str, values: tuple[object, ...], baseline: Side, other: Side) -> str:
    first, second = ("not set" if value is MISSING else repr(value) for value in values)
    return f"{key}: {first} in {baseline.name}, {second} in {other.name}"
