"""Every shipped benchmark has no fault, and its committed page says what its figures say."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from mlsd.bench.benchmark import Benchmark
from mlsd.bench.plan import plan_of
from mlsd.bench.reading import read
from mlsd.bench.rendering import markdown
from mlsd.store import read_json
from mlsd.testing.tiny_collection import some_judged, write_collection

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "experiments").glob("*.yaml"))
NAMES = [path.stem for path in FILES]


def test_there_are_some() -> None:
    assert len(FILES) >= 5
    assert any(read(path)[0].quick for path in FILES), "the gate is not empty"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_it_starts_with_its_command(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert shlex.split(first.removeprefix("# "))[:3] == ["mlsd", "bench", f"experiments/{path.name}"]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_it_has_no_fault(path: Path, tmp_path: Path) -> None:
    """A small collection stands in for one that is needed: what is checked are names and keys."""
    benchmark, _, faults = read(path)
    assert faults == []
    if benchmark.needs_data:
        write_collection(
            tmp_path / benchmark.needs_data, {"train": some_judged([1, 2]), "test": some_judged([3])}
        )
    plan = plan_of(path, tmp_path)
    assert len(plan.jobs) == len(benchmark.arms) * len(benchmark.seeds)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_its_committed_page_says_what_was_found(path: Path) -> None:
    written = path.parent / "results" / f"{path.stem}.json"
    found, benchmark = read_json(written), read(path)[0]
    assert isinstance(benchmark, Benchmark)
    assert markdown(found) == written.with_suffix(".md").read_text(encoding="utf-8")
    assert found["question"] == benchmark.question
    assert found["expected"] == str(benchmark.expect)
    assert found["base"] == list(benchmark.base)
    assert {each["arm"]: tuple(each["overrides"]) for each in found["arms"]} == benchmark.arms
    assert found["provenance"]["seeds"] == list(benchmark.seeds)
    for figure in found["figures"]:
        held = benchmark.holds.get(figure["arm"])
        assert held is None or abs(figure["value"] - held.value) <= held.tolerance
