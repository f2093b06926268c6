"""
What py-spy's printed lines mean: when it samples, how it did, and why it could not.

py-spy says all this in words alone, on standard output and standard error, and its words
change from version to version; so what is not understood is kept and means nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

_SAMPLING = re.compile(r"Sampling process \d+ times a second")
_SUMMARY = re.compile(r"Samples: (\d+) Errors: (\d+)")
_BEHIND = re.compile(r"behind in sampling")
_FAILED = re.compile(r"Failed to get stack trace from (\d+): (.*)")
_UNREADABLE = re.compile(r"Failed to profile python from process (\d+): (.*)")
_ERROR = re.compile(r"^Error: (.*)")
_REFUSED = re.compile(r"Permission Denied|Operation not permitted|\bEPERM\b|os error 1\)|os error 13\)", re.IGNORECASE)
_NO_PYTHON = re.compile(r"No python processes found", re.IGNORECASE)
_HIDDEN = re.compile(r"Failed to get process executable name", re.IGNORECASE)
_UNSUPPORTED = re.compile(r"Unsupported version of Python:? *([^\n]*)", re.IGNORECASE)

_MOST_REASONS = 100
"""Processes whose reason is remembered; a run may start a great many that are no Python."""


@dataclass(slots=True)
class Words:
    """What py-spy has said so far."""

    sampling: bool = False
    """It has begun to sample."""
    summary: tuple[int, int] | None = None
    """Stacks and errors, as it counted them at its end; `None`: it never said."""
    late: int = 0
    failed: Counter[int] = field(default_factory=Counter)
    """By pid, how often it could not get a stack."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """By pid, why it could not read a process at all; most are no Python."""
    refused: bool = False
    """It was not allowed to read memory."""
    no_python: bool = False
    unsupported: str | None = None
    """The version of Python that it does not know."""
    error: str | None = None
    """What it ended with."""

    def hear(self, line: str) -> None:
        """Take in one line."""
        if _SAMPLING.search(line):
            self.sampling = True
        if _BEHIND.search(line):
            self.late += 1
        if match := _SUMMARY.search(line):
            self.summary = int(match[1]), int(match[2])
        if match := _FAILED.search(line):
            self.failed[int(match[1])] += 1
        elif _REFUSED.search(line):
            self.refused = True
        if (match := _UNREADABLE.search(line)) and len(self.unreadable) < _MOST_REASONS:
            self.unreadable[int(match[1])] = match[2].strip()
        if match := _UNSUPPORTED.search(line):
            self.unsupported = match[1].strip() or "this one"
        if match := _ERROR.search(line):
            self.error = match[1].strip()
            self.no_python = self.no_python or _NO_PYTHON.search(line) is not None

    def is_hidden(self, pid: int) -> bool:
        """Tell whether a process that lives could not even be looked at: then it is another user's, or protected."""
        return _HIDDEN.search(self.unreadable.get(pid, "")) is not None
