from __future__ import annotations

import re
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

from rich.console import Console

from mlsd.report.base import RunResult
from mlsd.report.numbers import MINUS
from mlsd.report.terminal import print_summary


def printed(result: RunResult, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    print_summary(result, Path("outputs/search/report.html"), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_it_says_verdict_stages_effects_and_where_the_report_lies(result: RunResult) -> None:
    text = printed(result)
    assert text.startswith("The funnel ranks better than the pre-existing system offline")
    assert "retrieve             487  0.589 [0.571, 0.607]    0.947  0.92 ms   1.7 ms" in text
    assert "session success ★        better" in text
    assert text.rstrip().endswith("Report: outputs/search/report.html")


def test_any_result_fits_the_terminal(any_result: RunResult) -> None:
    text = printed(any_result)
    text.encode("utf-8")
    assert max(len(line) for line in text.split("\n")) <= 80


def test_brackets_are_no_markup() -> None:
    text = printed(
        RunResult("[red]t[/red]", "p", "w", metrics={"online": {"[bold]m[/bold]": {"effect": 0.1}}})
    )
    assert "[bold]m[/bold]" in text


def test_a_terminal_that_knows_ascii_only_gets_ascii(result: RunResult) -> None:
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding="ascii", write_through=True)
    print_summary(result, Path("report.html"), Console(file=stream, width=80))
    text = raw.getvalue().decode("ascii")
    assert "-1.2 pp [-2.1, -0.3]" in text
    assert "?" not in text.replace("better?", "").replace("gain?", "").replace("enough?", "").replace(
        "hold?", ""
    )


def test_it_says_what_parts_are_worth_where_they_were_taken_out(
    result: RunResult, taken_apart_result: RunResult
) -> None:
    assert "worth in" not in printed(result)
    lines = [line.rstrip().replace(MINUS, "-") for line in printed(taken_apart_result).split("\n")]
    (start,) = [place for place, line in enumerate(lines) if line.startswith("worth in nDCG@10")]
    assert [re.split("  +", line) for line in lines[start : start + 9]] == [
        ["worth in nDCG@10", "taken out at serving", "designed without it"],
        ["stage: retrieve", "not possible", "not possible"],
        ["stage: light_rank", "not shown +0.001", "not shown -0.004"],
        ["stage: full_rank", "not shown +0.013", "not possible"],
        [""],
        ["retriever: bm25", "not possible", "could be luck +0.012"],
        ["retriever: popularity", "harmful -0.008", "harmful -0.030"],
        [""],
        ["features: query-item", "worth it +0.210", "worth it +0.180"],
    ]
