"""A leaderboard as plain values, and those as Markdown: the page says what the JSON beside it says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlsd.bench.job import Costs
from mlsd.bench.leaderboard import Difference, Leaderboard, Row, Target, Verdict
from mlsd.bench.plan import Plan
from mlsd.report.estimate import Estimate
from mlsd.report.markdown import escape
from mlsd.report.numbers import count, milliseconds, p_text, plural, seconds, with_interval
from mlsd.report.page import SIGNS, Tone

CROSSED = "seeds and {units}, which recur under every seed, are drawn independently (two-way bootstrap)"
NESTED = "seeds are drawn, each with {units} of its own (two-way bootstrap, nested)"

TONES: dict[Verdict, Tone] = {"as expected": "good", "not shown": "open", "refuted": "bad"}

HEADINGS = ("arm", "mean", "95% interval", "from the best", "p, Holm", "", "held to")
COST_HEADINGS = ("arm", "training", "weights of rankers", "p50", "p99")

MANY = {"query": "queries"}
"""Plurals of units that are not simply an s more."""


def plain(plan: Plan, board: Leaderboard, provenance: Mapping[str, object]) -> dict[str, Any]:
    """Everything that was found; what a clock measured is under `measured` alone."""
    benchmark = plan.benchmark
    return {
        "name": plan.name,
        "question": benchmark.question,
        "metric": benchmark.metric,
        "base": list(benchmark.base),
        "arms": [{"arm": arm, "overrides": list(own)} for arm, own in benchmark.arms.items()],
        "expected": str(benchmark.expect),
        "verdict": board.verdict,
        "held_against": board.held_against._asdict(),
        "unit": plan.unit,
        "crossed": plan.crossed,
        "n_units": board.n_units,
        "n_requests": board.n_requests,
        "figures": [_figure(row) for row in board.rows],
        "measured": {row.arm: row.costs._asdict() for row in board.rows},
        "provenance": dict(provenance),
    }


def _figure(row: Row) -> dict[str, Any]:
    """An arm's figures without what a clock measured."""
    values = row._asdict()
    del values["costs"]
    targets = [target._asdict() for target in row.targets]
    return {**values, "from_best": row.from_best._asdict(), "targets": targets}


def markdown(found: Mapping[str, Any]) -> str:
    """The page for people. Equal values give equal bytes.

    Args:
        found: what `plain` returned, or what was read back of it.
    """
    rows = [_row(figure, found["measured"]) for figure in found["figures"]]
    parts = [
        f"# {escape(found['question'])}",
        f"Made by `mlsd bench {found['name']}.yaml --write`.",
        escape(verdict_text(found["expected"], found["verdict"], Difference(**found["held_against"]))),
        _table(HEADINGS, [_cells(row) for row in rows]),
        _reading(found),
        "## What it cost",
        _table(COST_HEADINGS, [[escape(row.arm), *cost_texts(row.costs)] for row in rows]),
        "Means over seeds. Times are by a clock, several runs at once: no figure above depends on them.",
        "## Arms",
        f"All arms: {_overrides(found['base'])}.",
        "\n".join(f"- {escape(each['arm'])}: {_overrides(each['overrides'])}" for each in found["arms"]),
        "## Provenance",
        "\n".join(_provenance(found["provenance"])),
    ]
    return "\n\n".join(parts) + "\n"


def _row(figure: Mapping[str, Any], measured: Mapping[str, Any]) -> Row:
    targets = tuple(Target(**target) for target in figure["targets"])
    made = {"targets": targets, "from_best": Difference(**figure["from_best"])}
    return Row(**{**figure, **made, "costs": Costs(**measured[figure["arm"]])})


def verdict_text(expected: str, verdict: Verdict, difference: Difference) -> str:
    """What was expected and whether it came out so."""
    sign = SIGNS[TONES[verdict]]
    return f"Expected before the first run: {expected}. {sign} {verdict}: {difference_text(difference)}."


def difference_text(difference: Difference) -> str:
    """A signed difference with its interval."""
    return with_interval(Estimate(difference.value, difference.low, difference.high), signed=True)


def interval_text(row: Row) -> str:
    """The interval of an arm's mean; nothing where there is none."""
    return f"[{row.low:.4f}, {row.high:.4f}]" if math.isfinite(row.low) else ""


def target_text(target: Target) -> str:
    """A figure that an arm is held to, and whether it is met."""
    words = f"{'met' if target.met else 'missed'}: {target.value:g} ± {target.tolerance:g}"
    return f"{words} ({target.source})" if target.source else words


def cost_texts(costs: Costs) -> list[str]:
    """Training, weights, median and 99th percentile of a request."""
    times = [milliseconds(costs.p50_ms), milliseconds(costs.p99_ms)]
    return [seconds(costs.train_s), count(costs.n_parameters), *times]


def _cells(row: Row) -> list[str]:
    best = row.standing == "best"
    against = ["", ""] if best else [difference_text(row.from_best), p_text(row.from_best.p_holm)]
    held = "; ".join(target_text(target) for target in row.targets)
    return [
        escape(row.arm),
        f"{row.value:.4f}",
        interval_text(row),
        *map(escape, (*against, row.standing, held)),
    ]


def _reading(found: Mapping[str, Any]) -> str:
    unit, made = found["unit"], found["provenance"]
    units = MANY.get(unit, f"{unit}s")
    method = (CROSSED if found["crossed"] else NESTED).format(units=units)
    judged = f"{count(found['n_requests'])} requests of {plural(found['n_units'], unit, units)}"
    return (
        f"`{found['metric']}` over {judged}; {made['varies']} = {_words(made['seeds'])}. "
        f"For intervals {method}. "
        "Differences are paired by request; their p-values are corrected over all pairs of arms. What is not "
        "separable from the best is not shown to be as good."
    )


def _overrides(overrides: Sequence[str]) -> str:
    return ", ".join(f"`{each}`" for each in overrides) or "nothing of their own"


def _provenance(provenance: Mapping[str, object]) -> list[str]:
    return [f"- {escape(name)}: {escape(_words(value))}" for name, value in sorted(provenance.items())]


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in sorted(value.items()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (headings, ("---",) * len(headings), *rows)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
