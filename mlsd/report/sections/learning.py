"""What models learned from and how it went: labels, features, training."""

from __future__ import annotations

import math

from mlsd.fitting import Curves
from mlsd.report import numbers
from mlsd.report.base import RunResult
from mlsd.report.charts.specs import CurvesChart, ExaminationChart
from mlsd.report.page import Block, Cell, Fold, Paragraph, Section, Table
from mlsd.report.parts import Examination, FeatureSummary, LabelDiagnostics
from mlsd.report.sections.cells import charts, columns, estimate_cell, figure_cell, pairs, text_cell
from mlsd.report.sections.ratings import rating_blocks


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
    if result.label_ratings is not None:
        blocks.extend(rating_blocks(result.label_ratings))
    return Section("labels", "Labels", numbers.sentence(made.source), tuple(blocks))


def _label_facts(made: LabelDiagnostics) -> list[tuple[str, str]]:
    facts = [(numbers.spoken(name), numbers.count(n)) for name, n in made.counts.items()]
    shares = {
        "positive labels whose weight was cut": made.clipped_share,
        "slates that were shuffled": made.explored_share,
    }
    known = [(name, numbers.share(value)) for name, value in shares.items() if math.isfinite(value)]
    return [*facts, *known]


def _examination_chart(points: tuple[Examination, ...]) -> ExaminationChart:
    has_truth = any(math.isfinite(point.truth) for point in points)
    caption = (
        "How often a position (0 is the top) is looked at, relative to the first, as estimated from the "
        "shuffled slates. Labels are divided by it."
    )
    caption += " Hollow diamonds: the truth, which only a synthetic world knows." if has_truth else ""
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
        f"{sum(feature.family == family for feature in result.features)} {numbers.family_name(family)}"
        for family in families
    ]
    n_columns = numbers.plural(len(result.features), "numeric feature")
    lead = f"{n_columns} of all stages together, by what they describe: {', '.join(counts)}."
    rows = tuple(_feature_row(feature) for feature in result.features)
    note = (
        "As a stage's training candidates have them: after a feature's own transform, such as a logarithm, "
        "and before standardisation."
    )
    headings = columns("feature", "describes", "without a value", "mean", "sd", words=("describes",))
    table = Table(headings, rows, notes=(note,))
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
        text_cell(numbers.family_name(feature.family)),
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
            _best_words(curves),
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
    lead = (
        "Losses by epoch of every model that is trained by gradients. The weights kept are those of the best "
        "epoch, the one with the lowest validation loss. Losses of different models do not compare."
    )
    return Section("training", "Training", lead, (*charts(*drawn), Table(headings, rows)))


def _best_words(curves: Curves) -> str:
    n_epochs, best = max(len(curves.train), len(curves.validation)), curves.best_epoch + 1
    hint = " The last one: more epochs might lower the loss further." if 1 < best == n_epochs else ""
    return f"Best epoch: {best} of {n_epochs}.{hint}"


def _at(losses: tuple[float, ...], epoch: int) -> float:
    return losses[epoch] if epoch < len(losses) else math.nan
