from __future__ import annotations

import pytest

from mlsd.config.compose import compose_jobs, compose_overrides
from mlsd.errors import ConfigError


def faults(*overrides: str) -> list[str]:
    return [str(fault) for fault in compose_overrides(overrides).faults]


def test_the_default_composes() -> None:
    composition = compose_overrides(["problem=search"])
    assert composition.faults == ()
    assert composition.required().problem.name == "search"


def test_hydra_settings_are_not_part_of_the_config() -> None:
    assert "hydra" not in compose_overrides(["problem=search"]).required()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("problem=serch", "problem == 'serch': must be one of ads, feed, search. Did you mean 'search'?"),
        ("trainr=default", "trainr == 'default': no such key. Did you mean 'trainer'?"),
        ("trainer=defualt", "trainer == 'defualt': must be one of default. Did you mean 'default'?"),
        ("funel.ordr=[a]", "funel.ordr == ['a']: no such key. Did you mean 'funnel.order'?"),
        ("latency_ms=5", "latency_ms == 5: no such key. Did you mean 'problem.latency_ms'?"),
        ("funnel.order[0]=b", "funnel.order[0] == 'b': a list is replaced whole, as in key=[a,b]."),
        ("seed=1,2", "seed == '1,2': several values need -m (--multirun); a list is written [a,b]."),
        ("+seed=3", "+seed == 3: Could not append to config. An item is already at 'seed'."),
        ("~nothing", "~nothing == None: no such key."),
        ("rankr@a.b=mlp", "rankr@a.b == 'mlp': no such group. Did you mean 'ranker'?"),
        (
            "a b=c",
            "a b == 'c': must be written key=value, with quotes around what has spaces, commas or brackets.",
        ),
        (
            "problem.goals.guardrails={speed: x}",
            (
                "problem.goals.guardrails == {'speed': 'x'}: Key 'speed' is not in struct; "
                "a mapping is merged: add to it with +KEY.NAME=VALUE."
            ),
        ),
        (
            "funnel.stages.light_rank.calibrate=false",
            (
                "funnel.stages.light_rank.calibrate == False: is left at its default in the YAML: "
                "write +funnel.stages.light_rank.calibrate=false to set it."
            ),
        ),
    ],
)
def test_a_fault_is_named_with_value_rule_and_nearest(override: str, message: str) -> None:
    problem = [] if override.startswith("problem=") else ["problem=search"]
    assert faults(*problem, override) == [message]


def test_a_group_in_the_wrong_place_is_told_the_right_ones() -> None:
    (message,) = faults("problem=search", "ranker@funnel.stages.fullrank.ranker=mlp")
    assert message.startswith("ranker@funnel.stages.fullrank.ranker == 'mlp': no ranker is chosen there")
    assert message.endswith("Did you mean 'ranker@funnel.stages.full_rank.ranker'?")


def test_a_missing_problem_is_asked_for() -> None:
    (message,) = faults()
    assert message.startswith("problem == '???': must be chosen, as in problem=ads; there are ")


def test_every_fault_is_found_at_once_and_the_right_overrides_count() -> None:
    composition = compose_overrides(
        ["problem=serch", "sed=1", "n_workers=3", "loss@funnel.stages.full_rank.loss=bec"]
    )
    assert [fault.key for fault in composition.faults] == [
        "problem",
        "loss@funnel.stages.full_rank.loss",
        "sed",
    ]
    assert composition.config is not None
    assert composition.config.n_workers == 3


def test_faults_are_named_where_an_experiment_chooses_the_problem() -> None:
    assert faults("experiment=feed_small", "problem.action_values.likes=3", "hydra.run.dir=here") == [
        "problem.action_values.likes == 3: no such key. Did you mean 'problem.action_values.like'?"
    ]


def test_a_wrong_key_of_hydra_is_named_beside_another_fault() -> None:
    assert faults("problem=search", "sed=1", "hydra.run.folder=here") == [
        "sed == 1: no such key. Did you mean 'seed'?",
        "hydra.run.folder == 'here': Key 'folder' not in 'RunDir'.",
    ]


def test_required_raises_all_faults_in_one_message() -> None:
    composition = compose_overrides(["problem=search", "sed=1", "n_wrkers=3"])
    with pytest.raises(ConfigError, match=r"2 faults in the config:\n  sed == 1.*\n  n_wrkers == 3.*"):
        composition.required()


def test_an_addition_that_others_build_on_is_right() -> None:
    assert faults("problem=search", "+features.x={_target_: a.b, name: b}", "features.x.name=c") == []


def test_a_group_may_be_chosen_in_what_another_choice_brings() -> None:
    overrides = ["ranker@funnel.stages.full_rank.ranker=mlp", "problem=search", "sed=1"]
    composition = compose_overrides(overrides)
    assert [fault.key for fault in composition.faults] == ["sed"]
    assert composition.config is not None
    assert composition.config.funnel.stages.full_rank.ranker._target_.endswith("MLP")


def test_jobs_are_every_combination() -> None:
    jobs = compose_jobs(["problem=search", "seed=1,2", "n_workers=choice(1,2)"])
    assert [(job.required().seed, job.required().n_workers) for job in jobs] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
    ]
