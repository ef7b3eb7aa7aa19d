"""What is being designed: a designer's questions, answered once and read by everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mlsd import checks

SECONDS_A_DAY = 86_400

ColumnType = Literal["text", "integer", "number", "truth value"]


class Answer(NamedTuple):
    """A designer's question, answered."""

    key: str
    """Full key of the config that holds the answer."""

    question: str

    text: str
    """The answer in words."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much of everything there is once the system is live.

    Args:
        n_items: items of the catalog.
        requests_per_second: mean over a day.
        peak_factor: the busiest second over the mean, at least 1.
        n_matching: items that match a request at all, mean.
        n_ranked: items that retrieval passes on to be ranked.
        item_index_bytes: memory of one item in the term index.
        embedding_bytes: memory of one number of an embedding.
        utilisation: share of a core that is planned to be busy, in (0, 1].
    """

    n_items: int
    requests_per_second: float
    peak_factor: float
    n_matching: int
    n_ranked: int
    item_index_bytes: int
    embedding_bytes: int
    utilisation: float

    def __post_init__(self) -> None:
        checks.at_least("n_items", self.n_items, 1)
        checks.above("requests_per_second", self.requests_per_second, 0)
        checks.at_least("peak_factor", self.peak_factor, 1)
        checks.at_least("n_matching", self.n_matching, 1)
        rule = f"must be at most n_items == {self.n_items}"
        checks.require(self.n_matching <= self.n_items, "n_matching", self.n_matching, rule)
        checks.at_least("n_ranked", self.n_ranked, 1)
        checks.require(self.n_ranked <= self.n_items, "n_ranked", self.n_ranked, rule)
        checks.at_least("item_index_bytes", self.item_index_bytes, 0)
        checks.at_least("embedding_bytes", self.embedding_bytes, 1)
        checks.probability("utilisation", self.utilisation)

    @property
    def peak_requests_per_second(self) -> float:
        return self.requests_per_second * self.peak_factor


@dataclass(frozen=True, kw_only=True)
class Goals:
    """Which figures decide, named before anything is built.

    Args:
        objective: in words, what the system is for.
        online: the metric of the experiment that decides.
        offline: the ranking metric that is believed to foretell it, by its key in `metrics`.
        guardrails: metrics of the experiment that must not become worse -> the reason.
    """

    objective: str
    online: str
    offline: str
    guardrails: Mapping[str, str]

    def __post_init__(self) -> None:
        checks.not_empty("objective", self.objective)
        checks.not_empty("online", self.online)
        checks.not_empty("offline", self.offline)


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What is to be watched once the system is live, in words.

    Args:
        watched: what -> how, and what counts as an alarm.
        retraining: when models are trained again.
    """

    watched: Mapping[str, str]
    retraining: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Requests, actions, scale, latency budget and goals of a system to be designed.

    Args:
        name: of the problem, as in `problem=search`.
        purpose: what the system does for whom.
        n_positions: items of a slate.
        presentation: how results are shown.
        latency_ms: time that a request may take, p99.
        scale: how much of everything there is.
        goals: which figures decide.
        actions: what users can do -> what it tells; None switches one off.
        request_columns: further columns of its requests -> what they hold; None switches one off.
        monitoring: what is to be watched.
        item_segments: columns of the catalog by whose largest values click predictions are judged.
    """

    name: str
    purpose: str
    n_positions: int
    presentation: str
    latency_ms: float
    scale: Scale
    goals: Goals
    actions: Mapping[str, str | None]
    request_columns: Mapping[str, ColumnType | None]
    monitoring: Monitoring
    item_segments: Sequence[str] = ()

    def __post_init__(self) -> None:
        checks.not_empty("name", self.name)
        checks.at_least("n_positions", self.n_positions, 1)
        checks.above("latency_ms", self.latency_ms, 0)
        checks.not_empty("actions", self.known_actions)

    @property
    def known_actions(self) -> dict[str, str]:
        """What users can do -> what it tells."""
        return {action: tells for action, tells in self.actions.items() if tells is not None}

    @property
    def columns(self) -> dict[str, ColumnType]:
        """Further columns that its requests have -> what they hold."""
        return {name: kind for name, kind in self.request_columns.items() if kind is not None}

    @property
    def answers(self) -> list[Answer]:
        """Further questions of this kind of problem, answered in words."""
        return []
