"""Match: the kit, its formula by a loop, what it learns from planted clicks, what cannot be learnt from."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlsd import rng
from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.logs import Log
from mlsd.stages.base import TrainingData
from mlsd.stages.match import Match
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.types import Candidates, Catalog, Floats, Ints, RankingBatch, Requests

SMALL = SmallLog()
ITEMS = ("category", "source")
THOROUGH = Fitting(TrainerOptions(max_epochs=60, patience=6, batch_rows=256, n_threads=1))


class TestMatch(CandidateStageKit):
    def make(self) -> Match:
        return Match(self.n_out, ["query_id"], ITEMS)


class TestMatchWithLayersAndSameValues(CandidateStageKit):
    def make(self) -> Match:
        return Match(self.n_out, ["query_id"], ITEMS, {"query_id": "source"}, dim=5, hidden=7)


def fitted(hidden: int | None = None, **options: Any) -> Match:
    stage = Match(12, ["query_id"], ITEMS, dim=5, hidden=hidden, **options)
    stage.fit(TestMatch().training(), FITTING)
    return stage


@pytest.mark.parametrize("hidden", [None, 3])
def test_scores_are_their_formula(hidden: int | None) -> None:
    batch, stage = TestMatch().batch(), fitted(hidden)
    out, state = stage(batch).candidates, stage.state()
    offers = {
        (row, item): offer
        for row, item, offer in zip(
            batch.candidates.request_rows.tolist(),
            batch.candidates.items.tolist(),
            batch.candidates["score"].tolist(),
            strict=True,
        )
    }
    for row, item, log_odds, score in zip(
        out.request_rows.tolist(), out.items.tolist(), out["match_score"], out["score"], strict=True
    ):
        query = int(batch.requests["query_id"][row])
        known = state["values"].tolist()
        vector = state["table"][1 + known.index(query)].astype(np.float64)
        if hidden is not None:
            vector = state["through.1"] @ np.maximum(state["through.0"] @ vector, 0)
        expected = float(state["bias"][item]) + sum(
            float(a) * float(b) for a, b in zip(vector, state["items"][item], strict=True)
        )
        assert log_odds == pytest.approx(expected, abs=1e-5)
        assert score == pytest.approx(offers[row, item] / (1 + exp(-expected)), rel=1e-4)


def test_what_is_passed_on_is_what_brings_in_most() -> None:
    """The worth decides, too: with one item's clicks worth a thousand times as much, it comes first."""
    batch = TestMatch().batch()
    dear = np.where(batch.candidates.items % 5 == 0, 1000.0, 1.0)
    priced = RankingBatch(batch.requests, batch.candidates.with_columns(price=dear))
    out = fitted(worth="candidate.price")(priced).candidates
    is_dear = out.items % 5 == 0
    first = out.offsets[:-1]
    has_any = np.add.reduceat(is_dear, first) > 0
    assert is_dear[first][has_any].all()


def test_what_was_never_seen_says_nothing() -> None:
    stage, batch = fitted(), TestMatch().batch()
    for strange in (99, -1):
        unknown = RankingBatch(
            batch.requests.with_columns(query_id=np.full(len(batch), strange)), batch.candidates
        )
        out = stage(unknown).candidates
        np.testing.assert_array_equal(out["match_score"], stage.state()["bias"][out.items])


def test_an_item_of_which_nothing_is_known_is_like_all() -> None:
    """Its categories were never shown: vector 0, and the bias is that of every item."""
    columns = {name: np.append(SMALL.catalog[name], [50, 60]) for name in ITEMS}
    catalog = Catalog(np.append(SMALL.catalog.item_id, ["new", "newer"]), columns)
    stage = Match(12, ["query_id"], ITEMS)
    stage.fit(replace(TestMatch().training(), catalog=catalog), FITTING)
    state = stage.state()
    assert not state["items"][-2:].any()
    assert state["bias"][-2] == state["bias"][-1]
    assert state["items"][:-2].any(axis=1).all()


N_KINDS, N_ITEMS, N_POSITIONS = 4, 12, 5
SAME, OTHER = 0.6, 0.05


def log_of(request: Ints, items: Ints, click_prob: Floats) -> Log:
    """Requests with `audience`, each shown a row of items, all in the retrieval window."""
    n, n_positions = items.shape
    rows, position = np.divmod(np.arange(items.size), n_positions)
    requests = Requests(np.arange(n), np.arange(n), np.zeros(n, np.int64), np.zeros(n), {"audience": request})
    click = rng.uniform(3, "clicks", np.arange(items.size)) < click_prob.ravel()
    shown = pd.DataFrame({
        "request_id": rows, "user": rows, "time_days": 0.0, "item": items.ravel(), "position": position,
        "propensity": 1.0, "explored": True, "click": click,
    })  # fmt: skip
    return Log(requests, shown, np.full(n, "retrieval"))


CATALOG = Catalog(np.arange(N_ITEMS).astype(str), {"category": np.arange(N_ITEMS) % N_KINDS})


def planted() -> Log:
    """People of audience k click ads of category k, at .6, and others at .05. Seed 3, fixed beforehand."""
    n = 400
    audience = rng.integers(3, "audience", N_KINDS, np.arange(n))
    luck = rng.uniform(3, "shown", np.arange(n)[:, None], np.arange(N_ITEMS))
    items = np.argsort(luck, axis=1)[:, :N_POSITIONS]
    return log_of(audience, items, np.where(items % N_KINDS == audience[:, None], SAME, OTHER))


@pytest.mark.parametrize("hidden", [None, 16])
@pytest.mark.parametrize("same", [None, {"audience": "category"}])
def test_learns_whom_what_suits(hidden: int | None, same: dict[str, str] | None) -> None:
    """Own category first for every audience, by most of the true difference.

    The log-odds differ by log(.6 / .4) - log(.05 / .95) = 3.35. Of 2,000 impressions 125 are of each pair of
    audience and category, so that their mean difference is known to .15; above it may lie by 4 of these. What
    is expected of weights beforehand draws it to 0, by less than half.
    """
    stage = Match(N_ITEMS, ["audience"], ["category"], same, hidden=hidden, sigma=1.0, learning_rate=0.01)
    stage.fit(TrainingData(CATALOG, planted()), THOROUGH)
    out = stage(every_pair())
    own = out.candidates.items % N_KINDS == out.candidates.request_rows
    assert np.all(np.flatnonzero(own) % N_ITEMS < N_ITEMS // N_KINDS)
    scores = out.candidates["match_score"]
    assert 3.35 / 2 < scores[own].mean() - scores[~own].mean() < 3.35 + 4 * 0.15


def every_pair() -> RankingBatch:
    """A request of each audience with every item, all worth 1."""
    n = np.arange(N_KINDS)
    requests = Requests(n, n, n, np.zeros(N_KINDS), {"audience": n})
    items = np.tile(np.arange(N_ITEMS), N_KINDS)
    return RankingBatch(
        requests, Candidates(np.arange(N_KINDS + 1) * N_ITEMS, items, {"score": np.ones(len(items))})
    )


def test_where_an_item_stood_is_not_taken_for_what_it_is() -> None:
    """Two items, equally attractive; one stands first four times in five, where clicks are thrice as many.

    Counted, their log-odds differ by .75. Their difference at the same position is known to .11 from these
    4,000 impressions; the tolerance is 4 of these.
    """
    n = 2000
    first = (rng.uniform(3, "first", np.arange(n)) < 0.2).astype(np.int64)
    items = np.stack([first, 1 - first], axis=1)
    log = log_of(np.zeros(n, np.int64), items, np.broadcast_to([0.27, 0.09], items.shape))
    catalog = Catalog(np.array(["a", "b"]), {"category": np.arange(2)})
    stage = Match(2, ["audience"], ["category"], sigma=1.0, learning_rate=0.01)
    stage.fit(TrainingData(catalog, log), THOROUGH)
    requests = Requests(*(np.zeros(1, np.int64),) * 3, np.zeros(1), {"audience": np.zeros(1, np.int64)})
    found = Candidates(np.array([0, 2]), np.arange(2), {"score": np.ones(2)})
    scores = stage(RankingBatch(requests, found)).candidates["match_score"]
    assert abs(scores[0] - scores[1]) < 4 * 0.11


def test_other_values_that_are_the_same_are_another_training(tmp_path: Path) -> None:
    """Its checkpoint is refused, though the network has the same shapes."""
    data, kept = TestMatch().training(), replace(FITTING, folder=tmp_path)
    Match(12, ["query_id"], ITEMS, {"query_id": "source"}).fit(data, kept)
    with pytest.raises(InputError, match=r"belongs to another training \(same == "):
        Match(12, ["query_id"], ITEMS, {"query_id": "category"}).fit(data, kept)


def test_what_cannot_be_learnt_from_is_said() -> None:
    data, stage = TestMatch().training(), Match(4, ["query_id"], ITEMS)
    assert data.log is not None
    shown = data.log.impressions

    def refuses(message: str, **changed: Any) -> None:
        with pytest.raises(InputError, match=message):
            stage.fit(replace(data, **changed), FITTING)

    def log(impressions: pd.DataFrame) -> Log:
        return replace(SMALL.log, impressions=impressions)

    refuses("model learns from the action 'click', and nothing is logged yet", log=None)
    refuses(
        "learns from clicks: no action click, only request_id, user", log=log(shown.drop(columns="click"))
    )
    refuses(
        r"model: 0 of \d+ impressions were clicked; some must be, and others not",
        log=log(shown.assign(click=False)),
    )
    refuses(r"some must be, and others not", log=log(shown.assign(click=True)))
    refuses("model: 0 requests were shown an item, must be at least 2 to learn", log=SMALL.log.window("test"))
    refuses("no column item.source", catalog=Catalog(SMALL.catalog.item_id, {"category": np.arange(40)}))
    negative = {"category": SMALL.catalog["category"], "source": -SMALL.catalog["source"] - 1}
    refuses(
        r"item.source\[0\] == -1, must be a category, at least 0; 40 rows break this",
        catalog=Catalog(SMALL.catalog.item_id, negative),
    )
    halves = {"category": SMALL.catalog["category"] / 2, "source": SMALL.catalog["source"]}
    refuses("item.category is float64, must be of integers", catalog=Catalog(SMALL.catalog.item_id, halves))
    asked = SMALL.log.requests
    below = replace(SMALL.log, requests=asked.with_columns(query_id=np.full(len(asked), -2)))
    refuses(r"request.query_id\[0\] == -2, must be a category, at least 0", log=below)


def test_options_that_cannot_be() -> None:
    with pytest.raises(InvalidValueError, match=r"request == \[\], must not be empty"):
        Match(4, [], ITEMS)
    with pytest.raises(InvalidValueError, match=r"item == \(\), must not be empty"):
        Match(4, ["query_id"], ())
    with pytest.raises(InvalidValueError, match=r"same == 'query', must be one of query_id; nearest is"):
        Match(4, ["query_id"], ITEMS, {"query": "source"})
    with pytest.raises(
        InvalidValueError, match=r"same.query_id == 'sources', must be one of category, source"
    ):
        Match(4, ["query_id"], ITEMS, {"query_id": "sources"})
    with pytest.raises(InvalidValueError, match=r"sigma == 0, must be above 0"):
        Match(4, ["query_id"], ITEMS, sigma=0)
    with pytest.raises(InvalidValueError, match=r"hidden == 0, must be at least 1"):
        Match(4, ["query_id"], ITEMS, hidden=0)
