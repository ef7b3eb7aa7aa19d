"""Two towers of fresh items: what they learn, of whom they know nothing, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from mlsd import rng
from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.logs import Log
from mlsd.retrievers.fresh.towers import FreshTowers
from mlsd.testing.retriever_kit import FEED, FITTING, FreshRetrieverKit, every_pair
from mlsd.types import Requests


def towers(action: str = "like") -> FreshTowers:
    return FreshTowers(["user"], ["author", "topic"], 30.0, action, dim=4)


class TestFreshTowers(FreshRetrieverKit):
    def make(self) -> FreshTowers:
        return towers()


def asked_at(user: list[int], time: float) -> Requests:
    ids = np.arange(len(user))
    return Requests(ids, np.array(user), ids, np.full(len(user), time))


def test_the_score_is_the_probability_that_the_towers_say() -> None:
    source = towers()
    source.fit(FEED.catalog, FEED.log, FITTING)
    requests, n = asked_at([0, 3, 99], 2.0), len(FEED.catalog)
    state = {name.removeprefix("towers."): array for name, array in source.state().items()}
    users = state["values"].tolist()
    scores = source.score(requests, every_pair(3, n)).reshape(3, n)
    fresh = source.is_fresh(requests, every_pair(3, n)).reshape(3, n)
    for row, user in enumerate(requests.user.tolist()):
        vector = state["table"][1 + users.index(user)] if user in users else np.zeros(4)
        prob = expit(state["items"] @ vector + state["bias"])
        np.testing.assert_allclose(scores[row], np.where(fresh[row], prob, 0), rtol=1e-5)
    assert fresh.any()


def test_they_find_what_people_like() -> None:
    """User u likes topic u % 3, nine times of ten, and others one time of ten; seed 0, 260 pages of 6.

    Of fresh posts the three best are of that topic, for at least nine of ten users: by luck it is one in 27.
    """
    shown = FEED.log.impressions
    suits = shown["user"].to_numpy() % 3 == FEED.catalog["topic"][shown["item"]]
    luck = rng.uniform(0, "likes", np.arange(len(shown)))
    log = Log(FEED.requests, shown.assign(like=luck < np.where(suits, 0.9, 0.1)), np.full(260, "retrieval"))
    source = FreshTowers(["user"], ["topic"], 48.0, "like", dim=4, learning_rate=0.03)
    source.fit(FEED.catalog, log, Fitting(TrainerOptions(max_epochs=40, n_threads=1), name="kit"))
    users = list(range(12))
    found = source.retrieve(asked_at(users, 4.0), 3)
    topics = FEED.catalog["topic"][found.items].reshape(12, 3)
    assert np.mean((topics == np.array(users)[:, None] % 3).all(axis=1)) >= 0.9


def test_items_alike_come_newest_first() -> None:
    """Posts by one author on one topic have one score."""
    source = towers()
    source.fit(FEED.catalog, FEED.log, FITTING)
    found = source.retrieve(asked_at([0], 4.0), 150)
    alike = np.stack([FEED.catalog["author"][found.items], FEED.catalog["topic"][found.items]], axis=1)
    days = FEED.catalog["published_days"][found.items]
    _, group = np.unique(alike, axis=0, return_inverse=True)
    assert np.bincount(group).max() > 1
    for one in range(group.max() + 1):
        assert np.all(np.diff(days[group == one]) <= 0)
        assert len(set(found["score"][group == one].tolist())) == 1


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InputError, match="kit learns from the action 'like', and nothing is logged yet"):
        towers().fit(FEED.catalog, None, FITTING)
    with pytest.raises(InputError, match=r"no action lik, only request_id, .*; nearest is 'like'"):
        towers("lik").fit(FEED.catalog, FEED.log, FITTING)
    columns = {**FEED.catalog.columns, "topic": FEED.catalog["topic"] * 0.5}
    with pytest.raises(InputError, match=r"item.topic is float64, must be of integers"):
        towers().fit(replace(FEED.catalog, columns=columns), FEED.log, FITTING)
    calm = replace(FEED.log, impressions=FEED.log.impressions.assign(like=False))
    with pytest.raises(InputError, match=r"0 of \d+ impressions were clicked; some must be, and others not"):
        towers().fit(FEED.catalog, calm, FITTING)
    for changed, message in (
        ({"request": []}, r"request == \[\], must not be empty"),
        ({"item": []}, r"item == \[\], must not be empty"),
        ({"dim": 0}, "dim == 0, must be at least 1"),
        ({"sigma": 0.0}, "sigma == 0.0, must be above 0"),
        ({"learning_rate": 0.0}, "learning_rate == 0.0, must be above 0"),
    ):
        options = {"request": ["user"], "item": ["author"], "max_age_hours": 3.0}
        with pytest.raises(InvalidValueError, match=message):
            FreshTowers(**{**options, **changed})  # type: ignore[arg-type]
