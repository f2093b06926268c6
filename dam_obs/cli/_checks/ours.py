"""Settings, plugins, trace-point files, and what the newest run says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from dam_obs.cli._checks.check import Check, Place
from dam_obs.config import LoadedSettings
from dam_obs.plugins import DamPluginManager, call_each
from dam_obs.points.load import read_file
from dam_obs.store.find import runs_below
from dam_obs.store.processes import read_processes
from dam_obs.store.runs import RunFolder
from dam_obs.trace.process import ProcessNote

_SHOWN = 5
"""Names that a line lists before it only counts."""


def check_settings(loaded: LoadedSettings) -> Iterator[Check]:
    """Say how many settings were made, and name each problem."""
    given = [name for name, origin in loaded.origins.items() if origin.source != "default"]
    if not loaded.problems:
        says = f"{_names(given)} set, all else is default" if given else "all as they are by default"
        yield Check("settings", "ok", says)
    for problem in loaded.problems:
        yield Check("settings", "broken", str(problem), "correct it or take it out: commands stop at it")


def check_models() -> Check:
    """Say whether a language model can be asked for a draft; none is loaded or asked."""
    try:
        version = metadata.version("llm")
    except metadata.PackageNotFoundError:
        says = "llm is not installed, so no model can be asked for a draft; nothing else needs it"
        return Check("models", "ok", says, "for `dam-obs draft --llm`: pip install 'dam-obs[cli,llm]'")
    return Check("models", "ok", f"llm {version}, for `dam-obs draft --llm`; `llm models` lists what it knows")


def check_plugins(manager: DamPluginManager) -> Iterator[Check]:
    """Name each installed plugin and what became of it; of what dam-obs ships only what fails."""
    installed = [state for state in manager.states if state.distribution]
    if not installed:
        yield Check("plugins", "ok", "none installed beside what dam-obs brings")
    for state in installed:
        shown = f"{state.name} ({state.distribution})"
        if state.state == "failed":
            remedy = (
                f"update or uninstall {state.distribution.split()[0]}, or leave it out: plugins_off = [{state.name!r}]"
            )
            yield Check("plugins", "broken", f"{shown} is not loaded: {state.says}", remedy)
        elif state.state == "off":
            yield Check("plugins", "ok", f"{shown} is off: {state.says}")
        elif state.says:
            yield Check("plugins", "limited", f"{shown}: {state.says}", "update dam-obs or the plugin")
        else:
            hooks = ", ".join(hook.removeprefix("dam_obs_") for hook in state.hooks) or "nothing"
            yield Check("plugins", "ok", f"{shown} brings {hooks}")


def check_points(manager: DamPluginManager, given: Iterable[Path]) -> Iterator[Check]:
    """Say which trace-point files are found, and what is wrong in them."""
    files = [*_brought(manager), *given]
    if not files:
        says = "no trace-point files; pluggy hosts and hand-made spans need none"
        yield Check("trace points", "ok", says, "to trace functions: --points FILE.toml, or install a plugin")
        return
    results = [read_file(path) for path in files]
    points = sum(len(result.file.points) for result in results if result.file is not None)
    yield Check("trace points", "ok", f"{_count(points, 'point')} in {_count(len(files), 'file')}: {_names(files)}")
    for problem in (problem for result in results for problem in result.problems):
        yield Check("trace points", "broken", str(problem), "correct the file, then: dam-obs points check")


def _brought(manager: DamPluginManager) -> Iterator[Path]:
    for answer in call_each(manager, "dam_obs_trace_points"):
        yield from map(Path, [answer] if isinstance(answer, str | Path) else answer)


def check_newest_run(place: Place) -> Iterator[Check]:
    """Say what the processes of the newest run noted about themselves."""
    runs = runs_below(place.folder)
    if not runs:
        says = "no run below this folder yet"
        yield Check("newest run", "ok", says, "make one: dam-obs diagnose -- python your_program.py")
        return
    yield from _check_run(runs[0])


def _check_run(run: RunFolder) -> Iterator[Check]:
    notes = read_processes(run)
    executions = sum(note.executions for note in notes)
    dropped = sum(note.dropped for note in notes)
    faults = sum((Counter(note.faults) for note in notes), Counter[str]())
    killed = [note.pid for note in notes if not note.ended]

    name = f"run {run.path.name}"
    yield Check(name, "ok", f"{_count(executions, 'execution')} in {_count(len(notes), 'process', 'processes')}")
    if dropped:
        remedy = "give the queue more room: DAM_OBS_QUEUE_SIZE, or trace fewer points"
        yield Check(name, "limited", f"{_count(dropped, 'span')} dropped, the queue was full", remedy)
    if faults:
        shown = _names(f"{place} ({number})" for place, number in faults.most_common())
        remedy = "the program was not affected; the logger dam_obs.faults tells more at level DEBUG"
        yield Check(name, "limited", f"faults of dam-obs: {shown}", remedy)
    if killed:
        yield Check(name, "limited", f"did not come to its end, or still runs: process {_names(killed)}")
    yield from _check_attaching(name, notes)


def _check_attaching(name: str, notes: list[ProcessNote]) -> Iterator[Check]:
    # A target counts as missing only where no process of the run found it.
    attached = {point for note in notes for point in note.points_attached}
    missing = sorted({point for note in notes for point in note.points_missing} - attached)
    escaped = sorted({reference for note in notes for reference in note.references_escaped})
    if missing:
        remedy = "dam-obs points check says what each would need"
        yield Check(name, "limited", f"trace points without a target: {_names(missing)}", remedy)
    if escaped:
        remedy = "attach where they are called instead, or attach before they are imported"
        yield Check(name, "limited", f"references that go round their trace point: {_names(escaped)}", remedy)


def _names(things: Iterable[object]) -> str:
    names = [str(each) for each in things]
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
