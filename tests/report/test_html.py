from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import pytest

from mlsd.report import numbers
from mlsd.report.base import ORACLE, RunResult
from mlsd.report.estimate import Estimate, number
from mlsd.report.html import TEMPLATES, render_html, write_html

VOID = {"meta", "link", "br", "hr", "img", "input"}
TAGS = """
html head meta title style body header footer nav main section article figure figcaption details summary
div span p h1 h2 h3 h4 h5 h6 ul ol li a strong em small code pre table thead tbody tr th td
svg g path defs use text desc clippath rect
"""
"""All that a page needs."""


class Reader(HTMLParser):
    """Keeps what a browser would see, and fails on tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)


def test_every_page_is_well_formed_and_holds_known_tags_only(any_html: str) -> None:
    reader = Reader(any_html)
    assert reader.tags <= set(TAGS.split())
    names = {name for _, name, _ in reader.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert "src" not in names


def test_nothing_leads_out_of_the_page(any_html: str) -> None:
    reader = Reader(any_html)
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for _, name, value in reader.attributes:
        if name == "href":
            assert value.startswith("#")
            assert value[1:] in ids
        if name in {"style", "clip-path"} and "url(" in value:
            assert re.fullmatch(r"url\(#[-\w]+\)", value)
    for style in re.findall(r"<style>(.*?)</style>", any_html, re.DOTALL):
        assert "url(" not in style
        assert "@import" not in style
    assert "default-src 'none'" in any_html


def test_no_address_is_written_but_what_a_user_wrote(html_page: str) -> None:
    assert not re.search(r"https?:|//\w", html_page)


def test_what_users_write_stays_text(any_html: str) -> None:
    assert "<script" not in any_html
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ud800-\udfff]", any_html)
    any_html.encode("utf-8")


def test_hostile_text_is_shown_as_it_was_written(any_result: RunResult, any_html: str) -> None:
    text = Reader(any_html).text
    assert numbers.one_line(any_result.title) in text
    for stage in any_result.stages:
        assert numbers.one_line(stage.name) in text


def test_every_figure_appears(any_result: RunResult, any_html: str) -> None:
    text = Reader(any_html).text
    for _, metric, _, estimate in any_result.iterate_offline():
        unit = any_result.units.get(metric, "")
        assert numbers.one_line(numbers.with_interval(estimate, unit)) in text
    for metric, segments in any_result.metrics.get("offline_difference", {}).items():
        if metric.startswith(ORACLE):
            continue
        for segment in segments:
            difference = any_result.difference(metric, segment) or Estimate()
            shown = numbers.with_interval(difference, any_result.units.get(metric, ""), signed=True)
            assert numbers.one_line(shown) in text


def test_every_online_figure_appears(result: RunResult, html_page: str) -> None:
    text = Reader(html_page).text
    for metric in result.seen_metrics:
        figure, unit = result.online(metric) or {}, result.units.get(metric, "")
        effect = result.effect(metric) or Estimate()
        assert numbers.with_interval(effect, unit, signed=True) in text
        assert numbers.p_text(effect.p_value).removeprefix("<") in text
        assert numbers.like(number(figure["truth"]), effect, unit, signed=True) in text
        for arm in ("control", "treatment"):
            assert numbers.like(number(figure[arm]), effect, unit) in text


def test_what_is_simulated_says_so(result: RunResult, html_page: str) -> None:
    text = Reader(html_page).text
    assert "Online test simulated" in text
    for assumption in result.assumptions:
        assert assumption in text


def test_nothing_is_called_nan_or_none(any_html: str) -> None:
    assert not re.search(r"\b(nan|None|inf)\b", Reader(any_html).text)


def test_a_missing_figure_says_why(html_page: str) -> None:
    assert f"{numbers.UNKNOWN} not measured here." in Reader(html_page).text


def test_the_same_result_gives_the_same_bytes(result: RunResult, html_page: str) -> None:
    with mpl.rc_context({"font.size": 31, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert render_html(result) == html_page


def test_another_process_gives_the_same_bytes(html_page: str) -> None:
    conftest = Path(__file__).with_name("conftest.py")
    program = (
        "import hashlib, runpy, sys\n"
        "from mlsd.report.html import render_html\n"
        "run = runpy.run_path(sys.argv[1])['realistic']()\n"
        "print(hashlib.sha256(render_html(run).encode()).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", program, str(conftest)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == hashlib.sha256(html_page.encode()).hexdigest()


def test_the_file_is_replaced_whole(result: RunResult, html_page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    write_html(result, path)
    assert path.read_text(encoding="utf-8") == html_page
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_text_alone_needs_no_matplotlib_and_no_torch() -> None:
    program = (
        "import sys, mlsd.report.html, mlsd.report.markdown, mlsd.report.terminal\n"
        "assert 'matplotlib' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", block))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio, in [1, 21]."""

    def luminance(code: str) -> float:
        code = code if len(code) == 7 else "#" + "".join(2 * digit for digit in code[1:])
        parts = (int(code[place : place + 2], 16) / 255 for place in (1, 3, 5))
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_and_marks_stand_out_from_the_paper(scheme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", (TEMPLATES / "style.css").read_text(encoding="utf-8"), re.DOTALL)
    light, dark, paper = (colours(block) for block in blocks)
    shown = {**light, **{"light": {}, "dark": dark, "print": paper}[scheme]}
    for name in ("ink", "muted", "accent", "good", "bad", "undecided"):
        assert contrast(shown[name], shown["paper"]) >= 4.5, name
    for name in ("baseline", "good", "bad", "open", "truth"):
        assert contrast(shown[f"chart-{name}"], shown["paper"]) >= 3, name
