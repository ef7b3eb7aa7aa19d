"""What models learned from and how it went: calibration, labels, features, training."""

from __future__ import annotations

import math

from mlsd.report import numbers
from mlsd.report.base import Examination, FeatureSummary, LabelDiagnostics, RunResult
from mlsd.report.charts.specs import CurvesChart, ExaminationChart, ReliabilityChart
from mlsd.report.page import Block, Cell, Fold, Paragraph, Section, Table
from mlsd.report.sections.cells import charts, columns, estimate_cell, figure_cell, pairs, text_cell

_SCORES = ("ECE", "NE")


def calibration(result: RunResult) -> Section | None:
    """Whether probabilities mean what they say."""
    known = {stage: bins for stage, bins in result.calibration.items() if bins}
    if not known:
        return None
    drawn = (
        ReliabilityChart(
            f"calibration-{place}", numbers.one_line(stage), _calibration_words(result, stage), bins
        )
        for place, (stage, bins) in enumerate(known.items())
    )
    tables = tuple(_bin_table(result, stage) for stage in known)
    lead = "Predicted click probabilities against the share clicked; on the diagonal they mean what they say."
    return Section("calibration", "Calibration", lead, (*charts(*drawn), Fold("The bins", tables)))


def _calibration_words(result: RunResult, stage: str) -> str:
    found = {name: result.offline(stage, name) for name in _SCORES}
    words = [
        f"{name} {numbers.with_interval(estimate)}"
        for name, estimate in found.items()
        if estimate and estimate.is_known
    ]
    return "; ".join(words) + ("." if words else "")


def _bin_table(result: RunResult, stage: str) -> Table:
    rows = tuple(
        (
            text_cell(place + 1),
            figure_cell(numbers.significant(row.predicted)),
            figure_cell(numbers.significant(row.observed)),
            text_cell(numbers.count(row.n)),
        )
        for place, row in enumerate(result.calibration[stage])
    )
    return Table(columns("bin", "predicted", "observed", "rows"), rows, stage)


def labels(result: RunResult) -> Section | None:
    """How labels were made, and whether position bias was estimated rightly."""
    made = result.labels
    if made is None:
        return None
    blocks: list[Block] = []
    facts = pairs(("labels", "how many"), _label_facts(made))
    if made.examination:
        blocks.extend(charts(_examination_chart(made.examination), beside=facts))
        blocks.append(Fold("Examination by position", (_examination_table(made.examination),)))
    else:
        blocks.append(facts)
    return Section("labels", "Labels", numbers.sentence(made.source), tuple(blocks))


def _label_facts(made: LabelDiagnostics) -> list[tuple[str, str]]:
    facts = [(numbers.spoken(name), numbers.count(n)) for name, n in made.counts.items()]
    facts.append(("share with a clipped weight", numbers.share(made.clipped_share)))
    facts.append(("share of slates that were shuffled", numbers.share(made.explored_share)))
    return facts


def _examination_chart(points: tuple[Examination, ...]) -> ExaminationChart:
    has_truth = any(math.isfinite(point.truth) for point in points)
    caption = (
        "How often a position is looked at, relative to the first; from the shuffled slice, with intervals."
    )
    caption += " Hollow diamonds are the truth of the synthetic world." if has_truth else ""
    return ExaminationChart("examination-chart", "Examination by position", caption, points)


def _examination_table(points: tuple[Examination, ...]) -> Table:
    rows = tuple(
        (
            text_cell(point.position),
            estimate_cell(point.estimate),
            figure_cell(
                numbers.like(point.truth, point.estimate), "not known: the world has no truth of this"
            ),
        )
        for point in points
    )
    return Table(columns("position", "estimated", "true"), rows)


def features(result: RunResult) -> Section | None:
    """What rankers read."""
    if not result.features:
        return None
    families = dict.fromkeys(feature.family for feature in result.features)
    counts = [
        f"{sum(feature.family == family for feature in result.features)} {numbers.one_line(family)}"
        for family in families
    ]
    n_columns = numbers.plural(len(result.features), "column")
    lead = f"{n_columns}, fitted on the training window: {', '.join(counts)}."
    rows = tuple(_feature_row(feature) for feature in result.features)
    table = Table(columns("feature", "family", "without a value", "mean", "sd", words=("family",)), rows)
    empty = [numbers.one_line(feature.name) for feature in result.features if feature.nan_share >= 1]
    constant = [numbers.one_line(feature.name) for feature in result.features if feature.sd == 0]
    blocks: list[Block] = []
    if empty:
        blocks.append(Paragraph(f"Never has a value: {', '.join(empty)}."))
    if constant:
        blocks.append(Paragraph(f"Constant, so it tells a ranker nothing: {', '.join(constant)}."))
    blocks.append(Fold("All features", (table,)))
    return Section("features", "Features", lead, tuple(blocks))


def _feature_row(feature: FeatureSummary) -> tuple[Cell, ...]:
    return (
        text_cell(feature.name),
        text_cell(feature.family),
        figure_cell(numbers.share(feature.nan_share)),
        figure_cell(numbers.significant(feature.mean), "no value to average"),
        figure_cell(numbers.significant(feature.sd), "no value to average"),
    )


def training(result: RunResult) -> Section | None:
    """Losses by epoch of every model that was trained by gradients."""
    known = {name: curves for name, curves in result.training.items() if curves.train or curves.validation}
    if not known:
        return None
    drawn = (
        CurvesChart(
            f"training-{place}",
            numbers.one_line(name),
            f"Best epoch {curves.best_epoch + 1} of {max(len(curves.train), len(curves.validation))}.",
            tuple(curves.train),
            tuple(curves.validation),
            curves.best_epoch,
        )
        for place, (name, curves) in enumerate(known.items())
    )
    rows = tuple(
        (
            text_cell(name),
            text_cell(len(curves.train)),
            text_cell(curves.best_epoch + 1),
            figure_cell(numbers.significant(_at(curves.train, curves.best_epoch), 4)),
            figure_cell(numbers.significant(_at(curves.validation, curves.best_epoch), 4)),
        )
        for name, curves in known.items()
    )
    headings = columns("model", "epochs", "best epoch", "training loss there", "validation loss there")
    lead = "Losses by epoch. The weights kept are those of the best epoch: the lowest validation loss."
    return Section("training", "Training", lead, (*charts(*drawn), Table(headings, rows)))


def _at(losses: tuple[float, ...], epoch: int) -> float:
    return losses[epoch] if epoch < len(losses) else math.nan
