"""The page of a comparison of runs, and what is decided, in words."""

from __future__ import annotations

from collections.abc import Callable

from mlsd.report import numbers
from mlsd.report.estimate import Estimate, number
from mlsd.report.page import Page, Section, Verdict
from mlsd.report.paired.base import ComparedRun, PairedComparison
from mlsd.report.paired.differing import config, provenance
from mlsd.report.paired.figures import metrics, runs, segments
from mlsd.report.paired.queries import queries
from mlsd.report.power import POWER_WORDS, detectable
from mlsd.report.sections.cells import system_name

TIES = (
    "“Not told apart” is not “equal”, and it does not carry over: two runs that cannot be told apart from "
    "the baseline may well differ from each other."
)
SYSTEMS = (
    "The runs are held against each other as they were fitted. The same design, trained from another seed, "
    "is another system too."
)
ANSWERS = {"good": "Yes", "bad": "No, worse", "open": "Not told apart", "none": "Not measured"}


def build_page(comparison: PairedComparison) -> Page:
    """The comparison, not yet written as anything."""
    builders: tuple[Callable[[PairedComparison], Section | None], ...] = (
        runs,
        metrics,
        segments,
        queries,
        config,
        provenance,
    )
    sections = (build(comparison) for build in builders)
    level = numbers.share(comparison.confidence)
    return Page(
        comparison.title,
        (
            f"baseline {comparison.baseline}",
            system_name(comparison.system),
            numbers.plural(comparison.n_requests, "request"),
            f"{numbers.count(comparison.n_units)} {comparison.units_word}",
        ),
        headline(comparison),
        _summary(comparison),
        tuple(_verdict(comparison, run) for run in comparison.runs),
        tuple(section for section in sections if section is not None),
        f"Brackets hold {level} intervals, each for itself. Verdicts go by Holm's p-values. {TIES} {SYSTEMS}",
        brand="mlsd comparison",
        colophon="Made by mlsd from the per-request tables of the runs.",
    )


def headline(comparison: PairedComparison) -> str:
    """What is decided, in one sentence.

    Example:
        >>> one = {"value": 0.1, "p_holm": 0.01}
        >>> from mlsd.report.parts import Changes
        >>> run = ComparedRun("b", {"AP": {"all": one}}, Changes(2, 1, 0))
        >>> headline(PairedComparison("t", "a", "funnel", "AP", ("AP",), (), "user", 3, 3, 0.95, {}, (run,)))
        'By AP, b is better than a.'
    """
    words = {"good": "better than", "bad": "worse than", "open": "not told apart from"}
    said = [
        f"{_and(names)} {'is' if len(names) == 1 else 'are'} {word} {numbers.one_line(comparison.baseline)}"
        for tone, word in words.items()
        if (names := [run.name for run in comparison.runs if _answered(comparison, run).tone == tone])
    ]
    return f"By {numbers.one_line(comparison.metric)}, {'; '.join(said) or 'nothing was measured'}."


def _and(names: list[str]) -> str:
    spoken = [numbers.one_line(name) for name in names]
    return " and ".join([", ".join(spoken[:-1]), spoken[-1]] if len(spoken) > 1 else spoken)


def _answered(comparison: PairedComparison, run: ComparedRun) -> Verdict:
    tone, _ = comparison.said(run.figure(comparison.metric))
    return Verdict(
        f"Is {numbers.one_line(run.name)} better than {numbers.one_line(comparison.baseline)}?",
        ANSWERS[tone],
        tone,
    )


def _summary(comparison: PairedComparison) -> str:
    return (
        f"Each run minus {numbers.one_line(comparison.baseline)}, paired by request on the test window, "
        f"by {numbers.one_line(comparison.metric)} of {_whose(comparison)}."
    )


def _whose(comparison: PairedComparison) -> str:
    name = numbers.one_line(comparison.system)
    return {"funnel": "what is shown", "logging": "the pre-existing system"}.get(
        name, f"what {name} passes on"
    )


def _verdict(comparison: PairedComparison, run: ComparedRun) -> Verdict:
    said, figure = _answered(comparison, run), run.figure(comparison.metric)
    difference = Estimate.of(figure)
    old, new = (
        numbers.like(comparison.mean(name, comparison.metric).value, difference)
        for name in (comparison.baseline, run.name)
    )
    p_holm = numbers.p_text(number(figure.get("p_holm")))
    detail = f"{numbers.one_line(comparison.metric)}: {old} → {new}, p (Holm) {p_holm}."
    if said.tone == "open" and difference.has_interval:
        size = numbers.like(detectable(difference, comparison.confidence), difference)
        detail += f" At this size, a true difference of {size} is found {POWER_WORDS}, by itself."
    return Verdict(
        said.question,
        said.answer,
        said.tone,
        numbers.value_text(difference, signed=True),
        numbers.interval_text(difference, signed=True),
        detail,
    )
