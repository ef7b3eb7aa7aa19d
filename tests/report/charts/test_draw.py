from __future__ import annotations

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest

from mlsd.report.base import RunResult
from mlsd.report.charts.draw import draw
from mlsd.report.charts.specs import (
    CampaignPacingChart,
    ChartSpec,
    CurvesChart,
    ExaminationChart,
    FrontierChart,
    FrontierMark,
    FunnelChart,
    FunnelStep,
    HistoryChart,
    IntervalChart,
    IntervalRow,
    LatencyChart,
    PacingChart,
    PacingPanel,
    ParetoChart,
    ReliabilityChart,
    TrialPoint,
)
from mlsd.report.estimate import Estimate
from mlsd.report.numbers import UNKNOWN
from mlsd.report.page import Block, Charts, Fold
from mlsd.report.parts import CalibrationBin, Examination, Latency
from mlsd.report.sections import build_page
from tests.report.conftest import sold

NAN = math.nan
WORDS = ("name", "a <title> & more", "a caption")
CROOKED: list[ChartSpec] = [
    FunnelChart(
        *WORDS,
        (FunnelStep("a", "b", NAN, 0, UNKNOWN, UNKNOWN, UNKNOWN), FunnelStep("c", "", 5, 9, "5", "", "")),
    ),
    IntervalChart(*WORDS),
    IntervalChart(*WORDS, (IntervalRow("a", Estimate(), UNKNOWN, "open"),), clipped=True),
    IntervalChart(
        *WORDS, (IntervalRow("a", Estimate(0.0, 0.0, 0.0), "0", "good", 0.0),), reference=0.0, clipped=True
    ),
    IntervalChart(
        *WORDS, (IntervalRow("x" * 400, Estimate(1e9, -1e9, 3e9), "1" * 99, "bad", 1e12),), clipped=True
    ),
    ReliabilityChart(*WORDS, (CalibrationBin(0, 0, 0),)),
    ReliabilityChart(*WORDS, (CalibrationBin(NAN, 1, 3), CalibrationBin(1, 1, 3))),
    CurvesChart(*WORDS, (1.0,), (), 0),
    CurvesChart(*WORDS, (math.inf, NAN), (2.0, 2.0), 7),
    ExaminationChart(*WORDS, (Examination(3, Estimate(0.4)),)),
    LatencyChart(*WORDS, (("a", Latency(0.0, NAN, 2.0), "x"), ("b", Latency(5e-5, 1, 1e6), "y")), 100.0),
    LatencyChart(*WORDS, (("a", Latency(), "x"),)),
    PacingChart(*WORDS, (0.0,) * 25, (), (0.5,) * 25),
    PacingChart(*WORDS, (), (NAN, 1e9), (NAN,)),
    CampaignPacingChart(*WORDS),
    CampaignPacingChart(*WORDS, (0.0,) * 25, (PacingPanel("x" * 400, (), (NAN,) * 25),) * 7),
    FrontierChart(*WORDS),
    FrontierChart(*WORDS, (FrontierMark(0.0, 0.0, 0.0, 1, is_unbeaten=True, is_own=True),), ("a", "b")),
    FrontierChart(*WORDS, (FrontierMark(NAN, 1.0, 0.0, 1), FrontierMark(1e9, 3e9, 1.0, 2)), ("x" * 400,) * 2),
    FrontierChart(*WORDS, tuple(FrontierMark(5, 5, n / 7, n) for n in range(40)), ("a", "b")),
    HistoryChart(*WORDS, (TrialPoint(0, 1.0, is_best=True),), (1, 2), "x" * 400),
    HistoryChart(*WORDS, (TrialPoint(3, NAN), TrialPoint(4, -2e9), TrialPoint(9, 2.0, is_best=True))),
    HistoryChart(*WORDS, (), (7,)),
    ParetoChart(*WORDS, ((1.0, 2.0), (1.0, 2.0)), ((1.0, 2.0),), ("a", "b")),
    ParetoChart(*WORDS, ((1e9, -1.0), (0.0, 3.0)), ((0.0, 3.0), (1e9, -1.0)), ("x" * 400, "y" * 400)),
]


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  drawn by the test itself


def charts_of(result: RunResult) -> list[ChartSpec]:
    return [spec for part in build_page(result).sections for spec in _specs(part.blocks)]


def _specs(blocks: tuple[Block, ...]) -> Iterator[ChartSpec]:
    for block in blocks:
        if isinstance(block, Charts):
            yield from block.specs
        elif isinstance(block, Fold):
            yield from _specs(block.blocks)


def check(svg: str, spec: ChartSpec) -> None:
    root = parse(svg)
    assert root.tag == "svg"
    assert [root[0].tag, root[1].tag] == ["title", "desc"]
    ids = {element.get("id") for element in root.iter()}
    assert set(root.attrib["aria-labelledby"].split()) <= ids
    assert all(name is None or name.startswith(spec.name) for name in ids)
    outside = re.sub(r"<(title|desc|text)\b.*?</\1>", "", svg, flags=re.DOTALL)
    assert not re.search(r"#[0-9a-f]{6}\b", outside)
    assert not re.search(r"http|DejaVu|nan|inf\b", outside)


def test_every_chart_of_a_report_is_sound(any_result: RunResult) -> None:
    for spec in charts_of(any_result):
        assert spec.has_content
        for svg in draw(spec).values():
            check(svg, spec)


@pytest.mark.parametrize("spec", CROOKED, ids=lambda spec: type(spec).__name__)
def test_crooked_figures_are_drawn_without_complaint(spec: ChartSpec) -> None:
    for svg in draw(spec).values():
        check(svg, spec)
        assert parse(svg)[0].text == "a <title> & more"


def test_a_report_has_the_charts_that_people_look_for(result: RunResult) -> None:
    names = [spec.name for spec in charts_of(result)]
    assert names == [
        "funnel-chart",
        "offline-chart",
        "segments-chart",
        "online-chart",
        "calibration-0",
        "calibration-1",
        "examination-chart",
        "training-0",
        "training-1",
        "latency-chart",
    ]


def test_words_stay_words(result: RunResult) -> None:
    drawn = draw(charts_of(result)[1])
    for svg in drawn.values():
        words = {element.text for element in parse(svg).iter("text")}
        assert {"pre-existing system", "whole funnel", "0.678 [0.660, 0.696]"} <= words


def test_phones_get_a_narrower_drawing(result: RunResult) -> None:
    drawn = draw(charts_of(result)[0])
    widths = {place: float(parse(svg).attrib["viewBox"].split()[2]) for place, svg in drawn.items()}
    assert widths == {"wide": 900, "narrow": 372}


def test_marks_stand_where_their_values_are() -> None:
    rows = tuple(IntervalRow(str(value), Estimate(value), "", "stage") for value in (1.0, 2.0, 4.0))
    svg = draw(IntervalChart(*WORDS, rows))["wide"]
    uses = [float(use.attrib["x"]) for use in parse(svg).iter("use")]
    assert len(uses) == 3
    assert (uses[2] - uses[1]) / (uses[1] - uses[0]) == pytest.approx(2, abs=0.01)


def test_nothing_finite_means_no_content() -> None:
    assert not IntervalChart(*WORDS, (IntervalRow("a", Estimate(), UNKNOWN, "open"),)).has_content
    assert not ReliabilityChart(*WORDS, (CalibrationBin(NAN, NAN, 0),)).has_content
    assert not CurvesChart(*WORDS, (NAN,), ()).has_content
    assert not LatencyChart(*WORDS, (("a", Latency(), ""),)).has_content


def test_a_run_in_which_pages_were_sold_has_its_charts() -> None:
    names = [spec.name for spec in charts_of(sold())]
    assert [name for name in names if name in {"pacing", "frontier", "campaign-pacing"}] == [
        "pacing",
        "frontier",
        "campaign-pacing",
    ]


def test_words_of_the_frontier_say_how_many_positions_and_what_the_marks_mean() -> None:
    (chart,) = (spec for spec in charts_of(sold()) if isinstance(spec, FrontierChart))
    for svg in draw(chart).values():
        words = {element.text for element in parse(svg).iter("text")}
        assert {"1 position", "2 positions", "as the run sells", "beaten by another"} <= words


def test_lines_that_colours_tell_apart_have_dashes_of_their_own() -> None:
    svg = draw(PacingChart(*WORDS, (0.0,) * 25, (0.2,) * 25, (0.5,) * 25))["any"]
    styles = re.findall(r"stroke: var\(--chart-(truth|accent|baseline)\)[^\"]*", svg)
    dashes = set(re.findall(r"stroke-dasharray: ([^;\"]+)", svg))
    assert {"truth", "accent", "baseline"} == set(styles)
    assert len(dashes) >= 2
