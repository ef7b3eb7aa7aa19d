from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from mlsd.report.console import print_shown
from mlsd.report.paired.base import Difference, PairedComparison
from mlsd.report.paired.terminal import N_KEYS, summary


def printed(comparison: PairedComparison, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    print_shown(summary(comparison), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_it_says_what_is_decided_and_by_what(comparison: PairedComparison) -> None:
    text = printed(comparison)
    assert text.startswith("By nDCG@10, better is better than base; alike is not told apart from base.\n")
    assert "better  ✓ better            0.600  +0.030 [+0.020, +0.040]     0.002" in text
    assert "base    baseline            0.600" in text
    assert "seed: 0 in base, 1 in better, tides in alike" in text


def test_it_fits_the_terminal_whatever_names_are(
    comparison: PairedComparison, hostile: PairedComparison
) -> None:
    for one in (comparison, hostile):
        text = printed(one)
        assert max(len(line) for line in text.split("\n")) <= 80
        assert "\x1b" not in text
    assert "[red]" in printed(hostile)


def test_many_differences_are_cut(comparison: PairedComparison) -> None:
    many = tuple(Difference(f"key{place}", (0, 1, 1)) for place in range(N_KEYS + 5))
    text = printed(replace(comparison, config_differences=many))
    assert "The configs differ in 17 keys:" in text
    assert text.count("\nkey") == N_KEYS
    assert "--out writes all of them" in text
    assert "The configs are the same." in printed(replace(comparison, config_differences=()))
