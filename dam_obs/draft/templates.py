"""
Lay a sheet out by a Jinja template.

Templates come from package data of dam-obs and of plugins, never from a report. They run in
a sandbox that changes nothing, and a name that is not there is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dam_obs.draft.builtin import TEMPLATES
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.literals import shown
from dam_obs.plugins import call_each, plugin_manager

DRAFT: Final = "draft.py.jinja"
REVIEW: Final = "review.md.jinja"

_BROKEN: Final = (TemplateError, ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
"""What a mistake in a template can raise."""


def plugin_folders() -> list[Path]:
    """Return the folders that plugins bring by `dam_obs_draft_templates`, in the order in which they are searched."""
    found: list[Path] = []
    for brought in call_each(plugin_manager("analysis"), "dam_obs_draft_templates"):
        found.extend([Path(brought)] if isinstance(brought, str | Path) else map(Path, brought))
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
    except _BROKEN as error:
        raise DraftRefused(f"template {name} is broken ({type(error).__name__}: {shown(str(error))})") from error


def _environment(searched: Sequence[Path]) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(list(dict.fromkeys(searched))),
        undefined=StrictUndefined,
        autoescape=False,  # Python and Markdown, no HTML; values are made safe for them beforehand
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
