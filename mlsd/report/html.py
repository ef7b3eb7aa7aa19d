"""The report as one HTML file: no network, no scripts, light and dark, screen, phone and paper."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mlsd.report.base import RunResult
from mlsd.report.charts.specs import ChartSpec
from mlsd.report.document import to_html
from mlsd.report.numbers import clean
from mlsd.report.page import SIGNS, Page
from mlsd.report.sections import build_page
from mlsd.store import write_text

TEMPLATES = Path(__file__).parent / "templates"


def render_html(result: RunResult) -> str:
    """The whole page of a run; the same result gives the same bytes."""
    return render_page(build_page(result))


def render_page(page: Page) -> str:
    """Any page; the same page gives the same bytes."""
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704  our own file
    return _environment().get_template("report.html.j2").render(page=page, style=style, signs=SIGNS)


def write_html(result: RunResult, path: Path) -> None:
    """Write the page, whole or not at all."""
    write_text(path, render_html(result))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_carriable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = _kind
    environment.filters["drawings"] = drawings
    environment.filters["document"] = lambda text: Markup(to_html(text))  # noqa: S704  escaped by to_html
    return environment


def _carriable(value: object) -> object:
    """Text without characters that HTML forbids; markup of our own as it is."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _kind(block: object) -> str:
    return type(block).__name__


def drawings(chart: ChartSpec) -> dict[str, Markup]:
    """The chart's SVG by the place it is for; matplotlib is imported on first use only."""
    from mlsd.report.charts.draw import draw  # noqa: PLC0415

    return {place: Markup(svg) for place, svg in draw(chart).items()}  # noqa: S704  escaped by ElementTree
