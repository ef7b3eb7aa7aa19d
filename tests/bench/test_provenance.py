"""What made a leaderboard is said without a path or a clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlsd.bench.plan import plan_of
from mlsd.bench.provenance import provenance_of
from mlsd.store import code_version

if TYPE_CHECKING:
    from tests.bench.conftest import Write


def test_no_path_and_no_clock(write: Write, tmp_path: Path) -> None:
    plan = plan_of(write())
    first, again = provenance_of(plan), provenance_of(plan)
    assert first == again
    assert str(tmp_path) not in str(first)
    assert str(Path(__file__).resolve().parents[2]) not in str(first)
    assert first["mlsd source"] == code_version()
    assert first["seeds"] == [1, 2]
    assert first["configs"] == dict(plan.configs)
