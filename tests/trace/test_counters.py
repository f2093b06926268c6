"""The kernel's counters: of this thread, and without taking what the program needs."""

import os
import resource
import subprocess
import sys
import threading

import pytest

from dam_obs.trace import counters


@pytest.fixture(autouse=True)
def no_open_files():
    """Begin and end with nothing open."""
    counters.forget_files()
    yield
    counters.forget_files()


def kernel_files():
    """Return the descriptors that lead to kernel files of threads."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue  # the one of the listing itself
        if target.endswith(("/io", "/schedstat", "/stat")):
            found.append(int(name))
    return found


def test_a_threads_io_is_counted(tmp_path):
    """What is written between two readings is the difference of two of them."""
    with open(tmp_path / "out", "wb", buffering=0) as out:
        counters.read()
        before = counters.read()
        out.write(bytes(5000))
        after = counters.read()

    assert after["wchar"] - before["wchar"] == 5000
    assert after["syscw"] - before["syscw"] == 1
    assert after["run_queue_ns"] >= before["run_queue_ns"]


def in_threads(number, work):
    """Call `work` in so many threads that are all there at once."""
    barrier = threading.Barrier(number)

    def run():
        work()
        barrier.wait(60)
        barrier.wait(60)

    threads = [threading.Thread(target=run) for _ in range(number - 1)]
    for thread in threads:
        thread.start()
    barrier.wait(60)
    found = kernel_files()
    barrier.wait(60)
    for thread in threads:
        thread.join()
    return found


def test_a_program_with_many_threads_keeps_its_descriptors():
    """So many kernel files are open and no more; those of threads that have ended are closed."""
    assert len(in_threads(200, counters.read)) == counters.MOST_FILES
    assert kernel_files() == []


def test_a_program_that_may_open_little_keeps_most_of_it():
    """An eighth of the limit is the most that is taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        open_ones = in_threads(40, counters.read)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert len(open_ones) == 64


def test_descriptors_that_the_program_has_closed_are_the_programs(tmp_path):
    """A daemon closes all descriptors and opens its own: they are neither read as counters nor closed."""
    program = f"""
import os
from dam_obs.trace import counters, faults
counters.read()
os.closerange(3, 200)
theirs = [os.open({str(tmp_path / "theirs")!r}, os.O_RDWR | os.O_CREAT) for _ in range(5)]
now = counters.read()
counters.forget_files()
for number in theirs:
    os.fstat(number)
print(sorted(now), faults.counts())
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert (result.stderr, result.returncode) == ("", 0)
    assert "rchar" not in result.stdout
    assert "read_bytes" in result.stdout


STAT = "7 (a) b (c)) S " + " ".join(str(number) for number in range(4, 53))
"""A thread whose name has brackets in it; each field is its own number, the state aside."""


@pytest.mark.parametrize(("switch", "expected"), [("1\n", 42), ("0\n", None), (None, None)])
def test_waits_for_disks_are_counted_where_the_kernel_accounts_them(tmp_path, monkeypatch, switch, expected):
    """In ticks, from the field that proc(5) has for it; where accounting is off it would be 0, and is left out."""
    if switch is not None:
        (tmp_path / "switch").write_text(switch)
    (tmp_path / "stat").write_text(STAT)
    monkeypatch.setattr(counters, "_DELAYS", str(tmp_path / "switch"))
    real = os.open
    monkeypatch.setattr(
        counters.os,
        "open",
        lambda path, flags: real(str(tmp_path / "stat") if str(path).endswith("/stat") else path, flags),
    )

    ticks = None if expected is None else expected * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    assert counters.read().get("block_io_ns") == ticks


def test_a_threads_waits_for_disks_only_grow(tmp_path):
    """The kernel's own file is understood, where it accounts them."""
    before = counters.read().get("block_io_ns")
    if before is None:
        pytest.skip("the kernel does not account waits for disks: sysctl kernel.task_delayacct=1")
    with open(tmp_path / "out", "wb") as out:
        out.write(bytes(1 << 20))
        out.flush()
        os.fsync(out.fileno())

    assert counters.read()["block_io_ns"] >= before >= 0
