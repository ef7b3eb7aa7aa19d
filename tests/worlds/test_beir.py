"""A collection as a world: its windows, what its log gives away, and BM25's published figures on it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, R, nDCG

from mlsd import checks, ragged
from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.retrievers.bm25 import BM25
from mlsd.testing.tiny_collection import some_judged, write_collection
from mlsd.testing.world_kit import WorldKit
from mlsd.types import Array, Candidates, Judgements, Requests
from mlsd.worlds.base import World
from mlsd.worlds.beir import BeirWorld


class TestBeirWorld(WorldKit):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = write_collection(
            tmp_path / "music", {"train": some_judged(range(20)), "test": some_judged(range(20, 30))}
        )

    def make_world(self, seed: int) -> BeirWorld:
        return BeirWorld(str(self.folder), seed=seed)

    def some_requests(self, world: World) -> Requests:
        assert isinstance(world, BeirWorld)
        return world.requests()


def world_of(folder: Path, seed: int = 0, **queries: range) -> BeirWorld:
    qrels = {split: some_judged(rows) for split, rows in queries.items()}
    return BeirWorld(str(write_collection(folder / "music", qrels)), seed=seed)


def queries_by_window(log: Log) -> dict[str, list[str]]:
    ids = log.requests["external_query_id"]
    return {window: ids[log.split == window].tolist() for window in np.unique(log.split).tolist()}


def ids(*rows: int) -> list[str]:
    return [f"q{row}" for row in rows]


def test_a_request_is_a_judged_query(tmp_path: Path) -> None:
    world = world_of(tmp_path, test=range(4, 9))
    requests = world.requests()
    assert requests.request_id.tolist() == [0, 1, 2, 3, 4]
    assert requests.user.tolist() == [4, 5, 6, 7, 8]
    assert requests["external_query_id"].tolist() == ids(4, 5, 6, 7, 8)
    assert not requests.time_days.any()
    assert len({*requests["query"]}) == len({*requests["query_id"].tolist()})
    assert world.unit == "query"


def test_published_splits_are_kept(tmp_path: Path) -> None:
    world = world_of(tmp_path, train=range(10), dev=range(10, 14), test=range(20, 30))
    assert queries_by_window(world.log()) == {
        "ranking": ids(*range(10)),
        "validation": ids(*range(10, 14)),
        "test": ids(*range(20, 30)),
    }
    assert world.notes == ("An item without a judgement counts as not relevant.",)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_without_dev_a_share_of_the_training_queries_validates(tmp_path: Path, split: str) -> None:
    qrels = {split: some_judged(range(20)), "test": some_judged(range(20, 30))}
    world = BeirWorld(str(write_collection(tmp_path / "music", qrels)))
    windows = queries_by_window(world.log())
    assert sorted(windows["ranking"] + windows["validation"]) == sorted(ids(*range(20)))
    assert len(windows["validation"]) == 4
    assert windows["test"] == ids(*range(20, 30))
    assert "4 of 20" in world.notes[0]


def test_without_training_queries_test_queries_are_learnt_from(tmp_path: Path) -> None:
    world = world_of(tmp_path, test=range(30))
    windows = queries_by_window(world.log())
    assert {window: len(rows) for window, rows in windows.items()} == {
        "ranking": 12,
        "validation": 3,
        "test": 15,
    }
    assert sorted(chain.from_iterable(windows.values())) == sorted(ids(*range(30)))
    assert world.notes[0] == (
        "music publishes test queries only: 15 of 30, by a hash of their id, are learnt from (3 of 15 of "
        "them validate). Figures are over the other 15 and cannot be held against published ones."
    )


def test_windows_depend_on_ids_and_seed_alone(tmp_path: Path) -> None:
    world = world_of(tmp_path, test=range(30))
    windows = queries_by_window(world.log())
    path = world.folder / "queries.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    moved = queries_by_window(BeirWorld(str(world.folder)).log())
    assert {window: sorted(rows) for window, rows in moved.items()} == {
        window: sorted(rows) for window, rows in windows.items()
    }
    assert queries_by_window(BeirWorld(str(world.folder), seed=1).log())["test"] != windows["test"]


@pytest.mark.parametrize(("train_share", "n_test"), [(0.0, 30), (1.0, 0), (0.3, 21)])
def test_the_share_learnt_from_is_declared(tmp_path: Path, train_share: float, n_test: int) -> None:
    folder = world_of(tmp_path, test=range(30)).folder
    log = BeirWorld(str(folder), train_share=train_share).log()
    assert np.count_nonzero(log.split == "test") == n_test


def test_the_log_has_no_judgement_of_the_test_window(tmp_path: Path) -> None:
    log = world_of(tmp_path, train=range(20), test=range(20, 30)).log()
    assert log.judged is not None
    assert len(log.impressions) == 0
    assert log.impressions.dtypes["request_id"] == log.impressions.dtypes["item"] == np.int64
    assert log.judged["request_id"].unique().tolist() == list(range(20))
    assert log.judged["grade"].value_counts().to_dict() == {0.0: 20, 1.0: 20, 2.0: 20, 3.0: 20}
    assert log.window("test").judged is not None
    assert len(log.window("test").judged) == 0  # type: ignore[arg-type]
    assert log.requests.request_id.tolist() == list(range(30))


def test_judgements_list_what_is_relevant(tmp_path: Path) -> None:
    world = world_of(tmp_path, train=range(5), test=range(10, 15))
    requests = world.requests().take(np.array([6, 0, 6]))
    judged = world.judgements(requests)
    expected = {query: {(7 * query + 3 * grade) % 40: grade for grade in (1, 2, 3)} for query in (11, 0)}
    for row, query in enumerate([11, 0, 11]):
        own = slice(judged.offsets[row], judged.offsets[row + 1])
        assert (
            dict(zip(judged.items[own].tolist(), judged.grades[own].tolist(), strict=True)) == expected[query]
        )
    assert world.max_grade == 3.0


def test_grades_of_nothing_relevant_keep_a_scale(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "music", {"test": [(0, 0, 0), (1, 2, 0)]})
    world = BeirWorld(str(folder))
    assert world.max_grade == 1.0
    assert len(world.judgements(world.requests()).items) == 0


def test_segments_by_the_length_of_the_query(tmp_path: Path) -> None:
    world = world_of(tmp_path, test=range(4))
    queries = ["jazz", "the jazz", "jazz piano rock", "loud jazz opera piano"]
    lines = (f'{{"_id": "q{i}", "text": "{text}"}}\n' for i, text in enumerate(queries))
    (world.folder / "queries.jsonl").write_text("".join(lines))
    lengths = world.segments(world.requests())["query_length"]
    assert lengths.tolist() == ["short", "short", "long", "long"]


def test_what_is_odd_about_queries_is_noted(tmp_path: Path) -> None:
    world = world_of(tmp_path, train=range(2), dev=range(2, 4), test=range(4, 7))
    texts = ["jazz", "rock", "the", "piano", "jazz", "rock", "opera"]
    lines = (f'{{"_id": "q{i}", "text": "{text}"}}\n' for i, text in enumerate(texts))
    (world.folder / "queries.jsonl").write_text("".join(lines))
    with (world.folder / "qrels" / "test.tsv").open("a") as file:
        file.write("q9\td1\t1\n")
    with pytest.raises(InputError, match="unknown ids: 1, music/qrels/test"):
        world.requests()
    assert BeirWorld(str(world.folder), unknown_ids="drop").notes == (
        "1 judgements of unknown items or queries were left out.",
        "1 judged queries have no word to search for and find nothing by words.",
        "2 test queries are also, letter by letter, among those learnt from.",
        "An item without a judgement counts as not relevant.",
    )


def test_a_query_in_two_splits_is_refused(tmp_path: Path) -> None:
    world = world_of(tmp_path, train=range(12), test=range(8, 20))
    message = "music: 4 queries are judged in two of the splits train, test, first 'q8', 'q9', 'q10'; a query"
    with pytest.raises(InputError, match=message):
        world.log()


def test_the_path_is_checked_with_everything_else(tmp_path: Path) -> None:
    world_of(tmp_path, test=range(3))
    with pytest.raises(
        InvalidValueError, match=r"path == .*musik', must be .*: no folder 'musik'; nearest is 'music'"
    ):
        BeirWorld(str(tmp_path / "musik"))
    with checks.collecting() as faults:
        BeirWorld(str(tmp_path / "music" / "qrels"), train_share=2.0, validation_share=-1.0)
    assert [fault.name for fault in faults] == ["path", "train_share", "validation_share"]
    assert "qrels has no corpus.jsonl[.gz]" in str(faults[0])


def test_the_fingerprint_never_names_a_path(tmp_path: Path) -> None:
    fingerprint = world_of(tmp_path, test=range(3)).fingerprint
    name, digest = fingerprint.split(" ")
    assert name == "music"
    assert len(digest) == 64
    assert fingerprint != world_of(tmp_path / "other", test=range(4)).fingerprint


def measured(world: BeirWorld) -> dict[str, float]:
    """nDCG@10, R@100 and AP@100 of BM25 over the test window, by ir-measures."""
    test = world.log().window("test").requests
    retriever = BM25()
    retriever.fit(world.catalog, None, Fitting())
    found, judged = retriever.retrieve(test, 100), world.judgements(test)
    run = [ir_measures.ScoredDoc(*row) for row in rows(found, found["score"])]
    qrels = [ir_measures.Qrel(query, item, int(grade)) for query, item, grade in rows(judged, judged.grades)]
    figures = ir_measures.calc_aggregate([nDCG @ 10, R @ 100, AP @ 100], qrels, run)
    return {str(measure): value for measure, value in figures.items()}


def rows(of: Candidates | Judgements, values: Array) -> list[tuple[str, str, float]]:
    query = ragged.segment_ids(of.offsets).astype(str).tolist()
    return list(zip(query, of.items.astype(str).tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scifact", {"nDCG@10": 0.6863, "R@100": 0.9127, "AP@100": 0.6439}),
        ("cacm", {"nDCG@10": 0.4935, "R@100": 0.6774, "AP@100": 0.3267}),
        ("crowdflower-search", {"nDCG@10": 0.7747, "R@100": 0.9101, "AP@100": 0.7609}),
    ],
)
def test_bm25_has_the_figures_of_bm25s(public_data: Path, name: str, expected: dict[str, float]) -> None:
    # Measured with bm25s 0.3.16 on its own (k1 1.5, b .75, Lucene's variant, its English stop words and
    # stemmer), given to four digits; bm25s breaks ties otherwise, which may move the last of them.
    figures = measured(BeirWorld(str(public_data / name), train_share=0.0))
    assert figures == pytest.approx(expected, abs=1.5e-4)
