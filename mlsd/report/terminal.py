"""What a run says at its end on the terminal."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlsd.report import numbers
from mlsd.report.base import FUNNEL, LOGGING, RunResult
from mlsd.report.console import STYLES, Terminal, plain, plain_table, print_shown
from mlsd.report.estimate import Estimate
from mlsd.report.page import SIGNS
from mlsd.report.sections.cells import system_name
from mlsd.report.sections.online import online_name
from mlsd.report.verdicts import headline, judged, verdicts
from mlsd.report.worth import REMOVALS, ablation_of, figure_of, part_name, parts_tried, said_of


def print_summary(result: RunResult, report: Path, console: Console | None = None) -> None:
    """Print the verdict, the stages, the online test and where the report lies."""
    print_shown(summary(result, report), console or Terminal())


def summary(result: RunResult, report: Path) -> Group:
    """The verdict, the stages, what parts are worth, the online test and where the report lies."""
    parts: list[RenderableType] = [Text(headline(result), style="bold"), _verdict_lines(result), ""]
    if result.stages or result.systems:
        parts.extend((stage_table(result), ""))
    if ablation_of(result):
        parts.extend((ablation_table(result), ""))
    if result.online_metrics:
        parts.extend((online_table(result), ""))
    parts.append(Text.assemble("Report: ", (numbers.one_line(report), "bold"), overflow="fold"))
    return Group(*parts)


def _verdict_lines(result: RunResult) -> Table:
    lines = Table.grid(padding=(0, 2))
    for verdict in verdicts(result):
        answer = Text(f"{SIGNS[verdict.tone]} {verdict.answer}", style=STYLES[verdict.tone])
        lines.add_row(plain(verdict.question), answer, plain(f"{verdict.figure} {verdict.interval}"))
    return lines


def stage_table(result: RunResult) -> Table:
    """Stages with what they pass on, how well they rank, their ceiling and their latency."""
    table = plain_table(("stage",), ("out", result.decides.offline, "ceiling", "p50", "p99"))
    unknown = plain(numbers.UNKNOWN)
    if LOGGING in result.systems:
        table.add_row(plain(system_name(LOGGING)), plain(""), _ranking(result, LOGGING), *[unknown] * 3)
    for stage in result.stages:
        ceiling = result.ceiling(stage.name)
        table.add_row(
            plain(stage.name),
            plain(numbers.count(stage.n_out)),
            _ranking(result, stage.name),
            plain(numbers.value_text(ceiling[1]) if ceiling else numbers.UNKNOWN),
            *_times(stage.latency.p50_ms, stage.latency.p99_ms),
        )
    request = result.capacity.request
    whole = (plain(system_name(FUNNEL)), plain(""), _ranking(result, FUNNEL), unknown)
    table.add_row(*whole, *_times(request.p50_ms, request.p99_ms))
    return table


def _ranking(result: RunResult, system: str) -> Text:
    metric = result.decides.offline
    estimate = result.offline(system, metric) or Estimate()
    return plain(numbers.with_interval(estimate, result.units.get(metric, "")))


def _times(*milliseconds: float) -> tuple[Text, ...]:
    return tuple(plain(numbers.milliseconds(value)) for value in milliseconds)


def ablation_table(result: RunResult) -> Table:
    """What each part is worth, taken out in both ways; a blank line between kinds of parts."""
    table = plain_table((f"worth in {result.decides.offline}",), tuple(REMOVALS.values()))
    for _, of_kind in groupby(parts_tried(result), lambda part: part.partition("/")[0]):
        if table.row_count:
            table.add_row()
        for part in of_kind:
            table.add_row(plain(part_name(part)), *(_worth(result, removal, part) for removal in REMOVALS))
    return table


def _worth(result: RunResult, removal: str, part: str) -> Text:
    figure = figure_of(result, removal, part)
    if not figure:
        return Text("not possible", style=STYLES["none"])
    tone, word = said_of(result, removal, part)
    return Text(f"{word} {numbers.value_text(Estimate.of(figure), signed=True)}", style=STYLES[tone])


def online_table(result: RunResult) -> Table:
    """Simulated effects with their intervals."""
    table = plain_table(("simulated A/B test", "verdict"), ("effect", "p"))
    for metric in result.seen_metrics:
        effect = result.effect(metric) or Estimate()
        tone, word = judged(result, metric, effect)
        table.add_row(
            plain(online_name(result, metric)),
            Text(word, style=STYLES[tone]),
            plain(numbers.with_interval(effect, result.units.get(metric, ""), signed=True)),
            plain(numbers.p_text(effect.p_value)),
        )
    return table
