"""The sections of a run's config. Each constructor's signature is the schema of its section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlsd import checks
from mlsd.ad_server import Market
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.features.base import Declared
from mlsd.fitting import TrainerOptions
from mlsd.funnel import Funnel
from mlsd.labels.annotations import Annotators
from mlsd.labels.base import LabelSource
from mlsd.logs import SPLITS
from mlsd.metrics.base import DiversityMetric, PredictionMetric, RankingMetric
from mlsd.online.base import OnlineTest
from mlsd.online.frontier import Frontier
from mlsd.problems.base import Problem
from mlsd.ratings.programme import RatingProgramme
from mlsd.stages.base import Stage
from mlsd.worlds.base import World


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """What a stage is declared to cost; a run's report has what it was measured to cost.

    Args:
        latency_share: its part of the problem's latency budget.
        fixed_ms: time of a request that does not depend on the number of candidates.
        candidate_us: further time for each candidate that enters the stage.
    """

    latency_share: float
    fixed_ms: float
    candidate_us: float = 0.0

    def __post_init__(self) -> None:
        checks.share("latency_share", self.latency_share)
        checks.at_least("fixed_ms", self.fixed_ms, 0)
        checks.at_least("candidate_us", self.candidate_us, 0)


@dataclass(frozen=True, kw_only=True)
class FunnelPlan:
    """Stages by name, and the order in which requests pass them.

    Args:
        order: names of stages.
        stages: name -> stage; those that `order` does not name are only kept at hand.
        skip: names of `order` that are left out.
        costs: stage -> what it is declared to cost.
    """

    order: tuple[str, ...]
    stages: Mapping[str, Stage]
    skip: tuple[str, ...] = ()
    costs: Mapping[str, StageCost] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.not_empty("order", self.order)
        for at, name in enumerate(self.order):
            checks.one_of(f"order[{at}]", name, list(self.stages))
            checks.require(name not in self.order[:at], f"order[{at}]", name, "must not be named twice")
        for at, name in enumerate(self.skip):
            checks.one_of(f"skip[{at}]", name, self.order)
        for name in self.costs:
            checks.one_of("costs", name, list(self.stages))
        checks.require(
            bool(set(self.order) - set(self.skip)),
            "skip",
            self.skip,
            "must leave at least one stage of the order",
        )
        _check_shares(self.costs)

    @property
    def active(self) -> dict[str, Stage]:
        """The stages that requests pass, in order."""
        names = [name for name in self.order if name in self.stages and name not in self.skip]
        return {name: self.stages[name] for name in names}

    @property
    def funnel(self) -> Funnel:
        """The stages in order, ready to be fitted."""
        return Funnel(self.active)


def _check_shares(costs: Mapping[str, StageCost]) -> None:
    total = round(sum(cost.latency_share for cost in costs.values()), 9)
    checks.require(total <= 1, "costs", total, "latency shares must add up to at most 1")


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """The slice of logged slates that is shuffled, without which position bias cannot be identified.

    Args:
        share: of requests.
        depth: how many of the first candidates are shuffled.
    """

    share: float
    depth: int

    def __post_init__(self) -> None:
        checks.between("share", self.share, 0.05, 1)
        checks.at_least("depth", self.depth, 1)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """How the log comes about: users are served for some days, and part of the slates is shuffled.

    Args:
        split_days: split -> its days, in order of time.
        explore: the shuffled slice.
        annotate: people who say what requests are; None where nobody is asked.
    """

    split_days: Mapping[str, int]
    explore: Exploration
    annotate: Annotators | None = None

    def __post_init__(self) -> None:
        rule = f"must have the days of {', '.join(SPLITS)}, in this order"
        checks.require(tuple(self.split_days) == SPLITS, "split_days", dict(self.split_days), rule)
        for name, days in self.split_days.items():
            checks.at_least(f"split_days.{name}", days, 1)

    @property
    def n_days(self) -> int:
        """Days that are logged."""
        return sum(self.split_days.values())


@dataclass(frozen=True, kw_only=True)
class Logging:
    """The pre-existing system, and the log it leaves.

    Args:
        latency_ms: how long it takes a request, as users feel it.
        funnel: its stages; they are fitted before anything was logged or, where the world was recorded, on
            its log, without labels.
        collect: how users are served; None where the world was recorded.
    """

    latency_ms: float
    funnel: FunnelPlan
    collect: Collection | None = None

    def __post_init__(self) -> None:
        checks.above("latency_ms", self.latency_ms, 0)


@dataclass(frozen=True, kw_only=True)
class Training:
    """What training draws from.

    Args:
        seed: of initial weights, batches and negatives.
    """

    seed: int


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the problem's latency budget is for.

    Args:
        enforce: whether a run that is over it fails (exit code 3).
        n_requests: single requests that are timed; a tenth as many go before, to warm up.
    """

    enforce: bool = False
    n_requests: int = 500

    def __post_init__(self) -> None:
        checks.at_least("n_requests", self.n_requests, 1)


@dataclass(frozen=True, kw_only=True)
class AblationOptions:
    """How an ablation judges what it finds, where `ablation` is on.

    Args:
        margin: what a rank stage before another one, which is there to save work, may cost of the metric
            that decides offline.
        n_refits: how often the whole funnel is trained again, to know the luck of training; 0 never.
    """

    margin: float = 0.01
    n_refits: int = 3

    def __post_init__(self) -> None:
        checks.above("margin", self.margin, 0)
        checks.at_least("n_refits", self.n_refits, 0)


@dataclass(frozen=True, kw_only=True)
class StoreOptions:
    """Where artefacts are kept.

    Args:
        folder: shared by all runs.
    """

    folder: Path


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What the report says about itself.

    Args:
        title: of the page; the problem's name if empty.
    """

    title: str = ""


@dataclass(frozen=True, kw_only=True)
class System:
    """Everything a run is made of.

    Args:
        problem: what is designed.
        world: where requests and responses come from.
        logging: the pre-existing system; None where a world was recorded.
        labels: how actions and judgements become training targets.
        features: those declared, by name; each ranking stage has its own objects.
        funnel: the system that is designed.
        metrics: by the name they are declared under.
        market: how pages are sold; None where nothing is sold.
        frontier: which other terms pages are sold on again; None for none.
        online: the experiment; None where nobody can be asked.
        test_ratings: what of the test window is rated, for evaluation alone; None where nothing is.
        trainer: how models are trained.
        report: what is written for people.
        bootstrap: how offline figures get their intervals.
        seed: of everything that is drawn.
        training: of what training draws.
        n_workers: threads that rank; any number gives the same figures.
        budget: whether latency decides.
        store: where artefacts are kept.
        ablation: whether to find out what each part of the funnel is worth.
        ablation_options: how it judges what it finds.
    """

    problem: Problem
    world: World
    labels: LabelSource
    funnel: FunnelPlan
    metrics: Mapping[str, RankingMetric | DiversityMetric | PredictionMetric]
    training: Training
    store: StoreOptions
    trainer: TrainerOptions
    features: Mapping[str, Declared | None]
    logging: Logging | None = None
    market: Market | None = None
    frontier: Frontier | None = None
    online: OnlineTest | None = None
    test_ratings: RatingProgramme | None = None
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    report: ReportOptions = field(default_factory=ReportOptions)
    seed: int = 0
    n_workers: int = 1
    budget: Budget = field(default_factory=Budget)
    ablation: bool = False
    ablation_options: AblationOptions = field(default_factory=AblationOptions)

    def __post_init__(self) -> None:
        checks.at_least("seed", self.seed, 0)
        checks.at_least("n_workers", self.n_workers, 1)
