"""The walk-throughs, followed on the smallest world; and what following one does."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from mlsd.errors import InputError
from mlsd.store import write_json

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "walkthroughs").glob("*.md"))
FIGURE = re.compile(r"\| `(\w+: [^`]+)` \| *([^|\n]*?) *(?=\|)")
VALUE = re.compile(r"[+-]?\d+(\.\d+)?( \[[+-]\d+(\.\d+)?, [+-]\d+(\.\d+)?\]| \[\d+(\.\d+)?, \d+(\.\d+)?\])?")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_followed(
    page: Path, experiment: ModuleType, small_store: Path, tmp_path: Path
) -> None:
    """All its commands, with its figures looked up in what they leave behind."""
    small = [
        f"experiment={page.stem}_small", f"store.folder={small_store}",
        "ablation_options.n_refits=1", "trainer.max_epochs=1",
    ]  # fmt: skip
    experiment.follow(text_of(page), tmp_path, small)
    found = experiment.refreshed(text_of(page), tmp_path)
    assert [name for name, _ in FIGURE.findall(found)] == [name for name, _ in FIGURE.findall(text_of(page))]
    assert FIGURE.sub("", found) == FIGURE.sub("", text_of(page))
    assert all(is_figure(value) for _, value in FIGURE.findall(found))
    for folder in sorted((tmp_path / "outputs" / "walkthrough").iterdir()):
        assert (folder / "report.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_all_its_figures(page: Path, experiment: ModuleType) -> None:
    figures = FIGURE.findall(text_of(page))
    assert len(figures) >= 20
    assert [name for name, value in figures if not is_figure(value)] == []
    runs = {
        word for words in experiment.commands_of(text_of(page)) for word in words if "walkthrough/" in word
    }
    assert {name.partition(":")[0] for name, _ in figures} == {Path(one).name for one in runs}


def is_figure(value: str) -> bool:
    return value in {"yes", "no"} or VALUE.fullmatch(value) is not None


@pytest.fixture
def a_run(experiment: ModuleType, tmp_path: Path) -> Path:
    run: Path = tmp_path / experiment.RUNS / "first"
    run.mkdir(parents=True)
    nested = {"F1(threshold=0.5)": {"all": {"value": 0.25, "low": 0.2, "high": 0.3125, "n": 9}}}
    write_json(run / "metrics.json", {"offline": {"funnel": nested}, "online": {"ctr": {"truth": -0.01}}})
    write_json(run / "timings.json", {"capacity": {"request": {"p99_ms": 12.345}}})
    return run


def test_its_examples_are_right(experiment: ModuleType) -> None:
    assert doctest.testmod(experiment) == (0, 3)


def test_figures_are_put_into_the_next_cell(experiment: ModuleType, a_run: Path, tmp_path: Path) -> None:
    page = (
        "Text with | a bar.\n"
        "| `first: offline.funnel.F1(threshold=0.5).all` | old |\n"
        "| `first: online.ctr.truth` | | `first: timings.capacity.request.p99_ms` | |\n"
    )
    refreshed = experiment.refreshed(page, tmp_path)
    assert refreshed == (
        "Text with | a bar.\n"
        "| `first: offline.funnel.F1(threshold=0.5).all` | 0.250 [0.200, 0.312] |\n"
        "| `first: online.ctr.truth` | -0.0100 | `first: timings.capacity.request.p99_ms` | 12.3 |\n"
    )
    assert experiment.refreshed(refreshed, tmp_path) == refreshed


def test_a_path_that_leads_nowhere_is_named(experiment: ModuleType, a_run: Path) -> None:
    with pytest.raises(
        InputError, match=r"first: offline\.funel leads nowhere at 'funel'; nearest is 'funnel'"
    ):
        experiment.figure_of(a_run, "offline.funel")
    with pytest.raises(InputError, match="leads nowhere at 'value'"):
        experiment.figure_of(a_run, "online.ctr.truth.value")


def test_only_commands_of_mlsd_are_typed(experiment: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="begins with 'rm', must be mlsd"):
        experiment.follow("```sh\nrm -rf .\n```\n", tmp_path)
    with pytest.raises(InputError, match="mlsd show nothing ended with exit code 2"):
        experiment.follow("```sh\nmlsd show nothing\n```\n", tmp_path)


def test_a_run_that_is_there_is_not_run_again(experiment: ModuleType, a_run: Path, tmp_path: Path) -> None:
    before = json.loads((a_run / "metrics.json").read_text(encoding="utf-8"))
    page = "```sh\nmlsd run problem=no_such hydra.run.dir=outputs/walkthrough/first\n```\n"
    experiment.follow(page, tmp_path)
    assert json.loads((a_run / "metrics.json").read_text(encoding="utf-8")) == before
