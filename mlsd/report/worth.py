"""What an ablation's figures say of each part, as both reports and the terminal say it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlsd.report import numbers
from mlsd.report.base import ALL, RunResult
from mlsd.report.estimate import Estimate, Figure, number
from mlsd.report.page import Tone

REMOVALS = {"serving": "taken out at serving", "redesign": "designed without it"}
"""How a part is taken out, as an entry of `metrics["ablation"]` -> what a reader calls it."""

KINDS = ("stage", "rewriter", "classifier", "retriever", "features", "display")
"""What comes before the slash of a part's name, in the order of a funnel."""

WHOLE = "the whole stage"
"""What a redesign does without where no piece of a stage is left."""


class Said(NamedTuple):
    """What the figures say of a part."""

    tone: Tone
    word: str


def ablation_of(result: RunResult) -> Mapping[str, Any]:
    """The ablation's entry of the metrics; empty where there was none."""
    found: Mapping[str, Any] = result.metrics.get("ablation") or {}
    return found


def parts_tried(result: RunResult) -> tuple[str, ...]:
    """Every part that was taken out or could not be, by kind and in the funnel's order."""
    ablation = ablation_of(result)
    reasons = (ablation.get("not_possible") or {}).values()
    found = [ablation.get(removal) or {} for removal in reversed(REMOVALS)]  # hardly a redesign is impossible
    names = dict.fromkeys(name for each in (*found, *reasons) for name in each)
    stages = [f"stage/{stage.name}" for stage in result.stages]
    return tuple(sorted(names, key=lambda name: (_rank(name.partition("/")[0], KINDS), _rank(name, stages))))


def _rank(name: str, order: list[str] | tuple[str, ...]) -> int:
    return list(order).index(name) if name in order else len(order)


def part_name(part: str) -> str:
    """What a reader calls a part.

    Example:
        >>> part_name("stage/light_rank"), part_name("features/query_item")
        ('stage: light_rank', 'features: query-item')
    """
    kind, _, name = part.partition("/")
    return f"{numbers.one_line(kind)}: {numbers.family_name(name) if kind == 'features' else name}"


def figure_of(result: RunResult, removal: str, part: str, metric: str = "", segment: str = ALL) -> Figure:
    """A figure of the funnel minus the funnel without a part; empty where there is none.

    Args:
        result: of the run.
        removal: an entry of `REMOVALS`.
        part: such as `stage/light_rank`.
        metric: the deciding one unless given.
        segment: all requests unless given.
    """
    of_part = (ablation_of(result).get(removal) or {}).get(part) or {}
    figure: Figure = (of_part.get(metric or result.decides.offline) or {}).get(segment) or {}
    return figure


def said_of(result: RunResult, removal: str, part: str) -> Said:
    """Whether a part is worth it, after Holm and, where something was learnt again, the luck of training."""
    figure = figure_of(result, removal, part)
    worth, p_holm = Estimate.of(figure), number(figure.get("p_holm"))
    if not worth.is_known or not math.isfinite(p_holm):
        return Said("none", "not measured")
    if p_holm >= 1 - result.confidence:
        return Said("open", "not shown")
    if removal == "redesign" and _luck(result).get("exceeded", {}).get(part) is False:
        return Said("open", "could be luck")
    return Said("good", "worth it") if worth.value > 0 else Said("bad", "harmful")


def _luck(result: RunResult) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ablation_of(result).get("training_luck") or {}
    return found


def reason_of(result: RunResult, removal: str, part: str) -> str:
    """Why there is no funnel without a part, in words; empty where there is."""
    reasons = (ablation_of(result).get("not_possible") or {}).get(removal) or {}
    return numbers.one_line(reasons.get(part, ""))


def switched_off(result: RunResult, part: str) -> str:
    """What a redesign without a part has to do without as well, in words."""
    ablation = ablation_of(result)
    pieces = (ablation.get("switched_off") or {}).get(part) or {}
    emptied = (ablation.get("emptied") or {}).get(part) or ()
    words = {stage: ", ".join(names) for stage, names in pieces.items()} | dict.fromkeys(emptied, WHOLE)
    return "; ".join(f"{stage}: {off}" for stage, off in words.items())


def luck_words(result: RunResult) -> str:
    """How far the luck of training reaches; empty where it was not measured."""
    luck = _luck(result)
    values, reach = [number(value) for value in luck.get("values") or ()], number(luck.get("reach"))
    if not math.isfinite(reach):
        return "The luck of training was not measured: a figure may be that of these trainings alone."
    like = Estimate(number(luck.get("mean")), min(values), max(values))
    low, high, far = (numbers.like(value, like) for value in (min(values), max(values), reach))
    return (
        f"The whole funnel was trained {numbers.plural(len(values), 'time')}, with {result.decides.offline} "
        f"from {low} to {high}. A further training of an equally good design stays within {far} of their "
        f"mean ({numbers.share(result.confidence)}): what is nearer could be training luck."
    )
