"""The interpreter that runs the user's program, and whether it can import dam-obs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dam_obs import __version__
from dam_obs.cli._checks.check import Check, Place

OLDEST = (3, 11)
NEWEST_TESTED = (3, 13)
TIMEOUT_SECONDS = 20

_ASK = """
import json, platform, sys, sysconfig
sys.path[:] = [each for each in sys.path if each]
try:
    from importlib.metadata import version
    installed = version("dam-obs")
except Exception:
    installed = None
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "implementation": platform.python_implementation(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "installed": installed,
}))
"""


def python_of(environ: Mapping[str, str]) -> Path:
    """Return the interpreter that the user gets by typing ``python``; without one, our own."""
    found = shutil.which("python", path=environ.get("PATH")) or shutil.which("python3", path=environ.get("PATH"))
    return Path(found or sys.executable)


def check_interpreter(place: Place) -> Iterator[Check]:
    """Look at the interpreter and at the dam-obs in it."""
    facts = _ask(place)
    if facts is None:
        remedy = "name the interpreter of your program: dam-obs doctor --python PATH"
        yield Check("python", "broken", f"{place.python} does not answer as a Python 3 does", remedy)
        return

    yield _check_version(place, facts)
    yield _check_installed(place, facts)


def _ask(place: Place) -> Mapping[str, object] | None:
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own interpreter
            [str(place.python), "-c", _ASK],
            capture_output=True,
            check=True,
            timeout=TIMEOUT_SECONDS,
            env=dict(place.environ),
        )
        facts = json.loads(answer.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return facts if isinstance(facts, dict) else None


def _check_version(place: Place, facts: Mapping[str, object]) -> Check:
    shown = f"{facts['implementation']} {facts['version']} ({place.python})"
    version = tuple(int(part) for part in str(facts["version"]).split(".")[:2])
    if version < OLDEST:
        remedy = "run your program on Python 3.11 or later, or name another one: dam-obs doctor --python PATH"
        return Check("python", "broken", f"{shown} is older than dam-obs can observe", remedy)
    if facts["implementation"] != "CPython":
        return Check("python", "limited", f"{shown}: spans work; stacks and measures are made for CPython")
    if facts["free_threaded"]:
        says = f"{shown} without the GIL: spans work; CPU times per step are not checked there"
        return Check("python", "limited", says, "use a build with the GIL where exact evidence matters")
    if version > NEWEST_TESTED:
        newest = ".".join(map(str, NEWEST_TESTED))
        return Check("python", "limited", f"{shown} is newer than what dam-obs is tested on, {newest}")
    return Check("python", "ok", shown)


def _check_installed(place: Place, facts: Mapping[str, object]) -> Check:
    name = "dam-obs in it"
    installed = facts["installed"]
    if installed == __version__:
        return Check(name, "ok", f"dam-obs {installed} is installed where your program runs")
    install = f"{place.python} -m pip install dam-obs=={__version__}"
    if installed is None:
        says = f"dam-obs is not installed in {place.python}, so `dam-obs run` cannot observe programs there"
        return Check(name, "missing", says, f"{install} (or name another one: dam-obs doctor --python PATH)")
    return Check(name, "limited", f"it has dam-obs {installed}, and this command is {__version__}", install)
