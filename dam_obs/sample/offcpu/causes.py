"""
Why a thread stood still, from the kernel's state of it and the system call that it was in.

Numbers of system calls differ by machine, so they are names from here on. Where state and
call leave it open, the cause is ``other``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Cause = Literal["block_io", "futex", "poll", "sleep", "pipe_socket", "child", "held", "run_queue", "other"]
"""
``block_io``: a disk, or what a file system does before it can answer. ``futex``: locks, conditions, queues, joins.
``poll``: any of several files to become ready. ``pipe_socket``: one pipe, socket or terminal to become ready.
``child``: a process to end. ``held``: stopped at its work, by a sampler, a debugger or a signal. ``run_queue``:
ready, and waiting for a CPU. ``other``: none of these is known of it.
"""

CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)

CAUSE_WORDS: Final[Mapping[Cause, str]] = {
    "block_io": "disk",
    "futex": "locks",
    "poll": "poll",
    "sleep": "sleep",
    "pipe_socket": "pipe or socket",
    "child": "child process",
    "held": "held by a sampler",
    "run_queue": "queue",
    "other": "other waits",
}
"""What to call a cause before people."""

RUNNABLE_MASK: Final = 0xFF
_INTERRUPTIBLE, _UNINTERRUPTIBLE, _STOPPED, _TRACED = 1, 2, 4, 8

# Name, number on x86_64, number on aarch64; `-` where a machine has none.
_CALLS: Final[Mapping[Cause, str]] = {
    "futex": "futex 202 98  futex_waitv 449 449  futex_wait 455 455",
    "poll": """
        poll 7 -  ppoll 271 73  select 23 -  pselect6 270 72
        epoll_wait 232 -  epoll_pwait 281 22  epoll_pwait2 441 441
    """,
    "sleep": "nanosleep 35 101  clock_nanosleep 230 115",
    "child": "wait4 61 260  waitid 247 95",
    "pipe_socket": """
        read 0 63  write 1 64  readv 19 65  writev 20 66  sendfile 40 71  splice 275 76  tee 276 77  vmsplice 278 75
        accept 43 202  accept4 288 242  connect 42 203  sendto 44 206  recvfrom 45 207
        sendmsg 46 211  recvmsg 47 212  sendmmsg 307 269  recvmmsg 299 243
    """,
    "block_io": """
        read 0 63  write 1 64  readv 19 65  writev 20 66  sendfile 40 71  splice 275 76
        pread64 17 67  pwrite64 18 68  preadv 295 69  pwritev 296 70  preadv2 327 286  pwritev2 328 287
        fsync 74 82  fdatasync 75 83  sync 162 81  syncfs 306 267  sync_file_range 277 84  msync 26 227
        open 2 -  openat 257 56  openat2 437 437  close 3 57  creat 85 -  execve 59 221  readahead 187 213
        stat 4 -  fstat 5 80  lstat 6 -  newfstatat 262 79  statx 332 291  access 21 -  faccessat 269 48
        getdents 78 -  getdents64 217 61  readlink 89 -  readlinkat 267 78  fadvise64 221 223
        truncate 76 45  ftruncate 77 46  fallocate 285 47  copy_file_range 326 285
        rename 82 -  renameat 264 38  renameat2 316 276  mkdir 83 -  mkdirat 258 34  rmdir 84 -
        unlink 87 -  unlinkat 263 35  link 86 -  linkat 265 37  symlink 88 -  symlinkat 266 36
    """,
}
"""Of a thread that can be interrupted, the call tells the cause; of one that cannot, these of ``block_io`` do."""

_MACHINES: Final = ("x86_64", "aarch64")
_KILL: Final = {"x86_64": 62, "aarch64": 129}
_RESTART: Final = {"x86_64": 219, "aarch64": 128}


@dataclass(frozen=True, slots=True)
class Calls:
    """The system calls of one machine, as far as a cause follows from them."""

    kill: int
    restart: int
    """What a call that a signal broke off is continued by."""
    waits: Mapping[int, Cause]
    """What a thread waits for that can be interrupted meanwhile."""
    disk: frozenset[int]
    """Calls in which a thread that cannot be interrupted waits for a disk."""

    def cause(self, state: int, call: int | None) -> Cause:
        """
        Return why a thread was off the CPU.

        Args:
            state: The kernel's state of it as it left the CPU.
            call: The system call that it was in; `None` if in none.
        """
        state &= RUNNABLE_MASK
        if state == 0:
            return "run_queue"
        if state & (_STOPPED | _TRACED):
            # Stopped while it waited, it would have waited anyway.
            return "held" if call is None else self.waits.get(call, "held")
        if state & _UNINTERRUPTIBLE:  # outside of a call: the page that it touched comes from a disk
            return "block_io" if call is None or call in self.disk else "other"
        if state & _INTERRUPTIBLE and call is not None:
            return self.waits.get(call, "other")
        return "other"


def calls_of(machine: str) -> Calls | None:
    """Return the system calls of `machine`, as ``uname -m`` names it; `None` if they are not known."""
    if machine not in _MACHINES:
        return None
    place = 1 + _MACHINES.index(machine)
    waits = {number: cause for cause in _CALLS if cause != "block_io" for number in _numbers(_CALLS[cause], place)}
    return Calls(_KILL[machine], _RESTART[machine], waits, frozenset(_numbers(_CALLS["block_io"], place)))


def _numbers(table: str, place: int) -> list[int]:
    return [int(number) for number in table.split()[place::3] if number != "-"]
