"""The built-in templates, brought through the hook that plugins use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dam_obs.hookspecs import hookimpl

TEMPLATES: Final = Path(__file__).parent / "templates"


@hookimpl
def dam_obs_draft_templates() -> Path:
    """Bring the folder of the built-in templates; it is searched last."""
    return TEMPLATES
