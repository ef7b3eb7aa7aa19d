"""Every arm is composed and checked before the first run, and what a job is called by."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlsd.bench.plan import Plan, plan_of
from mlsd.errors import ConfigError
from mlsd.testing.tiny_collection import some_judged, write_collection

if TYPE_CHECKING:
    from tests.bench.conftest import Write

STAGES = "rewrite, understand, retrieve, light_rank, full_rank, display"
POPULARITY = "funnel.stages.retrieve.retrievers.popularity=null"


def faults(write: Write, **changed: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        plan_of(write(**changed))
    return [str(fault) for fault in raised.value.faults]


def test_arms_within_seeds(write: Write) -> None:
    plan = plan_of(write())
    assert (plan.name, plan.unit, plan.crossed, plan.data) == ("tiny", "user", False, "")
    assert [str(job) for job in plan.jobs] == [
        f"{arm}, seed {seed}" for seed in (1, 2) for arm in ("both", "bm25")
    ]
    assert plan.jobs[1].overrides[-2:] == (POPULARITY, "seed=1")
    assert len({job.key for job in plan.jobs}) == 4


def test_training_alone_crosses_the_users(write: Write) -> None:
    plan = plan_of(write(varies="training.seed"))
    assert plan.crossed
    assert plan.jobs[0].overrides[-1] == "training.seed=1"


def test_a_key_is_of_the_config_and_not_of_names(write: Write) -> None:
    """Another question, order and name of arms find the same runs; another override does not."""

    def keys(plan: Plan) -> set[str]:
        return {job.key for job in plan.jobs}

    plan = plan_of(write())
    renamed = {"arms": {"words": [POPULARITY], "all": []}, "expect": {"best": "words"}}
    again = plan_of(write(question="Why?", seeds=[2, 1], **renamed))
    assert keys(again) == keys(plan)
    other = plan_of(write(arms={"both": ["budget.n_requests=6"], "bm25": [POPULARITY]}))
    assert len(keys(other) & keys(plan)) == 2


def test_faults_of_the_file_and_of_all_arms_come_together(write: Write) -> None:
    found = faults(
        write,
        seeds=[1],
        base=["problem=search", "sed=1"],
        arms={"a": ["funnel.skip=[light_rnk]"], "b": ["trainer.max_epochs=0"]},
        expect={"best": "a"},
    )
    assert found == [
        "seeds == [1]: must be at least two.",
        "all arms: sed == 1: no such key. Did you mean 'seed'?",
        f"arms.a: funnel.skip[0] == 'light_rnk': must be one of {STAGES}; nearest is 'light_rank'.",
        "arms.b: trainer.max_epochs == 0: must be at least 1.",
    ]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"metric": "funnel.nDCG@11"}, "metric == 'funnel.nDCG@11': no arm's run has it; it is "),
        ({"metric": "light_rank.nDCG@10"}, "metric == 'light_rank.nDCG@10': no arm's run has it"),
        ({"arms": {"one": [], "two": ["seed=7"]}, "expect": {"best": "one"}},
         "arms.two[0] == 'seed=7': must not be set: varies is seed."),
        ({"arms": {"one": [], "two": ["training.seed=7"]}, "expect": {"best": "one"}},
         "arms.two[0] == 'training.seed=7': must not be set: varies is seed."),
        ({"arms": {"one": [], "two": ["store.folder=x"]}, "expect": {"best": "one"}},
         "arms.two[0] == 'store.folder=x': must not be set: every job has its own."),
        ({"arms": {"one": [], "two": ["n_workers=1"]}, "expect": {"best": "one"}},
         "arms == 'two': must differ from one: both compose to the same config."),
        ({"needs_data": "scifact"}, "needs_data == 'scifact': must be found: name the folder of collections"),
    ],
)  # fmt: skip
def test_faults(write: Write, changed: dict[str, Any], fault: str) -> None:
    assert [one for one in faults(write, **changed) if one.startswith(fault)]


def test_a_metric_that_some_arms_do_not_produce(write: Write) -> None:
    base = ["problem=search", "experiment=search_small"]
    arms = {"with": [], "without": ["funnel.skip=[light_rank]"]}
    changed = {"base": base, "arms": arms, "expect": {"best": "with"}, "metric": "light_rank.nDCG@10"}
    (fault,) = faults(write, **changed)
    assert fault.startswith("metric == 'light_rank.nDCG@10': no run of without has it")


class TestCollections:
    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        judged = {"train": some_judged(range(15)), "test": some_judged(range(20, 30))}
        write_collection(tmp_path / "it's data" / "music", judged)
        return tmp_path / "it's data"

    @pytest.fixture
    def path(self, write: Write) -> Path:
        order = "funnel.order=[retrieve]"
        retrievers = "funnel.stages.retrieve.retrievers"
        alone = f"{retrievers}.two_tower=null"
        arms = {"bm25": [alone], "other": [alone, f"{retrievers}.bm25.k1=0.9"]}
        base = ["problem=search", "world=beir", order]
        return write(
            base=base, arms=arms, expect={"best": "bm25"}, needs_data="music", varies="training.seed"
        )

    def test_what_is_in_it_counts_and_not_where_it_lies(self, path: Path, data: Path, tmp_path: Path) -> None:
        plan = plan_of(path, data)
        assert (plan.unit, plan.crossed) == ("query", True)
        assert plan.data.startswith("music ")
        assert len(plan.data) == len("music ") + 64
        shutil.copytree(data, tmp_path / "elsewhere")
        elsewhere = plan_of(path, tmp_path / "elsewhere")
        assert [job.key for job in elsewhere.jobs] == [job.key for job in plan.jobs]
        with (tmp_path / "elsewhere" / "music" / "corpus.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"_id": "more", "text": "more"}\n')
        changed = plan_of(path, tmp_path / "elsewhere")
        assert not {job.key for job in changed.jobs} & {job.key for job in plan.jobs}

    def test_a_name_that_is_not_there(self, path: Path, data: Path) -> None:
        (data / "music").rename(data / "musik")
        with pytest.raises(
            ConfigError, match=r"needs_data == 'music': no such folder in .*Did you mean 'musik'"
        ):
            plan_of(path, data)

    def test_the_path_is_not_for_the_file_to_say(self, write: Write, data: Path) -> None:
        base = ["problem=search", "world=beir", "world.path=somewhere"]
        with pytest.raises(
            ConfigError, match=r"base\[2\] == 'world.path=somewhere': must not be set: needs_data"
        ):
            plan_of(write(base=base, needs_data="music"), data)
