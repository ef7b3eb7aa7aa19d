from __future__ import annotations

import io
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from mlsd import rng
from mlsd.checks import collecting
from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.ab_test import Comparison
from mlsd.fitting import Fitting
from mlsd.metrics.ndcg import NDCG
from mlsd.online.ab_test import ABTest
from mlsd.online.base import CONTROL, TREATMENT, assigned_to_treatment, totals
from mlsd.online.outcomes import METRICS, Counter, served_days
from mlsd.online.raters import Raters
from mlsd.online.result import ABResult
from mlsd.retrievers.bm25 import BM25
from mlsd.serving import Explore, Greedy, Policy, serve
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import Array, RankingBatch, Requests, Slates
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld

SEED = 314
FIRST_DAY = 5
WORLD = TinyWorld(n_users=500, seed=SEED)
LATENCIES_MS = {CONTROL: 40.0, TREATMENT: 40.0}
TEST = ABTest(raters=Raters(metric=NDCG(5), share=0.3))


class ByGrade:
    """Shows the items of highest grade, or of lowest."""

    def __init__(self, world: TinyWorld, sign: int) -> None:
        self.slates = np.argsort(-sign * world.grades(), axis=1, kind="stable")[:, :5]

    def rank(self, requests: Requests) -> Slates:
        return Slates(self.slates[requests["query_id"]])


class ByLuck:
    """Shows any five items, whatever is asked: between the best and the worst."""

    def rank(self, requests: Requests) -> Slates:
        luck = rng.uniform(SEED, "shown", requests.request_id[:, None], np.arange(WORLD.n_items))
        return Slates(np.argsort(luck, axis=1)[:, :5])


BEST, WORST = ByGrade(WORLD, 1), ByGrade(WORLD, -1)


def run(
    control: Policy, treatment: Policy, latencies_ms: Mapping[str, float] = LATENCIES_MS, seed: int = SEED
) -> ABResult:
    return TEST.run(WORLD, control, treatment, FIRST_DAY, WORLD.first_state(), latencies_ms, seed)


@pytest.fixture(scope="module")
def found() -> ABResult:
    return run(ByLuck(), BEST)


@pytest.fixture(scope="module")
def crowd() -> TinyWorld:
    return TinyWorld(n_users=20_000, seed=SEED + 1)


@pytest.fixture(scope="module")
def equal() -> ABResult:
    return run(ByLuck(), ByLuck())


class TestPotentialOutcomes:
    def test_every_user_lives_through_both_arms(self, found: ABResult) -> None:
        assert len(found.users) == 2 * WORLD.n_users
        assert not found.users.duplicated(["arm", "user"]).any()
        assert (found.users.groupby("user")["own"].sum() == 1).all()

    @pytest.mark.parametrize(("arm", "policy"), [(CONTROL, ByLuck()), (TREATMENT, BEST)])
    def test_the_experiment_is_a_selection_of_rows(self, found: ABResult, arm: str, policy: Policy) -> None:
        """Serving an arm's own users alone leaves the same counts, to the last bit."""
        everybody = np.arange(WORLD.n_users)
        users = everybody[assigned_to_treatment(everybody, SEED) == (arm == TREATMENT)]
        counter = Counter(WORLD, TEST.raters, TEST.long_click_s, SEED)
        days = range(FIRST_DAY, FIRST_DAY + TEST.n_days)
        alone = totals(served_days(counter, policy, users, days, WORLD.first_state(), LATENCIES_MS[arm]))
        rows = found.users[(found.users["arm"] == arm) & found.users["own"]]
        np.testing.assert_array_equal(rows["user"], users)
        for name, values in alone.items():
            assert rows[name].to_numpy().tobytes() == values[users].tobytes(), name

    def test_equal_arms_have_no_true_effect_at_all(self, equal: ABResult) -> None:
        assert [effect.truth for effect in equal.effects.values()] == [0.0] * len(equal.effects)
        assert any(effect.estimate.effect != 0 for effect in equal.effects.values())

    def test_who_came_at_all_does_not_depend_on_the_arm(self, found: ABResult) -> None:
        came = found.users.pivot_table(index="user", columns="arm", values="users")
        np.testing.assert_array_equal(came[CONTROL], came[TREATMENT])

    def test_state_is_left_as_it_was(self) -> None:
        state = WORLD.first_state()
        TEST.run(WORLD, BEST, WORST, 0, state, LATENCIES_MS, SEED)
        np.testing.assert_array_equal(state["mood"], WORLD.first_state()["mood"])

    def test_the_same_again(self, found: ABResult) -> None:
        again = run(ByLuck(), BEST)
        pd.testing.assert_frame_equal(again.users, found.users, check_exact=True)
        assert again.to_metrics() == found.to_metrics()

    def test_some_users_only(self, found: ABResult) -> None:
        users = np.array([400, 3, 77])
        part = TEST.run(
            WORLD, ByLuck(), BEST, FIRST_DAY, WORLD.first_state(), LATENCIES_MS, SEED, users=users
        )
        rows = found.users[found.users["user"].isin(users)].reset_index(drop=True)
        pd.testing.assert_frame_equal(part.users, rows, check_exact=True)


class TestEffects:
    def test_metrics_as_told_from_the_log(self, found: ABResult) -> None:
        """Plain loops over what the control arm's own users did."""
        everybody = np.arange(WORLD.n_users)
        users = everybody[~assigned_to_treatment(everybody, SEED)]
        state = WORLD.first_state()
        shown = clicks = n_requests = abandoned = successful = 0
        sessions: dict[tuple[int, int], bool] = {}
        for day in range(FIRST_DAY, FIRST_DAY + 14):
            served, state = serve(WORLD, ByLuck(), users, day, state, 40.0)
            for row in range(len(served.requests)):
                click, dwell_s = served.feedback["click"][row], served.feedback["dwell_s"][row]
                long_click = any(dwell_s >= 30)
                shown += 5
                clicks += sum(click)
                n_requests += 1
                abandoned += not any(click)
                successful += long_click
                session = (int(served.requests.user[row]), int(served.requests.session[row]))
                sessions[session] = sessions.get(session, False) or long_click
        n_came = len({user for user, _ in sessions})
        expected = {
            "ctr": clicks / shown,
            "clicks_per_request": clicks / n_requests,
            "session_success": sum(sessions.values()) / len(sessions),
            "request_success": successful / n_requests,
            "abandonment": abandoned / n_requests,
            "requests_per_user": n_requests / n_came,
            "sessions_per_user": len(sessions) / n_came,
        }
        for name, value in expected.items():
            assert found.effects[name].estimate.control == pytest.approx(value), name

    @pytest.mark.parametrize("name", ["nDCG@5", *METRICS])
    def test_better_slates_do_better(self, found: ABResult, name: str) -> None:
        sign = -1 if name == "abandonment" else 1
        assert sign * found.effects[name].truth > 0

    def test_large_effects_are_found(self, found: ABResult) -> None:
        for name in ("nDCG@5", "ctr", "abandonment"):
            effect = found.effects[name]
            assert effect.estimate.p_value < 0.001
            assert np.sign(effect.estimate.effect) == np.sign(effect.truth)

    def test_truth_of_a_metric_is_over_everybody(self, found: ABResult) -> None:
        arms = found.users.groupby("arm")[["clicks", "impressions"]].sum()
        ctr = arms["clicks"] / arms["impressions"]
        assert found.effects["ctr"].truth == pytest.approx(ctr[TREATMENT] - ctr[CONTROL])

    def test_truth_of_the_rated_metric_has_no_errors_and_no_sample(self, found: ABResult) -> None:
        arms = found.users.groupby("arm")[["graded_sum", "graded"]].sum()
        ndcg = arms["graded_sum"] / arms["graded"]
        assert ndcg[TREATMENT] == pytest.approx(1.0)
        assert found.effects["nDCG@5"].truth == pytest.approx(1.0 - ndcg[CONTROL])
        assert found.effects["nDCG@5"].estimate.treatment < 1

    def test_slowness_costs_sessions(self) -> None:
        slow = run(BEST, BEST, {CONTROL: 10.0, TREATMENT: 1500.0})
        assert slow.effects["sessions_per_user"].truth < 0
        assert slow.effects["retention_7d"].truth < 0

    def test_units_are_the_users_who_came(self, found: ABResult) -> None:
        own = found.users[found.users["own"] & (found.users["users"] > 0)]
        counts = own["arm"].value_counts()
        assert found.sample_ratio[:2] == (counts[CONTROL], counts[TREATMENT])
        assert found.effects["ctr"].n_control == counts[CONTROL]
        assert not found.sample_ratio.is_broken

    def test_hidden_satisfaction_is_truth_alone(self) -> None:
        world = TellingWorld(n_users=200, seed=SEED)
        result = TEST.run(
            world, ByGrade(world, -1), ByGrade(world, 1), 0, world.first_state(), LATENCIES_MS, 1
        )
        effect = result.effects["satisfaction"]
        assert effect.truth > 0
        figure = effect.figure()
        assert figure.pop("truth") == effect.truth
        assert set(figure.values()) == {None}


class Satisfied:
    def __init__(self, satisfied: NDArray[np.bool_]) -> None:
        self.satisfied = satisfied


class TellingWorld(TinyWorld):
    def hidden_responses(self, requests: Requests, slates: Slates) -> Satisfied:
        return Satisfied(self.satisfying(requests, slates))


class TestSearchWorld:
    """The default world, small, its own BM25 against slates drawn from BM25's first twenty."""

    @staticmethod
    def run(n_workers: int = 1) -> ABResult:
        world = SearchWorld(n_items=300, n_queries=100, n_users=300, click_model=PositionBased(), seed=6)
        bm25 = BM25()
        bm25.fit(world.catalog, None, Fitting())

        def found(requests: Requests) -> RankingBatch:
            return RankingBatch(requests, bm25.retrieve(requests, 20))

        shuffled = Explore(found, n_positions=10, share=1.0, depth=20, seed=1, n_workers=n_workers)
        greedy = Greedy(found, n_positions=10, n_workers=n_workers)
        return TEST.run(world, shuffled, greedy, 21, world.first_state(), LATENCIES_MS, seed=2)

    def test_order_matters_and_users_feel_it(self) -> None:
        effects = self.run().effects
        assert effects["nDCG@5"].estimate.low > 0
        for name in ("nDCG@5", "ctr", "session_success", "satisfaction"):
            assert effects[name].truth > 0, name
        assert effects["abandonment"].truth < 0

    def test_workers_change_nothing(self) -> None:
        one, three = self.run(n_workers=1), self.run(n_workers=3)
        assert one.to_metrics() == three.to_metrics()
        pd.testing.assert_frame_equal(one.users, three.users, check_exact=True)


class TestErrorRates:
    """Users are independent, so one long test holds many small ones.

    99.9% binomial bands: of 400 equal arms 1.75-9.25% may differ; of 200 intervals 89-99.5% cover.
    """

    @staticmethod
    def parts_of(users: pd.DataFrame, n_tests: int) -> list[ABResult]:
        group = users["user"] % n_tests
        return [TEST.compare(rows) for _, rows in users.groupby(group)]

    def test_equal_arms_differ_as_often_as_declared(self, crowd: TinyWorld) -> None:
        same = ByGrade(crowd, 1)
        whole = TEST.run(crowd, same, same, 0, crowd.first_state(), LATENCIES_MS, SEED)
        results = self.parts_of(whole.users, 400)
        for name in ("nDCG@5", *METRICS):
            p_values = np.array([result.effects[name].estimate.p_value for result in results])
            assert 0.0175 <= (p_values < 0.05).mean() <= 0.0925, name
            assert stats.kstest(p_values, "uniform").pvalue > 0.001, name

    def test_intervals_cover_the_truth_of_the_crowd(self, crowd: TinyWorld) -> None:
        """The rated metric is left out: its errors make the effect smaller, as `Raters` says."""
        whole = TEST.run(
            crowd, ByGrade(crowd, -1), ByGrade(crowd, 1), 0, crowd.first_state(), LATENCIES_MS, SEED
        )
        results = self.parts_of(whole.users, 200)
        for name in METRICS:
            found = [result.effects[name].estimate for result in results]
            covered = [estimate.low <= whole.effects[name].truth <= estimate.high for estimate in found]
            assert 0.89 <= np.mean(covered) <= 0.995, name


class TestAssignment:
    def test_half_and_half_and_for_each_user_alone(self) -> None:
        users = np.arange(100_000)
        treated = assigned_to_treatment(users, SEED)
        assert treated.mean() == pytest.approx(0.5, abs=0.006)
        np.testing.assert_array_equal(assigned_to_treatment(users[50:60], SEED), treated[50:60])
        assert (treated != assigned_to_treatment(users, SEED + 1)).mean() == pytest.approx(0.5, abs=0.006)

    def test_a_broken_assignment_is_noticed(self, found: ABResult) -> None:
        lost = found.users["own"] & (found.users["arm"] == TREATMENT) & (found.users["user"] % 2 == 0)
        assert TEST.compare(found.users[~lost]).sample_ratio.is_broken


class TestWhatIsKept:
    def test_figures_are_json_without_nan(self, found: ABResult) -> None:
        metrics = found.to_metrics()
        assert list(metrics) == ["nDCG@5", *METRICS]
        keys = [*Comparison._fields, "truth"]
        assert all(list(figure) == keys for figure in metrics.values())
        assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics

    def test_nobody_takes_part(self) -> None:
        nobody = np.zeros(0, np.int64)
        result = TEST.run(WORLD, BEST, WORST, 0, WORLD.first_state(), LATENCIES_MS, SEED, users=nobody)
        assert all(set(figure.values()) == {None} for figure in result.to_metrics().values())
        assert result.sample_ratio == (0, 0, 1.0)

    def test_users_survive_parquet(self, found: ABResult) -> None:
        file = io.BytesIO()
        found.users.to_parquet(file)
        pd.testing.assert_frame_equal(pd.read_parquet(file), found.users, check_exact=True)

    def test_progress_is_told(self) -> None:
        told: list[tuple[int, int]] = []
        TEST.run(
            WORLD, BEST, WORST, 0, WORLD.first_state(), LATENCIES_MS, SEED,
            lambda done, total, _: told.append((done, total)), np.arange(5),
        )  # fmt: skip
        assert told == [(done, 28) for done in range(1, 29)]


class SilentWorld(TinyWorld):
    actions = ("click",)


class TestBadInput:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (
                {"n_days": 13},
                "n_days == 13, must be at least 14: 7-day retention follows users for two weeks",
            ),
            ({"alpha": 1.0}, r"alpha == 1\.0, must be between 0 and 1, both left out"),
            ({"long_click_s": 0.0}, r"long_click_s == 0\.0, must be above 0"),
        ],
    )
    def test_settings(self, settings: dict[str, float], message: str) -> None:
        with pytest.raises(InvalidValueError, match=message):
            ABTest(raters=TEST.raters, **settings)  # type: ignore[arg-type]

    def test_all_faults_are_collected(self) -> None:
        with collecting() as faults:
            ABTest(raters=TEST.raters, n_days=0, alpha=2.0, long_click_s=-1.0)
        assert [fault.name for fault in faults] == ["n_days", "alpha", "long_click_s"]

    def test_a_world_without_dwell(self) -> None:
        world = SilentWorld(n_users=5)
        state: dict[str, Array] = world.first_state()
        with pytest.raises(InputError, match="an experiment needs the actions dwell_s of SilentWorld"):
            TEST.run(world, BEST, WORST, 0, state, LATENCIES_MS, SEED)

    def test_an_arm_without_latency(self) -> None:
        with pytest.raises(InputError, match="latencies_ms lacks 'treatment'; there are control, funnel"):
            run(BEST, WORST, {"control": 1.0, "funnel": 2.0})

    def test_a_day_before_the_first(self) -> None:
        with pytest.raises(InvalidValueError, match="first_day == -1, must be at least 0"):
            TEST.run(WORLD, BEST, WORST, -1, WORLD.first_state(), LATENCIES_MS, SEED)
