"""
Make a drawing fit to stand in the page: few elements, no scripts, colours of the page's theme.

The drawing is read as a tree and written anew from what is known to be harmless, so nothing
is replaced in text, where a name may look like markup. Colours that the charts use as
stand-ins become references to the style sheet, which has them for light and for dark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree

from markupsafe import Markup

from dam_obs.diagnose.page.text import shown

_SVG: Final = "http://www.w3.org/2000/svg"
_TAGS: Final = frozenset({"svg", "g", "path", "line", "rect", "text"})
_ATTRIBUTES: Final = frozenset(
    {
        "d",
        "fill",
        "fill-opacity",
        "font-size",
        "font-weight",
        "height",
        "opacity",
        "stroke",
        "stroke-dasharray",
        "stroke-linecap",
        "stroke-opacity",
        "stroke-width",
        "text-anchor",
        "transform",
        "viewBox",
        "width",
        "x",
        "x2",
        "y",
        "y2",
    }
)
_DECIMALS: Final = re.compile(r"\d+\.\d{2,}(?:e-\d+)?")


def themed(drawing: str, colours: Mapping[str, str], *, title: str) -> Markup:
    """
    Return an inline SVG for the page.

    Args:
        drawing: An SVG as vl-convert writes it.
        colours: Stand-in (``#010203``) to the custom property of the style sheet (``--ink``) that takes its place.
        title: What the drawing shows, for those who do not see it.
    """
    root = ElementTree.fromstring(drawing)  # noqa: S314 - vl-convert wrote it just now, from our own chart
    _clean(root, colours)
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-label", shown(title))
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - escaped by the serialiser


def _clean(element: ElementTree.Element, colours: Mapping[str, str]) -> None:
    """Leave in `element` and below only what `_TAGS` and `_ATTRIBUTES` name, without its name space."""
    element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
    element.attrib = {
        name: _value(name, value, colours) for name, value in element.attrib.items() if name in _ATTRIBUTES
    }
    for child in list(element):
        if child.tag.removeprefix(f"{{{_SVG}}}") not in _TAGS or child.get("display") == "none":
            element.remove(child)
            continue
        _clean(child, colours)
        if _draws_nothing(child):
            element.remove(child)


def _draws_nothing(element: ElementTree.Element) -> bool:
    if element.tag == "g":
        return len(element) == 0
    if element.get("opacity") == "0":
        return True
    return {element.get("fill", "none"), element.get("stroke", "none")} <= {"none", "transparent"}


def _value(name: str, value: str, colours: Mapping[str, str]) -> str:
    if name in ("fill", "stroke"):
        return f"var({colours[value]})" if value in colours else value
    return _DECIMALS.sub(lambda number: f"{float(number[0]):.1f}", value)
