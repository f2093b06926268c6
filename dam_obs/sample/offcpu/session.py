"""
Run bpftrace beside a program: start it, know when it watches, steer it, stop it.

It is steered by signals of number 0, which change nothing and which ``offcpu.bt`` sees. A
thread of ours fetches what it prints, for the kernel drops what is not fetched. What it
printed is understood in `lines`.

Neither bpftrace nor our thread may preempt the program. Each interval wakes them, so a
preemption would be an interval more, which wakes them, and so on: that would be most of
what is seen, and of what the program does.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dam_obs.sample.offcpu.causes import Calls
from dam_obs.sample.offcpu.clock import Clock, Mark, find_clock, make_mark

PROGRAM = Path(__file__).with_name("offcpu.bt")

MOST_LINES = 2_000_000
"""Lines kept of one run: some 100 MB while it lasts, a fifth of that afterwards."""

MOST_STACKS = 200_000
"""Intervals of one run whose stacks are kept, too: some 100 MB while it lasts."""

STACKS_FROM_NS = 1_000_000
"""What is shorter has no stack: there is too much of it."""

STOP_PATIENCE_S = 10.0

_LAST_MARK_S = 5.0
"""What is under way when the program ends arrives within that, on a busy machine too; else it is lost."""

_FETCH_EVERY_S = 0.005
_PIPE_BYTES = 1024 * 1024
"""As much as a user may ask for; at 40 bytes a line it is full after 5 ms of five million lines a second."""

_LOG_BYTES = 256 * 1024
_LOST = re.compile(rb"[Ll]ost (\d+) events")
_MEMLOCK = b"RLIMIT_MEMLOCK"
"""A complaint that means nothing: kernels since 5.11 do not ask for that limit."""


@dataclass(frozen=True, slots=True)
class BpfTrace:
    """A bpftrace that can be run."""

    path: Path
    version: str
    """``0.17.0``"""
    stacks_from_ns: int = 0
    """What lasts so long or longer is told with the kernel's stack; 0: no stacks."""

    @property
    def name(self) -> str:
        """Name and version."""
        return f"bpftrace {self.version}"


class OffCpuSession:
    """One bpftrace, from its start to its end."""

    def __init__(self, tool: BpfTrace, calls: Calls, *, raw: Path, log: Path, most_lines: int = MOST_LINES) -> None:
        """
        Start bpftrace; it watches no process until it is told of one.

        Args:
            tool: Which bpftrace.
            calls: The system calls of this machine.
            raw: A file for what it sees, private to us.
            log: What else it prints is appended here, up to a bound.
            most_lines: How much is kept.

        Raises:
            OSError: it cannot be started, or a file not be opened.
        """
        self.tool = tool
        self.raw = raw
        self.begun = time.monotonic()
        self.lost = 0
        self.cut = 0
        self.stacks_cut = 0
        self.error: str | None = None
        """The last thing that it called an error."""
        self._left = most_lines
        self._stacks_left = MOST_STACKS
        self._marks: list[Mark] = []
        self._seen_ns: list[int] = []
        self._answers = 0
        raw_file, log_file = _open(raw, log)
        self._process = subprocess.Popen(  # noqa: S603 - a program that the user has installed
            _command(tool, calls),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_ROOM},
            start_new_session=True,  # a Ctrl-C at the terminal is for the program; we end bpftrace ourselves
        )
        self._listener = threading.Thread(
            target=self._listen, args=(raw_file, log_file), name="dam-obs-bpftrace", daemon=True
        )
        _never_preempt(self._process.pid)
        self._listener.start()

    @property
    def watches(self) -> bool:
        """Whether all probes are at work."""
        return self._answers > 0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by itself or by `stop`."""
        return self._process.poll() is not None

    @property
    def clock(self) -> Clock | None:
        """The clock that it has; `None` where that cannot be told."""
        return find_clock(self._marks, self._seen_ns)

    def mark(self) -> None:
        """Make a moment that it sees, if it watches."""
        self._marks.append(make_mark(lambda: os.kill(os.getpid(), 0)))

    @staticmethod
    def adopt(pid: int) -> None:
        """Have process `pid` watched, and all that it will start."""
        with suppress(ProcessLookupError, PermissionError):  # the call alone is what counts
            os.kill(pid, 0)

    def stop(self, patience_s: float = STOP_PATIENCE_S) -> bool:
        """
        End it, and wait until all that it saw is fetched.

        Returns:
            Whether it watched until now, and ended when it was asked to.
        """
        watched = not self.is_over and self._all_arrived()
        if not self.is_over:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            watched = False
        self._listener.join(patience_s)
        return watched

    def _all_arrived(self) -> bool:
        """Make a last mark and wait for its answer: what came before it has arrived then."""
        if not self.watches:
            return False
        answers, deadline = self._answers, time.monotonic() + _LAST_MARK_S
        self.mark()
        while self._answers == answers and time.monotonic() < deadline and not self.is_over:
            time.sleep(0.01)
        return self._answers > answers

    def _listen(self, raw: BinaryIO, log: BinaryIO) -> None:
        printed = self._process.stdout
        if printed is None:
            return
        _never_preempt(threading.get_native_id())
        with printed, log, suppress(OSError), raw:  # a full disk may show as late as at the closing
            for line in _fetch(printed.fileno()):
                if line.startswith((b"I ", b"B ")):
                    self._keep(line, raw)
                elif line.startswith((b"S ", b" ")):
                    self._keep_stack(line, raw)
                else:
                    self._hear(line, log)

    def _keep(self, line: bytes, raw: BinaryIO) -> None:
        if self._left <= 0:
            self.cut += 1
            return
        try:
            raw.write(line)
        except OSError:  # a full disk: what is to come is counted, and the program goes on
            self._left = 0
            self.cut += 1
            return
        self._left -= 1

    def _keep_stack(self, line: bytes, raw: BinaryIO) -> None:
        """Keep a line of a stack: its head, or a frame."""
        if line.startswith(b"S "):
            self._stacks_left -= 1
            self.stacks_cut += self._stacks_left < 0
        if self._stacks_left >= 0 and self._left > 0:
            with suppress(OSError):  # a full disk: the next interval notes it
                raw.write(line)

    def _hear(self, line: bytes, log: BinaryIO) -> None:
        if line.startswith(b"M "):
            self._seen_ns.append(int(line.split()[1]))
        elif line == b"R\n":
            self._answers += 1
        elif line == b"L\n":
            self.lost += 1
        elif lost := _LOST.search(line):
            self.lost += int(lost[1])
        elif line.strip() and _MEMLOCK not in line:
            if line.startswith(b"ERROR"):
                self.error = line.decode("utf-8", "replace").strip().removeprefix("ERROR: ")
            if log.tell() < _LOG_BYTES:
                with suppress(OSError):  # the log is for looking into troubles, and a full disk is known already
                    log.write(line)
                    log.flush()


def _command(tool: BpfTrace, calls: Calls) -> list[str]:
    numbers = (os.getpid(), calls.kill, calls.restart, tool.stacks_from_ns)
    return [str(tool.path), str(PROGRAM), *map(str, numbers)]


def _fetch(pipe: int) -> Iterator[bytes]:
    """Yield the lines that come out of `pipe`; many at a time, to be woken seldom."""
    with suppress(OSError):  # it has the usual size then
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    torn = b""
    while chunk := os.read(pipe, _PIPE_BYTES):
        *lines, torn = (torn + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
        time.sleep(_FETCH_EVERY_S)
    if torn:
        yield torn + b"\n"


def _never_preempt(thread: int) -> None:
    """Let `thread`, and all that it starts, run when there is room, and not push others aside when it wakes up."""
    with suppress(OSError):  # it has ended, or may not: then it is as any other
        os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))


def _open(raw: Path, log: Path) -> tuple[BinaryIO, BinaryIO]:
    file = raw.open("wb")
    try:
        return file, log.open("ab")
    except OSError:
        file.close()
        raise


_ROOM = {
    "BPFTRACE_PERF_RB_PAGES": "512",
    "BPFTRACE_MAP_KEYS_MAX": "16384",
    "BPFTRACE_MAX_MAP_KEYS": "16384",  # its name since 0.21
}
