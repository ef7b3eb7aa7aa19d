"""What the metrics of a run mean, a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import getdoc

from mlsd.config.schema import System
from mlsd.metrics.base import BinaryRankingMetric, DiversityMetric, PredictionMetric, RankingMetric
from mlsd.online.base import OnlineTest
from mlsd.online.raters import Raters
from mlsd.report.base import ORACLE
from mlsd.report.numbers import share


def meanings_of(system: System) -> dict[str, str]:
    """Metric -> what it is, offline metrics first."""
    offline = {metric.name: _summary(metric) for metric in system.metrics.values()}
    first = next((metric.name for metric in system.metrics.values() if isinstance(metric, RankingMetric)), "")
    ceiling = {ORACLE + first: f"{first} of what a stage passes on, in the best order: its ceiling."}
    return {**offline, **ceiling, **(_online(system.online) if system.online else {})}


def raters_words(raters: Raters) -> str:
    """Who the raters are, how they err, and what that does to an effect."""
    return (
        f"raters judge the slates of {share(raters.share)} of the requests. Of their grades, "
        f"{share(raters.higher_prob)} are one too high and {share(raters.lower_prob)} one too low, which "
        "pulls good and bad slates together and shrinks the effect. The true effect is that of exact "
        "grades, of all requests."
    )


def _summary(metric: RankingMetric | DiversityMetric | PredictionMetric) -> str:
    """The first line of the metric's docstring without its name."""
    line = (getdoc(metric) or "").partition("\n")[0]
    said = line.partition(": ")[2] or line
    relevant = (
        f" Relevant is a grade of {metric.rel:g} and more." if isinstance(metric, BinaryRankingMetric) else ""
    )
    return f"{said[:1].upper()}{said[1:]}{relevant}"


def _online(test: OnlineTest) -> Mapping[str, str]:
    words = test.count_words
    said = {
        name: f"{words.get(above, above)}, divided by {words.get(below, below)}."
        for name, (above, below) in {**test.metrics, **test.hidden}.items()
    }
    return {**{name: f"{text[:1].upper()}{text[1:]}" for name, text in said.items()}, **test.further}
