from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlsd.commands.design import main
from mlsd.errors import ConfigError, MlsdError


def test_the_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problem=search"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# Design of search\n")
    assert "## 8. Monitoring and retraining" in out


def test_it_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "folder" / "design.md"
    assert main(["problem=search", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("# Design of search\n")
    assert capsys.readouterr().out == f"written to {out}\n"


def test_answers_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problem=search", "--compare", "problem.latency_ms=100,500"]) == 0
    out = capsys.readouterr().out
    assert "| | `problem.latency_ms=100` | `problem.latency_ms=500` |" in out
    assert "| latency budget | 100 ms | 500 ms |" in out
    assert "| full_rank: candidates it could afford | 2,450 | 12,450 |" in out
    assert "requests a day" not in out


def test_choices_can_be_compared_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["problem=search", "--compare", "ranker@funnel.stages.full_rank.ranker=mlp,dcn_v2"]) == 0
    assert "| funnel.stages.full_rank.ranker.n_cross | – | 2 |" in capsys.readouterr().out  # noqa: RUF001


def test_faults_of_all_answers_are_reported_together() -> None:
    with pytest.raises(ConfigError) as raised:
        main(["problem=search", "seed=-1", "--compare", "problem.latency_ms=0,-5"])
    assert [fault.key for fault in raised.value.faults] == [
        "problem.latency_ms",
        "seed",
        "problem.latency_ms",
    ]


def test_an_unknown_option() -> None:
    with pytest.raises(MlsdError, match="no such option: --format; see `mlsd design --help`"):
        main(["problem=search", "--format"])


def test_the_terminal_gets_laid_out_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["problem=search"]) == 0
    assert "# Design of search" not in capsys.readouterr().out
