"""
Read the profile that py-spy writes, in speedscope's format: process, thread, frames, in order.

py-spy puts each process, with its whole command line, and each thread as outermost frames
on every stack. Here they become fields of the sample; `folding` takes command lines and
secrets out of the file before it becomes part of a run folder. What that leaves is read
here too: it says with each stack for how many looks it stands.

The file may be broken, empty, foreign, or huge: its long lists are never built as a
whole, they are walked where they lie.
"""

from __future__ import annotations

import mmap
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import msgspec

from dam_obs.errors import DamObsError
from dam_obs.sample.samples import Frame, StackSample


class BrokenProfile(DamObsError):
    """A file that should be a sampler's profile is something else."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a profile in speedscope's format ({why}): remove it to go on without stacks")
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSize:
    """How much was sampled."""

    stacks: int
    """Stacks of all threads and processes."""
    ticks: int
    """Sampling ticks of the process that was sampled longest."""
    process_ticks: int
    """Sampling ticks summed over processes: the attempts that gave at least one stack."""


class RawFrame(msgspec.Struct):
    """A frame as it stands in the file."""

    name: str
    file: str | None = None
    line: int | None = None


class RawFrames(msgspec.Struct):
    """The frames that all profiles of a file share."""

    frames: list[RawFrame]


class RawProfile(msgspec.Struct):
    """The samples of a thread as they stand in the file."""

    name: str
    samples: msgspec.Raw
    unit: str = "none"
    type: str = "sampled"
    start_value: float = msgspec.field(default=0.0, name="startValue")
    end_value: float = msgspec.field(default=0.0, name="endValue")
    weights: msgspec.Raw = msgspec.Raw(b"[]")
    each: int = 0
    """As in `StackSample`; 0 in what a sampler wrote, where weights say nothing that is not known."""
    ordered: bool = True


class RawFile(msgspec.Struct):
    """A profile in speedscope's format."""

    profiles: list[RawProfile]
    shared: RawFrames


_PROFILE_NAME = re.compile(r"(?:Process (?P<pid>\d+) )?(?P<thread>.*)", re.DOTALL)
PROCESS_FRAME = re.compile(r"process (?P<pid>\d+)\b.*", re.DOTALL)
_THREAD_FRAME = re.compile(r"thread \((?:0x)?[0-9A-Fa-f]+\).*", re.DOTALL)
_SAMPLE = re.compile(rb"\[([0-9,\s]*)\]")
_DIGITS = re.compile(rb"\d+")
_MOST_STACKS_REMEMBERED = 20_000


def read_profile(path: Path) -> Iterator[StackSample]:
    """
    Yield the samples of a profile, thread by thread, in the order in which they were taken.

    Equal stacks in a row are one sample, with how often it was seen in its weight.

    Raises:
        BrokenProfile: the file is not a profile; maybe only after some samples.
    """
    file = load(path)
    stacks = _Stacks(path, [_frame(frame) for frame in file.shared.frames])
    for profile in file.profiles:
        named = _PROFILE_NAME.fullmatch(profile.name)
        thread = named["thread"] if named else profile.name
        pid = int(named["pid"]) if named and named["pid"] else None
        each = max(profile.each, 1)
        for sample, seen in rows(path, profile):
            innermost_pid, frames = stacks.of(sample)
            yield StackSample(
                pid=pid or innermost_pid,
                thread=thread,
                frames=frames,
                weight=seen * each,
                each=each,
                ordered=profile.ordered,
            )


def sampled_pids(path: Path) -> frozenset[int]:
    """
    Return the processes that a profile has samples of.

    Raises:
        BrokenProfile: the file is not a profile.
    """
    file = load(path)
    named = [_PROFILE_NAME.fullmatch(profile.name) for profile in file.profiles]
    frames = [PROCESS_FRAME.fullmatch(frame.name) for frame in file.shared.frames if not frame.file]
    return frozenset(int(match["pid"]) for match in (*named, *frames) if match and match["pid"])


def measure_profile(path: Path) -> ProfileSize:
    """
    Count what a profile holds, without reading its stacks.

    Raises:
        BrokenProfile: the file is not a profile.
    """
    stacks = 0
    by_process: Counter[str] = Counter()
    for profile in load(path).profiles:
        count = sum(seen for _, seen in rows(path, profile))
        stacks += count
        named = _PROFILE_NAME.fullmatch(profile.name)
        process = (named["pid"] if named else None) or ""
        # Threads come and go; the one that was there longest tells how often its process was looked at.
        by_process[process] = max(by_process[process], count)
    return ProfileSize(stacks=stacks, ticks=max(by_process.values(), default=0), process_ticks=sum(by_process.values()))


def load(path: Path) -> RawFile:
    """
    Return what a file holds; its long lists stay where they are.

    Raises:
        BrokenProfile: the file is not a profile.
    """
    try:
        with path.open("rb") as file:
            # Not closed by hand: what is read keeps pointing into it, and it goes when that does.
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return msgspec.json.decode(content, type=RawFile)
    except ValueError as error:  # empty, no JSON, or JSON of another shape
        raise BrokenProfile(path, str(error)) from error
    except OSError as error:
        raise BrokenProfile(path, error.strerror or type(error).__name__) from error


def _frame(frame: RawFrame) -> Frame:
    return Frame(frame.name, frame.file or "", frame.line or None)


def rows(path: Path, profile: RawProfile) -> Iterator[tuple[bytes, int]]:
    """
    Yield each stack of a profile, as numbers of frames with commas between, and how often it was seen in a row.

    Raises:
        BrokenProfile: it does not say of each stack how often that was.
    """
    inside = memoryview(profile.samples)[1:]  # without the outer bracket
    found = (bytes(match[1]) for match in _SAMPLE.finditer(inside))
    if profile.each < 1:
        for sample, group in groupby(found):
            yield sample, sum(1 for _ in group)
        return
    weights = (int(match[0]) // profile.each for match in _DIGITS.finditer(profile.weights))
    try:
        yield from zip(found, weights, strict=True)
    except ValueError as error:
        raise BrokenProfile(path, "it has more stacks than weights, or fewer") from error


class _Stacks:
    """Turns lists of frame numbers into stacks, each list once."""

    def __init__(self, path: Path, frames: Sequence[Frame]) -> None:
        self._path = path
        self._frames = frames
        self._known: dict[bytes, tuple[int | None, tuple[Frame, ...]]] = {}

    def of(self, sample: bytes) -> tuple[int | None, tuple[Frame, ...]]:
        """Return the innermost process named on a stack, and the frames inside it."""
        known = self._known.get(sample)
        if known is None:
            if len(self._known) >= _MOST_STACKS_REMEMBERED:
                self._known.clear()
            known = self._known[sample] = self._take_apart(sample)
        return known

    def _take_apart(self, sample: bytes) -> tuple[int | None, tuple[Frame, ...]]:
        try:
            frames = [self._frames[int(number)] for number in sample.split(b",") if number.strip()]
        except (IndexError, ValueError) as error:
            raise BrokenProfile(self._path, "a sample names a frame that is not there") from error
        pid: int | None = None
        start = 0
        for frame in frames:
            process = PROCESS_FRAME.fullmatch(frame.function)
            if frame.file or not (process or _THREAD_FRAME.fullmatch(frame.function)):
                break
            pid = int(process["pid"]) if process else pid
            start += 1
        return pid, tuple(frames[start:])
