"""
Lay a sheet out by a Jinja template.

Templates come from package data of dam-obs and of plugins, never from a report. They run in
a sandbox that changes nothing, and a name that is not there is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dam_obs.draft.builtin import TEMPLATES
from dam_obs.draft.errors import DraftRefused

DRAFT: Final = "draft.py.jinja"
REVIEW: Final = "review.md.jinja"


def folders(brought: Iterable[Path | Iterable[Path] | None]) -> list[Path]:
    """Flatten what implementations of `dam_obs_draft_templates` brought; the first is searched first."""
    found: list[Path] = []
    for item in brought:
        if item is not None:
            found.extend([item] if isinstance(item, Path) else item)
    return found


def render(name: str, content: Mapping[str, Any], searched: Sequence[Path] = ()) -> str:
    """
    Lay `content` out by the template called `name`.

    Args:
        name: `DRAFT` or `REVIEW`.
        content: What the template may use.
        searched: Folders that are searched before the built-in one.

    Raises:
        DraftRefused: The template is broken, or uses a name that `content` does not have.
    """
    try:
        return _environment([*searched, TEMPLATES]).get_template(name).render(content)
    except (TemplateError, UnicodeDecodeError, OSError) as error:
        raise DraftRefused(f"template {name}: {error}") from error


def _environment(searched: Sequence[Path]) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(list(dict.fromkeys(searched))),
        undefined=StrictUndefined,
        autoescape=False,  # Python and Markdown, no HTML; values are made safe for them beforehand
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
