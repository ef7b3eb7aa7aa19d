"""A study's trials as plain values, and what they leave in its folder."""

from __future__ import annotations

import math
import shlex
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from mlsd.config.overrides import value_text
from mlsd.report import html, markdown
from mlsd.report.estimate import Estimate
from mlsd.report.sweep import (
    COMPLETE,
    FAILED,
    PRUNED,
    ObjectiveResult,
    SweepResult,
    TrialResult,
    sweep_page,
)
from mlsd.store import write_text
from mlsd.tuning.asked import Asked
from mlsd.tuning.best import EXPERIMENT, best_yaml
from mlsd.tuning.figures import MEASURED
from mlsd.tuning.ledger import REASON, REPEATS, Ledger
from mlsd.tuning.parameter import Parameter
from mlsd.tuning.storage import shown

STATES = {TrialState.COMPLETE: COMPLETE, TrialState.PRUNED: PRUNED, TrialState.FAIL: FAILED}

UNHEARD = "its caller was not heard of any more"
"""Why a trial failed that a database gave up."""

N_FOR_IMPORTANCE = 8
"""Finished trials below which nothing is said about what matters."""


def sweep_result(asked: Asked, ledger: Ledger) -> SweepResult:
    """What a study has found so far."""
    ended = [trial for trial in ledger.trials if trial.state in STATES]
    tuning, best, front = asked.tuning, _best(ledger.study, ended), _front(ledger.study, ended)
    fitted_s, saved_s = _seconds(ended)
    objectives = tuple(
        ObjectiveResult(name, one.metric, one.direction == "maximize", one.metric in MEASURED)
        for name, one in tuning.objectives.items()
    )
    trials = tuple(_trial(trial, ledger) for trial in ended)
    return SweepResult(
        tuning.study,
        str(asked.config["problem"]["name"]),
        objectives,
        trials,
        best.number if best else None,
        tuple(trial.number for trial in front),
        _importances(ledger.study, list(tuning.objectives), ended),
        tuple(_described(name, parameter) for name, parameter in tuning.space.items()),
        _commands(asked, best, front),
        tuning.n_trials,
        tuning.n_seeds,
        asked.system.bootstrap.confidence,
        asked.system.world.unit,
        asked.method.sampler.name,
        asked.method.pruner.name if asked.method.pruner else "",
        shown(tuning.storage, tuning.place),
        fitted_s,
        saved_s,
        len({trial.user_attrs["code"] for trial in ended if "code" in trial.user_attrs}),
    )


def write_study(result: SweepResult, asked: Asked) -> None:
    """The report, the table of trials and the best config, each whole or not at all."""
    place = asked.tuning.place
    for number, name in _experiments(result).items():
        overrides = [*asked.base, *result.by_number[number].overrides]
        write_text(place / EXPERIMENT / f"{name}.yaml", best_yaml(overrides, place, name, asked.search))
    table = trials_table(result)
    write_text(place / "trials.csv", table.to_csv(index=False))
    unfinished = place / ".trials.parquet"
    table.to_parquet(unfinished, index=False)
    unfinished.replace(place / "trials.parquet")
    page = sweep_page(result)
    write_text(place / "report.md", markdown.render_page(page))
    write_text(place / "report.html", html.render_page(page))


def trials_table(result: SweepResult) -> pd.DataFrame:
    """One row for each trial: state, figures with their intervals, parameters, seconds, why it failed."""
    rows = [_row(trial, result) for trial in result.trials]
    names = ["trial", "state", *(one.name for one in result.objectives), "seconds", "reason"]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=names)


def _row(trial: TrialResult, result: SweepResult) -> dict[str, object]:
    row: dict[str, object] = {"trial": trial.number, "state": trial.state}
    for objective in result.objectives:
        estimate = trial.figures.get(objective.name, Estimate())
        row |= {objective.name: estimate.value, f"{objective.name}_low": estimate.low}
        row |= {f"{objective.name}_high": estimate.high}
    row |= {name: trial.chosen.get(name) for name, *_ in result.parameters}
    return {**row, "seconds": trial.seconds, "reason": trial.reason, "overrides": " ".join(trial.overrides)}


def _experiments(result: SweepResult) -> dict[int, str]:
    """Number of a trial that is written down -> the name of its YAML."""
    if result.best is None:
        return {}
    others = {number: f"front_{number}" for number in result.front if number != result.best}
    return {result.best: "best", **others}


def _trial(trial: FrozenTrial, ledger: Ledger) -> TrialResult:
    facts = trial.user_attrs
    figures = facts.get("figures", {}) if trial.state == TrialState.COMPLETE else {}
    stages = [how for of_seed in facts.get("stages", []) for _, how, _ in of_seed.values()]
    failed = trial.state == TrialState.FAIL
    return TrialResult(
        trial.number,
        STATES[trial.state],
        {name: Estimate.of(figure) for name, figure in figures.items()},
        {name: _text(ledger.space.parameters[name], value) for name, value in trial.params.items()},
        tuple(facts.get("overrides", ledger.space.overrides(trial.params))),
        float(facts.get("seconds", math.nan)),
        {how: stages.count(how) for how in dict.fromkeys(stages)},
        str(facts.get(REASON, UNHEARD)) if failed else "",
        facts.get(REPEATS),
    )


def _text(parameter: Parameter, label: Any) -> str:
    if parameter.switch:
        return "on" if label else "off"
    return f"{label:.4g}" if isinstance(label, float) else str(label)


def _described(name: str, parameter: Parameter) -> tuple[str, str, str, str]:
    when = ", ".join(f"{parent}={value_text(values)}" for parent, values in parameter.when.items())
    if parameter.switch:
        values = "on, off"
    elif parameter.choices is not None:
        values = ", ".join(map(value_text, parameter.choices))
    else:
        how = f" in steps of {parameter.step}" if parameter.step else " (log)" if parameter.log else ""
        values = f"{parameter.low} to {parameter.high}{how}"
    return name, parameter.key, values, when or "always"


def _best(study: optuna.Study, ended: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The best finished trial by the first objective, one that no other beats in every objective."""
    sign = -1 if study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else 1
    return min(_front(study, ended), key=lambda trial: (sign * trial.values[0], trial.number), default=None)


def _front(study: optuna.Study, ended: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Finished trials that no other one beats in every objective, the best by the first objective first."""
    finished = [trial for trial in ended if trial.state == TrialState.COMPLETE]
    signs = [-1 if one == optuna.study.StudyDirection.MAXIMIZE else 1 for one in study.directions]
    losses = np.array([trial.values for trial in finished]).reshape(-1, len(signs)) * signs
    beaten = [bool(((losses <= row).all(axis=1) & (losses < row).any(axis=1)).any()) for row in losses]
    front = [trial for trial, is_beaten in zip(finished, beaten, strict=True) if not is_beaten]
    return sorted(front, key=lambda trial: (signs[0] * trial.values[0], trial.number))


def _importances(
    study: optuna.Study, objectives: Sequence[str], ended: Sequence[FrozenTrial]
) -> dict[str, dict[str, float]]:
    finished = [trial for trial in ended if trial.state == TrialState.COMPLETE]
    if len(finished) < N_FOR_IMPORTANCE:
        return {}
    return {name: _importance(study, place) for place, name in enumerate(objectives)}


def _importance(study: optuna.Study, place: int) -> dict[str, float]:
    """Parameter -> share, the largest first; nothing where all trials are equally good."""
    values = [
        trial.values[place] for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    ]
    if len(set(values)) == 1:
        return {}
    maximized = study.directions[place] == optuna.study.StudyDirection.MAXIMIZE
    with warnings.catch_warnings():  # that targets ought to be low, as these are
        warnings.filterwarnings("ignore", message="PedAnovaImportanceEvaluator")
        shares = get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(),
            target=lambda trial: -trial.values[place] if maximized else trial.values[place],
        )
    return {name: float(share) for name, share in shares.items()}


def _seconds(ended: Sequence[FrozenTrial]) -> tuple[float, float]:
    """Seconds that fitting stages took, and those that looking them up saved."""
    came = [
        one for trial in ended for of_seed in trial.user_attrs.get("stages", []) for one in of_seed.values()
    ]
    fitted = {key: seconds for key, how, seconds in came if how == "fitted"}
    saved = sum(
        max(0.0, fitted[key] - seconds) for key, how, seconds in came if how != "fitted" and key in fitted
    )
    return sum(seconds for _, how, seconds in came if how == "fitted"), saved


def _commands(
    asked: Asked, best: FrozenTrial | None, front: Sequence[FrozenTrial]
) -> tuple[tuple[str, str], ...]:
    """Lines that run what was found."""
    if best is None:
        return ()
    overrides = [*asked.base, *best.user_attrs.get("overrides", [])]
    line = shlex.join(["mlsd", "run", *_without_repeats(overrides)])
    short = shlex.join(["mlsd", "run", "-cd", str(asked.tuning.place), "experiment=best"])
    found = [("As one line:", line), ("The same, as it is written down beside this report:", short)]
    if len(front) > 1:
        names = ", ".join(
            f"experiment=front_{trial.number}" for trial in front if trial.number != best.number
        )
        found.append(
            (f"The other configs of the front are {names}; all of them with other seeds:", f"{short} seed=1")
        )
    return tuple(found)


def _without_repeats(overrides: Sequence[str]) -> list[str]:
    """Of overrides of the same key, the last."""
    last: Mapping[str, str] = {text.partition("=")[0].lstrip("+"): text for text in overrides}
    return list(last.values())
