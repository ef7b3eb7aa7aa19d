"""Search: a person types what is sought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlsd import checks
from mlsd.problems.base import Answer, Problem

Engine = Literal["general", "specialised"]

ENGINES: dict[str, str] = {
    "general": "General: any topic, so topics and intents must be told apart before relevance can be.",
    "specialised": "Specialised: one domain, so its own fields and vocabulary carry most of the relevance.",
}


@dataclass(frozen=True, kw_only=True)
class QueryKind:
    """One kind of query that must be answered.

    Args:
        wants: what somebody who types it is after.
        example: such a query.
        share: of the requests.
    """

    wants: str
    example: str
    share: float

    def __post_init__(self) -> None:
        checks.not_empty("example", self.example)
        checks.share("share", self.share)


@dataclass(frozen=True, kw_only=True)
class SearchProblem(Problem):
    """A search engine: text queries against a collection of documents.

    Args:
        engine: "general" (any topic) or "specialised" (one domain).
        query_kinds: name -> a kind of query that must be answered.
    """

    engine: Engine
    query_kinds: Mapping[str, QueryKind]

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.one_of("engine", self.engine, ENGINES)
        checks.not_empty("query_kinds", self.query_kinds)
        total = round(sum(kind.share for kind in self.query_kinds.values()), 6)
        checks.require(total == 1, "query_kinds", total, "shares must add up to 1")

    @property
    def answers(self) -> list[Answer]:
        kinds = (
            f"{name} ({kind.share:.0%}): {kind.wants}, such as “{kind.example}”"
            for name, kind in self.query_kinds.items()
        )
        return [
            Answer("problem.engine", "General or specialised?", ENGINES[self.engine]),
            Answer("problem.query_kinds", "Which queries must it answer?", f"{'; '.join(kinds)}."),
        ]
