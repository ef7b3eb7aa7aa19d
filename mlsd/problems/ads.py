"""Ads: a page has positions to sell, and somebody who may not come back."""

from __future__ import annotations

from dataclasses import dataclass

from mlsd import checks
from mlsd.problems.base import Answer, Problem


@dataclass(frozen=True, kw_only=True)
class AdsProblem(Problem):
    """Ads on pages that people visit for something else.

    Args:
        paid_for: what advertisers pay for, in words.
        paid_by: how prices come about, in words.
    """

    paid_for: str
    paid_by: str

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.not_empty("paid_for", self.paid_for)
        checks.not_empty("paid_by", self.paid_by)

    @property
    def answers(self) -> list[Answer]:
        return [
            Answer("problem.paid_for", "What do advertisers pay for?", f"{_sentence(self.paid_for)}."),
            Answer("problem.paid_by", "How do prices come about?", f"{_sentence(self.paid_by)}."),
        ]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
