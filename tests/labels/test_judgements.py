"""Labels from judgements: the grades of the learning windows, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlsd.errors import InputError
from mlsd.labels.judgements import JudgementLabels
from mlsd.logs import IMPRESSION_COLUMNS, Log
from mlsd.testing.retriever_kit import requests_for
from mlsd.testing.tiny_collection import some_judged, write_collection
from mlsd.types import Candidates, RankingBatch
from mlsd.worlds.beir import BeirWorld


def log_of(judged: pd.DataFrame | None) -> Log:
    nothing = pd.DataFrame({name: np.zeros(0) for name in IMPRESSION_COLUMNS})
    split = np.array(["ranking", "validation", "test"])
    return Log(requests_for(["jazz", "rock", "opera"]), nothing, split, judged)


def judged(*rows: tuple[int, int, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["request_id", "item", "grade"])


def test_labels_are_grades_over_the_highest() -> None:
    labels = JudgementLabels().make(log_of(judged((0, 3, 2.0), (0, 5, 0.0), (1, 3, 4.0))))
    assert labels.request_id.tolist() == [0, 0, 1]
    assert labels.item.tolist() == [3, 5, 3]
    assert labels.label.tolist() == [0.5, 0.0, 1.0]
    assert labels.label.dtype == np.float32
    assert len(labels.examination) == 0


def test_labels_can_be_the_grades_themselves() -> None:
    assert JudgementLabels(scaled=False).make(log_of(judged((0, 3, 2.0), (1, 3, 4.0)))).label.tolist() == [
        2,
        4,
    ]


def test_an_item_that_was_not_judged_has_no_label() -> None:
    log = log_of(judged((0, 3, 1.0), (0, 5, 0.0)))
    batch = RankingBatch(log.requests, Candidates(np.array([0, 3, 3, 4]), np.array([5, 4, 3, 3])))
    np.testing.assert_array_equal(JudgementLabels().make(log).of(batch), [0.0, np.nan, 1.0, np.nan])


def test_says_how_much_was_judged() -> None:
    labels = JudgementLabels().make(log_of(judged((0, 3, 2.0), (0, 4, 0.0), (0, 5, 0.5), (1, 3, 2.0))))
    assert labels.diagnostics == {
        "judged_requests": 2,
        "judged_pairs": 4,
        "judged_per_request": 2.0,
        "pairs_by_grade": {"0": 1, "0.5": 1, "2": 2},
    }


def test_says_why_there_are_none() -> None:
    with pytest.raises(InputError, match="need a world with judged requests; this log has none"):
        JudgementLabels().make(log_of(None))
    with pytest.raises(InputError, match="none of the 2 judged pairs in the learning windows is relevant"):
        JudgementLabels().make(log_of(judged((0, 3, 0.0), (1, 3, 0.0))))
    with pytest.raises(InputError, match="none of the 0 judged pairs"):
        JudgementLabels().make(log_of(judged()))


def test_a_collection_teaches_its_learning_windows_alone(tmp_path: Path) -> None:
    qrels = {"train": some_judged(range(10)), "test": some_judged(range(10, 20))}
    log = BeirWorld(str(write_collection(tmp_path / "music", qrels))).log()
    labels = JudgementLabels().make(log)
    assert set(labels.request_id) == set(range(10))
    assert sorted(set(labels.label.tolist())) == pytest.approx([0, 1 / 3, 2 / 3, 1])
    every = np.arange(len(log.requests) + 1) * 40
    batch = RankingBatch(log.requests, Candidates(every, np.tile(np.arange(40), len(log.requests))))
    of_test = np.repeat(log.split == "test", 40)
    assert np.isnan(labels.of(batch)[of_test]).all()
    assert np.count_nonzero(~np.isnan(labels.of(batch))) == 40
