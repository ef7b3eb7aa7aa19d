"""What pages are worth on other terms, and what these cost people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mlsd.report import numbers
from mlsd.report.base import RunResult
from mlsd.report.charts.specs import FrontierChart, FrontierMark
from mlsd.report.estimate import Estimate
from mlsd.report.page import SIGNS, Block, Cell, Fold, Paragraph, Table
from mlsd.report.sections.cells import charts, columns, estimate_cell, text_cell

REVENUE, HIDES, ADS, GAIN = FIGURES = (
    "revenue_per_1000", "hides_per_1000", "ads_per_page", "advertiser_gain_per_1000",
)  # fmt: skip
SOLD_AGAIN = (
    "Pages of the test window are sold again, once for each reserve and each number of positions, and judged"
)
HELD_FIXED = (
    "Bids are held fixed, and budgets, pacing and frequency caps are left out: this says what a page is "
    "worth at these bids, not what advertisers would answer to a reserve, nor what they can pay for."
)


class Cost(NamedTuple):
    """What pages cost people, by what the world knows."""

    figure: str
    noun: str
    amount: str
    judged_by: str
    """By what pages are judged that are sold again."""


COSTS = (
    Cost(
        HIDES,
        "hides",
        "hides per 1,000 pages",
        "by what the world knows to be likely of people who have seen no campaign before",
    ),
    Cost(ADS, "ads", "ads a page", "by the clicks that were logged, taken to be the same in any position"),
)
PAIRED = (
    "Less as run: the difference from the run's own terms, paired by page. Gain: what clicks and conversions "
    "are worth to advertisers, less what they pay. All but ads a page are for 1,000 pages."
)
RESERVES = {"bid": "the least that a click costs", "score": "the least score of an ad"}


@dataclass(frozen=True)
class Point:
    """The pages on one set of terms.

    Args:
        reserve: of the auction.
        reserve_on: what it is held against, "bid" or "score".
        n_positions: that are sold.
        is_own: whether these are the run's own terms.
        is_unbeaten: whether no others earn as much for less cost to people.
        figures: by name.
        differences: less those of the run's own terms.
    """

    reserve: float
    reserve_on: str
    n_positions: int
    is_own: bool
    is_unbeaten: bool
    figures: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]

    @property
    def cost(self) -> Cost:
        """What is known of what pages cost people."""
        return next(cost for cost in COSTS if cost.figure in self.figures)


def points_of(result: RunResult) -> list[Point]:
    """All terms that were tried, the highest revenue first; none where none were."""
    found = ((result.metrics.get("market") or {}).get("frontier") or {}).values()
    points = [
        Point(
            one["reserve"],
            one["reserve_on"],
            one["n_positions"],
            one["is_own"],
            one["is_unbeaten"],
            {name: Estimate.of(one[name]) for name in FIGURES if name in one},
            {name: Estimate.of(moved) for name, moved in one["difference"].items()},
        )
        for one in found
    ]
    return sorted(points, key=lambda one: (-one.figures[REVENUE].value, one.n_positions, one.reserve))


def frontier(points: list[Point]) -> tuple[Block, ...]:
    """What nothing beats, as a chart and in figures."""
    if not points:
        return ()
    cost = points[0].cost
    marks = tuple(
        FrontierMark(
            point.figures[cost.figure].value,
            point.figures[REVENUE].value,
            point.reserve,
            point.n_positions,
            point.is_unbeaten,
            point.is_own,
        )
        for point in points
    )
    caption = (
        "Expected for 1,000 pages, by the number of positions that are sold and the reserve, "
        f"{RESERVES[points[0].reserve_on]}. The line joins the terms that no others beat in both."
    )
    axes = (cost.amount, "revenue per 1,000 pages")
    chart = FrontierChart("frontier", f"Revenue against {cost.noun}", caption, marks, axes)
    return (*charts(chart), Paragraph(f"{SOLD_AGAIN} {cost.judged_by}. {HELD_FIXED}"), _grid(points))


def every_figure(points: list[Point]) -> tuple[Fold, ...]:
    """All terms with all their figures, folded away."""
    if not points:
        return ()
    costs = (points[0].cost.noun, "less as run") if points[0].cost.figure != ADS else ()
    headings = columns(
        "reserve", "positions", "ads a page", "revenue", "less as run", *costs, "advertisers' gain"
    )
    table = Table(headings, tuple(map(_cells, points)), "", (PAIRED,))
    return (Fold("Every figure of the terms that were tried", (table,)),)


def _grid(points: list[Point]) -> Table:
    """Revenue and what it costs people, reserves down and numbers of positions across."""
    at = {(point.reserve, point.n_positions): point for point in points}
    reserves, positions = (sorted(set(values)) for values in zip(*at, strict=True))
    headings = columns("reserve", *(numbers.plural(n, "position") for n in positions))
    rows = tuple(
        (text_cell(f"{reserve:g}"), *(_grid_cell(at[reserve, n]) for n in positions)) for reserve in reserves
    )
    cost = points[0].cost
    checked = f"{SIGNS['good']} no other terms earn as much for fewer {cost.noun}."
    return Table(headings, rows, f"Revenue per 1,000 pages and, beneath it, {cost.amount}", (checked,))


def _grid_cell(point: Point) -> Cell:
    figure, noun = point.cost.figure, point.cost.noun
    revenue, costs = (numbers.value_text(point.figures[name]) for name in (REVENUE, figure))
    sign = f" {SIGNS['good']}" * point.is_unbeaten
    noun = noun.removesuffix("s") if costs == "1" else noun
    return Cell(f"{revenue}{sign}", f"with {costs} {noun}" + ", as run" * point.is_own)


def _cells(point: Point) -> tuple[Cell, ...]:
    return (
        text_cell(f"{point.reserve:g}{', as run' * point.is_own}"),
        text_cell(point.n_positions),
        estimate_cell(point.figures[ADS]),
        estimate_cell(point.figures[REVENUE]),
        estimate_cell(point.differences[REVENUE], signed=True),
        *_cost_cells(point),
        estimate_cell(point.figures[GAIN]),
    )


def _cost_cells(point: Point) -> tuple[Cell, ...]:
    """What it costs people, where that is not the ads themselves, which have a column of their own."""
    figure = point.cost.figure
    if figure == ADS:
        return ()
    return estimate_cell(point.figures[figure]), estimate_cell(point.differences[figure], signed=True)
