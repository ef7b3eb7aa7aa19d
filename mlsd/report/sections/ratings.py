"""What raters were asked, how far they agree, and what every system is worth by what they said."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlsd.report import numbers
from mlsd.report.base import ALL, RunResult
from mlsd.report.estimate import Estimate, Figure
from mlsd.report.page import Block, Cell, Fold, Table
from mlsd.report.parts import RatingSummary
from mlsd.report.sections.cells import columns, estimate_cell, figure_cell, pairs, system_name, text_cell

NO_TRUTH = "not known: the world has no truth of this"
POOL_NOTE = (
    "By ratings, what was not rated counts as useless and the best order is that of what was rated: figures "
    "by ratings are higher than those by the truth where good items are outside of the pools. Condensed: the "
    "list without what was not rated."
)


def rating_blocks(rated: RatingSummary) -> tuple[Block, ...]:
    """How much was rated and how well."""
    return (
        pairs(("of what", "how much"), _facts(rated), "What was rated"),
        _agreement(rated),
        _accuracy(rated),
        Fold("Ratings by grade, with the guidelines", (_grades(rated),)),
        Fold("Rater by rater", (_raters(rated),)),
    )


def rated_blocks(result: RunResult) -> tuple[Block, ...]:
    """Every system by what raters said of the test window; nothing where nobody was asked."""
    found, rated = result.metrics.get("offline_rated") or {}, result.test_ratings
    if not found or rated is None:
        return ()
    names = list(dict.fromkeys(name for system in found.values() for name in system))
    rows = tuple(
        (text_cell(system_name(system)), *(_figure_cell(found[system], name) for name in names))
        for system in result.systems
        if system in found
    )
    pool = (
        f"Raters graded {numbers.plural(rated.n_pairs, 'pair')} of "
        f"{numbers.plural(rated.n_requests, 'request')} of the test window: the first items of every system "
        "above, and some at random. Nothing learns from these ratings."
    )
    table = Table(columns("system", *names), rows, "By what raters said of a sample", (pool, POOL_NOTE))
    return table, Fold("The raters of this sample", rating_blocks(rated))


def _figure_cell(figures: Mapping[str, Mapping[str, Figure]], name: str) -> Cell:
    figure = figures.get(name, {}).get(ALL)
    return estimate_cell(Estimate.of(figure) if figure else None, "%" if name.startswith("judged") else "")


def _facts(rated: RatingSummary) -> list[tuple[str, str]]:
    return [
        ("budget", numbers.plural(rated.budget, "rating")),
        (
            "ratings",
            f"{numbers.count(rated.n_ratings)}, by {rated.overlap} of {rated.n_raters} raters a pair",
        ),
        ("pairs of a request and an item", numbers.count(rated.n_pairs)),
        ("of them random items", numbers.count(rated.n_random_pairs)),
        ("requests", numbers.count(rated.n_requests)),
        ("cost", f"{rated.cost:,.2f}, at {rated.cost_per_rating:g} a rating"),
    ]


def _agreement(rated: RatingSummary) -> Table:
    rows = tuple((text_cell(name), _alpha_cell(rated, alpha)) for name, alpha in rated.alpha.items())
    note = "1 is perfect agreement, 0 what chance alone gives. Ordinal suits a scale of grades."
    return Table(columns("distance of grades", "Krippendorff's alpha"), rows, "Agreement", (note,))


def _alpha_cell(rated: RatingSummary, alpha: Estimate) -> Cell:
    if not alpha.is_known:
        return figure_cell(numbers.UNKNOWN, f"undefined: {rated.undefined or 'nothing to compute it from'}")
    return estimate_cell(alpha)


def _accuracy(rated: RatingSummary) -> Table:
    rows = tuple(
        (
            text_cell(
                f"{numbers.spoken(name)} (used)" if name == rated.aggregation else numbers.spoken(name)
            ),
            estimate_cell(share, "%"),
        )
        for name, share in rated.accuracy.items()
    )
    return Table(columns("ratings taken together by", "true grade found"), rows, "Against the truth")


def _grades(rated: RatingSummary) -> Table:
    rows = tuple(
        (
            text_cell(one.grade),
            text_cell(one.guideline),
            *(figure_cell(_share(share), NO_TRUTH) for share in (one.ratings, one.aggregated, one.truth)),
        )
        for one in rated.grades
    )
    headings = columns("grade", "guideline", "single ratings", "taken together", "true", words=("guideline",))
    return Table(headings, rows)


def _raters(rated: RatingSummary) -> Table:
    rows = tuple(
        (
            text_cell(place + 1),
            text_cell(numbers.count(one.n_ratings)),
            figure_cell(_share(one.estimated), "rated nothing"),
            figure_cell(_share(one.true), "rated nothing"),
        )
        for place, one in enumerate(rated.raters)
    )
    note = "Share of a rater's ratings that are right, as estimated from the others' and by the truth."
    return Table(columns("rater", "ratings", "right, estimated", "right, true"), rows, notes=(note,))


def _share(value: float) -> str:
    return numbers.share(value) if math.isfinite(value) else numbers.UNKNOWN
