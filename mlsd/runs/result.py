"""A run's outcome as a report shows it."""

from __future__ import annotations

import math
import platform
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from mlsd.capacity import Capacity
from mlsd.config.schema import System
from mlsd.labels.base import Labels
from mlsd.online.result import ABResult
from mlsd.ratings.programme import RatingProgramme
from mlsd.report import parts
from mlsd.report.base import RunResult
from mlsd.report.design_document import design_of, markdown
from mlsd.report.estimate import Estimate
from mlsd.report.numbers import count, plural, spoken
from mlsd.runs.changes import changes_of
from mlsd.runs.market import market_of
from mlsd.runs.meanings import meanings_of, raters_words
from mlsd.runs.outcome import Logged, Offline, Outcome, RatedLabels, RatedTest
from mlsd.runs.provenance import provenance
from mlsd.runs.rating_summary import summary_of
from mlsd.runs.steps import EXISTING, SHOWN, Config
from mlsd.stages.rank import RankStage
from mlsd.worlds.base import LiveWorld, RecordedWorld


def result_of(
    system: System, config: Config, outcome: Outcome, steps_s: Mapping[str, float], overrides: Sequence[str]
) -> RunResult:
    """Everything that a report shows of a run.

    Args:
        system: what was run.
        config: resolved, as plain values.
        outcome: what was found.
        steps_s: seconds of each step.
        overrides: of the command line.
    """
    world, problem = system.world, system.problem
    return RunResult(
        title=system.report.title or f"{problem.name.capitalize()}: {world.name}",
        problem=problem.name,
        world=world.name,
        world_notes=tuple(world.notes),
        purpose=problem.purpose,
        answers=_answers(system),
        unit=world.unit,
        meanings=meanings_of(system),
        metrics=outcome.metrics(),
        decides=parts.Decides(
            system.metrics[problem.goals.offline].name,
            problem.goals.online if outcome.online else "",
            tuple(problem.goals.guardrails) if outcome.online else (),
        ),
        summary=_tested(system, outcome),
        stages=_stages(system, outcome.offline, outcome.capacity),
        capacity=_capacity(system, outcome.capacity),
        leaner={part: parts.Latency(*capacity.request) for part, capacity in outcome.leaner.items()},
        steps_s=dict(steps_s),
        labels=_labels(system, outcome.logged, outcome.labels),
        label_ratings=_rated(system.labels.programme, outcome.rated),
        test_ratings=_rated(system.test_ratings, outcome.rated_test),
        changes=_changes(system, outcome),
        coverage=outcome.offline.coverage,
        predicted=outcome.offline.predicted,
        of_unshown=_of_unshown(system),
        calibration={
            stage: tuple(parts.CalibrationBin(*bin_) for bin_ in bins)
            for stage, bins in outcome.offline.reliability.items()
        },
        annotations=_annotations(outcome.logged),
        training={
            f"{stage}.{model}": curve
            for stage, curves in outcome.fitted.curves.items()
            for model, curve in curves.items()
        },
        features=_features(system),
        online_design=_online_design(system, outcome.online) if outcome.online else None,
        market=_market(system, outcome.online),
        assumptions=_assumptions(system),
        units=UNITS,
        confidence=system.bootstrap.confidence,
        provenance=provenance(system, config, outcome.offline.truth),
        reproduce=shlex.join(["mlsd", "run", *overrides]),
        config_yaml=OmegaConf.to_yaml(OmegaConf.create(dict(config))),
        design=markdown(design_of(config, vars(system))),
    )


UNITS_OF = {"request": "requests", "query": "queries"}

SHARES = (
    "ctr", "session_success", "request_success", "abandonment", "retention_7d", "satisfaction",
    "conversion_rate", "hide_rate", "report_rate", "negative_rate", "click_rate", "like_rate", "reply_rate",
    "repost_rate", "follow_rate", "retention_1d",
)  # fmt: skip
UNITS = dict.fromkeys(SHARES, "%")


def _assumptions(system: System) -> tuple[str, ...]:
    if isinstance(system.world, RecordedWorld):
        return (system.world.assumption,)
    declared = f"{system.problem.latency_ms:g} ms for the funnel"
    if system.logging is not None:
        declared = f"{system.logging.latency_ms:g} ms for the pre-existing system, {declared}"
    live = any(stage.is_live for stage in system.funnel.active.values())
    frozen, going_on = "statistics of items and users are those at its start", "counts go on by the hour"
    known = going_on if live else frozen
    return (
        "Users, items and responses are made up, by documented rules. Real users may answer otherwise.",
        f"Users feel the latency that the config declares ({declared}), not the one that was measured.",
        f"Neither system learns during the test; {known}.",
    )


def _tested(system: System, outcome: Outcome) -> str:
    """What was held against what, on how much."""
    table, unit = outcome.offline.table, system.world.unit
    n_units = plural(table["user"].nunique(), unit, "queries" if unit == "query" else "")
    asked = n_units if unit == "query" else f"{plural(len(table), 'request')} of {n_units}"
    words = [f"Tested: {' → '.join(system.funnel.active)}"]
    if system.logging is not None:
        words.append(f"against a pre-existing system of {_existing(system)}")
    words.append(f"on {asked} and a catalog of {count(len(system.world.catalog))} items")
    if outcome.online is not None and system.online is not None:
        n_users = outcome.online.sample_ratio.n_control + outcome.online.sample_ratio.n_treatment
        words.append(
            f"and in an A/B test of {plural(n_users, 'simulated user')} over {system.online.n_days} days"
        )
    return f"{', '.join(words)}."


def _existing(system: System) -> str:
    """What the pre-existing system is made of."""
    return (
        " → ".join(stage.contents for stage in system.logging.funnel.active.values())
        if system.logging
        else "nothing"
    )


def _answers(system: System) -> tuple[tuple[str, str], ...]:
    """How the problem is described, where it matters to a reader of figures."""
    problem, scale = system.problem, system.problem.scale
    return (
        ("What is it for?", problem.goals.objective),
        *((one.question, one.text) for one in problem.answers),
        ("How are results shown?", problem.presentation),
        ("How long may a request take?", f"{problem.latency_ms:g} ms (p99)"),
        (
            "How many items?",
            f"{count(scale.n_items)}; this run tries it on {count(len(system.world.catalog))}",
        ),
        ("How many requests?", f"{count(scale.peak_requests_per_second)} a second at the peak"),
    )


def _annotations(logged: Logged) -> dict[str, int]:
    """What annotators were asked -> how many answers they gave: what the log cost beside its users."""
    said = logged.log.annotations
    return {} if said is None else {str(name): int(n) for name, n in said["name"].value_counts().items()}


def _changes(system: System, outcome: Outcome) -> parts.Changes | None:
    table, metric = outcome.offline.table, system.metrics[system.problem.goals.offline].name
    before, after = (f"{name}.{metric}" for name in (EXISTING, SHOWN))
    if before not in table.columns:
        return None
    requests = outcome.logged.log.window("test").requests
    texts = [name for name, kind in system.problem.columns.items() if kind == "text"]
    query = requests[texts[0]] if len(texts) == 1 else None
    return changes_of(table[before].to_numpy(), table[after].to_numpy(), query)


def _stages(system: System, offline: Offline, capacity: Capacity) -> tuple[parts.StageResult, ...]:
    return tuple(
        parts.StageResult(
            name,
            type(stage).__name__.lower(),
            stage.contents,
            *offline.counts[name],
            parts.Latency(*capacity.stages[name]),
        )
        for name, stage in system.funnel.active.items()
    )


def _capacity(system: System, capacity: Capacity) -> parts.Capacity:
    return parts.Capacity(
        parts.Latency(*capacity.request),
        capacity.budget_ms,
        capacity.throughput_per_s,
        capacity.batch_size,
        system.problem.scale.peak_requests_per_second,
        capacity.n_requests,
        f"one core with one thread ({platform.machine()}), one request after the other",
        len(system.world.catalog),
        system.problem.scale.n_items,
    )


def _labels(system: System, logged: Logged, labels: Labels) -> parts.LabelDiagnostics | None:
    """How labels were made; None where nothing is known of it."""
    known: Mapping[str, Any] = labels.diagnostics
    live = isinstance(system.world, LiveWorld)
    if "n_done" not in known:
        return _judged_labels(known, "request" if live else "query") if "pairs_by_grade" in known else None
    n_shown = int(known["n_impressions"])
    done = {f"with a {spoken(name)}": int(n) for name, n in known["n_done"].items()}
    weighted = known.get("propensity") == "position"
    source = "What users did with an item they were shown; of several actions the best counts."
    source += " Weighted by 1 / examination of the position." if weighted else ""
    source += (
        " A pair that raters graded has the label of its grade instead." if "judged_pairs" in known else ""
    )
    rated = {"pairs that raters graded": int(known.get("judged_pairs", 0))}
    return parts.LabelDiagnostics(
        f"{source} {known['note'].capitalize()}." if "note" in known else source,
        {"impressions": n_shown, **done, **(rated if "judged_pairs" in known else {})},
        _examination(system, known["examination"]) if weighted else (),
        float(known["clipped_share"]) if weighted else math.nan,
        float(logged.log.impressions["explored"].mean()),
    )


def _rated(
    programme: RatingProgramme | None, rated: RatedLabels | RatedTest | None
) -> parts.RatingSummary | None:
    return summary_of(programme, rated.facts) if programme and rated else None


def _judged_labels(known: Mapping[str, Any], unit: str) -> parts.LabelDiagnostics:
    by_grade = {f"pairs of grade {grade}": int(n) for grade, n in known["pairs_by_grade"].items()}
    return parts.LabelDiagnostics(
        f"grades that raters gave to pairs of a {unit} and an item",
        {
            f"judged {UNITS_OF[unit]}": int(known["judged_requests"]),
            "judged pairs": int(known["judged_pairs"]),
            **by_grade,
        },
    )


def _examination(system: System, bias: Mapping[str, Any]) -> tuple[parts.Examination, ...]:
    """By position, as estimated and as it is."""
    truth = _true_examination(system, len(bias["relative"]))
    return tuple(
        parts.Examination(position, Estimate(value, low, high), float(truth[position]))
        for position, (value, low, high) in enumerate(
            zip(bias["relative"], bias["low"], bias["high"], strict=True)
        )
    )


def _true_examination(system: System, n_positions: int) -> Any:
    if not isinstance(system.world, LiveWorld):
        return np.full(n_positions, np.nan)
    truth = system.world.examination_prob(n_positions)
    return truth / truth[0]


def _of_unshown(system: System) -> tuple[str, ...]:
    """Stages whose predictions are of all their candidates, shown or not."""
    stages = ((name, stage) for name, stage in system.funnel.active.items() if isinstance(stage, RankStage))
    return tuple(name for name, stage in stages if any(one.unshown for one in stage.predictions.values()))


def _features(system: System) -> tuple[parts.FeatureSummary, ...]:
    return tuple(
        summary
        for name, stage in system.funnel.active.items()
        if isinstance(stage, RankStage)
        for summary in _of_stage(name, stage)
    )


def _of_stage(name: str, stage: RankStage) -> list[parts.FeatureSummary]:
    """The dense features of a stage as the training candidates had them."""
    scaling = stage.features.scaling
    if scaling is None:
        return []
    sd = np.where(scaling.constant, 0.0, scaling.scale)
    columns = zip(stage.features.dense.items(), scaling.unknown_share, scaling.mean, sd, strict=True)
    return [
        parts.FeatureSummary(f"{name}.{feature}", part.family, float(unknown), float(mean), float(deviation))
        for (feature, part), unknown, mean, deviation in columns
    ]


def _arms(system: System) -> tuple[tuple[str, str, str], ...]:
    """What could differ between the arms: (what, control, treatment)."""
    assert system.logging is not None  # noqa: S101  (an experiment has a pre-existing system)
    before, after = (f"{one.latency_ms:g} ms" for one in (system.logging, system.problem))
    funnel = " → ".join(system.funnel.active)
    return (("stages", _existing(system), funnel), ("declared latency", before, after))


def _market(system: System, online: ABResult | None) -> parts.MarketSummary | None:
    """Nothing where nothing was sold online."""
    collect = system.logging.collect if system.logging else None
    if online is None or not online.books or not (system.market and system.online and collect):
        return None
    return market_of(online.books, system.market, collect.n_days, system.online.n_days)


def _online_design(system: System, online: ABResult) -> parts.OnlineDesign:
    assert system.logging is not None  # noqa: S101  (an experiment has a pre-existing system)
    assert system.online is not None  # noqa: S101
    existing = _existing(system)
    funnel = " → ".join(system.funnel.active)
    return parts.OnlineDesign(
        f"pre-existing system ({existing})",
        f"funnel ({funnel})",
        online.sample_ratio.n_control,
        online.sample_ratio.n_treatment,
        system.online.n_days,
        system.online.truth,
        tuple(row for row in _arms(system) if row[1] != row[2]),
        confidence=1 - system.online.alpha,
        sample_ratio_p=online.sample_ratio.p_value,
        rated=system.online.raters.metric.name if system.online.raters else "",
        raters=raters_words(system.online.raters) if system.online.raters else "",
    )
