"""A made-up run of the size and shape of a real one, and its crooked relatives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlsd.fitting import Curves
from mlsd.report.base import RunResult
from mlsd.report.estimate import Estimate
from mlsd.report.html import render_html
from mlsd.report.markdown import render_markdown
from mlsd.report.parts import (
    CalibrationBin,
    Capacity,
    Changed,
    Changes,
    Decides,
    Examination,
    FeatureSummary,
    GradeShare,
    LabelDiagnostics,
    Latency,
    MarketArm,
    MarketSummary,
    OnlineDesign,
    PacedCampaign,
    Payers,
    Position,
    RaterSummary,
    RatingSummary,
    StageResult,
)

SEGMENTS = {"intent=navigational": 0.31, "intent=informational": 0.52, "intent=transactional": 0.17}
SEGMENTS |= {"queries=head": 0.64, "queries=tail": 0.36}
RANKING = {"nDCG@10": 0.61, "RR@10": 0.72, "AP": 0.44, "P@5": 0.41, "R@100": 0.83, "F1@10": 0.33}
PREDICTION = {"AUC": 0.78, "LogLoss": 0.214, "ECE": 0.011, "NE": 0.87, "Precision(threshold=0.5)": 0.61}
LIFTS = {"logging": 0.0, "retrieve": -0.021, "light_rank": 0.034, "full_rank": 0.068, "funnel": 0.068}
CEILINGS = {"retrieve": 0.947, "light_rank": 0.912, "full_rank": 0.861}


def figure(value: float, n: int, scale: float = 0.42) -> dict[str, Any]:
    half = 1.96 * scale / np.sqrt(n)
    return {"value": value, "low": value - half, "high": value + half, "n": n}


def by_segment(value: float, n: int, scale: float = 0.42) -> dict[str, Any]:
    segments = {
        name: figure(value * (0.94 + 0.04 * place), int(n * part), scale)
        for place, (name, part) in enumerate(SEGMENTS.items())
    }
    return {"all": figure(value, n, scale), **segments}


def system_metrics(system: str) -> dict[str, Any]:
    metrics = {name: by_segment(value + LIFTS[system], 2140) for name, value in RANKING.items()}
    if system in CEILINGS:
        metrics["oracle nDCG@10"] = by_segment(CEILINGS[system], 2140, 0.1)
    if system in {"light_rank", "full_rank"}:
        better = 0.02 if system == "full_rank" else 0.0
        metrics |= {name: by_segment(value - better * value, 61200) for name, value in PREDICTION.items()}
    return metrics


def difference(value: float, n: int) -> dict[str, Any]:
    p_value = 0.0002 if abs(value) > 0.02 else 0.31
    return {**figure(value, n, 0.23), "p_value": p_value}


def online_figure(
    control: float, effect: float, half: float, p_value: float, truth: float | None
) -> dict[str, Any]:
    ends = {"low": effect - half, "high": effect + half}
    arms = {"control": control, "treatment": control + effect, "effect": effect}
    shares = {"relative": effect / control} | {f"relative_{end}": x / control for end, x in ends.items()}
    return {**arms, **ends, **shares, "p_value": p_value, "truth": truth}


def metrics() -> dict[str, Any]:
    offline_difference = {
        name: {
            segment: difference(0.068 if name != "P@5" else 0.006, max(20, int(2140 * part)))
            for segment, part in {"all": 1.0, **SEGMENTS}.items()
        }
        for name in RANKING
    }
    offline_difference["nDCG@10"]["queries=tail"] = difference(-0.034, 770)
    online = {
        "session_success": online_figure(0.4127, 0.0183, 0.0102, 0.0004, 0.0171),
        "ctr": online_figure(0.2311, 0.0094, 0.0061, 0.0025, 0.0102),
        "abandonment": online_figure(0.3020, -0.0121, 0.0088, 0.0071, -0.0098),
        "sessions_per_user": online_figure(4.21, 0.034, 0.081, 0.41, 0.029),
        "retention_7d": online_figure(0.311, 0.012, 0.031, 0.45, 0.006),
        "served nDCG@10": online_figure(0.612, 0.061, 0.019, 0.0001, 0.0664),
    }
    online["satisfaction"] = {**dict.fromkeys(online["ctr"]), "truth": 0.0689}
    offline = {system: system_metrics(system) for system in LIFTS}
    return {
        "offline": offline,
        "offline_difference": offline_difference,
        "offline_steps": {"light_rank": step(0.055), "full_rank": step(0.034)},
        "offline_rated": rated_figures(),
        "online": online,
    }


def step(value: float) -> dict[str, Any]:
    """What a stage adds to the one before it: less of what stands far down."""
    of_metrics = {name: {"all": difference(-0.2 if name == "R@100" else value, 2140)} for name in RANKING}
    return {**of_metrics, "oracle nDCG@10": {"all": difference(-0.035, 2140)}}


def stages() -> tuple[StageResult, ...]:
    retrieve = Latency(0.92, 1.31, 1.74)
    return (
        StageResult("retrieve", "retrieve", "BM25 + two-tower + popularity", 20000, 487.3, retrieve),
        StageResult("light_rank", "rank", "logistic regression", 487.3, 100, Latency(0.48, 0.61, 0.93)),
        StageResult("full_rank", "rank", "DCN-v2, LambdaRank", 100, 20, Latency(1.12, 1.47, 2.21)),
    )


def calibration_bins(seed: int) -> tuple[CalibrationBin, ...]:
    generator = np.random.default_rng(seed)
    predicted = np.array([0.004, 0.011, 0.02, 0.034, 0.05, 0.075, 0.11, 0.16, 0.24, 0.41])
    observed = predicted * (1 + 0.15 * generator.standard_normal(10))
    return tuple(CalibrationBin(float(p), float(o), 6120) for p, o in zip(predicted, observed, strict=True))


def label_diagnostics() -> LabelDiagnostics:
    true = (1.0, 0.90, 0.71, 0.50, 0.41, 0.29, 0.16, 0.15, 0.12, 0.09)
    points = tuple(
        Examination(place, Estimate(value * (0.97 + 0.01 * (place % 5)), value - 0.03, value + 0.035), value)
        for place, value in enumerate(true)
    )
    source = "Clicks and long clicks, weighted by the inverse of the estimated examination."
    counts = {"long_click": 18211, "short_click": 9120, "no_click": 148300, "negative_sample": 60000}
    return LabelDiagnostics(source, counts, points, 0.0131, 0.1)


def rating_summary(n_raters: int = 12) -> RatingSummary:
    sentences = ("Useless.", "Touches on it.", "Answers a part.", "Answers it.", "Just what was asked for.")
    shares = (
        (0.52, 0.54, 0.54),
        (0.24, 0.22, 0.22),
        (0.13, 0.14, 0.14),
        (0.06, 0.05, 0.05),
        (0.05, 0.05, 0.05),
    )
    return RatingSummary(
        budget=3000,
        n_ratings=2970,
        n_pairs=990,
        n_random_pairs=135,
        n_requests=69,
        n_raters=n_raters,
        overlap=3,
        cost=148.5,
        cost_per_rating=0.05,
        aggregation="DawidSkene",
        alpha={"nominal": Estimate(0.694, 0.659, 0.727), "ordinal": Estimate(0.861, 0.825, 0.904)},
        accuracy={"Majority": Estimate(0.969, 0.96, 0.978), "DawidSkene": Estimate(0.977, 0.964, 0.985)},
        grades=tuple(
            GradeShare(grade, sentence, *share)
            for grade, (sentence, share) in enumerate(zip(sentences, shares, strict=True))
        ),
        raters=tuple(RaterSummary(200 + place, 0.9, 0.91 - place / 100) for place in range(n_raters)),
    )


def rated_figures() -> dict[str, Any]:
    ends = ("judged@10", "nDCG@10 by ratings", "nDCG@10 by truth")
    return {
        system: {name: {"all": figure(0.6 + lift, 42)} for name in ends} for system, lift in LIFTS.items()
    }


def features() -> tuple[FeatureSummary, ...]:
    return (
        FeatureSummary("user.n_requests", "user", 0.0, 12.4, 9.81),
        FeatureSummary("item.age_days", "document", 0.0, 212.0, 98.3),
        FeatureSummary("item.ctr_smoothed", "document statistics", 0.143, 0.0812, 0.0311),
        FeatureSummary("pair.bm25", "query-document", 0.0, 7.31, 4.02),
        FeatureSummary("pair.embedding_cosine", "query-document", 0.0, 0.412, 0.171),
        FeatureSummary("pair.topic_affinity", "user-document", 0.31, 0.12, 0.0),
    )


def training() -> dict[str, Curves]:
    return {
        "two_tower": Curves((6.1, 5.2, 4.7, 4.5, 4.41), (5.6, 5.0, 4.81, 4.79, 4.8)),
        "full_rank: DCN-v2": Curves((0.62, 0.57, 0.553, 0.541), (0.58, 0.561, 0.557, 0.559)),
    }


DESIGN = """# Search over a general collection

The engine answers **navigational**, informational and transactional queries.

| question | answer |
|---|---|
| documents | 20,000 |
| latency | 100 ms |

## Funnel

```
catalog 20,000 -> retrieve 500 -> light_rank 100 -> full_rank 20
```

- labels: clicks, weighted by inverse propensity
- metrics: `nDCG@10` decides
"""

CONFIG = """problem: search
seed: 1
funnel:
  order: [retrieve, light_rank, full_rank]
  stages:
    retrieve: {n_out: 500}
"""


def realistic() -> RunResult:
    return RunResult(
        title="Search: the default funnel against BM25",
        problem="search",
        world="search_synthetic",
        world_notes=(
            "20,000 documents in 40 topics; a Zipf vocabulary of 30,000 words; 5,000 users over 28 days.",
            "Graded relevance 0-4 from topic, intent, authority and freshness.",
        ),
        metrics=metrics(),
        decides=Decides("nDCG@10", "session_success", ("abandonment", "sessions_per_user", "retention_7d")),
        purpose="Somebody types a query and gets what answers it",
        answers=(("How fast?", "100 ms"), ("How many items?", "100,000,000")),
        meanings={"nDCG@10": "Discounted gain.", "ctr": "Clicks by impressions.", "AUC": "Order of pairs."},
        changes=Changes(
            1200,
            600,
            340,
            (Changed("rent a bicycle", 12, 0.31, 0.92),),
            (Changed("tides", 3, 0.88, 0.52), Changed("opening hours", 1, 0.5, 0.4)),
        ),
        coverage={"light_rank": 0.91, "full_rank": 0.52},
        summary="A two-stage ranker over three retrievers, trained on clicks corrected for position.",
        stages=stages(),
        capacity=Capacity(
            Latency(2.71, 3.42, 4.63), 100.0, 842.0, 64, 200.0, 1000, "one core", 20_000, 100_000_000
        ),
        steps_s={
            "world": 4.2,
            "logs": 6.8,
            "labels": 1.1,
            "features": 2.9,
            "funnel": 21.4,
            "offline": 4.4,
            "online": 11.7,
        },
        labels=label_diagnostics(),
        label_ratings=rating_summary(),
        test_ratings=rating_summary(40),
        calibration={"light_rank": calibration_bins(1), "full_rank": calibration_bins(2)},
        training=training(),
        features=features(),
        online_design=OnlineDesign(
            "pre-existing system (BM25)",
            "funnel",
            2512,
            2488,
            14,
            "the same users under both arms with the same luck, averaged over all of them.",
            (("policy", "logging", "funnel"), ("latency_ms", "12", "31")),
            sample_ratio_p=0.73,
            rated="served nDCG@10",
            raters="raters judge a tenth of the requests and err now and then",
        ),
        assumptions=(
            "Users look at positions independently of what they saw before (position-based model).",
            "Whether users come back depends on satisfaction and on the latency they were served with.",
            "Latencies of the simulation come from the config, not from this machine's clock.",
        ),
        units={"session_success": "%", "ctr": "%", "abandonment": "%", "retention_7d": "%"},
        provenance={
            "mlsd": "0.1.0",
            "python": "3.11.2",
            "torch": "2.13.0",
            "seed": 1,
            "config hash": "9f31c2aa",
            "commit": "4624363",
            "data": "synthetic, no files",
        },
        reproduce="mlsd run problem=search seed=1 funnel.stages.light_rank.n_out=100",
        config_yaml=CONFIG,
        design=DESIGN,
    )


def worth(value: float, half: float, p_holm: float, metric: str = "nDCG@10") -> dict[str, Any]:
    """Figures of one part in one metric and two segments, as an ablation leaves them."""
    ends = {"value": value, "low": value - half, "high": value + half, "n": 2140}
    tested = {**ends, "p_value": p_holm / 4, "p_holm": p_holm}
    return {metric: {"all": tested, "queries=tail": tested}, "P@5": {"all": ends, "queries=tail": ends}}


def ablation() -> dict[str, Any]:
    """A part that is worth it, one that harms, one that is not shown to do either, some that cannot go."""
    saves = {**worth(0.001, 0.004, 1.0)["nDCG@10"]["all"], "margin": 0.01, "non_inferior": True}
    saves |= {"candidates": {"with": 100, "without": 487}, "declared_ms": {"with": 2.2, "without": 5.4}}
    costly = {**saves, "non_inferior": False, "low": -0.02}
    costly["declared_ms"] = {"with": 2.2, "without": None}
    finds = "retrieve finds the candidates: without it there is nothing to rank"
    return {
        "serving": {
            "features/query_item": worth(0.21, 0.02, 0.0004),
            "retriever/popularity": worth(-0.008, 0.004, 0.003),
            "stage/full_rank": worth(0.013, 0.008, 0.08),
            "stage/light_rank": worth(0.001, 0.004, 1.0),
        },
        "redesign": {
            "features/query_item": worth(0.18, 0.02, 0.0004),
            "retriever/bm25": worth(0.012, 0.004, 0.0004),
            "retriever/popularity": worth(-0.03, 0.004, 0.003),
            "stage/light_rank": worth(-0.004, 0.006, 0.7),
        },
        "not_possible": {
            "serving": {"stage/retrieve": finds, "retriever/bm25": "full_rank needs candidate.bm25_score"},
            "redesign": {"stage/retrieve": finds},
        },
        "switched_off": {"retriever/bm25": {"light_rank": ["bm25"], "full_rank": ["bm25", "bm25_share"]}},
        "non_inferiority": {
            "serving": {"stage/light_rank": saves},
            "redesign": {"stage/light_rank": costly},
        },
        "training_luck": {
            "values": [0.678, 0.671, 0.675, 0.674],
            "mean": 0.6745,
            "sd": 0.0029,
            "reach": 0.0103,
            "exceeded": {"features/query_item": True, "retriever/bm25": False, "retriever/popularity": True},
        },
    }


def taken_apart() -> RunResult:
    """A run that found out what each part is worth."""
    run = realistic()
    leaner = {"stage/light_rank": Latency(4.1, 5.2, 7.3)}
    return replace(run, metrics={**run.metrics, "ablation": ablation()}, leaner=leaner)


def bare() -> RunResult:
    """A run of which nothing is known."""
    return RunResult("Empty", "search", "nothing")


def collection() -> RunResult:
    """Judged queries only: no log, no users, no online test, no truth."""
    run = realistic()
    measured = {key: value for key, value in run.metrics.items() if key != "online"}
    return replace(
        run,
        metrics=measured,
        unit="query",
        labels=None,
        label_ratings=None,
        test_ratings=None,
        online_design=None,
        calibration={},
        assumptions=(),
    )


def unknown_everywhere() -> RunResult:
    """Every figure undefined, half of them None and half NaN."""
    run = realistic()
    unmeasured = {"value": None, "low": float("nan"), "high": None, "n": 0}
    components = {"understand": {"Accuracy(intent)": {"all": unmeasured}}}
    offline = {system: {name: {"all": unmeasured} for name in RANKING} for system in LIFTS}
    differences = {name: {"all": unmeasured, "queries=head": unmeasured} for name in RANKING}
    arms = dict.fromkeys(("control", "treatment", "effect", "low", "high", "p_value", "truth"))
    return replace(
        run,
        metrics={
            "offline": offline,
            "offline_difference": differences,
            "offline_steps": {"light_rank": {name: {"all": unmeasured} for name in RANKING}},
            "online": {"session_success": arms},
            "components": components,
        },
        stages=tuple(StageResult(stage.name, stage.kind) for stage in run.stages),
        capacity=Capacity(),
        steps_s={"world": float("nan")},
        labels=LabelDiagnostics(examination=(Examination(0, Estimate()),)),
        calibration={"light_rank": (CalibrationBin(float("nan"), float("nan"), 0),)},
        training={"two_tower": Curves((float("nan"),), (float("nan"),))},
        features=(FeatureSummary("x", "user"),),
    )


UNDERSTOOD = {
    "Accuracy(intent)": 0.77,
    "MacroF1(intent)": 0.71,
    "F1(navigational)": 0.83,
    "ECE(intent)": 0.05,
}
UNDERSTOOD |= {"Accuracy(topic)": 0.87, "ECE(topic)": 0.03, "AUC(topic)": 0.81}


def with_queries() -> RunResult:
    """Two stages that work on requests, before those that find candidates."""
    run = realistic()
    nan = float("nan")
    names = {"rewrite": "spelling", "understand": "intent, topic"}
    own = tuple(
        StageResult(name, name, inside, nan, nan, Latency(0.2, 0.3, 0.4)) for name, inside in names.items()
    )
    components = {
        "rewrite": {"corrected": {"all": figure(0.61, 310)}},
        "understand": {name: by_segment(value, 2140) for name, value in UNDERSTOOD.items()},
    }
    return replace(
        run,
        stages=own + run.stages,
        metrics={**run.metrics, "components": components},
        annotations={"intent": 1000, "topic": 400},
    )


def market_arm(name: str, paid: float) -> MarketArm:
    names = ("all", "that pay for clicks", "that pay for conversions", "new", "not new")
    payers = tuple(Payers(one, 40, 9_000, 210, 20, 30, paid, 3 * paid, 2 * paid) for one in names)
    largest = tuple(Payers(str(n), 1, 900, 21, 2, 3, paid / 9, paid / 3, paid / 5) for n in range(10))
    places = tuple(Position(n, 3_000, 3_000 - 200 * n, 90 - 9 * n, paid / 4) for n in range(4))
    figures = {
        "budget_spent": 0.48,
        "short_of_money": 0.3,
        "filled": 0.9,
        "price_of_bid": 0.62,
        "unpaid": 0.04,
    }
    curve = tuple((hour / 24) ** 0.5 for hour in range(25))
    return MarketArm(name, figures, curve, 120, places, payers, largest)


def sold() -> RunResult:
    """A run in which pages were sold."""
    arms = market_arm("pre-existing system", 310.0), market_arm("funnel", 402.5)
    plan = tuple(hour / 24 for hour in range(25))
    early, late = (tuple((hour / 24) ** power for hour in range(25)) for power in (0.5, 2.0))
    paced = PacedCampaign("17", 14, 3, 9, late, early), PacedCampaign("4", 10, 0, 1, (), late)
    run = realistic()
    found = {"market": {"frontier": frontier_points()}, "offline_calibration": item_calibration()}
    return replace(run, market=MarketSummary(arms, plan, 14, paced), metrics={**run.metrics, **found})


def frontier_points() -> dict[str, Any]:
    """Two reserves by two numbers of positions; the higher one earns less for as many hides."""
    points = {}
    for reserve, kept in ((0.0, 1.0), (0.5, 0.9)):
        for n_positions in (1, 2):
            revenue, hides = 50 * kept * n_positions, 6.0 * n_positions
            figures = {
                "revenue_per_1000": figure(revenue, 900, 30),
                "hides_per_1000": figure(hides, 900, 3),
                "ads_per_page": figure(n_positions, 900, 0),
                "advertiser_gain_per_1000": figure(40 * kept, 900, 30),
            }
            moved = {
                "revenue_per_1000": figure(revenue - 100, 900, 9),
                "hides_per_1000": figure(hides - 12, 900),
            }
            points[f"reserve={reserve:g},n_positions={n_positions}"] = {
                **figures,
                "reserve": reserve,
                "reserve_on": "bid",
                "n_positions": n_positions,
                "is_own": reserve == 0 and n_positions == 2,
                "is_unbeaten": reserve == 0,
                "difference": moved,
            }
    return points


def calibration(ratio: float, n_impressions: int, half: float = 0.2) -> dict[str, Any]:
    ends = {"low": ratio - half, "high": ratio + half, "n": n_impressions // 3}
    shares = {kind: figure(share, n_impressions // 3) for kind, share in PREDICTED.items()}
    return {**shares, "ratio": {"value": ratio, **ends}, "n_impressions": n_impressions}


PREDICTED = {"predicted": 0.021, "observed": 0.02}


def item_calibration(*columns: str) -> dict[str, Any]:
    """Two stages; by JSON's order of names, not by size."""
    nothing = {**calibration(1.0, 50), "ratio": {"value": None, "low": None, "high": None, "n": 16}}
    by_value = {
        "all": calibration(1.02, 9000, 0.05),
        "others": calibration(0.95, 4000),
        "largest": {"12": calibration(0.7, 900), "3": calibration(1.4, 4000), "8": nothing},
        "n_values": 40,
    }
    of_stage = dict.fromkeys(columns or ("campaign", "category"), by_value)
    return {"light_rank": of_stage, "full_rank": of_stage}


def sold_nothing() -> RunResult:
    """A run in which pages could have been sold."""
    nobody = tuple(Payers(one.name, 0, 0, 0, 0, 0, 0, 0, 0) for one in market_arm("", 1.0).payers)
    unknown = dict.fromkeys(market_arm("", 1.0).figures)
    empty = (Position(0, 0, 0, 0, 0),)
    arms = (MarketArm(name, unknown, (), 0, empty, nobody, ()) for name in ("pre-existing system", "funnel"))
    return replace(realistic(), market=MarketSummary(tuple(arms), (0.0,) * 25, 1))


def one_stage() -> RunResult:
    run = realistic()
    offline = {system: run.metrics["offline"][system] for system in ("logging", "retrieve", "funnel")}
    return replace(run, stages=run.stages[:1], metrics={**run.metrics, "offline": offline})


def large() -> RunResult:
    """Twelve stages, forty segments."""
    run = realistic()
    names = [f"stage_{place:02d}_with_quite_a_long_name" for place in range(12)]
    many = {f"category={place}": figure(0.5 + place / 200, 40 + 9 * place) for place in range(40)}
    system = {name: {"all": figure(value, 2140), **many} for name, value in RANKING.items()}
    differences = {
        "nDCG@10": {"all": difference(0.05, 2140)}
        | {name: difference(0.002 * place - 0.03, 40 + 9 * place) for place, name in enumerate(many)}
    }
    counts = np.geomspace(20000, 10, 13)
    staged = tuple(
        StageResult(
            name,
            "rank",
            "logistic regression",
            float(counts[k]),
            float(counts[k + 1]),
            Latency(0.1 * k, 1, 2),
        )
        for k, name in enumerate(names)
    )
    offline = {"logging": system, **dict.fromkeys(names, system), "funnel": system}
    changed = {"offline": offline, "offline_difference": differences}
    changed["offline_steps"] = dict.fromkeys(names[1:], differences)
    return replace(run, stages=staged, metrics={**run.metrics, **changed})


HOSTILE = "<script>alert('x')</script>\"quoted\" & a|pipe `tick` ``` $x^2$ **b** [l](http://e.test)"
HOSTILE += "\n# h\x00\x1b\u202e\ud800 @all www.e.test \u4e2d "
HOSTILE += "long" * 80


def hostile() -> RunResult:
    """Every text that a user can choose, chosen to do harm."""
    run = realistic()
    offline = {
        "logging": run.metrics["offline"]["logging"],
        HOSTILE: {HOSTILE: {"all": figure(0.5, 10), HOSTILE: figure(0.4, 5)}},
        "funnel": {HOSTILE: {"all": figure(0.6, 10), HOSTILE: figure(0.4, 5)}},
    }
    differences = {HOSTILE: {"all": difference(0.1, 10), HOSTILE: difference(0.1, 5)}}
    return RunResult(
        title=HOSTILE,
        problem=HOSTILE,
        world=HOSTILE,
        world_notes=(HOSTILE,),
        metrics={
            "offline": offline,
            "offline_difference": differences,
            "offline_steps": {HOSTILE: differences},
            "online": {HOSTILE: online_figure(0.4, 0.1, 0.05, 0.01, 0.09)},
            "ablation": {
                "serving": {HOSTILE: worth(0.1, 0.05, 0.001, HOSTILE)},
                "redesign": {HOSTILE: worth(0.1, 0.05, 0.001, HOSTILE)},
                "not_possible": {"serving": {HOSTILE + "/": HOSTILE}},
                "switched_off": {HOSTILE: {HOSTILE: [HOSTILE]}},
                "non_inferiority": {"serving": {HOSTILE: {}}},
            },
            "offline_calibration": {
                HOSTILE: {
                    HOSTILE: {
                        "all": calibration(1.0, 9),
                        "largest": {HOSTILE: calibration(1.0, 9)},
                        "n_values": 1,
                    }
                }
            },
            "components": {
                HOSTILE: {
                    name: {"all": figure(0.5, 10), HOSTILE: figure(0.4, 5)}
                    for name in (HOSTILE, f"{HOSTILE}({HOSTILE})")
                }
            },
        },
        decides=Decides(HOSTILE, HOSTILE, (HOSTILE,)),
        summary=HOSTILE,
        stages=(StageResult(HOSTILE, HOSTILE, HOSTILE, 100, 10, Latency(1, 2, 3)),),
        capacity=replace(run.capacity, machine=HOSTILE),
        steps_s={HOSTILE: 1.0},
        labels=replace(label_diagnostics(), source=HOSTILE, counts={HOSTILE: 3}),
        label_ratings=replace(
            rating_summary(),
            aggregation=HOSTILE,
            undefined=HOSTILE,
            alpha={HOSTILE: Estimate()},
            accuracy={HOSTILE: Estimate(0.5, 0.4, 0.6)},
            grades=(GradeShare(0, HOSTILE, 0.5, 0.5),),
        ),
        purpose=HOSTILE,
        answers=((HOSTILE, HOSTILE),),
        unit=HOSTILE,
        meanings={HOSTILE: HOSTILE},
        changes=Changes(1, 1, 1, (Changed(HOSTILE, 1, 0.1, 0.2),)),
        coverage={HOSTILE: 0.5},
        calibration={HOSTILE: calibration_bins(1)},
        annotations={HOSTILE: 3},
        training={HOSTILE: Curves((0.5, 0.4), (0.5, 0.45))},
        features=(FeatureSummary(HOSTILE, HOSTILE, 0.1, 1.0, 0.0),),
        online_design=OnlineDesign(
            HOSTILE, HOSTILE, 10, 10, 7, HOSTILE, ((HOSTILE, HOSTILE, HOSTILE),), 0.95, 0.5, HOSTILE, HOSTILE
        ),
        assumptions=(HOSTILE,),
        units={HOSTILE: HOSTILE},
        provenance={HOSTILE: HOSTILE},
        reproduce=HOSTILE,
        config_yaml=HOSTILE,
        design=HOSTILE,
    )


BUILDERS = {
    "realistic": realistic,
    "taken_apart": taken_apart,
    "with_queries": with_queries,
    "bare": bare,
    "collection": collection,
    "unknown_everywhere": unknown_everywhere,
    "one_stage": one_stage,
    "large": large,
    "hostile": hostile,
    "sold": sold,
    "sold_nothing": sold_nothing,
}


@pytest.fixture
def result() -> RunResult:
    """A made-up run with everything in it."""
    return realistic()


@pytest.fixture
def taken_apart_result() -> RunResult:
    """A made-up run that found out what each part is worth."""
    return taken_apart()


@pytest.fixture(scope="session", params=list(BUILDERS))
def any_result(request: pytest.FixtureRequest) -> RunResult:
    """Each made-up run in turn."""
    return BUILDERS[request.param]()


@pytest.fixture(scope="session")
def any_html(any_result: RunResult) -> str:
    """Its page."""
    return render_html(any_result)


@pytest.fixture(scope="session")
def any_markdown(any_result: RunResult) -> str:
    """Its page in Markdown."""
    return render_markdown(any_result)


@pytest.fixture(scope="session")
def html_page() -> str:
    """The page of the run with everything in it."""
    return render_html(realistic())


@pytest.fixture
def queries_result() -> RunResult:
    """A made-up run with stages that work on requests."""
    return with_queries()
