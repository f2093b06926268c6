"""Several processes and one file: nothing is lost, nothing counts twice."""

from __future__ import annotations

import os
import signal
import sqlite3

import pytest
from dam_traits.learning import ProfileStore


def ended(process):
    """Wait for a process to end well, and give what it said."""
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


def counted(path):
    store = ProfileStore(path)
    profile = store.profile("shop:Resize", "v1")
    samples = store.observed_traits("shop:Resize", "v1", None).samples
    store.close()
    return profile.counts["success"], samples


WRITES = """
store = ProfileStore(sys.argv[1], flush_every_s=0.002)
say("ready"); sys.stdin.readline()
for i in range(2000):
    store.observe(record(5 + i % 50))
    if i % 100 == 0: store.flush()
store.close()
"""


def test_processes_write_at_once(start, tmp_path):
    """Three processes that write at the same time add up to what all of them saw."""
    processes = [start(WRITES, tmp_path / "p.db") for _ in range(3)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        ended(process)

    assert counted(tmp_path / "p.db") == (6000, pytest.approx(6000, rel=1e-3))


def test_processes_make_the_file_at_once(start, tmp_path):
    """Four processes that find no file make one, and not one each."""
    code = "store = ProfileStore(sys.argv[1]); store.observe(record()); store.close(); say(dict(store.failures))"
    said = [ended(process) for process in [start(code, tmp_path / "p.db") for _ in range(4)]]

    assert said == ["{}\n"] * 4
    assert counted(tmp_path / "p.db")[0] == 4


def test_damage_is_set_aside_by_one_of_many(start, tmp_path):
    """Four processes that find a damaged file set it aside once, and lose none of what they write."""
    (tmp_path / "p.db").write_bytes(b"no database" * 1000)
    code = "store = ProfileStore(sys.argv[1]); store.observe(record()); store.close()"
    for process in [start(code, tmp_path / "p.db") for _ in range(4)]:
        process.communicate(timeout=60)

    assert counted(tmp_path / "p.db")[0] == 4
    assert [each.name for each in tmp_path.glob("*.damaged*")] == ["p.db.damaged-1"]


def test_killed_writer_loses_what_was_not_flushed(start, tmp_path):
    """After a kill the file is whole, and has all that came in before the last flush."""
    code = """
store = ProfileStore(sys.argv[1], flush_every_s=3600)
for _ in range(100): store.observe(record())
store.flush()
for _ in range(7): store.observe(record())
say("flushed"); time.sleep(60)
"""
    process = start(code, tmp_path / "p.db")
    process.stdout.readline()
    process.kill()
    process.wait()

    assert counted(tmp_path / "p.db")[0] == 100


@pytest.mark.parametrize("after", [0.0, 0.003, 0.01, 0.03])
def test_writer_killed_at_any_moment_leaves_a_whole_file(start, tmp_path, after):
    """Killed while it writes: the transaction is in the file wholly or not at all, and others go on."""
    code = """
store = ProfileStore(sys.argv[1])
say("ready")
while True:
    for _ in range(10): store.observe(record(5))
    store.flush()
"""
    process = start(code, tmp_path / "p.db")
    process.stdout.readline()
    with pytest.raises(Exception, match="timed out"):
        process.wait(after + 0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()

    store = ProfileStore(tmp_path / "p.db")
    profile = store.profile("shop:Resize", "v1")
    found = 0 if profile is None else profile.counts["success"]
    store.close()

    assert (found % 10, dict(store.failures)) == (0, {})
    assert list(tmp_path.glob("*.damaged*")) == []


def test_exit_flushes(start, tmp_path):
    """A program that ends without closing its store loses nothing."""
    ended(start("store = ProfileStore(sys.argv[1]); store.observe(record())", tmp_path / "p.db"))

    assert counted(tmp_path / "p.db")[0] == 1


def test_forked_child_counts_its_own(start, tmp_path):
    """What was observed before a fork is written by the parent alone; afterwards each writes its own."""
    code = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, from Python 3.12 on
store = ProfileStore(sys.argv[1], flush_every_s=3600)
store.observe(record()); store.flush()
for _ in range(10): store.observe(record())
pid = os.fork()
store.observe(record())
store.close()
if pid == 0: os._exit(0)
os.waitpid(pid, 0)
"""
    ended(start(code, tmp_path / "p.db"))

    assert counted(tmp_path / "p.db")[0] == 13


def test_fork_while_others_flush(start, tmp_path):
    """Children forked while threads observe and flush come to no harm, and neither does the file."""
    code = """
import threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads, from Python 3.12 on
store = ProfileStore(sys.argv[1], flush_every_s=0.001)
stop = threading.Event()
def work():
    while not stop.is_set(): store.observe(record()); store.flush()
threads = [threading.Thread(target=work) for _ in range(2)]
for each in threads: each.start()
for _ in range(10):
    pid = os.fork()
    if pid == 0:
        store.observe(record(system="shop:Child")); store.close(); os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for each in threads: each.join()
store.close()
say(dict(store.failures))
"""
    assert ended(start(code, tmp_path / "p.db")) == "{}\n"
    connection = sqlite3.connect(tmp_path / "p.db")
    children = connection.execute("SELECT success FROM profile WHERE system = 'shop:Child'").fetchall()
    connection.close()

    assert children == [(10,)]


READ_ONLY = """
import logging
logging.basicConfig(format="%(message)s")
store = ProfileStore(sys.argv[1], flush_every_s=3600)
store.observe(record())
store.flush()
store.observe(record())
store.flush()
say(store.profile("shop:Resize", "v1").counts["success"])
say(dict(store.failures))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, who may not write")
def test_file_that_may_not_be_written(start, tmp_path):
    """A store without permission warns once, counts, and goes on in memory."""
    tmp_path.chmod(0o755)
    os.chmod(tmp_path.parent, 0o755)
    become_nobody = "ProfileStore().observe(record()); import dam_traits.learning.file\nos.seteuid(65534)\n"
    process = start(become_nobody + READ_ONLY, tmp_path / "p.db")
    out, err = process.communicate(timeout=60)

    assert out.splitlines()[0] == "2"
    assert "'unavailable'" in out.splitlines()[1]
    assert err.count("stays in memory") == 1


def test_full_disk(start, tmp_path):
    """A store whose file cannot grow warns once and goes on in memory; once there is room, all is written."""
    code = """
import logging, resource
logging.basicConfig(format="%(message)s")
store = ProfileStore(sys.argv[1], flush_every_s=3600)
store.observe(record()); store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
for i in range(3000): store.observe(record(1.02 ** (i % 1000)))
store.flush(); store.flush()
say(store.profile("shop:Resize", "v1").counts["success"])
say(sorted(store.failures))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.close()
"""
    process = start(code, tmp_path / "p.db")
    out, err = process.communicate(timeout=60)

    assert out == "3001\n['unavailable']\n"
    assert err.count("stays in memory") == 1
    assert counted(tmp_path / "p.db")[0] == 3001
