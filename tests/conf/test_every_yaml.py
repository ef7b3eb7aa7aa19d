"""Every YAML names the command that uses it, and that command composes, uses it, and has no fault."""

from __future__ import annotations

import json
import shlex
from functools import cache
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from mlsd.cli import COMMANDS
from mlsd.config.check import all_faults
from mlsd.config.compose import PRIMARY, compose_overrides
from mlsd.config.inventory import parts_of
from mlsd.config.places import conf_dir
from mlsd.config.resolve import resolve
from mlsd.testing.tiny_click_logs import LAYOUTS, write_click_log
from mlsd.testing.tiny_feed_logs import write_movies, write_posts
from mlsd.tuning.asked import read
from mlsd.tuning.schema import read_tuning

CONF = conf_dir()
OPTIONS = sorted(path.relative_to(CONF).with_suffix("").as_posix() for path in CONF.rglob("*.yaml"))


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in every layout that is read: what a recorded world's YAML needs to be pointed at."""
    tmp_path = tmp_path_factory.mktemp("collection")
    for layout in LAYOUTS:
        write_click_log(tmp_path, layout)
    write_posts(write_movies(tmp_path, "u.data"))
    lines = {
        "corpus.jsonl": [{"_id": "d1", "title": "tides", "text": "the moon pulls the sea"}],
        "queries.jsonl": [{"_id": "q1", "text": "how do tides work"}],
    }
    for name, rows in lines.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n", encoding="utf-8")
    return tmp_path


def text_of(option: str) -> str:
    return (CONF / f"{option}.yaml").read_text(encoding="utf-8")


def command_of(option: str) -> list[str]:
    """The words of the command in the first comment that is no package directive."""
    lines = text_of(option).splitlines()
    comments = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    return shlex.split(next(line for line in comments if not line.startswith("@package")))


def overrides_of(option: str, collection: Path) -> tuple[str, ...]:
    command, *given = command_of(option)[1:]
    words = [word for word in given if not word.startswith("-")]
    if command == "sweep":
        named_like = words[0].replace("problem=", "tuning=")
        tuning = next((word for word in words if word.startswith("tuning=")), named_like)
        words = [words[0], f"+{tuning}", *(word for word in words[1:] if word != tuning)]
    return tuple(
        word.removesuffix("DIR") + str(collection) if word.endswith("=DIR") else word for word in words
    )


@cache
def faults(*overrides: str) -> list[str]:
    composition = compose_overrides(overrides)
    if any(word.startswith("+tuning=") for word in overrides):
        read = read_tuning(resolve(composition.required()).values["tuning"])
        return [str(fault) for fault in read] if isinstance(read, list) else []
    return [str(fault) for fault in all_faults(composition)]


@cache
def options_used(*overrides: str) -> set[str]:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        listed = (
            GlobalHydra.instance()
            .config_loader()
            .compute_defaults_list(PRIMARY, list(overrides), RunMode.RUN)
        )
    return {str(one.config_path) for one in listed.defaults}


def test_there_are_yaml_files_in_every_group() -> None:
    assert len(OPTIONS) >= 20
    groups = {option.partition("/")[0] for option in OPTIONS}
    assert {"problem", "world", "funnel", "ranker", "loss", "run"} <= groups


@pytest.mark.parametrize("option", OPTIONS)
def test_it_starts_with_a_command(option: str) -> None:
    program, command, *_ = command_of(option)
    assert program == "mlsd"
    assert command in COMMANDS


@pytest.mark.parametrize("option", OPTIONS)
def test_its_command_uses_it(option: str, collection: Path) -> None:
    assert option in options_used(*overrides_of(option, collection))


@pytest.mark.parametrize("option", OPTIONS)
def test_its_command_has_no_fault(option: str, collection: Path) -> None:
    assert faults(*overrides_of(option, collection)) == []


OF_SEVERAL_TASKS = {part.target for part in parts_of("rankers") if "MultiTaskRanker" in part.bases}


def is_of_several_tasks(option: str) -> bool:
    return any(f"_target_: {target}\n" in text_of(option) for target in OF_SEVERAL_TASKS)


RANKERS = [option for option in OPTIONS if option.startswith("ranker/")]
LOSSES = [option for option in OPTIONS if option.startswith("loss/")]


@pytest.mark.parametrize("option", [one for one in [*RANKERS, *LOSSES] if not is_of_several_tasks(one)])
def test_every_ranker_and_loss_fits_every_rank_stage(option: str) -> None:
    group, name = option.split("/")
    places = [f"{group}@funnel.stages.{stage}.{group}={name}" for stage in ("light_rank", "full_rank")]
    assert faults("problem=search", *places) == []


@pytest.mark.parametrize("option", [option for option in RANKERS if is_of_several_tasks(option)])
def test_every_ranker_of_several_tasks_fits_a_stage_of_several_and_no_other(option: str) -> None:
    place = f"ranker@funnel.stages.full_rank.ranker={option.partition('/')[2]}"
    assert faults("problem=ads", "funnel=ads_esmm", place) == []
    assert [fault.endswith("must be a Ranker.") for fault in faults("problem=ads", place)] == [True]


def test_a_ranker_of_one_task_or_a_comparing_loss_fits_no_stage_of_several() -> None:
    wrong = ("ranker@funnel.stages.full_rank.ranker=mlp", "loss@funnel.stages.full_rank.loss=softmax")
    found = faults("problem=ads", "funnel=ads_esmm", *wrong)
    assert [fault.partition(": ")[2] for fault in found] == [
        "must be a MultiTaskRanker.",
        "must make scores log-odds, as BCE does.",
    ]


@pytest.mark.parametrize("name", [path.stem for path in sorted((CONF / "tuning").glob("*.yaml"))])
def test_every_space_composes_at_all_its_corners(name: str) -> None:
    problem = name.partition("_")[0]
    assert read([f"problem={problem}", f"tuning={name}", "tuning.study=tried"]).tuning.space
