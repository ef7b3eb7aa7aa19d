"""What a comparison says on the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlsd.report import numbers
from mlsd.report.console import STYLES, plain, plain_table
from mlsd.report.estimate import Estimate, number
from mlsd.report.page import SIGNS
from mlsd.report.paired.base import Difference, PairedComparison
from mlsd.report.paired.differing import value_text
from mlsd.report.paired.page import TIES, headline

N_KEYS = 12
"""Keys of the configs that are listed, at most."""


def summary(comparison: PairedComparison) -> Group:
    """What is decided, the figures it goes by, and which keys of the configs differ."""
    asked = numbers.plural(comparison.n_requests, "request")
    units = f"{numbers.count(comparison.n_units)} {comparison.units_word}"
    parts: list[RenderableType] = [
        Text(headline(comparison), style="bold"),
        plain(
            f"Paired on {asked} of {units}, first run the baseline; p by sign flips of {comparison.unit}s."
        ),
        "",
        verdict_table(comparison),
        "",
        tests_table(comparison),
        "",
        plain(TIES),
        "",
        *_differences(comparison),
    ]
    return Group(*parts)


def verdict_table(comparison: PairedComparison) -> Table:
    """The deciding metric of every run, and the verdict."""
    metric = comparison.metric
    table = plain_table(("run", "verdict"), (metric, "difference", "p (Holm)"))
    baseline = comparison.mean(comparison.baseline, metric)
    table.add_row(plain(comparison.baseline), plain("baseline"), plain(numbers.value_text(baseline)))
    for run in comparison.runs:
        figure = run.figure(metric)
        tone, word = comparison.said(figure)
        table.add_row(
            plain(run.name),
            Text(f"{SIGNS[tone]} {word}", style=STYLES[tone]),
            plain(numbers.value_text(comparison.mean(run.name, metric))),
            plain(numbers.with_interval(Estimate.of(figure), signed=True)),
            plain(numbers.p_text(number(figure.get("p_holm")))),
        )
    return table


def tests_table(comparison: PairedComparison) -> Table:
    """All p-values of the deciding metric, and how many units gain and lose."""
    table = plain_table(
        (comparison.units_word,),
        ("better", "same", "worse", "p", "p (BH)", "p (t)", "p (Wilcoxon)"),
    )
    for run in comparison.runs:
        figure = run.figure(comparison.metric)
        counts = (numbers.count(figure.get(name)) for name in ("wins", "ties", "losses"))
        tests = (
            numbers.p_text(number(figure.get(name))) for name in ("p_value", "p_bh", "p_t", "p_wilcoxon")
        )
        table.add_row(plain(run.name), *map(plain, (*counts, *tests)))
    return table


def _differences(comparison: PairedComparison) -> list[RenderableType]:
    """A line for each key of the configs that differs."""
    found = comparison.config_differences
    if not found:
        return [plain("The configs are the same.")]
    lines: list[RenderableType] = [plain(f"The configs differ in {numbers.plural(len(found), 'key')}:")]
    lines.extend(plain(f"{one.key}: {_values(comparison, one)}") for one in found[:N_KEYS])
    if len(found) > N_KEYS:
        lines.append(plain("and so on; --out writes all of them"))
    return lines


def _values(comparison: PairedComparison, difference: Difference) -> str:
    said = zip(comparison.names, map(value_text, difference.values), strict=True)
    return ", ".join(f"{value} in {name}" for name, value in said)
