"""
Put a page's view into the templates: one file, escaped, with a policy that lets nothing else run.

The style sheet and the scripts stand in the page itself, and the content security policy
names them by their hashes: should a name from the run ever get out of its place, a browser
would neither run it nor load what it asks for. All text is made safe to show and escaped
where it is put; data for the scripts goes through `tojson`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dam_obs.diagnose.page.describe import page_view
from dam_obs.diagnose.page.text import shown
from dam_obs.diagnose.report import DiagnosticReport

TEMPLATES: Final = Path(__file__).parent / "templates"
STYLES: Final = ("page.css", "system.css", "flame.css")
EARLY_SCRIPTS: Final = ("theme.js",)
"""Run before anything is painted."""
LATE_SCRIPTS: Final = ("page.js", "flame.js")


def render_page(report: DiagnosticReport) -> str:
    """
    Return `report` as one HTML file that needs no network.

    The same report gives the same page.
    """
    styles = Markup("\n".join(_asset(name) for name in STYLES))  # noqa: S704 - our own files
    early, late = ([_asset(name) for name in names] for names in (EARLY_SCRIPTS, LATE_SCRIPTS))
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page_view(report),
            policy=_policy([styles], [*early, *late]),
            styles=styles,
            early_scripts=early,
            late_scripts=late,
        )
    )


def _policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """Allow these styles and scripts and nothing else, from nowhere else."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hashes(styles)}",
            f"script-src {_hashes(scripts)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hashes(contents: Iterable[str]) -> str:
    digests = (hashlib.sha256(content.encode()).digest() for content in contents)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


@cache
def _asset(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe_to_show,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _safe_to_show(value: Any) -> Any:
    """Show text from the run on one line and within bounds; escaping follows."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else shown(value)
