"""Input that breaks its rules, and what all auctions share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest

from mlsd.auctions import base
from mlsd.auctions.base import Bids, checked_multipliers
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.errors import InputError, InvalidValueError
from mlsd.testing.auction_kit import ALPHA, random_bids, with_rules

OFFSETS = np.array([0, 1, 3])
FINE = np.array([0.5, 0.5, 0.5])


@pytest.mark.parametrize(
    ("value", "shown"), [(-1.0, "-1.0"), (np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")]
)
@pytest.mark.parametrize("name", ["bid", "reserve"])
def test_an_amount_that_is_none_is_named(name: str, value: float, shown: str) -> None:
    wrong = np.array([0.0, 1.0, value])
    columns = {"bid": FINE, "quality": FINE, "reserve": FINE} | {name: wrong}
    message = rf"^{name}\[2\] == {shown}, must be finite and at least 0; 1 rows break this$"
    with pytest.raises(InputError, match=message):
        Bids(OFFSETS, **columns)


@pytest.mark.parametrize("value", [-0.1, 1.0000001, np.nan, np.inf])
def test_a_quality_that_is_no_probability_is_named(value: float) -> None:
    message = rf"^quality\[1\] == {value}, must be a probability in \[0, 1\]; 1 rows break this$"
    with pytest.raises(InputError, match=message):
        Bids(OFFSETS, FINE, np.array([0.0, value, 1.0]))


@pytest.mark.parametrize("offsets", [[], [0], [1, 3], [0, 2], [0, 4], [0, 2, 1, 3]])
def test_offsets_that_are_none_are_refused(offsets: Sequence[int]) -> None:
    with pytest.raises(InputError, match="offsets must not fall and run from 0 to n_candidates == 3, are"):
        Bids(np.array(offsets, np.int64), FINE, FINE)


def test_columns_of_another_length_or_type_are_refused() -> None:
    for name in ("quality", "reserve", "eligible"):
        columns = {"quality": FINE, name: np.ones(2)}
        with pytest.raises(InputError, match=f"{name} has 2 rows, must have 3, as bid has"):
            Bids(OFFSETS, FINE, **columns)
    with pytest.raises(InputError, match="eligible is float64, must be of bool"):
        Bids(OFFSETS, FINE, FINE, eligible=np.ones(3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("multipliers", "message"),
    [
        ([], "must be one for each slot, one slot at least"),
        ([[1.0]], "must be one for each slot, one slot at least"),
        ([0.9, 0.5], r"multipliers\[0\] == 0\.9, must be 1 at the first slot"),
        ([1.0, 0.0], r"multipliers\[1\] == 0\.0, must be a probability in \(0, 1\]"),
        ([1.0, np.nan], r"multipliers\[1\] == nan, must be a probability in \(0, 1\]"),
        ([1.0, 0.4, 0.5], r"multipliers\[2\] == 0\.5, must not be above the one before, 0\.4"),
    ],
)
def test_multipliers_that_are_none_are_refused(multipliers: list[float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        GSP()(Bids(OFFSETS, FINE, FINE), np.array(multipliers))


def test_multipliers_may_be_equal() -> None:
    assert checked_multipliers(np.array([1, 1])).tolist() == [1.0, 1.0]


def test_numbers_of_other_types_do() -> None:
    bids = Bids(OFFSETS, np.array([1, 2, 3]), np.array([0.5, 0.25, 0.5], np.float32))
    outcome = VCG()(bids, np.array([1.0, 0.5]))
    assert outcome.scores.tolist() == [0.5, 0.5, 1.5]
    assert outcome.winners.tolist() == [[0, -1], [2, 1]]
    assert outcome.price_per_click.tolist() == [[0.0, 0.0], [0.5, 0.0]]


def test_requests_are_taken_with_all_their_columns() -> None:
    bids = Bids(
        OFFSETS, np.array([1.0, 2.0, 3.0]), FINE, np.array([0.0, 0.1, 0.2]), np.array([True, False, True])
    )
    taken = bids.take(np.array([1, 1]))
    assert taken.offsets.tolist() == [0, 2, 4]
    assert taken.bid.tolist() == [2, 3, 2, 3]
    assert taken.reserve is not None
    assert taken.reserve.tolist() == [0.1, 0.2, 0.1, 0.2]
    assert taken.eligible is not None
    assert taken.eligible.tolist() == [False, True, False, True]
    assert taken.n_requests == 2


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bids = with_rules(random_bids())
    whole = VCG()(bids, ALPHA)
    for n_rows in (1, 7, 100):
        monkeypatch.setattr(base, "_BLOCK_ROWS", n_rows)
        cut = VCG()(bids, ALPHA)
        assert cut.winners.tobytes() == whole.winners.tobytes()
        assert cut.price_per_click.tobytes() == whole.price_per_click.tobytes()


@pytest.mark.parametrize("reserve_on", ["bid", "score"])
def test_another_reserve_is_all_that_changes(reserve_on: Literal["bid", "score"]) -> None:
    bids = random_bids(0)
    own = VCG(0.1, reserve_on)
    other = own.with_reserve(0.3)
    assert isinstance(other, VCG)
    expected, found = (auction(bids, ALPHA) for auction in (VCG(0.3, reserve_on), other))
    np.testing.assert_array_equal(found.winners, expected.winners)
    np.testing.assert_array_equal(found.price_per_click, expected.price_per_click)
    assert (own.reserve, other.reserve) == (0.1, 0.3)
    with pytest.raises(InvalidValueError, match=r"reserve == -0.1, must be at least 0"):
        own.with_reserve(-0.1)
