"""What makes two sweeps the same study: the base config, the space, and what is improved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlsd.config.keys import join
from mlsd.errors import InputError
from mlsd.store import key_of

ATTRIBUTE = "mlsd"
"""Under which a study keeps what it is about."""

LEAVES_FIGURES_ALONE = ("hydra", "store", "report", "n_workers")
"""Sections of a run's config that change no figure of a trial."""

N_SHOWN = 8


class OtherStudyError(InputError):
    """The name is that of a study about something else."""


def identity(
    base: Mapping[str, Any], space: object, objectives: object, n_seeds: int, prune_after: str
) -> dict[str, Any]:
    """What must not change within a study, as plain values.

    Args:
        base: the resolved config of a run without any parameter.
        space: parameters, plain.
        objectives: plain.
        n_seeds: trainings that a trial is the mean of.
        prune_after: what the figures that pruners compare are of.
    """
    kept = {name: value for name, value in base.items() if name not in LEAVES_FIGURES_ALONE}
    trial = {"n_seeds": n_seeds, "prune_after": prune_after}
    return {"config": kept, "space": space, "objectives": objectives, **trial}


def check_same(ours: Mapping[str, Any], kept: Mapping[str, Any], study: str) -> None:
    """Refuse to go on with a study that is about something else.

    Raises:
        OtherStudyError: with what differs.
    """
    if key_of(ours) == key_of(kept):
        return
    here, there = _values(ours), _values(kept)
    names = [name for name in dict.fromkeys([*there, *here]) if here.get(name) != there.get(name)]
    lines = [
        f"  {name}: {there.get(name, 'not there')} there, {here.get(name, 'not there')} here"
        for name in names
    ]
    more = [f"  and {len(lines) - N_SHOWN} more"] if len(lines) > N_SHOWN else []
    raise OtherStudyError(
        "\n".join(
            [
                f"the study {study!r} is about something else; keep to it, or give another tuning.study:",
                *lines[:N_SHOWN],
                *more,
            ]
        )
    )


def _values(nested: Mapping[str, Any], parent: str = "") -> dict[str, Any]:
    """Full key -> value, of everything that is no mapping."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        key = join(parent, name)
        found |= (
            _values(value, key)
            if isinstance(value, Mapping) and value
            else {key.removeprefix("config."): value}
        )
    return found
