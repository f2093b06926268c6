"""
Keep what a sampler wrote: without command lines and secrets, and in little room.

`fold` puts equal stacks in a row together, which loses nothing. `shrink` does more for runs that
are long: it puts equal stacks of an execution together wherever they stand, and lets every second
look go, the other one standing for both. `join` makes one file of several.

A part is a profile in speedscope's format, like what it is made of, with two fields more for each
thread (see `profile`). The weight of a stack is the number of looks at the rate asked for that it
stands for; so parts that were taken at different rates may be added up.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dam_obs.sample.native import is_native, named_native
from dam_obs.sample.profile import PROCESS_FRAME, BrokenProfile, RawFrame, RawProfile, load, rows
from dam_obs.store.files import write_whole
from dam_obs.trace.redact import Redactor

SCHEMA = "https://www.speedscope.app/file-format-schema.json"

_DIGITS = re.compile(rb"\d+")
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A profile that is kept."""

    path: Path
    rows: int
    """Stacks in it, equal ones in a row together: what takes room."""
    seen: int
    """Looks in it."""


_Thread = tuple[RawProfile, list[tuple[bytes, int]]]
"""A profile, and each of its stacks with how often it was seen."""


def fold(
    raw: Path, target: Path, redactor: Redactor, *, each: int = 1, native: bool = False, pid: int | None = None
) -> Part:
    """
    Write `raw` to `target` so that it may be kept.

    Args:
        raw: What a sampler wrote.
        target: The part that it becomes.
        redactor: Hides secrets in names and paths.
        each: As many looks at the rate asked for as one of its looks stands for.
        native: Whether it has frames of native code: these are named as such.
        pid: The process, where only one was sampled: then py-spy does not name it.

    Raises:
        BrokenProfile: `raw` is not a profile.
    """
    file = load(raw)
    threads: list[_Thread] = []
    for profile in file.profiles:
        profile.name = redactor.text("thread", profile.name)
        if pid is not None and not profile.name.startswith("Process "):
            profile.name = f"Process {pid} {profile.name}"
        found = list(rows(raw, profile))
        profile.each = max(profile.each, 1) * each
        threads.append((profile, found))
    _check(raw, threads, len(file.shared.frames))
    return _write(target, threads, [_clean(frame, redactor, native) for frame in file.shared.frames])


class EverySecond:
    """Goes through all looks of any number of stacks, and keeps every second one."""

    def __init__(self) -> None:
        self._before = 1

    def of(self, seen: int) -> int:
        """Return how many are kept of the next so many."""
        kept, self._before = divmod(self._before + seen, 2)
        return kept


def shrink(part: Part, halve: EverySecond | None = None) -> Part:
    """
    Rewrite a part so that it takes less room: equal stacks of an execution are put together.

    Args:
        part: The part; its place stays the same.
        halve: Let every second look go besides; the same for all parts, or small ones would never get less.
    """
    file = load(part.path)
    threads: list[_Thread] = []
    for profile in file.profiles:
        counts: Counter[bytes] = Counter()
        for stack, seen in rows(part.path, profile):
            counts[stack] += seen
        profile.ordered = False
        if halve is not None:
            profile.each *= 2
            counts = Counter({stack: kept for stack, seen in counts.items() if (kept := halve.of(seen))})
        threads.append((profile, list(counts.items())))
    used = sorted({int(number) for _, found in threads for stack, _ in found for number in _numbers(stack)})
    renumbered = {b"%d" % old: b"%d" % new for new, old in enumerate(used)}
    threads = [(profile, _renumber(found, renumbered)) for profile, found in threads if found]
    return _write(part.path, threads, [file.shared.frames[number] for number in used])


def keep_profile(parts: Sequence[Path], target: Path, redactor: Redactor) -> None:
    """
    Make one file that may be kept of what a sampler wrote, one file or several in a row, all at the same rate.

    Raises:
        BrokenProfile: one of them is not a profile.
    """
    folded = [fold(part, target.with_name(f".{target.name}.{i}"), redactor).path for i, part in enumerate(parts)]
    join(folded, target)
    for path in folded:
        path.unlink(missing_ok=True)


def join(parts: Sequence[Path], target: Path) -> None:
    """Make one file of `parts`, in their order; one of them at a time is in memory."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with draft.open("wb") as file:
            file.writelines(_joined(parts))
        draft.replace(target)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _joined(parts: Sequence[Path]) -> Iterator[bytes]:
    head = {"$schema": SCHEMA, "exporter": "dam-obs, from py-spy", "name": "samples"}
    yield _encode(head)[:-1] + b',"profiles":['
    first, comma = 0, b""
    for part in parts:
        file = load(part)
        for profile in file.profiles:
            profile.samples = _shift(profile.samples, first)
            yield comma + _encode(profile)
            comma = b","
        first += len(file.shared.frames)
    yield b'],"shared":{"frames":['
    comma = b""
    for part in parts:
        frames = _encode(load(part).shared.frames)[1:-1]
        if frames:
            yield comma + frames
            comma = b","
    yield b"]}}"


def _write(target: Path, threads: Sequence[_Thread], frames: Sequence[RawFrame]) -> Part:
    for profile, found in threads:
        profile.unit = "none"
        profile.start_value, profile.end_value = 0, sum(seen for _, seen in found) * profile.each
        profile.samples = msgspec.Raw(b"[" + b",".join(b"[%s]" % stack for stack, _ in found) + b"]")
        profile.weights = msgspec.Raw(_encode([seen * profile.each for _, seen in found]))
    content = {"$schema": SCHEMA, "profiles": [profile for profile, _ in threads], "shared": {"frames": frames}}
    write_whole(target, _encode(content))
    return Part(
        path=target,
        rows=sum(len(found) for _, found in threads),
        seen=sum(seen for _, found in threads for _, seen in found),
    )


def _check(path: Path, threads: Iterable[_Thread], frames: int) -> None:
    """See that each stack names frames that are there: nobody looks at it again until the run is over."""
    for stack in {stack for _, found in threads for stack, _ in found}:
        if any(int(number) >= frames for number in _numbers(stack)):
            raise BrokenProfile(path, "a sample names a frame that is not there")


def _numbers(stack: bytes) -> list[bytes]:
    return _DIGITS.findall(stack)


def _renumber(found: Iterable[tuple[bytes, int]], numbers: Mapping[bytes, bytes]) -> list[tuple[bytes, int]]:
    return [(b",".join(numbers[number] for number in _numbers(stack)), seen) for stack, seen in found]


def _shift(samples: msgspec.Raw, by: int) -> msgspec.Raw:
    """Add `by` to every number of nested lists of numbers."""
    if by == 0:
        return samples
    return msgspec.Raw(_DIGITS.sub(lambda match: b"%d" % (int(match[0]) + by), bytes(samples)))


def _clean(frame: RawFrame, redactor: Redactor, native: bool) -> RawFrame:
    process = PROCESS_FRAME.fullmatch(frame.name) if not frame.file else None
    if process:
        return RawFrame(f"process {process['pid']}", "", 0)
    name, file = redactor.frame(frame.name), redactor.path(frame.file or "")
    if native and is_native(frame.file or ""):
        name = named_native(name, file)
    return RawFrame(name, file, frame.line)
