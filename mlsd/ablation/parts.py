"""What a funnel could do without, and what goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mlsd.stages.base import CandidateStage, Stage

Removal = Literal["serving", "redesign"]

SERVING: Removal = "serving"
"""Taken out of the fitted funnel: nothing is learnt again, later stages see what comes."""

REDESIGN: Removal = "redesign"
"""Designed without it: stages after it are fitted again."""

REMOVALS: tuple[Removal, ...] = (SERVING, REDESIGN)

Pieces = Mapping[str, frozenset[str]]
"""Stage -> some of its pieces."""


@dataclass(frozen=True)
class Part:
    """Something that a funnel could do without.

    Args:
        name: such as `stage/light_rank`, `retriever/bm25` or `features/query_item`.
        stage: that is taken out whole; empty where only pieces of stages are.
        pieces: that are taken out of stages which stay.
    """

    name: str
    stage: str = ""
    pieces: Pieces = field(default_factory=dict)

    def first(self, stages: Sequence[str]) -> int:
        """The place of the first stage that it changes, among the names of all in order."""
        return next(at for at, name in enumerate(stages) if name == self.stage or name in self.pieces)


def parts_of(stages: Mapping[str, Stage]) -> tuple[Part, ...]:
    """Every stage, then every group of pieces, such as a family of features of all stages together.

    A group that is all there is of the one stage that has it, such as its only retriever, is that stage, and
    not listed again.
    """
    groups: dict[str, dict[str, frozenset[str]]] = {}
    for name, stage in stages.items():
        for piece, (group, _) in stage.pieces.items():
            of_group = groups.setdefault(group, {})
            of_group[name] = of_group.get(name, frozenset()) | {piece}
    whole = [Part(f"stage/{name}", name) for name in stages]
    some = (Part(group, pieces=pieces) for group, pieces in groups.items() if not _is_a_stage(pieces, stages))
    return (*whole, *some)


@dataclass(frozen=True)
class Plan:
    """What is left of a funnel without a part.

    Args:
        removed: stage -> its pieces that go.
        switched_off: those among them that are no part of it, but read a column that only it makes.
        emptied: stages that go whole with it, as all their pieces do.
        obstacle: why there is no such funnel, in words; empty where there is.
    """

    removed: Pieces = field(default_factory=dict)
    switched_off: Pieces = field(default_factory=dict)
    emptied: frozenset[str] = frozenset()
    obstacle: str = ""


def planned(part: Part, removal: Removal, stages: Mapping[str, Stage], available: frozenset[str]) -> Plan:
    """Work out what goes with a part, without a row of anything.

    Args:
        part: to be taken out.
        removal: how; only a redesign can switch off what reads columns that are gone.
        stages: of the whole funnel, in order.
        available: columns that requests have.
    """
    finder = _finder(stages)
    if part.stage == finder:
        return Plan(obstacle=f"{finder} finds the candidates: without it there is nothing to rank")
    removed: dict[str, frozenset[str]] = {}
    off: dict[str, frozenset[str]] = {}
    emptied: set[str] = set()
    lacking: list[str] = []
    for name, stage in stages.items():
        if name == part.stage:
            continue
        own = part.pieces.get(name, frozenset())
        blind = _blind(stage, available) - own if removal == REDESIGN else frozenset()
        gone = own | blind
        removed |= {name: gone} if gone else {}
        off |= {name: blind} if blind else {}
        if gone and gone >= stage.pieces.keys():
            if removal == SERVING or name == finder:
                return Plan(obstacle=f"{name} would have nothing left")
            emptied.add(name)
            continue
        left = stage if not gone else stage.without(gone) if removal == REDESIGN else stage.muted(gone)
        unmet = sorted(left.needs - available)
        lacking += [f"{name} needs {', '.join(unmet)}"] if unmet else []
        available |= left.produces
    return Plan(removed, off, frozenset(emptied), "; ".join(lacking))


def trims(stages: Mapping[str, Stage], name: str) -> bool:
    """Whether a stage ranks for another one that learns from labels, too: to save it work, not to do it."""
    names = list(stages)
    later = names[names.index(name) + 1 :]
    return _ranks(stages[name]) and any(_ranks(stages[one]) for one in later)


def _ranks(stage: Stage) -> bool:
    return isinstance(stage, CandidateStage) and stage.learns_from_labels


def _finder(stages: Mapping[str, Stage]) -> str:
    return next(name for name, stage in stages.items() if isinstance(stage, CandidateStage))


def _is_a_stage(pieces: Pieces, stages: Mapping[str, Stage]) -> bool:
    """Whether these are all pieces of one stage, and of no other."""
    return len(pieces) == 1 and all(gone >= stages[name].pieces.keys() for name, gone in pieces.items())


def _blind(stage: Stage, available: frozenset[str]) -> frozenset[str]:
    """Pieces that read a column which is not there."""
    return frozenset(name for name, piece in stage.pieces.items() if piece.needs - available)
