"""Who pays, who gains, how budgets last, and how positions are sold."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mlsd.report import numbers
from mlsd.report.base import RunResult
from mlsd.report.charts.specs import CampaignPacingChart, PacingChart, PacingPanel
from mlsd.report.page import Block, Cell, Fold, Section, Table
from mlsd.report.parts import MarketArm, MarketSummary, PacedCampaign, Payers, Position
from mlsd.report.sections.cells import charts, columns, figure_cell, text_cell
from mlsd.report.sections.frontier import every_figure, frontier, points_of

FIGURES = {
    "budget_spent": "of all budgets was spent",
    "short_of_money": "of the days of campaigns ended without money",
    "filled": "of the positions had an ad",
    "price_of_bid": "of what was bid was paid",
    "unpaid": "of what was to be paid for came when no money was left",
}
NOTHING = "nothing of the kind"


def market(result: RunResult) -> Section | None:
    """Everything that was sold under each system, and what pages are worth on other terms."""
    made, points = result.market, points_of(result)
    if made is None and not points:
        return None
    sold = (*charts(_pacing(made), beside=_figures(made)), _payers(made)) if made else ()
    folds = _folds(made) if made else ()
    blocks: tuple[Block, ...] = (*sold, *frontier(points), *folds, *every_figure(points))
    return Section("market", "Market", _lead(made), blocks, badge="simulated")


def _lead(made: MarketSummary | None) -> str:
    worth = "A click or conversion is worth what is bid for it."
    if made is None:
        return worth
    return (
        f"Everybody under each system for {numbers.plural(made.n_days, 'day')}, with whole budgets, as the "
        f"true effects of the online test have it. {worth}"
    )


def _pacing(made: MarketSummary) -> PacingChart:
    before, after = made.arms
    caption = (
        "Share of a day's spend by hour, mean over the days of campaigns that spent their budget: "
        f"{numbers.count(after.n_short)} under the funnel, {numbers.count(before.n_short)} under the "
        "pre-existing system. Above the plan, money is gone before the day is."
    )
    return PacingChart("pacing", "How budgets last the day", caption, made.plan, before.curve, after.curve)


def _figures(made: MarketSummary) -> Table:
    rows = tuple(
        (text_cell(words), *(_share(arm.figures.get(name)) for arm in made.arms))
        for name, words in FIGURES.items()
    )
    return Table(columns("", *(arm.name for arm in made.arms)), rows, "The whole market")


def _payers(made: MarketSummary) -> Table:
    rows = tuple(_payer_cells(now, _named(made.arms[0].payers, now.name)) for now in made.arms[1].payers)
    return Table(PAYER_COLUMNS, rows, "Who pays and who gains, under the funnel", (PAYER_NOTE,))


PAYER_COLUMNS = columns(
    "campaigns",
    *("shown", "clicks", "conversions", "paid", "worth to them", "worth per unit paid", "of budget"),
    *("paid before", "worth before"),
)
(CAMPAIGN,) = columns("campaign")
PAYER_NOTE = "Before: under the pre-existing system. New ones began after the log had ended."


def _payer_cells(now: Payers, before: Payers | None) -> tuple[Cell, ...]:
    return (
        text_cell(f"{now.name} ({numbers.count(now.n)})" if now.n != 1 else now.name),
        *(text_cell(numbers.count(round(n))) for n in (now.impressions, now.clicks, now.conversions)),
        *(text_cell(_money(amount)) for amount in (now.paid, now.value)),
        figure_cell(_ratio(now.value, now.paid), NOTHING),
        _share(now.paid / now.budget if now.budget else None),
        *(figure_cell(_money(amount) if before else numbers.UNKNOWN, NOTHING) for amount in _before(before)),
    )


def _before(payers: Payers | None) -> tuple[float, float]:
    return (payers.paid, payers.value) if payers else (math.nan, math.nan)


def _named(payers: Iterable[Payers], name: str) -> Payers | None:
    return next((one for one in payers if one.name == name), None)


def _folds(made: MarketSummary) -> tuple[Block, ...]:
    before, after = made.arms
    largest = tuple(_payer_cells(one, _named(before.largest, one.name)) for one in after.largest)
    return (
        Fold(
            "The campaigns that pay most",
            (Table((CAMPAIGN, *PAYER_COLUMNS[1:]), largest, "", (PAYER_NOTE,)),),
        ),
        *_paced(made),
        Fold("How positions are sold", tuple(_positions(arm) for arm in made.arms)),
    )


def _paced(made: MarketSummary) -> tuple[Fold, ...]:
    """Single campaigns, as a chart and in figures; nothing where none spent its budget."""
    if not made.paced:
        return ()
    caption = (
        "Share of a day's spend by hour, mean over the days on which a campaign spent its budget under the "
        "funnel (in brackets how many). Of campaigns with such days these paid most. With few clicks a day "
        "spend moves in lumps."
    )
    panels = tuple(
        PacingPanel(f"campaign {one.name} ({numbers.plural(one.n_after, 'day')})", one.before, one.after)
        for one in made.paced
    )
    chart = CampaignPacingChart("campaign-pacing", "Spend against the plan", caption, made.plan, panels)
    rows = tuple(_paced_cells(one, made.plan) for one in made.paced)
    table = Table(PACED_COLUMNS, rows, "", (PACED_NOTE,))
    return (Fold("How the budgets of single campaigns last", (*charts(chart), table)),)


PACED_COLUMNS = columns(
    "campaign",
    *("days it ran", "spent its budget", "furthest from the plan"),
    *("spent it before", "furthest before"),
)
PACED_NOTE = (
    "Furthest: the largest difference between the mean share spent and the plan at the end of an hour; with "
    "a plus where money went too early. Before: under the pre-existing system."
)
NEVER_SPENT = "its budget was never spent"


def _paced_cells(one: PacedCampaign, plan: tuple[float, ...]) -> tuple[Cell, ...]:
    days = tuple(text_cell(numbers.plural(n, "day")) for n in (one.n_days, one.n_after, one.n_before))
    after, before = (figure_cell(_furthest(curve, plan), NEVER_SPENT) for curve in (one.after, one.before))
    return (text_cell(one.name), days[0], days[1], after, days[2], before)


def _furthest(curve: tuple[float, ...], plan: tuple[float, ...]) -> str:
    gaps = [spent - planned for spent, planned in zip(curve, plan, strict=False)]
    if not gaps:
        return numbers.UNKNOWN
    return numbers.fixed(100 * max(gaps, key=abs), 0, signed=True) + " pp"


def _positions(arm: MarketArm) -> Table:
    headings = columns("position", "filled", "clicked", "paid for a click", "paid for 1,000 ads")
    return Table(headings, tuple(_position_cells(one) for one in arm.positions), arm.name)


def _position_cells(sold: Position) -> tuple[Cell, ...]:
    return (
        text_cell(sold.position),
        _share(sold.shown / sold.pages if sold.pages else None),
        _share(sold.clicks / sold.shown if sold.shown else None),
        figure_cell(_ratio(sold.paid, sold.clicks), NOTHING),
        figure_cell(_ratio(1000 * sold.paid, sold.shown), NOTHING),
    )


def _share(value: float | None) -> Cell:
    if value is None:
        return Cell(numbers.UNKNOWN, reason=NOTHING)
    return Cell(f"{numbers.significant(100 * value, 3)}%")


def _money(amount: float) -> str:
    return numbers.count(round(amount)) if amount >= 100 else f"{amount:.2f}"


def _ratio(part: float, whole: float) -> str:
    return f"{part / whole:.2f}" if whole else numbers.UNKNOWN
