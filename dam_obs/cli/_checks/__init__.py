"""
What `dam-obs doctor` looks at, one small function for each thing.

A check looks and says what it found; it changes nothing, and it never raises for what is
wrong on the machine. Printing is the command's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from dam_obs.cli._checks import collector, kernel, ours, program, source, stacks
from dam_obs.cli._checks.check import Check, Place
from dam_obs.config import LoadedSettings
from dam_obs.plugins import DamPluginManager
from dam_obs.trace import faults

__all__ = ["Check", "Place", "python_of", "run_checks"]

python_of = program.python_of


def run_checks(place: Place, loaded: LoadedSettings, manager: DamPluginManager) -> Iterator[Check]:
    """Look at everything; a check that fails itself is told as broken and keeps no other from its turn."""
    points: tuple[Path, ...] = loaded.settings.points
    looks: tuple[tuple[str, Callable[[], Check | Iterable[Check]]], ...] = (
        ("python", lambda: program.check_interpreter(place)),
        ("stacks", lambda: stacks.check_stacks(place)),
        ("native", lambda: stacks.check_native(place)),
        ("counters", lambda: kernel.check_counters(place)),
        ("ebpf", lambda: kernel.check_ebpf(place)),
        ("collector", lambda: collector.check_collector(place)),
        ("profiles", lambda: collector.check_profiles(place, loaded.settings)),
        ("source", lambda: source.check_source(place)),
        ("settings", lambda: ours.check_settings(loaded)),
        ("plugins", lambda: ours.check_plugins(manager)),
        ("models", ours.check_models),
        ("points", lambda: ours.check_points(manager, points)),
        ("run", lambda: ours.check_newest_run(place)),
    )
    for name, look in looks:
        yield from _guarded(name, look)


def _guarded(name: str, look: Callable[[], Check | Iterable[Check]]) -> list[Check]:
    with faults.guard(f"doctor.{name}"):
        found = look()
        return [found] if isinstance(found, Check) else list(found)
    return [Check(name, "broken", "looking at this failed, which is a mistake in dam-obs", "dam-obs -v doctor")]
