"""What the figures decide, in words. An interval that contains zero decides nothing, and is told so."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from mlsd.report import numbers
from mlsd.report.base import FUNNEL, LOGGING, RunResult
from mlsd.report.estimate import Estimate, number
from mlsd.report.page import Tone, Verdict
from mlsd.report.power import POWER_WORDS, detectable


def tone_of(difference: Estimate | None, *, lower_is_better: bool) -> Tone:
    """Whether a difference is in favour, against, or not decided by its interval.

    Example:
        >>> tone_of(Estimate(0.02, 0.01, 0.03), lower_is_better=False)
        'good'
        >>> tone_of(Estimate(0.02, -0.01, 0.05), lower_is_better=False)
        'open'
    """
    if difference is None or not difference.has_interval:
        return "none"
    if difference.low <= 0 <= difference.high:
        return "open"
    return "good" if (difference.low > 0) != lower_is_better else "bad"


class Judged(NamedTuple):
    """A difference as a reader takes it."""

    tone: Tone
    """In favour, against, not decided; "none" too where neither direction is better."""
    word: str
    """The same in a word or two."""


_WORDS: dict[Tone, str] = {
    "good": "better",
    "bad": "worse",
    "open": "not decided",
    "none": "not measured",
}


def judged(result: RunResult, metric: str, difference: Estimate | None) -> Judged:
    """What a difference of a metric says."""
    tone = tone_of(difference, lower_is_better=metric in result.lower_is_better)
    if metric in result.undirected and tone in {"good", "bad"} and difference is not None:
        return Judged("none", "higher" if difference.low > 0 else "lower")
    return Judged(tone, _WORDS[tone])


def verdicts(result: RunResult) -> tuple[Verdict, ...]:
    """Answers to what a reader asks first."""
    answers = [offline_verdict(result), online_verdict(result), budget_verdict(result)]
    if result.decides.guardrails and result.metrics.get("online"):
        answers.append(guardrail_verdict(result))
    return tuple(answers)


def headline(result: RunResult) -> str:
    """The run in one sentence: does the funnel beat the pre-existing system, and does it fit the budget?"""
    offline, online, budget = verdicts(result)[:3]
    parts = [_OFFLINE_WORDS[offline.tone], _ONLINE_WORDS[online.tone], _BUDGET_WORDS[budget.tone]]
    said = [part for part in parts if part]
    return f"The funnel {', '.join(said[:-1])}{',' * (len(said) > 2)} and {said[-1]}."


_OFFLINE_WORDS: dict[Tone, str] = {
    "good": "ranks better than the pre-existing system offline",
    "bad": "ranks worse than the pre-existing system offline",
    "open": "cannot be told from the pre-existing system offline",
    "none": "was not held against the pre-existing system offline",
}
_ONLINE_WORDS: dict[Tone, str] = {
    "good": "wins the simulated A/B test",
    "bad": "loses the simulated A/B test",
    "open": "neither wins nor loses the simulated A/B test, which is too small to decide",
    "none": "",
}
_BUDGET_WORDS: dict[Tone, str] = {
    "good": "fits the latency budget",
    "bad": "exceeds the latency budget",
    "open": "",
    "none": "was not held against a latency budget",
}


def offline_verdict(result: RunResult) -> Verdict:
    """Whether the funnel ranks better, on the metric named to decide it."""
    metric = result.decides.offline
    question = "Does it rank better?"
    difference = result.difference(metric)
    tone = judged(result, metric, difference).tone
    if difference is None or tone == "none":
        return _unmeasured(result, metric, question)
    unit = result.units.get(metric, "")
    return Verdict(
        question,
        _ANSWERS[tone],
        tone,
        numbers.value_text(difference, unit, signed=True),
        numbers.interval_text(difference, unit, signed=True),
        _compared(result, metric, difference, unit) + _could_find(difference, tone, result.confidence, unit),
    )


_ANSWERS: dict[Tone, str] = {
    "good": "Yes",
    "bad": "No, worse",
    "open": "Does not decide",
    "none": "Not measured",
}


def _compared(result: RunResult, metric: str, difference: Estimate, unit: str) -> str:
    before, after = result.offline(LOGGING, metric), result.offline(FUNNEL, metric)
    if before is None or after is None:
        return f"{metric}, funnel minus pre-existing system, paired by request."
    old, new = (numbers.like(side.value, difference, unit) for side in (before, after))
    return f"{metric}: {old} for the pre-existing system, {new} for the funnel, paired by request."


def _could_find(difference: Estimate, tone: Tone, confidence: float, unit: str) -> str:
    """How large a difference must be for a comparison of this size to find it."""
    if tone != "open":
        return ""
    size = numbers.like(detectable(difference, confidence), difference, unit, signed=True).removeprefix("+")
    return f" At this size, a true difference of {size} is found {POWER_WORDS}."


def _unmeasured(result: RunResult, metric: str, question: str) -> Verdict:
    """The funnel's own figure where nothing was there to hold it against."""
    own = result.offline(FUNNEL, metric)
    if own is None or not own.is_known:
        return Verdict(question, "Not measured", "none", detail=f"No {metric} of the funnel was computed.")
    unit = result.units.get(metric, "")
    detail = f"{metric} of the funnel; there is no paired difference with an interval to judge it by."
    shown = (numbers.value_text(own, unit), numbers.interval_text(own, unit))
    return Verdict(question, "Not compared", "none", *shown, detail)


def online_verdict(result: RunResult) -> Verdict:
    """Whether users gain, or where pages are sold whoever sells them, by the metric that decides."""
    metric = result.decides.online
    question = "Do users gain?" if result.market is None else "Does it earn more?"
    effect = result.effect(metric)
    tone = judged(result, metric, effect).tone
    if effect is None or tone == "none":
        return Verdict(question, "Not measured", "none", detail=_why_not_online(result))
    unit = result.units.get(metric, "")
    confidence = result.online_design.confidence if result.online_design else result.confidence
    words = (_effect_words(result, metric, effect), _could_find(effect, tone, confidence, unit))
    return Verdict(
        question,
        _ANSWERS[tone],
        tone,
        numbers.value_text(effect, unit, signed=True),
        numbers.interval_text(effect, unit, signed=True),
        f"{words[0]}{words[1]} {others_online(result)}".strip(),
    )


def _why_not_online(result: RunResult) -> str:
    if not result.online_metrics:
        return "There was no online test: nobody can be asked."
    metric = result.decides.online
    if not metric:
        return "There was an online test, but no metric was named to decide."
    return f"The online test found no effect on {numbers.metric_name(metric)} with an interval."


def _effect_words(result: RunResult, metric: str, effect: Estimate) -> str:
    figure = result.online(metric) or {}
    unit = result.units.get(metric, "")
    arms = [numbers.like(number(figure.get(arm)), effect, unit) for arm in ("control", "treatment")]
    name = numbers.metric_name(metric)
    return f"{name[:1].upper()}{name[1:]}: {arms[0]} under control, {arms[1]} under treatment, simulated."


def others_online(result: RunResult) -> str:
    """How the other metrics of the online test came out; empty where there are none."""
    names = [name for name in result.seen_metrics if name != result.decides.online]
    if not names:
        return ""
    words = Counter(judged(result, name, result.effect(name)).word for name in names)
    counted = ", ".join(f"{n} {word}" for word, n in sorted(words.items()))
    return f"Of the other {numbers.plural(len(names), 'metric')}: {counted}."


def guardrail_verdict(result: RunResult) -> Verdict:
    """Whether any guardrail became worse; one that is not decided is not said to hold."""
    tones = {name: judged(result, name, result.effect(name)).tone for name in result.decides.guardrails}
    n_bad = sum(tone == "bad" for tone in tones.values())
    answer, tone = _guardrail_answer(set(tones.values()))
    detail = " ".join(_guardrail_words(result, name, tones[name]) for name in tones)
    figure = f"{n_bad} of {len(tones)}"
    return Verdict("Do the guardrails hold?", answer, tone, figure, "worse", detail)


def _guardrail_answer(tones: set[Tone]) -> tuple[str, Tone]:
    if "bad" in tones:
        return "No", "bad"
    if "none" in tones:
        return "Not all measured", "none"
    return ("No harm found", "open") if "open" in tones else ("Yes", "good")


def _guardrail_words(result: RunResult, metric: str, tone: Tone) -> str:
    name = numbers.metric_name(metric)
    start = f"{name[:1].upper()}{name[1:]}: {_WORDS[tone]}"
    if tone != "open":
        return f"{start}."
    effect, unit = result.effect(metric) or Estimate(), result.units.get(metric, "")
    harm = effect.high if metric in result.lower_is_better else effect.low
    text = numbers.like(harm, effect, unit, signed=True)
    return f"{start}; {text} is not ruled out."


def budget_verdict(result: RunResult) -> Verdict:
    """Whether the slowest of a hundred requests is within the budget."""
    capacity = result.capacity
    measured = numbers.milliseconds(capacity.request.p99_ms)
    question = "Is it fast enough?"
    if capacity.fits is None:
        known = measured != numbers.UNKNOWN
        why = "The problem names no latency budget." if known else "The latency of requests was not measured."
        return Verdict(question, "Not measured", "none", measured if known else "", "", why)
    budget = numbers.milliseconds(float(capacity.budget_ms or 0))
    detail = f"99th percentile of single requests, whole funnel. {catalog_caveat(result)}".strip()
    if capacity.fits:
        return Verdict(question, "Yes", "good", measured, f"of {budget}", detail)
    return Verdict(question, "No, too slow", "bad", measured, f"of {budget}", detail)


def catalog_caveat(result: RunResult) -> str:
    """Latency was measured with a catalog of another size than the problem plans for; empty otherwise."""
    measured, planned = result.capacity.n_items, result.capacity.planned_items
    if measured is None or planned is None or planned <= measured:
        return ""
    return (
        f"Measured with {numbers.count(measured)} items; the problem plans for {numbers.count(planned)}, "
        "which take longer to search, or more machines."
    )
