"""The report of a sweep: which config is best, how it was found, and what became of every trial."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlsd.report import numbers
from mlsd.report.charts.specs import HistoryChart, IntervalChart, IntervalRow, ParetoChart, TrialPoint
from mlsd.report.estimate import Estimate
from mlsd.report.page import (
    Block,
    Bullets,
    Cell,
    Code,
    Column,
    Fold,
    Page,
    Paragraph,
    Section,
    Table,
    Verdict,
)
from mlsd.report.sections.cells import charts, columns, estimate_cell, figure_cell, pairs, text_cell

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
"""What can become of a trial."""

NO_VALUE = "not finished"


@dataclass(frozen=True)
class ObjectiveResult:
    """One figure that was improved.

    Args:
        name: of the objective.
        metric: what it is.
        is_maximized: whether more is better.
        is_timed: whether a clock measured it.
    """

    name: str
    metric: str
    is_maximized: bool
    is_timed: bool = False


@dataclass(frozen=True)
class TrialResult:
    """What became of a trial.

    Args:
        number: of the trial.
        state: `complete`, `pruned` or `failed`.
        figures: objective -> its figure; none unless complete.
        chosen: parameter that counted -> its value, as text.
        overrides: that make its config of the base's.
        seconds: that it took; NaN where nobody knows.
        stages: how its stages came about -> how many did so: `fitted`, `read` or `held`.
        reason: why it failed.
        repeats: the number of the trial that it tried again; None for others.
    """

    number: int
    state: str
    figures: Mapping[str, Estimate] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    seconds: float = math.nan
    stages: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""
    repeats: int | None = None


@dataclass(frozen=True)
class SweepResult:
    """A study, as its report shows it.

    Args:
        study: its name.
        problem: name of the problem.
        objectives: in order; the first one decides which trial is called the best.
        trials: in order.
        best: number of the best trial; None where none is finished.
        front: numbers of the trials that no other one beats in every objective.
        importances: objective -> parameter -> share of what tells good trials from others, in [0, 1].
        parameters: (name, key, values, when it counts) of each.
        commands: (what for, the line) to run what was found.
        n_trials: that were asked for.
        n_seeds: trainings that a trial's figures are the mean of.
        confidence: of the intervals.
        unit: what is independent of each other, "user" or "query".
        sampler: its name.
        pruner: its name; empty without one.
        storage: where the study is kept, without a password.
        fitted_s: seconds that went into fitting stages.
        saved_s: seconds that looking stages up saved: what fitting them took within the study.
        n_codes: versions of mlsd's code that trials were made by.
    """

    study: str
    problem: str
    objectives: tuple[ObjectiveResult, ...]
    trials: tuple[TrialResult, ...]
    best: int | None
    front: tuple[int, ...] = ()
    importances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    parameters: tuple[tuple[str, str, str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    n_trials: int = 0
    n_seeds: int = 1
    confidence: float = 0.95
    unit: str = "user"
    sampler: str = ""
    pruner: str = ""
    storage: str = ""
    fitted_s: float = 0.0
    saved_s: float = 0.0
    n_codes: int = 1

    @property
    def by_number(self) -> Mapping[int, TrialResult]:
        return {trial.number: trial for trial in self.trials}

    @property
    def finished(self) -> tuple[TrialResult, ...]:
        return tuple(trial for trial in self.trials if trial.state == COMPLETE)

    @property
    def counts(self) -> Mapping[str, int]:
        """State -> trials."""
        return Counter(trial.state for trial in self.trials)


def sweep_page(result: SweepResult) -> Page:
    """The report of a study, not yet written as anything."""
    builders = (_best, _front, _history, _importances, _trials, _work, _space)
    sections = (build(result) for build in builders)
    return Page(
        f"Sweep: {result.study}",
        (f"problem: {result.problem}", _counted(result), f"sampler: {result.sampler}"),
        _headline(result),
        "",
        _verdicts(result),
        tuple(section for section in sections if section is not None),
        _reading(result),
        brand="mlsd sweep",
        colophon="Made by mlsd from the study's trials; trials.csv beside this file holds them all.",
        figures_in="trials.csv",
    )


def _counted(result: SweepResult) -> str:
    counts = result.counts
    said = [f"{counts[state]} {state}" for state in (COMPLETE, PRUNED, FAILED) if counts.get(state)]
    return f"trials: {', '.join(said) or 'none'}"


def _headline(result: SweepResult) -> str:
    if result.best is None:
        return "No trial is finished."
    first, best = result.objectives[0], result.by_number[result.best]
    figure = numbers.value_text(best.figures[first.name])
    among = f"the best of {len(result.finished)} by {first.metric} on the validation window"
    return f"Trial {best.number} is {among}: {figure}."


def _reading(result: SweepResult) -> str:
    units = "queries" if result.unit == "query" else f"{result.unit}s"
    return (
        f"Brackets hold {numbers.share(result.confidence)} intervals over {units} of the validation window. "
        "They are of one config; the best of many is flattered by having been chosen: run it once more, and "
        "believe the test window of that run, with another seed if anything depends on it."
    )


def _verdicts(result: SweepResult) -> tuple[Verdict, ...]:
    if result.best is None:
        return (Verdict("What is best?", "Nothing yet", "none", detail="No trial is finished."),)
    best = result.by_number[result.best]
    return tuple(
        Verdict(
            f"How good is the best in {objective.name}?",
            f"Trial {best.number}",
            "none",
            numbers.value_text(best.figures[objective.name]),
            numbers.interval_text(best.figures[objective.name])
            if best.figures[objective.name].has_interval
            else "",
            f"{objective.metric}, {_direction(objective)}. {_spread(result, objective)}",
        )
        for objective in result.objectives
    )


def _direction(objective: ObjectiveResult) -> str:
    return "more is better" if objective.is_maximized else "less is better"


def _spread(result: SweepResult, objective: ObjectiveResult) -> str:
    values = sorted(trial.figures[objective.name].value for trial in result.finished)
    middle = values[len(values) // 2]
    best = result.by_number[result.best].figures[objective.name] if result.best is not None else Estimate()
    return f"The median trial has {numbers.like(middle, best)}."


def _best(result: SweepResult) -> Section | None:
    if result.best is None:
        return None
    best = result.by_number[result.best]
    rows = [(name, value) for name, value in best.chosen.items()]
    blocks: list[Block] = [pairs(("parameter", "value"), rows)]
    for what, line in result.commands:
        blocks += [Paragraph(what), Code(line, "sh")]
    lead = f"Trial {best.number}. What a parameter does not set is as in the base config."
    return Section("best", "The best config", lead, tuple(blocks))


def _front(result: SweepResult) -> Section | None:
    if len(result.objectives) == 1 or not result.front:
        return None
    first, second = result.objectives[:2]
    values = {
        trial.number: (trial.figures[second.name].value, trial.figures[first.name].value)
        for trial in result.finished
    }
    chart = ParetoChart(
        "pareto",
        f"{first.name} against {second.name}",
        f"{first.metric} ({_direction(first)}) over {second.metric} ({_direction(second)}).",
        tuple(values.values()),
        tuple(values[number] for number in result.front),
        (second.metric, first.metric),
    )
    rows = tuple(
        (
            text_cell(number),
            *_figure_cells(result, result.by_number[number]),
            text_cell(_chosen(result.by_number[number])),
        )
        for number in result.front
    )
    headings = columns("trial", *(one.name for one in result.objectives), "config", words=("config",))
    lead = "Trials that no other trial beats in every objective at once."
    return Section("front", "Pareto front", lead, (*charts(chart), Table(headings, rows)))


def _history(result: SweepResult) -> Section | None:
    if not result.finished:
        return None
    pruned = tuple(trial.number for trial in result.trials if trial.state == PRUNED)
    drawn = (
        HistoryChart(
            f"history-{place}",
            objective.name,
            f"{objective.metric} by trial; {_direction(objective)}.",
            _points(result, objective),
            pruned,
            objective.metric,
        )
        for place, objective in enumerate(result.objectives)
    )
    return Section("history", "How it went", "", charts(*drawn))


def _points(result: SweepResult, objective: ObjectiveResult) -> tuple[TrialPoint, ...]:
    points, best = [], math.inf
    for trial in result.finished:
        value = trial.figures[objective.name].value
        loss = -value if objective.is_maximized else value
        points.append(TrialPoint(trial.number, value, loss < best))
        best = min(best, loss)
    return tuple(points)


def _importances(result: SweepResult) -> Section | None:
    known = {name: shares for name, shares in result.importances.items() if shares}
    if not known:
        return None
    drawn = (
        IntervalChart(
            f"importance-{place}",
            f"For {name}",
            "The longer, the more does it matter where the parameter lies.",
            tuple(
                IntervalRow(numbers.one_line(parameter), Estimate(share * 100), numbers.share(share), "stage")
                for parameter, share in shares.items()
            ),
            axis="share",
            unit="%",
            reference=0.0,
        )
        for place, (name, shares) in enumerate(known.items())
    )
    rows = tuple(
        (
            text_cell(parameter),
            *(figure_cell(numbers.share(shares.get(parameter, math.nan))) for shares in known.values()),
        )
        for parameter in dict.fromkeys(one for shares in known.values() for one in shares)
    )
    lead = (
        "How differently the best tenth of the finished trials and all of them spread over each "
        "parameter's range (PED-ANOVA, Watanabe et al., IJCAI 2023), as shares of "
        "100%. Of few trials this is a hint, no more."
    )
    table = Table(columns("parameter", *known), rows)
    return Section("importances", "What matters", lead, (*charts(*drawn), Fold("As a table", (table,))))


def _trials(result: SweepResult) -> Section | None:
    if not result.trials:
        return None
    names = [objective.name for objective in result.objectives]
    rows = tuple(_trial_row(result, trial) for trial in result.trials)
    headings = (
        Column("trial"),
        Column("state", numeric=False),
        *(Column(name) for name in names),
        Column("seconds"),
        Column("config", numeric=False),
    )
    failures = tuple(f"Trial {trial.number}: {trial.reason}" for trial in result.trials if trial.reason)
    blocks: list[Block] = [Bullets(failures, "Why trials failed", "open")] if failures else []
    blocks.append(Fold("All trials", (Table(headings, rows),)))
    return Section("trials", "Trials", _counted(result).capitalize() + ".", tuple(blocks))


def _trial_row(result: SweepResult, trial: TrialResult) -> tuple[Cell, ...]:
    again = f" (trial {trial.repeats} again)" if trial.repeats is not None else ""
    return (
        text_cell(trial.number),
        text_cell(trial.state + again),
        *_figure_cells(result, trial),
        figure_cell(numbers.significant(trial.seconds)),
        text_cell(_chosen(trial)),
    )


def _figure_cells(result: SweepResult, trial: TrialResult) -> tuple[Cell, ...]:
    return tuple(_figure_cell(trial.figures.get(objective.name)) for objective in result.objectives)


def _figure_cell(estimate: Estimate | None) -> Cell:
    if estimate is not None and not estimate.has_interval:
        return figure_cell(numbers.value_text(estimate))
    return estimate_cell(estimate, missing=NO_VALUE)


def _chosen(trial: TrialResult) -> str:
    return ", ".join(f"{name}={value}" for name, value in trial.chosen.items())


def _work(result: SweepResult) -> Section:
    stages: Counter[str] = Counter()
    for trial in result.trials:
        stages.update(trial.stages)
    total = sum(trial.seconds for trial in result.trials if math.isfinite(trial.seconds))
    facts = [
        ("stages fitted", numbers.count(stages["fitted"])),
        ("stages read from the store", numbers.count(stages["read"])),
        ("stages still in memory", numbers.count(stages["held"])),
        ("seconds of all trials", numbers.significant(total)),
        ("of these, fitting stages", numbers.significant(result.fitted_s)),
        ("seconds saved, at least", numbers.significant(result.saved_s)),
        ("storage", result.storage),
        ("pruner", result.pruner or "none"),
        ("trainings of a trial", str(result.n_seeds)),
    ]
    notes = [
        (
            "Saved is what fitting the same stage took when a trial of this study did it; stages that were "
            "in the store before it began count as nothing."
        )
    ]
    if any(objective.is_timed for objective in result.objectives):
        notes.append(
            "Latencies were measured one trial at a time, while no other trial of the study was at work on "
            "the machine."
        )
    if result.n_codes > 1:
        notes.append(
            f"Trials were made by {result.n_codes} versions of mlsd's code: their figures may not compare."
        )
    return Section("work", "What it took", "", (pairs(("what", "how much"), facts), Bullets(tuple(notes))))


def _space(result: SweepResult) -> Section:
    rows = tuple(tuple(text_cell(text) for text in row) for row in result.parameters)
    headings = tuple(
        Column(label, numeric=False) for label in ("parameter", "key", "values", "when it counts")
    )
    return Section("space", "What was tried", "", (Fold("The space", (Table(headings, rows),)),))
