"""What the figures decide, in words. An interval that contains zero decides nothing, and is told so."""

from __future__ import annotations

from mlsd.report import numbers
from mlsd.report.base import FUNNEL, LOGGING, Estimate, RunResult, number
from mlsd.report.page import Tone, Verdict


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


WORDS: dict[Tone, str] = {
    "good": "better",
    "bad": "worse",
    "open": "not decided",
    "none": "not measured",
}
"""What a difference's tone is called in tables."""


def verdicts(result: RunResult) -> tuple[Verdict, ...]:
    """Answers to what a reader asks first."""
    answers = [offline_verdict(result), online_verdict(result), budget_verdict(result)]
    if result.decides.guardrails and result.metrics.get("online"):
        answers.append(guardrail_verdict(result))
    return tuple(answers)


def headline(result: RunResult) -> str:
    """The run in one sentence: does the funnel beat the pre-existing system, and does it fit the budget?"""
    offline, online, budget = verdicts(result)[:3]
    parts = [_OFFLINE_WORDS[offline.tone]]
    if online.tone != "none":
        parts.append(_ONLINE_WORDS[online.tone])
    parts.append(_BUDGET_WORDS[budget.tone])
    listed = ", ".join(parts[:-1]) + f", and {parts[-1]}" if len(parts) > 2 else " and ".join(parts)
    return f"The funnel {listed}."


_OFFLINE_WORDS: dict[Tone, str] = {
    "good": "ranks better than the pre-existing system offline",
    "bad": "ranks worse than the pre-existing system offline",
    "open": "cannot be told from the pre-existing system offline",
    "none": "was not held against the pre-existing system offline",
}
_ONLINE_WORDS: dict[Tone, str] = {
    "good": "beats it in the simulated A/B test",
    "bad": "loses to it in the simulated A/B test",
    "open": "is not decided against it by the simulated A/B test",
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
    tone = tone_of(difference, lower_is_better=result.is_lower_better(metric))
    if difference is None or tone == "none":
        return _unmeasured(result, metric, question)
    unit = result.units.get(metric, "")
    return Verdict(
        question,
        _ANSWERS[tone],
        tone,
        numbers.value_text(difference, unit, signed=True),
        numbers.interval_text(difference, unit, signed=True),
        _compared(result, metric, difference, unit),
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
    """Whether simulated users gain, on the metric named to decide it."""
    metric = result.decides.online
    question = "Do users gain?"
    effect = result.effect(metric)
    tone = tone_of(effect, lower_is_better=result.is_lower_better(metric))
    if effect is None or tone == "none":
        why = (
            f"no effect on {numbers.spoken(metric)} with an interval"
            if metric
            else "no metric was named to decide"
        )
        return Verdict(
            question, "Not measured", "none", detail=f"There was no online test that tells: {why}."
        )
    unit = result.units.get(metric, "")
    return Verdict(
        question,
        _ANSWERS[tone],
        tone,
        numbers.value_text(effect, unit, signed=True),
        numbers.interval_text(effect, unit, signed=True),
        _effect_words(result, metric, effect),
    )


def _effect_words(result: RunResult, metric: str, effect: Estimate) -> str:
    figure = result.online(metric) or {}
    unit = result.units.get(metric, "")
    arms = [numbers.like(number(figure.get(arm)), effect, unit) for arm in ("control", "treatment")]
    return (
        f"Simulated A/B test, {numbers.spoken(metric)}: {arms[0]} under control, {arms[1]} under treatment."
    )


def guardrail_verdict(result: RunResult) -> Verdict:
    """Whether any guardrail became worse."""
    tones = {
        name: tone_of(result.effect(name), lower_is_better=result.is_lower_better(name))
        for name in result.decides.guardrails
    }
    worse = [numbers.spoken(name) for name, tone in tones.items() if tone == "bad"]
    unmeasured = [numbers.spoken(name) for name, tone in tones.items() if tone == "none"]
    held = f"{len(tones) - len(worse) - len(unmeasured)} of {len(tones)}"
    question = "Do the guardrails hold?"
    if worse:
        return Verdict(question, "No", "bad", held, detail=f"Worse beyond doubt: {', '.join(worse)}.")
    if unmeasured:
        return Verdict(
            question, "Not all measured", "none", held, detail=f"Not measured: {', '.join(unmeasured)}."
        )
    names = ", ".join(numbers.spoken(name) for name in tones)
    return Verdict(question, "Yes", "good", held, detail=f"Not one is worse beyond doubt: {names}.")


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
    detail = f"99th percentile of single requests through the whole funnel; the budget is {budget}."
    if capacity.fits:
        return Verdict(question, "Yes", "good", measured, f"of {budget}", detail)
    return Verdict(question, "No, too slow", "bad", measured, f"of {budget}", detail)
