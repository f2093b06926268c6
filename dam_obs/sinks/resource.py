"""
Who sends the spans: OpenTelemetry's resource, by its own variables, with a name and without arguments.

It says what a report needs to know of a process and its machine, for a backend has nothing else of them.
"""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Final

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from dam_obs.config.environ import variable_of
from dam_obs.trace.identity import MOUNTS, RUN_ID, mount_namespace, start_ticks

_NOT_COLLECTED: Final = ("process.command_args", "process.command_line")
"""Arguments may be secrets; older detectors add them."""


def own_resource() -> Resource:
    """Return the resource of this process: what the environment says, else the program's name."""
    own = _process() | _machine()
    try:
        found = Resource(own).merge(_without_default_name(Resource.create()))
    except RuntimeError:
        # Its detectors run in threads, and an interpreter on its way out starts none.
        found = Resource(own).merge(OTELResourceDetector().detect())
    kept = {name: value for name, value in found.attributes.items() if name not in _NOT_COLLECTED}
    return Resource(kept, found.schema_url)


def _process() -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "service.name": program_name(),
        "process.pid": os.getpid(),
        "process.parent_pid": os.getppid(),
        "process.command": os.path.basename(sys.argv[0] if getattr(sys, "argv", None) else "")
        or os.path.basename(sys.executable or "python"),
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": platform.python_version(),
    }
    started = _started()
    run = os.environ.get(variable_of("run_directory"))
    return found | ({"process.creation.time": started} if started else {}) | ({RUN_ID: Path(run).name} if run else {})


def _machine() -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "os.type": platform.system().lower(),
        "os.version": platform.release(),
        "host.arch": platform.machine(),
    }
    mounts = mount_namespace()
    return found | ({MOUNTS: mounts} if mounts else {})


def _started() -> str | None:
    """Return when this process started, as the kernel counted it; `None` where it does not say."""
    ticks = start_ticks(os.getpid())
    try:
        boot = next(line.split()[1] for line in Path("/proc/stat").read_bytes().splitlines() if line[:6] == b"btime ")
    except (OSError, StopIteration):
        return None
    if ticks is None:
        return None
    moment = datetime.fromtimestamp(int(boot) + ticks / os.sysconf("SC_CLK_TCK"), UTC)
    return moment.isoformat(timespec="milliseconds")


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
