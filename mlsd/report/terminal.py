"""What a run says at its end on the terminal."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlsd.report import numbers
from mlsd.report.base import FUNNEL, LOGGING, RunResult
from mlsd.report.estimate import Estimate
from mlsd.report.page import SIGNS, Tone
from mlsd.report.sections.cells import system_name
from mlsd.report.sections.online import online_name
from mlsd.report.verdicts import headline, judged, verdicts
from mlsd.report.worth import REMOVALS, ablation_of, figure_of, part_name, parts_tried, said_of

STYLES: dict[Tone, str] = {"good": "green", "bad": "red", "open": "yellow", "none": "dim"}

_ASCII = str.maketrans({numbers.MINUS: "-", numbers.UNKNOWN: "-", "✓": "+", "✕": "x", "µ": "u", "★": "*"})


def print_summary(result: RunResult, report: Path, console: Console | None = None) -> None:
    """Print the verdict, the stages, the online test and where the report lies."""
    console = console or Console()
    shown = summary(result, report)
    if not console.options.ascii_only:
        console.print(shown)
        return
    with console.capture() as captured:
        console.print(shown)
    console.file.write(captured.get().translate(_ASCII).encode("ascii", "replace").decode("ascii"))


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
        lines.add_row(_text(verdict.question), answer, _text(f"{verdict.figure} {verdict.interval}"))
    return lines


def stage_table(result: RunResult) -> Table:
    """Stages with what they pass on, how well they rank, their ceiling and their latency."""
    table = _table(("stage",), ("out", result.decides.offline, "ceiling", "p50", "p99"))
    unknown = _text(numbers.UNKNOWN)
    if LOGGING in result.systems:
        table.add_row(_text(system_name(LOGGING)), _text(""), _ranking(result, LOGGING), *[unknown] * 3)
    for stage in result.stages:
        ceiling = result.ceiling(stage.name)
        table.add_row(
            _text(stage.name),
            _text(numbers.count(stage.n_out)),
            _ranking(result, stage.name),
            _text(numbers.value_text(ceiling[1]) if ceiling else numbers.UNKNOWN),
            *_times(stage.latency.p50_ms, stage.latency.p99_ms),
        )
    request = result.capacity.request
    whole = (_text(system_name(FUNNEL)), _text(""), _ranking(result, FUNNEL), unknown)
    table.add_row(*whole, *_times(request.p50_ms, request.p99_ms))
    return table


def _ranking(result: RunResult, system: str) -> Text:
    metric = result.decides.offline
    estimate = result.offline(system, metric) or Estimate()
    return _text(numbers.with_interval(estimate, result.units.get(metric, "")))


def _times(*milliseconds: float) -> tuple[Text, ...]:
    return tuple(_text(numbers.milliseconds(value)) for value in milliseconds)


def ablation_table(result: RunResult) -> Table:
    """What each part is worth, taken out in both ways; a blank line between kinds of parts."""
    table = _table((f"worth in {result.decides.offline}",), tuple(REMOVALS.values()))
    for _, of_kind in groupby(parts_tried(result), lambda part: part.partition("/")[0]):
        if table.row_count:
            table.add_row()
        for part in of_kind:
            table.add_row(_text(part_name(part)), *(_worth(result, removal, part) for removal in REMOVALS))
    return table


def _worth(result: RunResult, removal: str, part: str) -> Text:
    figure = figure_of(result, removal, part)
    if not figure:
        return Text("not possible", style=STYLES["none"])
    tone, word = said_of(result, removal, part)
    return Text(f"{word} {numbers.value_text(Estimate.of(figure), signed=True)}", style=STYLES[tone])


def online_table(result: RunResult) -> Table:
    """Simulated effects with their intervals."""
    table = _table(("simulated A/B test", "verdict"), ("effect", "p"))
    for metric in result.seen_metrics:
        effect = result.effect(metric) or Estimate()
        tone, word = judged(result, metric, effect)
        table.add_row(
            _text(online_name(result, metric)),
            Text(word, style=STYLES[tone]),
            _text(numbers.with_interval(effect, result.units.get(metric, ""), signed=True)),
            _text(numbers.p_text(effect.p_value)),
        )
    return table


def _table(words: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for heading in words:
        table.add_column(_text(heading), no_wrap=True, overflow="ellipsis", max_width=32)
    for heading in figures:
        table.add_column(_text(heading), justify="right", no_wrap=True, overflow="ellipsis", max_width=32)
    return table


def _text(words: str) -> Text:
    """Words that rich does not read as markup."""
    return Text(numbers.one_line(words))
