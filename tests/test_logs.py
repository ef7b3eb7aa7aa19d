"""The log: one row per item shown, cut into windows by day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlsd.errors import InputError
from mlsd.logs import (
    IMPRESSION_COLUMNS,
    Log,
    acted,
    done_places,
    impressions_of,
    served_of,
    split_by_time,
)
from mlsd.types import Requests, Served, Slates


def served() -> Served:
    requests = Requests(np.array([3, 5]), np.array([1, 0]), np.array([0, 0]), np.array([0.5, 1.5]))
    slates = Slates(np.array([[7, 8], [9, -1]]), {"propensity": np.array([[0.5, 1.0], [0.25, 1.0]])})
    return Served(requests, slates, {"click": np.array([[True, False], [True, True]])})


def test_impressions_list_what_was_shown_and_nothing_else() -> None:
    impressions = impressions_of(served())
    assert tuple(impressions.columns) == (*IMPRESSION_COLUMNS, "click")
    assert impressions["item"].tolist() == [7, 8, 9]
    assert impressions["request_id"].tolist() == [3, 3, 5]
    assert impressions["position"].tolist() == [0, 1, 0]
    assert impressions["propensity"].tolist() == [0.5, 1.0, 0.25]
    assert impressions["click"].tolist() == [True, False, True]
    assert not impressions["explored"].any()


def test_a_log_gives_back_what_was_served() -> None:
    log = Log(served().requests, impressions_of(served()), np.array(["ranking", "test"]))
    again = served_of(log)
    assert again.requests is log.requests
    assert again.slates.items.tolist() == served().slates.items.tolist()
    assert again.feedback["click"].tolist() == [[True, False], [True, False]], (
        "nothing is done where nothing is"
    )
    nobody = served_of(log.window("validation"))
    assert nobody.slates.items.shape == (0, 0)


def test_what_is_done_is_found_where_it_was_shown() -> None:
    feedback = {
        "click": np.array([[True, False], [True, True]]),
        "dwell_s": np.array([[0.0, 4.0], [9.0, 99.0]]),
    }
    page = Served(served().requests, served().slates, feedback)
    places = {
        (action, at_least): list(
            zip(*(part.tolist() for part in done_places(page, action, at_least)), strict=True)
        )
        for action, at_least in (("click", 0.0), ("dwell_s", 0.0), ("dwell_s", 5.0))
    }
    assert places == {
        ("click", 0.0): [(0, 0), (1, 0)],
        ("dwell_s", 0.0): [(0, 1), (1, 0)],
        ("dwell_s", 5.0): [(1, 0)],
    }
    with pytest.raises(InputError, match=r"no action 'clik'; users have click, dwell_s; nearest is 'click'$"):
        done_places(page, "clik")
    with pytest.raises(InputError, match=r"no action 'like'; users have none$"):
        done_places(Served(page.requests, page.slates, {}), "like")


def test_who_acted_is_read_off_the_impressions() -> None:
    shown = impressions_of(served()).assign(dwell_s=[0.0, 19.9, 20.0])
    assert acted(shown, "dwell_s", 20.0).tolist() == [False, False, True]
    assert acted(shown, "click", 1.0).tolist() == [True, False, True]
    with pytest.raises(
        InputError, match=r"the log's impressions have no column 'dwel'; nearest is 'dwell_s'$"
    ):
        acted(shown, "dwel", 1.0)
    with pytest.raises(InputError, match=r"impressions.dwell_s\[1\] == nan, must be known; 1 rows"):
        acted(shown.assign(dwell_s=[0.0, np.nan, 20.0]), "dwell_s", 20.0)


def test_windows_keep_requests_and_their_impressions() -> None:
    log = Log(served().requests, impressions_of(served()), np.array(["ranking", "test"]))
    assert log.window("ranking").impressions["item"].tolist() == [7, 8]
    assert log.window("test").requests.request_id.tolist() == [5]
    assert len(log.until("validation").requests) == 1
    assert log.request_rows.tolist() == [0, 0, 1]


def test_days_are_never_cut_in_two() -> None:
    time_days = np.sort(np.linspace(0, 9.99, 57))
    split = split_by_time(time_days, 10, {"ranking": 0.55, "validation": 0.2, "test": 0.25})
    for day in range(10):
        assert len(set(split[np.floor(time_days) == day])) == 1
    assert list(dict.fromkeys(split)) == ["ranking", "validation", "test"]


def test_a_log_refuses_what_is_not_one() -> None:
    impressions = impressions_of(served())
    with pytest.raises(InputError, match="lacks the columns item"):
        Log(served().requests, impressions.drop(columns="item"), np.array(["ranking", "test"]))
    backwards = served().requests.take(np.array([1, 0]))
    with pytest.raises(InputError, match="must ascend without repeats"):
        Log(backwards, impressions, np.array(["ranking", "test"]))


def judged(*request_ids: int) -> pd.DataFrame:
    return pd.DataFrame({"request_id": request_ids, "item": 4, "grade": 1.0})


def test_windows_keep_what_was_judged_about_their_requests() -> None:
    split = np.array(["ranking", "validation"])
    log = Log(served().requests, impressions_of(served()), split, judged(3, 5, 5))
    ranking, validation = log.window("ranking").judged, log.window("validation").judged
    assert ranking is not None
    assert validation is not None
    assert ranking["request_id"].tolist() == [3]
    assert validation["request_id"].tolist() == [5, 5]


def test_a_log_refuses_judgements_that_nothing_may_learn_from() -> None:
    requests, impressions, split = served().requests, impressions_of(served()), np.array(["ranking", "test"])
    with pytest.raises(InputError, match="1 judged rows belong to the test window"):
        Log(requests, impressions, split, judged(3, 5))
    with pytest.raises(InputError, match="2 judged rows belong to requests that the log does not have"):
        Log(requests, impressions, split, judged(3, 4, 6))
    with pytest.raises(InputError, match="what is judged lacks the columns item"):
        Log(requests, impressions, split, judged(3).drop(columns="item"))


def annotated(*request_ids: int) -> pd.DataFrame:
    return pd.DataFrame({"request_id": request_ids, "name": "intent", "value": "navigational"})


def test_windows_keep_what_was_annotated_about_their_requests() -> None:
    split = np.array(["ranking", "validation"])
    log = Log(served().requests, impressions_of(served()), split, annotations=annotated(3, 5, 5))
    ranking = log.window("ranking")
    assert ranking.annotations is not None
    assert ranking.annotations["request_id"].tolist() == [3]
    assert ranking.judged is None


def test_a_log_refuses_annotations_that_nothing_may_learn_from() -> None:
    requests, impressions, split = served().requests, impressions_of(served()), np.array(["ranking", "test"])
    with pytest.raises(InputError, match="1 annotated rows belong to the test window"):
        Log(requests, impressions, split, annotations=annotated(3, 5))
    with pytest.raises(InputError, match="what is annotated lacks the columns value"):
        Log(requests, impressions, split, annotations=annotated(3).drop(columns="value"))
