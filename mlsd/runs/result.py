"""A run's outcome as a report shows it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from mlsd.capacity import Capacity
from mlsd.config.schema import System
from mlsd.labels.base import Labels
from mlsd.online.result import ABResult
from mlsd.report import base as report
from mlsd.report.design_document import design_of, markdown
from mlsd.runs.outcome import Logged, Offline, Outcome
from mlsd.runs.steps import Config
from mlsd.stages.rank import Rank
from mlsd.stages.retrieve import Retrieve
from mlsd.store import code_version, key_of
from mlsd.worlds.base import LiveWorld

LIBRARIES = ("bm25s", "faiss-cpu", "numpy", "pandas", "pytorch-lightning", "scipy", "torch")

LIVE_ASSUMPTIONS = (
    "Users, documents, queries and all responses are simulated; how is documented with the world.",
    "The A/B test serves the same users under both arms with the same luck, so the true effect is known.",
    "The estimate of the A/B test uses only the arm that each user was assigned to.",
    "Latencies in the simulation come from logging.latency_ms and problem.latency_ms, not from a clock.",
    "What the funnel learnt, and the statistics of items and users, are frozen when the test starts.",
)
RECORDED_ASSUMPTIONS = (
    "Judgements come with the collection; an item that nobody judged counts as irrelevant.",
    "Nobody can be asked anything new: there is no online part.",
)


def result_of(
    system: System, config: Config, outcome: Outcome, steps_s: Mapping[str, float], overrides: Sequence[str]
) -> report.RunResult:
    """Everything that a report shows of a run.

    Args:
        system: what was run.
        config: resolved, as plain values.
        outcome: what was found.
        steps_s: seconds of each step.
        overrides: of the command line.
    """
    world, problem = system.world, system.problem
    live = isinstance(world, LiveWorld)
    return report.RunResult(
        title=system.report.title or f"{problem.name}: {world.name}",
        problem=problem.name,
        world=world.name,
        world_notes=tuple(world.notes),
        metrics=outcome.metrics(),
        decides=report.Decides(
            system.metrics[problem.goals.offline].name,
            problem.goals.online if outcome.online else "",
            tuple(problem.goals.guardrails) if outcome.online else (),
        ),
        summary=problem.purpose,
        stages=_stages(system, outcome.offline, outcome.capacity),
        capacity=_capacity(system, outcome.capacity),
        steps_s=dict(steps_s),
        labels=_labels(system, outcome.logged, outcome.labels),
        calibration={
            stage: tuple(report.CalibrationBin(*bin_) for bin_ in bins)
            for stage, bins in outcome.offline.reliability.items()
        },
        training={
            f"{stage}.{model}": curve
            for stage, curves in outcome.fitted.curves.items()
            for model, curve in curves.items()
        },
        features=_features(system),
        online_design=_online_design(system, outcome.online) if outcome.online else None,
        assumptions=LIVE_ASSUMPTIONS if live else RECORDED_ASSUMPTIONS,
        units=UNITS,
        confidence=system.bootstrap.confidence,
        provenance=provenance(system, config),
        reproduce=" ".join(["mlsd run", *overrides]),
        config_yaml=OmegaConf.to_yaml(OmegaConf.create(dict(config))),
        design=markdown(design_of(config, vars(system))),
    )


UNITS = dict.fromkeys(
    ("ctr", "session_success", "request_success", "abandonment", "retention_7d", "satisfaction"), "%"
)


def provenance(system: System, config: Config) -> dict[str, object]:
    """What made a run: versions, seeds, hashes; data by name and SHA-256, never by path."""
    return {
        "mlsd": version("mlsd"),
        "mlsd source": code_version(),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
        "seed": system.seed,
        "training.seed": system.training.seed,
        "config": key_of(config),
        "world": system.world.name,
        "data SHA-256": system.world.fingerprint or "none: all data are generated",
    }


def _stages(system: System, offline: Offline, capacity: Capacity) -> tuple[report.StageResult, ...]:
    return tuple(
        report.StageResult(
            name,
            type(stage).__name__.lower(),
            _contents(stage),
            *offline.counts[name],
            report.Latency(*capacity.stages[name]),
        )
        for name, stage in system.funnel.active.items()
    )


def _contents(stage: object) -> str:
    """What is inside a stage, in words."""
    if isinstance(stage, Retrieve):
        return " + ".join(stage.retrievers)
    if isinstance(stage, Rank):
        made = type(stage.fitted_ranker).__name__
        return f"{made}, {type(stage.loss).__name__}, {len(stage.features.features)} features"
    return type(stage).__name__


def _capacity(system: System, capacity: Capacity) -> report.Capacity:
    return report.Capacity(
        report.Latency(*capacity.request),
        capacity.budget_ms,
        capacity.throughput_per_s,
        capacity.batch_size,
        system.problem.scale.peak_requests_per_second,
        capacity.n_requests,
        f"{platform.machine()}, one core, serially",
    )


def _labels(system: System, logged: Logged, labels: Labels) -> report.LabelDiagnostics | None:
    """How labels were made from positions; None where they came from judgements."""
    bias: Any = labels.diagnostics.get("examination")
    if not isinstance(bias, Mapping):
        return None
    truth = _true_examination(system, len(bias["relative"]))
    done: Any = labels.diagnostics["n_done"]
    n_shown = int(labels.diagnostics["n_impressions"])  # type: ignore[call-overload]
    return report.LabelDiagnostics(
        "what users did, over the estimated examination of the position",
        {"impressions": n_shown, **dict(done)},
        tuple(
            report.Examination(position, report.Estimate(value, low, high), float(truth[position]))
            for position, (value, low, high) in enumerate(
                zip(bias["relative"], bias["low"], bias["high"], strict=True)
            )
        ),
        float(labels.diagnostics["clipped_share"]),  # type: ignore[arg-type]
        float(logged.log.impressions["explored"].mean()),
    )


def _true_examination(system: System, n_positions: int) -> Any:
    if not isinstance(system.world, LiveWorld):
        return np.full(n_positions, np.nan)
    truth = system.world.examination_prob(n_positions)
    return truth / truth[0]


def _features(system: System) -> tuple[report.FeatureSummary, ...]:
    return tuple(
        summary
        for name, stage in system.funnel.active.items()
        if isinstance(stage, Rank)
        for summary in _of_stage(name, stage)
    )


def _of_stage(name: str, stage: Rank) -> list[report.FeatureSummary]:
    """The dense features of a stage as the training candidates had them."""
    scaling = stage.features.scaling
    if scaling is None:
        return []
    columns = zip(
        stage.features.dense.items(), scaling.unknown_share, scaling.mean, scaling.scale, strict=True
    )
    return [
        report.FeatureSummary(f"{name}.{feature}", part.family, float(unknown), float(mean), float(scale))
        for (feature, part), unknown, mean, scale in columns
    ]


def _online_design(system: System, online: ABResult) -> report.OnlineDesign:
    assert system.logging is not None  # noqa: S101  (an experiment has a pre-existing system)
    assert system.online is not None  # noqa: S101
    existing = " + ".join(map(_contents, system.logging.funnel.active.values()))
    funnel = " → ".join(system.funnel.active)
    return report.OnlineDesign(
        f"pre-existing system ({existing})",
        f"funnel ({funnel})",
        online.sample_ratio.n_control,
        online.sample_ratio.n_treatment,
        system.online.n_days,
        "the same users under both arms with the same luck, all of them",
        (
            ("stages", existing, funnel),
            ("latency", f"{system.logging.latency_ms:g} ms", f"{system.problem.latency_ms:g} ms"),
        ),
        confidence=1 - system.online.alpha,
    )
