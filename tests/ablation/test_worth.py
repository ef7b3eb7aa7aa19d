"""Verdicts and what is declared, by hand; a part that cannot matter is seldom found to."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.ablation.luck import TrainingLuck
from mlsd.ablation.worth import Judge, declared_ms, non_inferiority
from mlsd.config.schema import StageCost
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.evaluation import Evaluated, RankingValues
from mlsd.metrics.ndcg import NDCG
from mlsd.types import Judgements, Requests

COSTS = {"full": StageCost(latency_share=0.1, fixed_ms=2.0, candidate_us=500.0)}


def judge(n: int) -> Judge:
    ids = np.arange(n)
    requests = Requests(ids, ids // 2, ids, np.zeros(n))
    judged = Judgements(np.zeros(n + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))
    evaluated = Evaluated.of(requests, judged, {})
    return Judge(evaluated, [NDCG(cutoff=10)], "nDCG@10", 10, Bootstrap(n_replicates=100))


def values(column: np.ndarray) -> RankingValues:
    return RankingValues(("nDCG@10",), column[:, None])


class TestNonInferiority:
    """The lower end of with minus without against -0.01."""

    @pytest.mark.parametrize(
        ("low", "holds"), [(-0.0099, True), (0.002, True), (-0.01, False), (-0.02, False), (np.nan, False)]
    )
    def test_by_the_lower_end(self, low: float, holds: bool) -> None:
        figure = {"value": 0.003, "low": low, "high": 0.02, "n": 50}
        n_in = {"with": {"light": 100.0, "full": 10.0}, "without": {"full": 100.0}}
        found = non_inferiority("light", figure, 0.01, n_in, COSTS)
        assert found["non_inferior"] is holds
        assert found["candidates"] == {"with": 10, "without": 100}
        assert np.isnan(found["declared_ms"]["with"])
        assert found["declared_ms"]["without"] == 2 + 100 * 0.5

    def test_a_stage_that_declares_nothing(self) -> None:
        assert np.isnan(declared_ms({"full": 1.0, "other": 1.0}, COSTS))
        assert declared_ms({}, COSTS) == 0


def test_a_part_that_cannot_matter_is_found_in_alpha_of_cases_at_most() -> None:
    """300 funnels of 6 parts, none of which matters; in 5% of funnels some part may be found worth anything.

    By Holm at most 5% + 3 standard errors of 1.3%; without him it would be 1 - 0.95^6 = 26%. Seed chosen
    before the first run.
    """
    held, draws = judge(120), np.random.default_rng(5)
    n_found = n_uncorrected = 0
    for _ in range(300):
        whole = draws.uniform(size=120)
        noise = draws.normal(0, 0.1, (6, 60)).repeat(2, axis=1)
        found = held.worth(
            values(whole), {str(part): values(whole + luck) for part, luck in enumerate(noise)}
        )
        figures = [figure["nDCG@10"]["all"] for figure in found.values()]
        n_found += any(figure["p_holm"] < 0.05 for figure in figures)
        n_uncorrected += sum(figure["p_value"] < 0.05 for figure in figures)
    assert n_found / 300 <= 0.09
    assert n_uncorrected / 1800 == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 1800))


def test_requests_that_a_metric_says_nothing_about_are_left_out_of_the_mean() -> None:
    assert judge(3).mean(values(np.array([0.5, np.nan, 1.0]))) == 0.75
    assert np.isnan(judge(1).mean(values(np.array([np.nan]))))


def test_no_part_no_worth() -> None:
    assert judge(2).worth(values(np.ones(2)), {}) == {}


class TestTrainingLuck:
    """Is it the design, or this training of it?"""

    def test_by_hand(self) -> None:
        """sd 0.01, t(2, 0.975) = 4.303, sqrt(4 / 3): 0.0497."""
        luck = TrainingLuck((0.50, 0.52, 0.51), 0.95)
        assert (luck.mean, luck.sd) == pytest.approx((0.51, 0.01))
        assert luck.reach == pytest.approx(4.302653 * 0.01 * np.sqrt(4 / 3))

    def test_one_training_tells_nothing(self) -> None:
        assert TrainingLuck((0.5,), 0.95).exceeded_by(0.1) is None

    def test_an_equally_good_design_exceeds_it_in_alpha_of_cases(self) -> None:
        """20,000 designs of four trainings and one more: 5% +- 4 standard errors of 0.15%."""
        draws = np.random.default_rng(8).normal(0.6, 0.01, (20_000, 5))
        found = [TrainingLuck(tuple(row[:4]), 0.95).exceeded_by(float(row[4])) for row in draws]
        assert np.mean(np.array(found, bool)) == pytest.approx(0.05, abs=0.0065)
