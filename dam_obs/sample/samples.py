"""Stack samples as values: what a sampler saw, whichever sampler it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

TAG = "dam:"
"""How the function name of a frame starts that the step meter put on the stack; 16 hex digits of span id follow."""


class Frame(NamedTuple):
    """One frame of a stack; a tuple, since a run has millions of them to be looked up."""

    function: str
    file: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSample:
    """A stack, and how often it was seen in a row."""

    pid: int | None
    thread: str
    """The thread as the sampler names it."""
    frames: tuple[Frame, ...]
    """Outermost first; tag frames and frames of dam-obs itself are taken out when attributed."""
    weight: int = 1
    """As many looks at the rate asked for as it stands for: what samples of different rates are added up by."""
    each: int = 1
    """Of these, as many as each look stood for; more than 1 where the rate was lower, or looks were let go."""
    ordered: bool = True
    """Whether it stands where it was taken; in a long run equal stacks of an execution may have been put together."""

    @property
    def seen(self) -> int:
        """How often it was really seen."""
        return self.weight // self.each


@dataclass(slots=True)
class Attribution:
    """Each sample given to the innermost execution on its stack, or to nobody."""

    claimed: dict[str, list[StackSample]] = field(default_factory=dict)
    """OTel span id (16 hex digits) to samples; frames below (outside) the innermost tag are kept out."""
    ancestors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """OTel span id to the ids of the outer executions seen on its stacks, outermost first."""
    unclaimed: list[StackSample] = field(default_factory=list)
    inherited_count: int = 0
    """Of the unclaimed ones: in a process that was forked in the midst of an execution, and in none of its own."""

    @property
    def claimed_count(self) -> int:
        """Samples inside an execution, as many as were seen."""
        return sum(sample.seen for samples in self.claimed.values() for sample in samples)

    @property
    def unclaimed_count(self) -> int:
        """Samples outside any, as many as were seen."""
        return sum(sample.seen for sample in self.unclaimed)
