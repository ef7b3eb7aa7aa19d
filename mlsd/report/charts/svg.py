"""A drawing surface counted in pixels, and its SVG made fit to stand inside a page.

Matplotlib draws; then every colour becomes a CSS variable, so that one drawing serves light and dark, names
become unique on the page, fonts become the page's own, and everything that differs between runs goes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from mlsd.report.numbers import clean

INKS = ("ink", "muted", "faint", "line", "paper", "accent", "baseline", "good", "bad", "open", "truth")
"""Roles of colours; the page's style sheet gives each a colour per scheme, as `--chart-<ink>`."""

Dash = Literal["solid", "dashed", "dotted"]
DASHES: Any = {"solid": "solid", "dashed": (0, (4, 3)), "dotted": (0, (1.2, 1.4))}
"""Tells lines apart that colours tell apart."""

_PIXELS_PER_INCH = 72.0
_PLACEHOLDERS = {ink: f"#a9{place:02x}c3" for place, ink in enumerate(INKS)}
_INK_OF = {code: f"var(--chart-{ink})" for ink, code in _PLACEHOLDERS.items()}
_NAMESPACE = re.compile(r"^\{[^}]*\}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LONG_NUMBER = re.compile(r"(\d+\.\d\d)\d+")
_LOCAL_LINK = re.compile(r"url\(#([^)]*)\)")

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mlsd",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 12.0,
    "axes.unicode_minus": True,
    "path.simplify": False,
}


def colour(ink: str) -> str:
    """The stand-in that a drawing uses for an ink."""
    return _PLACEHOLDERS[ink]


@contextmanager
def settings() -> Iterator[None]:
    """Matplotlib as charts need it, whatever the user's own settings. Letters it lacks do not matter."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


class Canvas:
    """A figure of `width` times `height` pixels, y counted downwards from the top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH), frameon=False)
        self.paper = self.figure.add_axes((0, 0, 1, 1))
        self.paper.set_xlim(0, width)
        self.paper.set_ylim(height, 0)
        self.paper.set_axis_off()

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Further axes at a place given in pixels, framed as all charts are."""
        place = (
            left / self.width,
            1 - (top + height) / self.height,
            width / self.width,
            height / self.height,
        )
        axes = self.figure.add_axes(place)
        axes.set_facecolor("none")
        axes.grid(visible=True, color=colour("line"), linewidth=1)
        axes.set_axisbelow(True)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.tick_params(length=0, pad=5, labelsize=11, colors=colour("muted"))
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        ink: str = "ink",
        size: float = 12,
        align: Literal["left", "center", "right"] = "left",
        bold: bool = False,
    ) -> None:
        """Text whose middle line is at `y`."""
        weight = "bold" if bold else "normal"
        self.paper.text(
            x, y + size * 0.36, clean(text), color=colour(ink), size=size, ha=align, weight=weight
        )

    def line(
        self,
        xs: tuple[float, ...],
        ys: tuple[float, ...],
        *,
        ink: str,
        width: float = 1,
        dash: Dash = "solid",
    ) -> None:
        """A line through points."""
        style = DASHES[dash]
        self.paper.plot(xs, ys, color=colour(ink), linewidth=width, linestyle=style, solid_capstyle="butt")

    def mark(
        self, x: float, y: float, shape: str, *, ink: str, size: float = 8, hollow: bool = False
    ) -> None:
        """A point; `shape` is one of matplotlib's markers."""
        self.paper.plot(
            [x],
            [y],
            shape,
            markersize=size,
            markerfacecolor="none" if hollow else colour(ink),
            markeredgecolor=colour(ink),
            markeredgewidth=1.6 if hollow else 0,
            clip_on=False,
        )

    def area(self, xs: tuple[float, ...], ys: tuple[float, ...], *, ink: str, opacity: float = 1) -> None:
        """A filled outline."""
        self.paper.fill(xs, ys, color=colour(ink), alpha=opacity, linewidth=0)

    def svg(self, name: str, title: str, description: str) -> str:
        """The drawing as an `<svg>` element.

        Args:
            name: unique on the page; starts all its ids.
            title: what a screen reader says first.
            description: what it says then.
        """
        FigureCanvasSVG(self.figure)
        file = io.StringIO()
        self.figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        root = ET.fromstring(file.getvalue())  # noqa: S314  written by matplotlib just now
        for element in root.iter():
            _tidy(element, name)
        return _labelled(root, name, clean(title), clean(description), self.width)


def _tidy(element: ET.Element, name: str) -> None:
    element.tag = _NAMESPACE.sub("", element.tag)
    element.tail = None
    if element.tag != "text":
        element.text = None
    attributes = {_NAMESPACE.sub("", key): value for key, value in element.attrib.items()}
    element.attrib.clear()
    element.attrib.update({key: _attribute(key, value, name) for key, value in attributes.items()})


def _attribute(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return f"#{name}-{value[1:]}"
    if key == "style":
        return _style(value)
    if key == "clip-path":
        return _LOCAL_LINK.sub(rf"url(#{name}-\1)", value)
    return _LONG_NUMBER.sub(r"\1", " ".join(value.split()))


def _style(style: str) -> str:
    kept = (part.strip() for part in style.split(";") if not part.strip().startswith("font-family"))
    return _COLOUR.sub(
        lambda found: _INK_OF.get(found[0], found[0]), "; ".join(part for part in kept if part)
    )


def _labelled(root: ET.Element, name: str, title: str, description: str, width: float) -> str:
    for style in root.findall("defs/style"):
        style.text = f"#{name}{{max-width:{width:g}px}}"
    view = root.attrib["viewBox"]
    root.attrib.clear()
    labels = {"id": name, "viewBox": view, "role": "img", "aria-labelledby": f"{name}-title {name}-desc"}
    root.attrib.update({**labels, "style": f"max-width:{width:g}px"})
    for style_holder in [child for child in root if child.tag == "defs" and child.find("style") is not None]:
        root.remove(style_holder)
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        label = ET.Element(tag, {"id": f"{name}-{tag}"})
        label.text = text
        root.insert(place, label)
    return ET.tostring(root, encoding="unicode")
