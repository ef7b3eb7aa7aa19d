"""Best responses by hand, and that the committed table says what the committed figures say."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mlsd.auctions.base import Bids
from mlsd.auctions.gsp import GSP
from mlsd.estimators.worlds import OverWorlds

RESULTS = Path(__file__).resolve().parents[2] / "experiments" / "results"


def market(experiment: ModuleType, n: int = 30, seed: int = 5) -> object:
    """Pages of three ads of three campaigns; values and qualities differ from page to page."""
    generator = np.random.default_rng(seed)
    values = Bids(
        np.arange(n + 1) * 3, generator.uniform(0.2, 1.0, 3 * n), generator.uniform(0.1, 0.3, 3 * n)
    )
    return experiment.Market(values, np.tile(np.arange(3), n), np.array([1.0, 0.6]))


def test_gains_are_those_of_the_auction_run_once_for_each_factor(experiment: ModuleType) -> None:
    of = market(experiment)
    factor = np.array([0.5, 1.0, 0.8])
    found = experiment.gains(of, factor, 1, np.arange(of.values.n_requests))  # type: ignore[attr-defined]
    for place, mine in enumerate(experiment.FACTORS):
        share = np.where(of.campaign == 1, mine, factor[of.campaign])  # type: ignore[attr-defined]
        bids = Bids(of.values.offsets, share * of.values.bid, of.values.quality)  # type: ignore[attr-defined]
        sold = GSP()(bids, of.multipliers)  # type: ignore[attr-defined]
        expected = 0.0
        for row, position in zip(*np.nonzero(sold.filled), strict=True):
            ad = sold.winners[row, position]
            if of.campaign[ad] == 1:  # type: ignore[attr-defined]
                clicks = of.values.quality[ad] * of.multipliers[position]  # type: ignore[attr-defined]
                expected += clicks * (of.values.bid[ad] - sold.price_per_click[row, position])  # type: ignore[attr-defined]
        assert found[place] == pytest.approx(expected)


def test_where_there_is_no_regret_nobody_wants_another_factor(experiment: ModuleType) -> None:
    n_settled = 0
    for seed in range(8):
        of = market(experiment, seed=seed)
        factor = experiment.shared_factors(of)
        there = np.arange(of.values.n_requests)  # type: ignore[attr-defined]
        gains = [experiment.gains(of, factor, campaign, there) for campaign in range(3)]
        own = [gained[factor[one] == experiment.FACTORS][0] for one, gained in enumerate(gains)]
        best = [gained.max() for gained in gains]
        left = experiment.regret(of, factor)
        assert left == pytest.approx(sum(best) / sum(own) - 1, abs=1e-12)
        n_settled += left == 0
    assert n_settled > 0


def test_a_small_world_is_as_the_theory_has_it(experiment: ModuleType) -> None:
    found = experiment.one_world(experiment.Settings(n_users=80, n_campaigns=60), 3)
    truthful, answered = found[experiment.GSP_TRUTHFUL], found[experiment.GSP_AUCTION]
    vcg = found[experiment.VCG_TRUTHFUL]
    assert truthful["revenue"] >= vcg["revenue"]
    assert answered["revenue"] == pytest.approx(vcg["revenue"])
    assert answered["gain"] == pytest.approx(vcg["gain"])


def test_the_committed_table_is_that_of_the_committed_figures(experiment: ModuleType) -> None:
    kept = json.loads((RESULTS / "gsp_or_vcg.json").read_text(encoding="utf-8"))
    assert tuple(kept["seeds"]) == experiment.SEEDS
    settings = experiment.Settings(kept["n_users"], kept["n_campaigns"])
    assert settings == experiment.Settings()
    found = {
        arm: {name: OverWorlds(**kept["figures"][arm][name]) for name in experiment.SHOWN}
        for arm in experiment.ARMS
    }
    written = (RESULTS / "gsp_or_vcg.md").read_text(encoding="utf-8")
    assert experiment.as_markdown(found, kept["factor"], kept["regret"], settings) == written
