from __future__ import annotations

from typing import Any

import pytest

from mlsd.errors import InvalidValueError
from mlsd.problems.feed import FeedProblem
from tests.problems.test_base import problem


def feed(**changed: Any) -> FeedProblem:
    given: dict[str, Any] = {
        **vars(problem()),
        "today": "newest first",
        "better": "what is worth it first",
        "n_daily_users": 10,
        "n_posts_per_day": 100,
        "actions": {"like": "it was good", "hide": "it was not", "follow": None},
        "action_values": {"like": 1.0, "hide": -2.0, "follow": None},
    }
    return FeedProblem(**{**given, **changed})


def test_what_is_switched_off_is_neither_an_action_nor_worth_anything() -> None:
    assert list(feed().known_actions) == ["like", "hide"]
    assert feed().values == {"like": 1.0, "hide": -2.0}
    worth = {answer.key: answer.text for answer in feed().answers}["problem.action_values"]
    assert worth == "Like 1, hide -2."


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"action_values": {"likes": 1.0}},
            "must be one of like, hide; nearest is 'like'",
        ),
        ({"action_values": {"follow": 1.0}}, "action_values == 'follow', must be one of like, hide"),
        ({"action_values": {"like": None}}, "action_values == {}, must not be empty"),
        ({"actions": {"like": None}}, "actions == {}, must not be empty"),
        ({"long_read_s": 0.0}, "long_read_s == 0.0, must be above 0"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        feed(**changed)
