"""What parts are worth, on a funnel whose parts' worth is known by hand; and nothing is fitted twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mlsd.ablation.ablate import ablate
from mlsd.ablation.funnels import Learning, Whole
from mlsd.ablation.parts import REDESIGN, REMOVALS, SERVING, Part, parts_of, planned
from mlsd.ablation.result import Ablation
from mlsd.ablation.worth import Judge
from mlsd.config.schema import StageCost
from mlsd.errors import InputError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.evaluation import Evaluated
from mlsd.fitting import Curves, Fitting
from mlsd.metrics.precision_at import PrecisionAt
from mlsd.metrics.reciprocal_rank import ReciprocalRank
from mlsd.stages.base import Stage, TrainingData
from mlsd.store import Store, write_json
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import same_batch
from mlsd.testing.tiny_funnel import Finding, Noting, Order, Ordering, as_they_come, backwards
from mlsd.training import Lessons, fit_funnel, stage_in_blocks
from mlsd.types import Judgements, RankingBatch

SMALL = SmallLog()
LESSONS = Lessons(SMALL.catalog, SMALL.log, SMALL.labels, "key of the log")
TEST = SMALL.log.window("test").requests
COSTS = {
    "light": StageCost(latency_share=0.1, fixed_ms=1.0, candidate_us=100.0),
    "full": StageCost(latency_share=0.1, fixed_ms=2.0, candidate_us=1000.0),
}


class Tried(NamedTuple):
    """A fitted tiny funnel, what fits it took, and where its stages are kept."""

    whole: Whole
    fits: Counter[str]
    store: Store


def evaluated() -> Evaluated:
    """Item 0, which is found first, is the only one relevant to anybody; there are two segments."""
    n = len(TEST)
    judged = Judgements(np.arange(n + 1), np.zeros(n, np.int64), np.ones(n))
    return Evaluated.of(TEST, judged, {"half": np.where(np.arange(n) % 2 == 0, "even", "odd")})


def judge() -> Judge:
    metrics = [ReciprocalRank(), PrecisionAt(cutoff=1)]
    return Judge(evaluated(), metrics, "RR", 4, Bootstrap(n_replicates=100))


Design = Callable[[Counter[str]], dict[str, Stage]]


def ranking(**orders: Order) -> Design:
    """Finds items 0, 1, 2, 3, then orders them so, one ranker after another."""

    def made(fits: Counter[str]) -> dict[str, Stage]:
        rankers = {name: Ordering(fits, order) for name, order in orders.items()}
        return {"find": Finding(fits, ["near", "known"]), **rankers}

    return made


def tried(design: Design, folder: Path) -> Tried:
    fits: Counter[str] = Counter()
    store = Store(folder)
    configs = dict.fromkeys(design(fits), "config")
    learning = Learning(lambda: design(fits), configs, LESSONS, Fitting(seed=5), store)
    fitted = fit_funnel(design(fits), configs, LESSONS, Fitting(seed=5), store).funnel
    return Tried(Whole(fitted.stages, TEST, learning), fits, store)


def ablated(design: Design, folder: Path, n_refits: int = 2) -> Ablation:
    return ablate(tried(design, folder).whole, judge(), n_refits, 0.01, COSTS)


def worth(found: Ablation, removal: str, part: str, metric: str = "RR", segment: str = "all") -> Any:
    metrics: Mapping[str, Any] = found.to_metrics()
    return metrics[removal][part][metric][segment]


class TestKnownWorth:
    """The relevant item is found first: who turns the order round harms, who does so again repairs."""

    @pytest.fixture(scope="class")
    @staticmethod
    def found(tmp_path_factory: pytest.TempPathFactory) -> Ablation:
        design = ranking(idle=as_they_come, harm=backwards, repair=backwards)
        return ablated(design, tmp_path_factory.mktemp("store"))

    @pytest.mark.parametrize("removal", REMOVALS)
    def test_doing_nothing_is_worth_exactly_nothing(self, found: Ablation, removal: str) -> None:
        for part in ("stage/idle", "retriever/near", "retriever/known"):
            figure = worth(found, removal, part)
            assert (figure["value"], figure["low"], figure["high"]) == (0, 0, 0)
            assert (figure["p_value"], figure["p_holm"]) == (1, 1)

    @pytest.mark.parametrize("removal", REMOVALS)
    @pytest.mark.parametrize("segment", ["all", "half=even", "half=odd"])
    def test_without_either_turn_the_relevant_item_is_last(
        self, found: Ablation, removal: str, segment: str
    ) -> None:
        for part in ("stage/harm", "stage/repair"):
            figure = worth(found, removal, part, segment=segment)
            assert (figure["value"], figure["low"], figure["high"]) == pytest.approx((0.75, 0.75, 0.75))
            assert worth(found, removal, part, "P@1", segment)["value"] == pytest.approx(1)

    def test_holm_is_over_all_parts_of_a_removal(self, found: Ablation) -> None:
        """Five tests, three of which are 1: 5 and 4 times the p-value, raised to the larger."""
        figure = worth(found, SERVING, "stage/harm")
        assert figure["p_value"] < 0.001
        assert figure["p_holm"] == pytest.approx(5 * figure["p_value"])
        assert worth(found, SERVING, "stage/repair")["p_holm"] == figure["p_holm"]

    def test_other_metrics_are_not_tested(self, found: Ablation) -> None:
        assert set(worth(found, SERVING, "stage/harm", "P@1")) == {"value", "low", "high", "n"}

    def test_what_cannot_be_taken_out_is_said_in_words(self, found: Ablation) -> None:
        for removal in REMOVALS:
            assert set(found.not_possible[removal]) == {"stage/find"}

    def test_the_rankers_before_the_last_one_save_work(self, found: Ablation) -> None:
        for removal in REMOVALS:
            assert set(found.non_inferiority[removal]) == {"stage/idle", "stage/harm"}
        assert set(found.leaner) == {"stage/idle", "stage/harm"}

    def test_plain_values_only(self, found: Ablation, tmp_path: Path) -> None:
        write_json(tmp_path / "metrics.json", found.to_metrics())
        assert set(json.loads((tmp_path / "metrics.json").read_text())) == {
            *REMOVALS, "not_possible", "switched_off", "emptied", "non_inferiority", "training_luck",
        }  # fmt: skip


def test_a_turned_order_has_a_known_negative_worth(tmp_path: Path) -> None:
    found = ablated(ranking(harm=backwards), tmp_path)
    assert worth(found, SERVING, "stage/harm")["value"] == pytest.approx(-0.75)
    assert worth(found, REDESIGN, "stage/harm")["value"] == pytest.approx(-0.75)


class TestWhatGoesWithAPart:
    """The last stage turns the order round, by a note of the first: without the note it goes."""

    @staticmethod
    def design(fits: Counter[str]) -> dict[str, Stage]:
        return {
            "note": Noting(fits, ["intent", "topic"]),
            "find": Finding(fits, ["near", "known"]),
            "rank": Ordering(fits, reads={"near": "candidate.near_score", "topic": "request.topic"}),
            "show": Ordering(fits, backwards, reads={"diversifier": "request.topic"}, group="display/{}"),
        }

    @pytest.fixture(scope="class")
    @classmethod
    def found(cls, tmp_path_factory: pytest.TempPathFactory) -> Ablation:
        return ablated(cls.design, tmp_path_factory.mktemp("store"))

    @pytest.mark.parametrize("part", ["stage/note", "classifier/topic", "stage/show"])
    def test_it_is_worth_what_the_last_stage_is(self, found: Ablation, part: str) -> None:
        assert worth(found, REDESIGN, part)["value"] == pytest.approx(-0.75)

    def test_what_nobody_reads_is_worth_nothing(self, found: Ablation) -> None:
        for removal in REMOVALS:
            assert worth(found, removal, "classifier/intent")["value"] == 0

    def test_all_of_it_is_named(self, found: Ablation) -> None:
        metrics: Mapping[str, Any] = found.to_metrics()
        gone = {"rank": ["topic"], "show": ["diversifier"]}
        assert metrics["switched_off"] == {
            "stage/note": gone,
            "classifier/topic": gone,
            "retriever/near": {"rank": ["near"]},
        }
        assert metrics["emptied"] == {"stage/note": ["show"], "classifier/topic": ["show"]}

    def test_what_is_left_is_fitted_and_what_went_is_not(self, tmp_path: Path) -> None:
        whole, fits, _ = tried(self.design, tmp_path)
        before = fits.copy()
        assert list(take_out(whole, "classifier/topic", REDESIGN)) == ["note", "find", "rank"]
        assert fits - before == Counter(note=1, rank=1)


class TestSavingWork:
    """A ranker that passes on one of four candidates to an expensive one."""

    @pytest.fixture(scope="class")
    @staticmethod
    def verdict(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
        def design(fits: Counter[str]) -> dict[str, Stage]:
            light = Ordering(fits, n_out=1)
            return {"find": Finding(fits), "light": light, "full": Ordering(fits, n_out=1)}

        found = ablated(design, tmp_path_factory.mktemp("store"))
        return found.non_inferiority[SERVING]["stage/light"]

    def test_no_worse_is_non_inferior(self, verdict: Mapping[str, Any]) -> None:
        assert verdict["non_inferior"] is True
        assert (verdict["value"], verdict["margin"]) == (0, 0.01)

    def test_candidates_that_later_stages_score(self, verdict: Mapping[str, Any]) -> None:
        assert verdict["candidates"] == {"with": 1, "without": 4}

    def test_declared_time_from_there_on(self, verdict: Mapping[str, Any]) -> None:
        """1 + 4 x 0.1 for itself, 2 + 1 x 1 for the next; without it 2 + 4 x 1."""
        assert verdict["declared_ms"] == pytest.approx({"with": 1.4 + 3, "without": 6})


class TestNothingIsFittedTwice:
    """Serving-time removal fits nothing, a redesign what comes after the part, and each once only."""

    DESIGN = staticmethod(ranking(first=as_they_come, second=as_they_come, third=as_they_come))

    def test_serving_fits_nothing(self, tmp_path: Path) -> None:
        whole, fits, _ = tried(self.DESIGN, tmp_path)
        before = fits.copy()
        take_out(whole, "stage/first", SERVING)
        take_out(whole, "retriever/near", SERVING)
        assert fits == before == Counter(find=1, first=1, second=1, third=1)

    @pytest.mark.parametrize(
        ("part", "fitted"),
        [
            ("stage/first", {"second", "third"}),
            ("stage/second", {"third"}),
            ("stage/third", set()),
            ("retriever/near", {"first", "second", "third"}),
        ],
    )
    def test_a_redesign_fits_what_comes_after(self, tmp_path: Path, part: str, fitted: set[str]) -> None:
        whole, fits, _ = tried(self.DESIGN, tmp_path)
        before = fits.copy()
        take_out(whole, part, REDESIGN)
        assert fits - before == Counter(dict.fromkeys(fitted, 1))
        again = fits.copy()
        take_out(whole, part, REDESIGN)
        assert fits == again

    def test_a_redesign_is_the_funnel_that_skips_the_stage(self, tmp_path: Path) -> None:
        """Whoever ran that funnel has fitted it already, and the other way round."""
        whole, fits, store = tried(self.DESIGN, tmp_path)
        left = take_out(whole, "stage/second", REDESIGN)
        before = fits.copy()
        skipping = {name: stage for name, stage in self.DESIGN(fits).items() if name != "second"}
        configs = dict.fromkeys(skipping, "config")
        fitted = fit_funnel(skipping, configs, LESSONS, Fitting(seed=5), store).funnel
        assert fits == before
        assert {name: stage.state() for name, stage in left.items()} == {
            name: stage.state() for name, stage in fitted.stages.items()
        }

    def test_what_learns_alone_is_kept_when_something_before_it_goes(self, tmp_path: Path) -> None:
        def design(fits: Counter[str]) -> dict[str, Stage]:
            return {"note": Noting(fits), "find": Finding(fits), "rank": Ordering(fits)}

        whole, fits, _ = tried(design, tmp_path)
        before = fits.copy()
        assert list(take_out(whole, "stage/note", REDESIGN)) == ["find", "rank"]
        assert fits - before == Counter(rank=1)

    def test_refits_are_of_the_same_design_from_other_seeds(self, tmp_path: Path) -> None:
        whole, fits, _ = tried(self.DESIGN, tmp_path)
        before = fits.copy()
        seeds = [int(stages["third"].state()["seed"][0]) for stages in whole.refitted(3)]
        assert fits - before == Counter(first=3, second=3, third=3)
        assert len({*seeds, int(whole.stages["third"].state()["seed"][0])}) == 4

    def test_refits_keep_what_learns_alone_wherever_it_stands(self, tmp_path: Path) -> None:
        def design(fits: Counter[str]) -> dict[str, Stage]:
            return {"note": Noting(fits), "find": Finding(fits), "rank": Ordering(fits)}

        whole, fits, _ = tried(design, tmp_path)
        before = fits.copy()
        again = list(whole.refitted(2))
        assert fits - before == Counter(note=2, rank=2)
        assert all(stages["find"] is whole.stages["find"] for stages in again)


def part_named(whole: Whole, name: str) -> Part:
    return next(part for part in parts_of(whole.stages) if part.name == name)


def take_out(whole: Whole, name: str, removal: str) -> dict[str, Stage]:
    part, how = part_named(whole, name), SERVING if removal == SERVING else REDESIGN
    return whole.without(part, planned(part, how, whole.stages, whole.available), how)


@pytest.mark.parametrize("part", ["stage/second", "retriever/near", "stage/third"])
@pytest.mark.parametrize("removal", REMOVALS)
def test_starting_where_it_makes_a_difference_changes_nothing(
    tmp_path: Path, part: str, removal: str
) -> None:
    whole, _, _ = tried(ranking(first=backwards, second=as_they_come, third=backwards), tmp_path)
    left = take_out(whole, part, removal)
    batch, n_in = RankingBatch.of(TEST), {}
    for name, stage in left.items():
        n_in[name] = float(np.mean(batch.candidates.counts))
        batch = stage_in_blocks(stage, batch)
    trace = whole.trace_of(part_named(whole, part), left)
    assert same_batch(trace.passed, batch)
    assert trace.n_in == n_in


def test_what_cannot_be_learnt_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    class Picky(Ordering):
        def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
            if "near_score" not in data.batches["ranking"].candidates.columns:
                raise InputError("no candidate has a label")
            return super().fit(data, fitting)

    def design(fits: Counter[str]) -> dict[str, Stage]:
        return {"find": Finding(fits, ["near", "known"]), "full": Picky(fits)}

    found = ablated(design, tmp_path)
    assert found.not_possible[REDESIGN]["retriever/near"] == (
        "nothing can be learnt: no candidate has a label"
    )
    assert worth(found, REDESIGN, "retriever/known")["value"] == 0
    assert worth(found, SERVING, "retriever/near")["value"] == 0


def test_progress_is_told_of_every_funnel(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    whole = tried(ranking(only=as_they_come), tmp_path).whole
    ablate(whole, judge(), 2, 0.01, COSTS, lambda done, total, _: told.append((done, total)))
    assert told == [(done, 10) for done in range(1, 11)]


def test_luck_is_unknown_without_refits_and_none_where_training_changes_nothing(tmp_path: Path) -> None:
    design = ranking(first=as_they_come, harm=backwards)
    alone, known = (ablated(design, tmp_path, n_refits=n) for n in (0, 2))
    assert alone.beyond_luck["stage/harm"] is None
    assert known.luck.reach == 0
    assert (known.beyond_luck["stage/harm"], known.beyond_luck["stage/first"]) == (True, False)
