"""A feed: posts by many people, for one person at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from mlsd import checks
from mlsd.problems.base import Answer, Problem


@dataclass(frozen=True, kw_only=True)
class FeedProblem(Problem):
    """A feed of posts, ordered by the probability that a person will care.

    Args:
        today: how the feed is shown now.
        better: how it could be better.
        n_daily_users: people who read it on a day.
        n_posts_per_day: posts that are made on a day.
        action_values: action -> what it is worth when somebody does it, finite; below 0 of what nobody should
            be made to do; None switches one off. Every action that counts is one of `actions`.
        long_read_s: dwell from which on an opened post counts as read, in seconds, above 0.
    """

    today: str
    better: str
    n_daily_users: int
    n_posts_per_day: int
    action_values: Mapping[str, float | None]
    long_read_s: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.not_empty("today", self.today)
        checks.not_empty("better", self.better)
        checks.at_least("n_daily_users", self.n_daily_users, 1)
        checks.at_least("n_posts_per_day", self.n_posts_per_day, 1)
        checks.above("long_read_s", self.long_read_s, 0)
        for action in checks.not_empty("action_values", self.values):
            checks.one_of("action_values", action, self.known_actions)
        for action, value in self.values.items():
            checks.require(isfinite(value), f"action_values.{action}", value, "must be finite")

    @property
    def values(self) -> dict[str, float]:
        """Action that counts -> what it is worth."""
        return {action: value for action, value in self.action_values.items() if value is not None}

    @property
    def answers(self) -> list[Answer]:
        worth = ", ".join(f"{action} {value:g}" for action, value in self.values.items())
        people = f"{self.n_daily_users:,} people and {self.n_posts_per_day:,} new items a day."
        ranked = f"{self.scale.n_matching:,} are looked at for one page, {self.scale.n_ranked:,} ranked."
        return [
            Answer("problem.today", "How is the feed shown today?", _sentence(self.today)),
            Answer("problem.better", "How can it be better?", _sentence(self.better)),
            Answer("problem.n_daily_users", "How many people, how many items?", f"{people} {ranked}"),
            Answer("problem.action_values", "What is an action worth?", _sentence(worth)),
        ]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
