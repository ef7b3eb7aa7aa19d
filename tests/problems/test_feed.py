from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlsd.config.compose import compose_overrides
from mlsd.config.parts import Builder
from mlsd.config.resolve import resolve
from mlsd.problems.feed import FeedProblem

ACTIONS = "click, like, reply, repost, follow, hide, report, dwell_s"
RULE = f"must be one of {ACTIONS}"


def feed(**changed: Any) -> tuple[FeedProblem, list[str]]:
    values = resolve(compose_overrides(["problem=feed"]).required()).values["problem"]
    builder = Builder(("mlsd.",))
    made = builder.build("problem", {**values, **changed}, FeedProblem)
    return made, [str(fault) for fault in builder.faults]


def test_its_yaml_answers_the_questions_in_words() -> None:
    problem, faults = feed()
    assert faults == []
    answers = {answer.key: answer for answer in problem.answers}
    assert list(answers) == [
        "problem.today", "problem.better", "problem.n_daily_users", "problem.action_values",
    ]  # fmt: skip
    assert answers["problem.today"].text == "Newest first, of those whom the person follows."
    assert answers["problem.better"].text.startswith("First what the person will probably care for")
    assert answers["problem.n_daily_users"].text == (
        "20,000,000 people and 30,000,000 new items a day. 1,500 are looked at for one page, 400 ranked."
    )
    assert answers["problem.action_values"].text == (
        "Click 0.2, like 1, reply 2, repost 2, follow 4, dwell_s 1, hide -8, report -20."
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"today": ""}, "problem.today == '': must not be empty."),
        ({"better": ""}, "problem.better == '': must not be empty."),
        ({"n_daily_users": 0}, "problem.n_daily_users == 0: must be at least 1."),
        ({"n_posts_per_day": 0}, "problem.n_posts_per_day == 0: must be at least 1."),
        ({"action_values": {}}, "problem.action_values == {}: must not be empty."),
        ({"action_values": {"lik": 1.0}}, f"problem.action_values == 'lik': {RULE}; nearest is 'like'."),
        ({"action_values": {"buy": 1.0}}, f"problem.action_values == 'buy': {RULE}."),
        ({"action_values": {"like": np.inf}}, "problem.action_values.like == inf: must be finite."),
        ({"action_values": {"hide": np.nan}}, "problem.action_values.hide == nan: must be finite."),
        ({"n_positions": 0}, "problem.n_positions == 0: must be at least 1."),
    ],
)
def test_it_refuses(changed: dict[str, Any], message: str) -> None:
    assert feed(**changed)[1] == [message]
