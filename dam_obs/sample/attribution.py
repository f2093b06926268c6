"""
Give each stack sample to the execution it was taken in.

A sample belongs to the innermost execution whose span id stands on its stack; the outer
ones are its ancestors. A sample without one stays unclaimed and is counted, never guessed.

A process that was forked in the midst of an execution has that one's id on its stack for
as long as it lives, and is another process: what it does is not the execution's. So an id
counts only in the process that the execution ran in, see `Owners`.

What lies outside the innermost tag is cut off, and frames of dam-obs itself are taken
out: what is left is the execution's own code. Nothing here reads a sampler's files or
puts the tags on the stack: `profile` and `dam_obs.trace.meter` do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from dam_obs.sample.samples import TAG, Attribution, Frame, StackSample

_TAG = re.compile(re.escape(TAG) + r"([0-9a-f]{16})")
_METER = ("dam_obs", "trace", "meter.py")
_OUR_FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Owners:
    """Which process each execution ran in."""

    pid_of: Callable[[str], int | None]
    """By OTel span id; `None`: not known, for its event never came."""
    sampled: Collection[int]
    """
    The processes that were sampled, by pid.

    An execution whose process is not among them has its pid from another namespace, and it cannot be compared.
    """

    def own(self, ids: tuple[str, ...], pid: int | None) -> tuple[str, ...]:
        """Return those of the `ids` on a stack that are not from before process `pid` was forked."""
        return tuple(span for span in ids if not self._is_of_another(span, pid))

    def _is_of_another(self, span: str, pid: int | None) -> bool:
        own = self.pid_of(span)
        return own is not None and pid is not None and own != pid and own in self.sampled


def attribute(samples: Iterable[StackSample], owners: Owners | None = None) -> Attribution:
    """
    Sort `samples` by the execution they were taken in.

    Without `owners`, what forked children do counts as their parent's.
    """
    result = Attribution()
    stacks = Stacks()
    for sample in samples:
        found, frames = stacks.own(sample.frames)
        ids = found if owners is None or not found else owners.own(found, sample.pid)
        if not ids:
            result.unclaimed.append(sample)
            result.inherited_count += sample.seen if found else 0
            continue
        owner, ancestors = ids[-1], tuple(dict.fromkeys(span for span in ids if span != ids[-1]))
        result.claimed.setdefault(owner, []).append(replace(sample, frames=frames))
        # Who consumes a generator may change from step to step: the fullest account is kept.
        if len(ancestors) >= len(result.ancestors.get(owner, ())):
            result.ancestors[owner] = ancestors
    return result


def span_id_of(frame: Frame) -> str | None:
    """Return the span id that `frame` was put on the stack to carry; `None` for any other frame."""
    if not frame.function.startswith(TAG):
        return None
    match = _TAG.fullmatch(frame.function)
    return match[1] if match else None


class Stacks:
    """Takes stacks apart; equal ones, which are most, only once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Frame, ...], tuple[tuple[str, ...], tuple[Frame, ...]]] = {}
        self._own_folders: tuple[str, ...] = (f"{_OUR_FOLDER}/",)

    def own(self, frames: tuple[Frame, ...]) -> tuple[tuple[str, ...], tuple[Frame, ...]]:
        """Return the span ids on a stack, outermost first, and the frames inside the last of them."""
        known = self._known.get(frames)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[frames] = self._take_apart(frames)
        return known

    def without_ours(self, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
        """Return a whole stack without frames of dam-obs; the tags stay in, each where its execution begins."""
        return tuple(frame for frame in frames if span_id_of(frame) is not None or not self._is_ours(frame.file))

    def _take_apart(self, frames: tuple[Frame, ...]) -> tuple[tuple[str, ...], tuple[Frame, ...]]:
        ids: list[str] = []
        inside = 0
        for index, frame in enumerate(frames):
            span = span_id_of(frame)
            if span is not None:
                ids.append(span)
                inside = index + 1
                self._learn_folder(frame.file)
        return tuple(ids), tuple(frame for frame in frames[inside:] if not self._is_ours(frame.file))

    def _learn_folder(self, file: str) -> None:
        """Note where dam-obs lies in the observed program, which may be another installation than this one."""
        if file.startswith(self._own_folders):
            return
        path = PurePath(file)
        if path.parts[-3:] == _METER:
            self._own_folders += (f"{path.parent.parent}/",)

    def _is_ours(self, file: str) -> bool:
        return file.startswith(self._own_folders)


_MOST_KNOWN = 20_000
