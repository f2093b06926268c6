"""Who sends the spans: OpenTelemetry's resource, by its own variables, with a name and without arguments."""

from __future__ import annotations

import os
import sys
from pathlib import PurePath
from typing import Final

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

_NOT_COLLECTED: Final = ("process.command_args", "process.command_line")
"""Arguments may be secrets; older detectors add them."""


def own_resource() -> Resource:
    """Return the resource of this process: what the environment says, else the program's name."""
    own: dict[str, str | int] = {"service.name": program_name(), "process.pid": os.getpid()}
    try:
        found = Resource(own).merge(_without_default_name(Resource.create()))
    except RuntimeError:
        # Its detectors run in threads, and an interpreter on its way out starts none.
        found = Resource(own).merge(OTELResourceDetector().detect())
    kept = {name: value for name, value in found.attributes.items() if name not in _NOT_COLLECTED}
    return Resource(kept, found.schema_url)


def program_name() -> str:
    """Return the program's name alone: a script's, or the package's under ``python -m``."""
    path = PurePath(sys.argv[0] if getattr(sys, "argv", None) else "")
    if path.name == "__main__.py":
        path = path.parent
    name = path.name.removesuffix(".py")
    return name if name not in ("", "-c", "-m", "-") else "python"


def _without_default_name(resource: Resource) -> Resource:
    name = resource.attributes.get("service.name")
    if not (isinstance(name, str) and name.startswith("unknown_service")):
        return resource
    rest = {key: value for key, value in resource.attributes.items() if key != "service.name"}
    return Resource(rest, resource.schema_url)
