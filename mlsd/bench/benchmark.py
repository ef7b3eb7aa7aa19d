"""What a benchmark's YAML says. Each constructor's signature is the schema of its section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlsd import checks

Varies = Literal["seed", "training.seed"]
"""What differs between the runs of an arm: world and training, or training alone."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What should come out, fixed before the first run; one of three kinds.

    Args:
        best: the arm that should have the highest figure.
        better: the arm that should have a higher figure than `than`.
        not_worse: the arm that should be at most `margin` below `than`.
        than: the arm that `better` or `not_worse` is held against.
        margin: what `not_worse` may cost of the metric, above 0.
    """

    best: str | None = None
    better: str | None = None
    not_worse: str | None = None
    than: str | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        kinds = {"best": self.best, "better": self.better, "not_worse": self.not_worse}
        given = [name for name, arm in kinds.items() if arm is not None]
        rule = "must be one of best, better and not_worse"
        checks.require(len(given) == 1, "kind", given, rule)
        paired = given in (["better"], ["not_worse"])
        rule = "must be an arm beside better or not_worse, and stand nowhere else"
        checks.require((self.than is not None) == paired, "than", self.than, rule)
        rule = "must be a number beside not_worse, and stand nowhere else"
        checks.require((self.margin is not None) == (given == ["not_worse"]), "margin", self.margin, rule)
        checks.above("margin", 1.0 if self.margin is None else self.margin, 0)

    @property
    def arms(self) -> dict[str, str]:
        """Key -> the arm it names."""
        named = {"best": self.best, "better": self.better, "not_worse": self.not_worse, "than": self.than}
        return {key: arm for key, arm in named.items() if arm is not None}

    def __str__(self) -> str:
        if self.best is not None:
            return f"{self.best} is the best"
        if self.better is not None:
            return f"{self.better} is better than {self.than}"
        return f"{self.not_worse} is at most {self.margin:g} below {self.than}"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A figure of our own that later versions are held to.

    Args:
        value: of an earlier run.
        tolerance: how far a figure may be off, at least 0.
    """

    value: float
    tolerance: float

    def __post_init__(self) -> None:
        checks.at_least("tolerance", self.tolerance, 0)


@dataclass(frozen=True, kw_only=True)
class Published(Held):
    """A figure that somebody else published.

    Args:
        source: where it stands.
    """

    source: str

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.not_empty("source", self.source)


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A question, and what is run to answer it.

    Args:
        question: in words.
        arms: name -> overrides on top of `base`; at least two.
        seeds: of the runs of each arm, at least two; fixed before the first run.
        metric: a column of a run's per-request table, such as `funnel.nDCG@10`; higher is better.
        expect: what should come out.
        base: overrides that all arms share.
        varies: what the seeds are of.
        published: arm -> a figure that somebody else published.
        holds: arm -> a figure of our own.
        quick: whether it belongs to the gate that is run often.
        needs_data: name of the collection it is about, a folder below that of all data.
    """

    question: str
    arms: Mapping[str, tuple[str, ...]]
    seeds: tuple[int, ...]
    metric: str
    expect: Expectation
    base: tuple[str, ...] = ()
    varies: Varies = "seed"
    published: Mapping[str, Published] = field(default_factory=dict)
    holds: Mapping[str, Held] = field(default_factory=dict)
    quick: bool = False
    needs_data: str | None = None

    def __post_init__(self) -> None:
        checks.not_empty("question", self.question)
        checks.require(len(self.arms) >= 2, "arms", list(self.arms), "must be at least two")
        checks.require(len(self.seeds) >= 2, "seeds", list(self.seeds), "must be at least two")
        for row, seed in enumerate(self.seeds):
            checks.at_least(f"seeds[{row}]", seed, 0)
            checks.require(seed not in self.seeds[:row], f"seeds[{row}]", seed, "must not be named twice")
        for key, arm in self.expect.arms.items():
            checks.one_of(f"expect.{key}", arm, list(self.arms))
        named = list(self.expect.arms.values())
        checks.require(len(set(named)) == len(named), "expect.than", self.expect.than, "must be another arm")
        for section, arms in (("published", self.published), ("holds", self.holds)):
            for arm in arms:
                checks.one_of(section, arm, list(self.arms))
