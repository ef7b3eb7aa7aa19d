"""Take every part out of a funnel, in both ways, and find out what is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlsd.ablation.funnels import Whole
from mlsd.ablation.luck import TrainingLuck
from mlsd.ablation.parts import REDESIGN, REMOVALS, Part, Plan, Removal, parts_of, planned, trims
from mlsd.ablation.result import Ablation
from mlsd.ablation.worth import Cost, Judge, non_inferiority
from mlsd.errors import InputError
from mlsd.evaluation import ALL, Figures, RankingValues
from mlsd.funnel import Funnel
from mlsd.progress import Progress, silent


@dataclass(frozen=True)
class _Less:
    """A funnel without a part.

    Args:
        part: that was taken out.
        plan: what went with it.
        n_in: stage -> mean number of candidates that enter it.
        values: of what is shown.
        funnel: itself, where the part is there to save work; others are not kept.
    """

    part: Part
    plan: Plan
    n_in: Mapping[str, float]
    values: RankingValues
    funnel: Funnel | None


def ablate(
    whole: Whole,
    judge: Judge,
    n_refits: int,
    margin: float,
    costs: Mapping[str, Cost],
    progress: Progress = silent,
) -> Ablation:
    """What each part of a funnel is worth.

    Args:
        whole: the fitted funnel on the requests that it is judged on.
        judge: holds funnels against each other.
        n_refits: how often the whole design is fitted again, to know the luck of training.
        margin: that a stage which is there to save work may cost of the deciding metric.
        costs: stage -> what it is declared to cost.
        progress: told after every funnel.
    """
    tried = [(removal, part) for removal in REMOVALS for part in parts_of(whole.stages)]
    found: dict[Removal, list[_Less]] = {removal: [] for removal in REMOVALS}
    reasons: dict[Removal, dict[str, str]] = {removal: {} for removal in REMOVALS}
    for done, (removal, part) in enumerate(tried, start=1):
        less = _without(whole, judge, part, removal)
        if isinstance(less, _Less):
            found[removal].append(less)
        else:
            reasons[removal][part.name] = less
        progress(done, len(tried) + n_refits, "funnels tried")
    means = [judge.mean(judge.values(whole.trace.passed))]
    for done, stages in enumerate(whole.refitted(n_refits), start=len(tried) + 1):
        means.append(judge.mean(judge.values(whole.trace_of_refitted(stages).passed)))
        progress(done, len(tried) + n_refits, "funnels tried")
    luck = TrainingLuck(means, judge.bootstrap.confidence)
    return _concluded(whole, judge, found, reasons, luck, margin, costs)


def _without(whole: Whole, judge: Judge, part: Part, removal: Removal) -> _Less | str:
    """The funnel without a part, or why there is none."""
    plan = planned(part, removal, whole.stages, whole.available)
    if plan.obstacle:
        return plan.obstacle
    try:
        stages = whole.without(part, plan, removal)
    except InputError as error:
        return f"nothing can be learnt: {error}"
    passed, n_in = whole.trace_of(part, stages)
    saves = bool(part.stage) and trims(whole.stages, part.stage)
    return _Less(part, plan, n_in, judge.values(passed), Funnel(stages) if saves else None)


def _concluded(
    whole: Whole,
    judge: Judge,
    found: Mapping[Removal, Sequence[_Less]],
    reasons: Mapping[Removal, Mapping[str, str]],
    luck: TrainingLuck,
    margin: float,
    costs: Mapping[str, Cost],
) -> Ablation:
    values = judge.values(whole.trace.passed)
    worth: dict[Removal, dict[str, Figures]] = {}
    saving: dict[Removal, dict[str, dict[str, Any]]] = {}
    for removal, each in found.items():
        worth[removal] = judge.worth(values, {less.part.name: less.values for less in each})
        saving[removal] = {
            less.part.name: non_inferiority(
                less.part.stage,
                worth[removal][less.part.name][judge.decides][ALL],
                margin,
                _onwards(whole, less),
                costs,
            )
            for less in each
            if less.funnel is not None
        }
    return Ablation(
        worth,
        reasons,
        {less.part.name: less.plan.switched_off for less in found[REDESIGN] if less.plan.switched_off},
        {less.part.name: less.plan.emptied for less in found[REDESIGN] if less.plan.emptied},
        saving,
        luck,
        {less.part.name: luck.exceeded_by(judge.mean(less.values)) for less in found[REDESIGN]},
        {less.part.name: less.funnel for each in found.values() for less in each if less.funnel is not None},
    )


def _onwards(whole: Whole, less: _Less) -> dict[str, dict[str, float]]:
    """Candidates that enter each stage from the one that was taken out on, with and without it."""
    onwards = whole.names[whole.names.index(less.part.stage) :]
    sides = {"with": whole.trace.n_in, "without": less.n_in}
    return {side: {name: n_in[name] for name in onwards if name in n_in} for side, n_in in sides.items()}
