"""Every kind of fault, by the text that a user reads."""

from __future__ import annotations

import os
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from mlsd.config.build import build
from mlsd.config.check import TORCH, all_faults, check, examine, key_faults
from mlsd.config.compose import compose_overrides
from mlsd.config.overrides import parse
from mlsd.config.schema import System
from mlsd.config.targets import ALLOW_TARGETS
from mlsd.errors import ConfigError
from mlsd.testing.tiny_collection import some_judged, write_collection

STAGES = ("rewrite", "understand", "retrieve", "light_rank", "full_rank", "display")


@cache
def default() -> DictConfig:
    return compose_overrides(["problem=search"]).required()


def edited(*overrides: str) -> DictConfig:
    """The default config with its values set as the overrides say: what Hydra would compose, in a moment."""
    config = deepcopy(default())
    OmegaConf.set_struct(config, value=False)
    for text in overrides:
        override = parse(text)
        assert isinstance(override, Override)
        if override.is_delete():
            parent, _, name = override.key_or_group.rpartition(".")
            del OmegaConf.select(config, parent)[name]
        else:
            OmegaConf.update(config, override.key_or_group, override.value(), force_add=True)
    return config


def faults(*overrides: str) -> list[str]:
    return [str(fault) for fault in examine(edited(*overrides)).faults]


def test_the_default_has_no_fault_and_builds() -> None:
    config = check(compose_overrides(["problem=search"]))
    system = build(config)
    assert isinstance(system, System)
    assert tuple(system.funnel.active) == STAGES
    assert system.problem.name == "search"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=x", "seed == 'x': must be a valid integer."),
        ("n_workers=0", "n_workers == 0: must be at least 1."),
        ("problem.latency_ms=-1", "problem.latency_ms == -1.0: must be above 0."),
        ("trainer.max_epochs=2.5", "trainer.max_epochs == 2.5: must be a valid integer."),
        ("budget.enforce=1", "budget.enforce == 1: must be true or false."),
        ("store.folder=3", "store.folder == 3: must be a valid string."),
        (
            "funnel.stages.light_rank.n_out=0",
            "funnel.stages.light_rank.n_out == 0: must be at least 1.",
        ),
        (
            "funnel.stages.full_rank.n_out=???",
            "funnel.stages.full_rank.n_out == '???': must be given.",
        ),
        (
            "funnel.stages.full_rank.ranker.learning_rate=-1",
            "funnel.stages.full_rank.ranker.learning_rate == -1.0: must be above 0.",
        ),
        (
            "test_ratings.guidelines=[useless,useful]",
            "test_ratings.guidelines == 2: must have a sentence for each grade from 0 to 4.",
        ),
        (
            "test_ratings.overlap=13",
            "test_ratings.overlap == 13: must be at most raters.n_raters == 12: nobody rates a pair twice.",
        ),
        (
            "test_ratings.raters.accuracy=[0.9]",
            "test_ratings.raters.accuracy == (0.9,): must be one for each of the raters, n_raters == 12.",
        ),
        (
            "++world.n_user=3",
            "Did you mean 'n_users'?",
        ),
        (
            "++funnel.order_=[a]",
            "no such key: FunnelPlan has order, stages, skip, costs. Did you mean 'order'?",
        ),
        ("++funnel.order=1", "funnel.order == 1: must be a list."),
        (
            "funnel.order=[retrieve,light_rnk]",
            f"funnel.order[1] == 'light_rnk': must be one of {', '.join(STAGES)}; nearest is 'light_rank'.",
        ),
        (
            "funnel.order=[retrieve,light_rank,light_rank]",
            "funnel.order[2] == 'light_rank': must not be named twice.",
        ),
        (
            "funnel.skip=[rerank]",
            f"funnel.skip[0] == 'rerank': must be one of {', '.join(STAGES)}",
        ),
        (
            f"funnel.skip=[{','.join(STAGES)}]",
            f"funnel.skip == {STAGES}: must leave at least one stage",
        ),
        (
            "funnel.stages.full_rank.n_out=400",
            "funnel.stages.full_rank.n_out == 400: must be at most light_rank's n_out == 100: a funnel",
        ),
        (
            "funnel.stages.display.n_out=21",
            "funnel.stages.display.n_out == 21: must be at most full_rank's n_out == 20: a funnel",
        ),
        (
            "funnel.stages.full_rank.n_out=9",
            "problem.n_positions == 10: must be at most n_out == 9.",
        ),
        (
            "features.authority.name=autority",
            "funnel.stages.full_rank == 'autority': is needed of the catalog by authority, which has ",
        ),
        (
            "features.fused.name=candidate.score",
            "funnel.stages.full_rank == 'candidate.score': is read by fused, but light_rank learnt it",
        ),
        (
            "~problem.request_columns.query",
            "logging.funnel.stages.retrieve == 'request.query': is needed by bm25, but no request",
        ),
        (
            "metrics.ndcg_10.cutoff=1000",
            "metrics.ndcg_10.cutoff == 1000: must be at most 300: no stage returns more.",
        ),
        ("problem.goals.offline=ndgc_10", "Did you mean 'ndcg_10'?"),
        ("problem.goals.online=session_per_user", "Did you mean 'sessions_per_user'?"),
        ("+problem.goals.guardrails.abandonmnt=x", "Did you mean 'abandonment'?"),
        ("problem.n_positions=25", "problem.n_positions == 25: must be at most 20, what the funnel returns."),
        (
            "logging.collect.explore.depth=30",
            "logging.collect.explore.depth == 30: must be at most 20, what the pre-existing funnel returns.",
        ),
        (
            "logging.collect.explore.depth=5",
            "logging.collect.explore.depth == 5: must be at least problem.n_positions == 10.",
        ),
        (
            "logging.collect.explore.share=0.01",
            "logging.collect.explore.share == 0.01: must be between 0.05 and 1.",
        ),
        ("logging.collect.split_days.test=0", "logging.collect.split_days.test == 0: must be at least 1."),
        (
            "problem.query_kinds.navigational.share=0.5",
            "problem.query_kinds == 1.25: shares must add up to 1.",
        ),
        (
            "problem.engine=specialized",
            "problem.engine == 'specialized': must be 'general' or 'specialised'. Did you mean",
        ),
        ("ablation=yes-please", "ablation == 'yes-please': must be true or false."),
        ("ablation=1", "ablation == 1: must be true or false."),
        ("ablation_options.margin=0", "ablation_options.margin == 0.0: must be above 0."),
        ("ablation_options.n_refits=-1", "ablation_options.n_refits == -1: must be at least 0."),
        ("ablation_options.n_refit=2", "Did you mean 'n_refits'?"),
        ("++online.raters=3", "online.raters == 3: must be a mapping (Raters)."),
        (
            "++funnel.stages.full_rank=3",
            "funnel.stages.full_rank == 3: must be a mapping with a _target_ (Stage).",
        ),
    ],
)
def test_a_fault_is_named_with_full_key_value_and_rule(override: str, message: str) -> None:
    found = faults(override)
    assert any(message in fault for fault in found), found


def test_a_key_forced_into_the_config_is_caught() -> None:
    (fault,) = faults("++typo.key=1")
    assert fault.startswith("typo == {'key': 1}: no such key: a run has problem, world, ")
    assert [fault.key for fault in key_faults(edited("++typo.key=1"))] == ["typo"]
    composition = compose_overrides(["problem=search", "++typo.key=1"])
    assert composition.faults == ()
    assert [fault.key for fault in all_faults(composition)] == ["typo"]


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("world.posts.horizon_days=28", "28: must be at least 29, as long as anybody is served: "),
        ("online.n_days=28", "42: must be at least 43, as long as anybody is served: 15 of "),
        ("world.posts.horizon_days=29", None),
    ],
)
def test_a_world_goes_on_as_long_as_anybody_is_served(override: str, rule: str | None) -> None:
    found = [str(one) for one in all_faults(compose_overrides(["problem=feed", override]))]
    assert bool(found) == bool(rule)
    assert all(fault.startswith(f"world.posts.horizon_days == {rule}") for fault in found)


def test_a_fault_is_said_once_under_the_key_where_it_was_written() -> None:
    (fault,) = faults("features.bm25.scale=log")
    assert fault == "features.bm25.scale == 'log': must be one of identity, log1p; nearest is 'log1p'."


def test_an_interpolation_that_leads_nowhere() -> None:
    found = faults("~features.bm25")
    assert found[0].startswith(
        "funnel.stages.light_rank.features.bm25 == '${features.bm25}': no such key: features.bm25."
    )


def test_a_column_that_a_skipped_stage_would_have_made() -> None:
    found = faults("funnel.skip=[retrieve]")
    assert any(
        fault.startswith(
            "funnel.stages.light_rank == 'candidate.bm25_score': is needed by bm25, but no request"
        )
        for fault in found
    )


NOT_UNDERSTOOD = (
    "funnel.skip=[understand,display]",
    "features.topic_match=null",
    "features.navigational=null",
    "features.transactional=null",
)


def test_what_is_learnt_from_annotations_must_be_annotated() -> None:
    rule = "is learnt from annotations, and logging.collect.annotate.accuracy does not name it."
    expected = [f"funnel.stages.understand == 'intent': {rule}"]
    assert faults("logging.collect.annotate=null") == expected
    assert faults("~logging.collect.annotate.accuracy.intent") == expected
    assert faults(*NOT_UNDERSTOOD, "logging.collect.annotate=null") == []


def test_a_stage_that_reads_what_a_skipped_one_says_is_named() -> None:
    found = faults("funnel.skip=[understand]")
    assert {fault.partition(": ")[0] for fault in found} == {
        "funnel.stages.full_rank == 'request.intent'",
        "funnel.stages.full_rank == 'request.intent_prob'",
        "funnel.stages.full_rank == 'request.topic_prob'",
        "funnel.stages.display == 'request.topic_prob'",
    }


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("os.system", "must begin with mlsd.; allow others with --allow-target or MLSD_ALLOW_TARGETS."),
        ("mlsd_evil.X", "must begin with mlsd.;"),
        ("mlsd.features.item.ItmColumn", "Did you mean 'mlsd.features.item.ItemColumn'?"),
        ("mlsd.features.itm.ItemColumn", "Did you mean 'mlsd.features.item.ItemColumn'?"),
        ("mlsd.store.os", "must name a class or function that is defined under mlsd.."),
        ("mlsd.losses.bce.BCE", "must be a Feature or FeatureGroup."),
        ("3", "must be the dotted name of a class, such as mlsd.stages.rank.Rank."),
    ],
)
def test_a_target_must_be_allowed_found_and_of_the_right_kind(target: str, message: str) -> None:
    (fault,) = faults(f"+features.extra={{_target_: {target}}}")
    assert fault.startswith("features.extra._target_ == ")
    assert message in fault


def targets(node: object, key: str = "") -> list[str]:
    """The keys of all parts of a config."""
    if not isinstance(node, dict):
        return []
    own = [f"{key}._target_"] if key and "_target_" in node else []
    return [
        *own,
        *(found for name, each in node.items() for found in targets(each, f"{key}.{name}".lstrip("."))),
    ]


@pytest.mark.parametrize("key", targets(OmegaConf.to_container(default().funnel), "funnel"))
def test_a_part_that_is_not_there_is_one_fault_wherever_it_stands(key: str) -> None:
    found = faults(f"{key}=mlsd.problems.search.NoSuch")
    assert [fault for fault in found if fault.startswith(f"{key} == ")] != []
    assert len(found) == 1, found


def test_the_environment_allows_a_prefix_and_yaml_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = "+features.extra={_target_: tests_own_package.Thing}"
    assert "must begin with mlsd.;" in faults(mine)[0]
    monkeypatch.setitem(os.environ, ALLOW_TARGETS, "tests_own_package")
    assert "cannot be found (No module named 'tests_own_package')" in faults(mine)[0]


def test_parameters_of_a_part() -> None:
    found = faults("+features.extra={_target_: mlsd.features.item.ItemColumn, nme: authority}")
    assert (
        "features.extra.nme == 'authority': no such key: ItemColumn has name, scale. Did you mean 'name'?"
        in found
    )
    assert "features.extra.name == '???': must be given to ItemColumn." in found


@pytest.mark.parametrize(
    "overrides",
    [
        ["funnel.stages.full_rank.n_out=15"],
        ["funnel.stages.full_rank.n_out=30"],
        ["funnel.skip=[full_rank]"],
        ["funnel.skip=[full_rank]", "funnel.stages.full_rank.n_out=15"],
        ["funnel.skip=[display]", "funnel.stages.full_rank.n_out=15"],
    ],
)
def test_display_orders_as_many_as_the_full_ranker_is_set_to_pass_on(overrides: list[str]) -> None:
    made = build(check(compose_overrides(["problem=search", *overrides]))).funnel.stages
    assert made["display"].n_out == made["full_rank"].n_out


@pytest.mark.parametrize("value", ["x", "???"])
def test_what_follows_a_wrong_value_is_no_fault_of_its_own(value: str) -> None:
    (fault,) = faults(f"funnel.stages.full_rank.n_out={value}")
    assert fault.startswith(f"funnel.stages.full_rank.n_out == '{value}': must be ")


def test_overrides_and_what_they_compose_to_are_reported_together() -> None:
    wrong = ["sed=1", "n_workers=0", "funnel.stages.full_rank.n_out=0", "++world.users.memory=a"]
    wider = "funnel.stages.display.n_out=20"
    found = all_faults(compose_overrides(["problem=search", *wrong, wider]))
    assert [fault.key for fault in found] == [
        "sed",
        "funnel.stages.full_rank.n_out",
        "world.users.memory",
        "n_workers",
        "funnel.stages.display.n_out",  # wider than what full_rank would pass on
    ]


def test_check_raises_them_in_one_message() -> None:
    with pytest.raises(ConfigError) as raised:
        check(compose_overrides(["problem=search", "seed=-1", "n_workers=0"]))
    assert str(raised.value).splitlines() == [
        "2 faults in the config:",
        "  seed == -1: must be at least 0.",
        "  n_workers == 0: must be at least 1.",
    ]
    assert raised.value.exit_code == 2


def test_build_refuses_what_check_would() -> None:
    with pytest.raises(ConfigError, match="n_workers == 0: must be at least 1"):
        build(compose_overrides(["problem=search", "n_workers=0"]).required())


def test_targets_can_be_left_alone() -> None:
    config = compose_overrides(["problem=search", "+funnel.stages.full_rank.loss.nonsense=1"]).required()
    assert examine(config, without=TORCH).faults == ()
    assert len(examine(config).faults) == 1


def test_an_ablation_is_decided_by_an_order() -> None:
    rule = "problem.goals.offline == 'auc': must be a metric of an order where ablation is true."
    assert rule in faults("problem.goals.offline=auc", "ablation=true")
    assert rule not in faults("problem.goals.offline=auc")


def test_raters_alone_need_a_budget_and_both_do_not() -> None:
    alone = all_faults(compose_overrides(["problem=search", "labels=human", "labels.programme.budget=0"]))
    rule = "must be above 0: labels from raters alone have nothing else to learn from"
    assert [str(fault) for fault in alone] == [f"labels.programme.budget == 0: {rule}."]
    assert all_faults(compose_overrides(["problem=search", "labels=both", "labels.programme.budget=0"])) == []


def test_a_recorded_world_is_not_rated_anew(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "c", {"test": some_judged(range(30))})
    overrides = ["problem=search", "world=beir", f"world.path={folder}"]
    assert all_faults(compose_overrides(overrides)) == []
    found = all_faults(compose_overrides([*overrides, "ratings@test_ratings=graded"]))
    rule = "must be none: a recorded world has its published judgements (labels=judgements)"
    assert [str(fault) for fault in found] == [f"test_ratings == 'RatingProgramme': {rule}."]
