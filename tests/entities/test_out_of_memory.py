"""A call that takes more memory than there is: ended by a real kernel, in a control group with a limit."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

GROUPS = Path("/sys/fs/cgroup")
MOST_BYTES = 256 * 1024 * 1024

PROGRAM = """
import os
from pathlib import Path
from dam_entities import CallableRegistry, EntityRegistry, OutOfMemory

@CallableRegistry.register("greedy")
def greedy(megabytes: int) -> int:
    Path("/proc/self/oom_score_adj").write_text("1000")  # this one, and not the program that asked for it
    return len(b"".join(os.urandom(1 << 20) for _ in range(megabytes)))

if __name__ == "__main__":
    Path({members!r}).write_text(str(os.getpid()))
    print(CallableRegistry.execute_isolated("greedy", {{"megabytes": 1}}, isolation={way!r}))
    try:
        CallableRegistry.execute_isolated("greedy", {{"megabytes": 2_000}}, isolation={way!r})
    except OutOfMemory as error:
        print(error.used.peak_memory_bytes > 50_000_000, error)
"""


@pytest.fixture
def members() -> Iterator[Path]:
    """Make a control group with little memory, and give the file that puts a process into it."""
    is_second = (GROUPS / "cgroup.controllers").exists()
    group = (GROUPS if is_second else GROUPS / "memory") / f"dam-entities-{uuid.uuid4().hex}"
    limit = "memory.max" if is_second else "memory.limit_in_bytes"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        (group / limit).write_text(str(MOST_BYTES))
        yield group / "cgroup.procs"
    except OSError as error:
        pytest.skip(f"no control group with a limit of memory can be made here: {error}")
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Remove a control group, once the helper processes in it have followed the program."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.05)
    group.rmdir()


@pytest.mark.parametrize("way", ["fork", "forkserver"])
def test_a_child_that_the_kernel_ends_for_want_of_memory_is_told_as_such(
    members: Path, tmp_path: Path, way: str
) -> None:
    """The program goes on, and knows what became of its call, and what that had taken."""
    program = tmp_path / "greedy.py"
    program.write_text(PROGRAM.format(members=str(members), way=way))
    ran = subprocess.run(
        [sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    whole, used_and_told = ran.stdout.splitlines()
    assert whole == str(1 << 20)
    assert used_and_told.startswith("True ")
    assert "was ended by the kernel for want of memory" in used_and_told
