"""Counters of a process tree."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from dam_obs.sample.procfs import ProcessTree, host_note, is_running


def stat_line(pid: int, parent: int, start: int, *, name: str = "python", state: str = "S", ticks: int = 5) -> str:
    """Return a line of ``/proc/<pid>/stat``."""
    return f"{pid} ({name}) {state} {parent} 0 0 0 0 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 {start} 4096 10 0 0\n"


class Proc:
    """A ``/proc`` in a folder, under the test's hand."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, pid: int, parent: int, start: int, *, name: str = "python", state: str = "S", ticks: int = 5) -> None:
        """Let a process be there."""
        folder = self.path / str(pid)
        folder.mkdir(exist_ok=True)
        (folder / "stat").write_text(stat_line(pid, parent, start, name=name, state=state, ticks=ticks))
        (folder / "status").write_text("Name:\tx\nVmHWM:\t  100 kB\n")
        (folder / "io").write_text("rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n")

    def remove(self, pid: int) -> None:
        """Let a process be gone."""
        for file in (self.path / str(pid)).iterdir():
            file.unlink()
        (self.path / str(pid)).rmdir()


def test_a_tree_is_the_root_and_its_descendants(tmp_path: Path) -> None:
    """Children of children belong to it, strangers do not; names may hold anything."""
    proc = Proc(tmp_path)
    proc.put(10, 1, 100)
    proc.put(11, 10, 101, name="a) R 1 (b")
    proc.put(12, 11, 102)
    proc.put(13, 1, 99)
    tree = ProcessTree(10, proc=tmp_path)
    tree.read()

    assert [(one.pid, one.parent_pid, one.name) for one in tree.processes] == [
        (10, 1, "python"),
        (11, 10, "a) R 1 (b"),
        (12, 11, "python"),
    ]
    assert (tree.processes[0].max_rss_bytes, tree.processes[0].read_bytes, tree.processes[0].write_bytes) == (
        102_400,
        4096,
        8192,
    )


def test_a_descendant_stays_when_its_parent_dies(tmp_path: Path) -> None:
    """A daemon is given to init, and still belongs to the run."""
    proc = Proc(tmp_path)
    proc.put(10, 1, 100)
    proc.put(11, 10, 101)
    tree = ProcessTree(10, proc=tmp_path)
    tree.read()
    proc.remove(10)
    proc.put(11, 1, 101, ticks=50)
    proc.put(12, 11, 102)
    tree.read()

    assert [(one.pid, one.ended) for one in tree.processes] == [(10, True), (11, False), (12, False)]
    assert tree.processes[1].cpu_ns == 50 * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def test_a_pid_that_is_used_again_is_another_process(tmp_path: Path) -> None:
    """The start time tells them apart, also for the root."""
    proc = Proc(tmp_path)
    proc.put(10, 1, 100)
    proc.put(11, 10, 101)
    tree = ProcessTree(10, proc=tmp_path)
    tree.read()
    proc.put(10, 1, 500, ticks=999)
    proc.put(11, 1, 501, ticks=999)
    tree.read()

    assert [(one.pid, one.start_ticks, one.ended) for one in tree.processes] == [(10, 100, True), (11, 101, True)]


def test_a_zombie_keeps_what_it_had(tmp_path: Path) -> None:
    """Its memory is gone when it has ended, its peak is not."""
    proc = Proc(tmp_path)
    proc.put(10, 1, 100)
    tree = ProcessTree(10, proc=tmp_path)
    tree.read()
    proc.put(10, 1, 100, state="Z", ticks=70)
    (tmp_path / "10" / "status").write_text("Name:\tx\n")
    tree.read()

    assert [(one.max_rss_bytes, one.cpu_ns > 0, one.ended) for one in tree.processes] == [(102_400, True, True)]


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Beyond the bound processes are counted, not kept."""
    proc = Proc(tmp_path)
    proc.put(10, 1, 100)
    for pid in range(11, 20):
        proc.put(pid, 10, pid + 100)
    tree = ProcessTree(10, proc=tmp_path, most=4)
    tree.read()

    assert (len(tree.processes), tree.left_out) == (4, 6)


def test_a_real_process_and_its_child_are_read() -> None:
    """The kernel's own files are understood."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    tree = ProcessTree(parent.pid)
    deadline = time.monotonic() + 20
    while len(tree.processes) < 2 and time.monotonic() < deadline:
        tree.read()
    parent.communicate(b"\n")
    note = tree.processes[0].note()

    assert [one.parent_pid for one in tree.processes] == [os.getpid(), parent.pid]
    assert note.pid == parent.pid
    assert abs(note.started_ns - time.time_ns()) < 60_000_000_000
    assert (note.max_rss_bytes or 0) > 1_000_000


def test_a_zombie_does_not_run() -> None:
    """A process that has ended and was not waited for is over."""
    process = subprocess.Popen(["true"])
    deadline = time.monotonic() + 20
    while is_running(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert os.path.exists(f"/proc/{process.pid}")
    assert not is_running(process.pid)
    process.wait()


def test_the_observed_python_is_named_where_it_is_known() -> None:
    """The program may run on another one than we do."""
    assert (host_note("3.13.0", "cpython").python, host_note().python.count(".")) == ("3.13.0", 2)
