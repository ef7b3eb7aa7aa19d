"""What a run says at its end on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlsd.report import numbers
from mlsd.report.base import ALL, FUNNEL, LOGGING, Estimate, RunResult
from mlsd.report.page import SIGNS, Tone
from mlsd.report.sections.offline import system_name
from mlsd.report.verdicts import WORDS, headline, tone_of, verdicts

STYLES: dict[Tone, str] = {"good": "green", "bad": "red", "open": "yellow", "none": "dim"}


def print_summary(result: RunResult, report: Path, console: Console | None = None) -> None:
    """Print the verdict, the stages, the online test and where the report lies."""
    (console or Console()).print(summary(result, report))


def summary(result: RunResult, report: Path) -> Group:
    """The verdict, the stages, the online test and where the report lies."""
    parts: list[RenderableType] = [Text(headline(result), style="bold"), _verdict_lines(result)]
    if result.stages or result.systems:
        parts.append(stage_table(result))
    if result.online_metrics:
        parts.append(online_table(result))
    parts.append(Text.assemble("Report: ", (numbers.one_line(report), "bold")))
    return Group(*parts)


def _verdict_lines(result: RunResult) -> Table:
    lines = Table.grid(padding=(0, 2))
    for verdict in verdicts(result):
        answer = Text(f"{SIGNS[verdict.tone]} {verdict.answer}", style=STYLES[verdict.tone])
        lines.add_row(Text(verdict.question), answer, Text(f"{verdict.figure} {verdict.interval}".strip()))
    return lines


def stage_table(result: RunResult) -> Table:
    """Stages with what they pass on, how well they rank, their ceiling and their latency."""
    metric = result.decides.offline
    table = _table("stage", "inside", "out", metric, "ceiling", "p50", "p99", n_words=2)
    if LOGGING in result.systems:
        table.add_row(*_system_cells(result, LOGGING), *[_text(numbers.UNKNOWN)] * 3)
    for stage in result.stages:
        ceiling = result.ceiling(stage.name)
        table.add_row(
            _text(stage.name),
            _text(stage.contains),
            _text(numbers.count(stage.n_out)),
            _figure(result.offline(stage.name, metric, ALL), result.units.get(metric, "")),
            _figure(ceiling[1] if ceiling else None, ""),
            _text(numbers.milliseconds(stage.latency.p50_ms)),
            _text(numbers.milliseconds(stage.latency.p99_ms)),
        )
    request = result.capacity.request
    times = (numbers.milliseconds(request.p50_ms), numbers.milliseconds(request.p99_ms))
    table.add_row(*_system_cells(result, FUNNEL), _text(numbers.UNKNOWN), *(_text(time) for time in times))
    return table


def _system_cells(result: RunResult, system: str) -> tuple[Text, ...]:
    metric = result.decides.offline
    figure = _figure(result.offline(system, metric), result.units.get(metric, ""))
    return (_text(system_name(system)), _text(""), _text(""), figure)


def online_table(result: RunResult) -> Table:
    """Simulated effects with their intervals."""
    table = _table("simulated A/B test", "verdict", "effect", "p", n_words=2)
    for metric in result.online_metrics:
        effect = result.effect(metric) or Estimate()
        tone = tone_of(effect, lower_is_better=result.is_lower_better(metric))
        table.add_row(
            _text(numbers.spoken(metric)),
            Text(WORDS[tone], style=STYLES[tone]),
            _text(numbers.with_interval(effect, result.units.get(metric, ""), signed=True)),
            _text(numbers.p_text(effect.p_value)),
        )
    return table


def _table(*headings: str, n_words: int) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for place, heading in enumerate(headings):
        justify = "left" if place < n_words else "right"
        table.add_column(_text(heading), justify=justify, overflow="ellipsis", max_width=44)  # type: ignore[arg-type]
    return table


def _figure(estimate: Estimate | None, unit: str) -> Text:
    return _text(numbers.with_interval(estimate or Estimate(), unit))


def _text(words: str) -> Text:
    """Words that rich does not read as markup."""
    return Text(numbers.one_line(words))
