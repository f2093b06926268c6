"""
Who observes the programs of `overhead`, and how each is started.

The peers come into an environment of their own below ``.cache``, made by uv on first use:
dam-obs does not depend on them. Without uv or a package index they are left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dam_obs.sample.pyspy import find_pyspy

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache"
PEERS = ("scalene", "pyinstrument", "austin-dist<4")
"""Austin 4 wants a newer C library than stable distributions have."""

Start = Callable[[list[str], Path, int], list[str]]
"""From a program's command, a folder for what is written, and looks a second: what to start."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that observes."""

    name: str
    does: str
    start: Start
    is_peer: bool = True


def _plain(program: list[str], folder: Path, rate: int) -> list[str]:
    return program


def _observed(*flags: str) -> Start:
    def start(program: list[str], folder: Path, rate: int) -> list[str]:
        points, run = folder / "points.toml", folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        observe = str(HERE / "_overhead_observe.py")
        return [sys.executable, observe, str(points), str(run), str(rate), *flags, *program]

    return start


def _pyspy(path: Path, *flags: str) -> Start:
    def start(program: list[str], folder: Path, rate: int) -> list[str]:
        output = f"--output={folder / 'py-spy.json'}"
        return [str(path), "record", "--format=speedscope", output, f"--rate={rate}", *flags, "--", *program]

    return start


def _scalene(python: Path, *flags: str) -> Start:
    def start(program: list[str], folder: Path, rate: int) -> list[str]:
        output = f"--outfile={folder / 'scalene.json'}"
        every = f"--cpu-sampling-rate={1 / rate}"
        return [str(python), "-m", "scalene", "run", *flags, every, output, *program[1:]]

    return start


def _pyinstrument(python: Path) -> Start:
    def start(program: list[str], folder: Path, rate: int) -> list[str]:
        output = f"--outfile={folder / 'pyinstrument.json'}"
        return [str(python), "-m", "pyinstrument", f"--interval={1 / rate}", "-r", "json", output, *program[1:]]

    return start


def _austin(path: Path) -> Start:
    def start(program: list[str], folder: Path, rate: int) -> list[str]:
        return [str(path), f"--interval={1_000_000 // rate}", f"--output={folder / 'austin.txt'}", *program]

    return start


PLAIN = Tool("plain", "nothing", _plain, is_peer=False)
AGAIN = Tool("plain again", "nothing: what the machine's noise alone makes of 1.00", _plain, is_peer=False)
DAM_OBS = Tool(
    "dam-obs diagnose",
    "stacks of all threads given to executions; CPU, waits, bytes, switches and features of each; an event for each",
    _observed(),
    is_peer=False,
)
NO_STACKS = Tool("dam-obs, no stacks", "the same without py-spy", _observed("--no-stacks"), is_peer=False)


def ours() -> list[Tool]:
    """Return what needs no other environment."""
    return [PLAIN, AGAIN, DAM_OBS, NO_STACKS]


def samplers() -> list[Tool]:
    """Return the py-spy that dam-obs uses, alone."""
    found = find_pyspy()
    if isinstance(found, str):
        print(f"without py-spy: {found}", file=sys.stderr)
        return []
    flags = ("--threads", "--idle", "--subprocesses", "--full-filenames")
    return [
        Tool("py-spy, our flags", "stacks of all threads", _pyspy(found.path, *flags), is_peer=False),
        Tool("py-spy", "stacks of running threads", _pyspy(found.path)),
    ]


def peers() -> list[Tool]:
    """Return the profilers that could be installed."""
    folder = CACHE / f"overhead-{sys.version_info.major}.{sys.version_info.minor}"
    if not _install(folder):
        return []
    python = folder / "bin" / "python"
    tools = [
        Tool("scalene, CPU only", "lines, by the interpreter's signals", _scalene(python, "--cpu-only")),
        Tool("scalene", "lines, and memory", _scalene(python)),
        Tool("pyinstrument", "stacks of the main thread, await-aware", _pyinstrument(python)),
    ]
    austin = folder / "bin" / "austin"
    if _runs([str(austin), "--version"]):
        tools.append(Tool("austin", "stacks of all threads, without pausing the program", _austin(austin)))
    return tools


def _install(folder: Path) -> bool:
    done = folder / ".done"
    if done.is_file() and done.read_text() == "\n".join(PEERS):
        return True
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        print("without scalene, pyinstrument and austin: uv is not there to install them", file=sys.stderr)
        return False
    made = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]
    filled = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *PEERS]
    if not (_runs(made) and _runs(filled)):
        print("without scalene, pyinstrument and austin: they could not be installed", file=sys.stderr)
        return False
    done.write_text("\n".join(PEERS))
    return True


def _runs(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=300, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
