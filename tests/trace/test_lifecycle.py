"""Ends and forks of real processes: what has ended is written, and the process behaves as it would without us."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

START = """
import dam_obs, os, sys
from dam_obs import tracer
dam_obs.configure(output="trace.jsonl", flush_interval=60)
def span(component):
    with tracer.span("sys", "execute", component):
        pass
"""


def run(folder, program, *flags):
    """Run a program in `folder` to its end."""
    return subprocess.run(
        [sys.executable, *flags, "-c", START + textwrap.dedent(program)],
        capture_output=True, text=True, timeout=60, cwd=folder,
    )  # fmt: skip


def events(folder):
    """Read what it recorded."""
    return [json.loads(line) for line in (folder / "trace.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", 5),
        ("os.execve(path='/bin/sh', argv=['sh', '-c', 'exit 5'], env={})", 5),
        ("raise SystemExit('six')", 1),
        ("from multiprocessing.util import _exit_function; _exit_function(); os._exit(7)", 7),
    ],
)
def test_an_end_that_python_sees_loses_nothing(tmp_path, how, status):
    """At exit, before `os._exit` and before ``exec``, everything is written; the exit status is the program's."""
    result = run(tmp_path, f"span('last')\n{how}")

    assert result.returncode == status
    assert [event["component"] for event in events(tmp_path)] == ["last"]


def test_an_uncaught_exception_prints_as_ever(tmp_path):
    """The traceback of a failing program is what it is without us."""
    result = run(tmp_path, "span('last')\n1 / 0")

    assert result.returncode == 1
    assert result.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert "dam_obs" not in result.stderr
    assert len(events(tmp_path)) == 1


def test_parent_and_child_of_a_fork_record_apart(tmp_path):
    """Each process writes its own spans once, under its own pid, with ids and handles that differ."""
    result = run(
        tmp_path,
        """
        span("before")
        with tracer.span("sys", "execute", "around"):
            child = os.fork()
            span("in child" if child == 0 else "in parent")
            if child == 0:
                os._exit(0)
        os.waitpid(child, 0)
        """,
        "-W",
        "error",
    )

    assert (result.returncode, result.stderr) == (0, "")
    seen = {event["component"]: event for event in events(tmp_path)}
    assert sorted(event["component"] for event in events(tmp_path)) == ["around", "before", "in child", "in parent"]
    assert seen["in child"]["pid"] != seen["before"]["pid"] == seen["in parent"]["pid"] == seen["around"]["pid"]
    assert seen["in child"]["parent_id"] == seen["in parent"]["parent_id"] == seen["around"]["trace_id"]
    assert seen["in child"]["otel_span_id"] != seen["in parent"]["otel_span_id"]


def test_a_pool_of_forked_workers_is_recorded(tmp_path):
    """Workers of a process pool record what they do, and the pool works as ever."""
    result = run(
        tmp_path,
        """
        import multiprocessing

        def work(number):
            span(f"work {number}")
            return number * number

        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(work, range(20)))
                pool.close()
                pool.join()
        """,
    )

    assert (result.stdout, result.stderr) == (f"{[n * n for n in range(20)]}\n", "")
    assert sorted(event["component"] for event in events(tmp_path)) == sorted(f"work {n}" for n in range(20))
    assert len({event["otel_span_id"] for event in events(tmp_path)}) == 20


def test_subprocesses_are_started_as_ever(tmp_path):
    """Starting subprocesses, with and without work between fork and exec, works and disturbs no thread."""
    result = run(
        tmp_path,
        """
        import subprocess
        span("before")
        print(subprocess.run(["echo", "one"], capture_output=True, text=True).stdout.strip())
        print(subprocess.run(["echo", "two"], capture_output=True, text=True, preexec_fn=lambda: None).stdout.strip())
        """,
    )

    assert (result.stdout, result.stderr) == ("one\ntwo\n", "")
    assert [event["component"] for event in events(tmp_path)] == ["before"]


def test_sigterm_ends_the_program_and_loses_one_interval_at_most(tmp_path):
    """A signal keeps its default effect; what had ended an interval before it is in the file."""
    program = START.replace("60", "0.05") + textwrap.dedent("""
        span("early")
        print("ready", flush=True)
        import time
        time.sleep(60)
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    process.stdout.readline()
    for _ in range(200):
        if (tmp_path / "trace.jsonl").exists() and events(tmp_path):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)

    assert process.returncode == -signal.SIGTERM
    assert [event["component"] for event in events(tmp_path)] == ["early"]


def test_kill_while_writing_leaves_a_readable_file(tmp_path):
    """After kill -9 in the midst of recording, every line but maybe the last is whole; the last interval is missing."""
    program = START.replace("60", "0.02") + textwrap.dedent("""
        import time
        print("ready", flush=True)
        number = 0
        while True:
            span(str(number))
            number += 1
            if number % 50 == 0:
                time.sleep(0.001)
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    process.stdout.readline()
    for _ in range(600):
        if (tmp_path / "trace.jsonl").exists() and (tmp_path / "trace.jsonl").read_bytes().count(b"\n") > 1000:
            break
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=30)

    *whole, torn = (tmp_path / "trace.jsonl").read_text().split("\n")  # the kernel may break off a write to be killed
    components = [int(json.loads(line)["component"]) for line in whole]
    assert len(torn) < 1000
    assert len(components) > 100
    assert components == list(range(len(components)))


def test_a_thousand_threads_are_recorded(tmp_path):
    """A thousand threads at once each have their span, under none of the others."""
    result = run(
        tmp_path,
        """
        import threading
        barrier = threading.Barrier(1000)
        def work(number):
            with tracer.span("sys", "execute", f"thread {number}"):
                barrier.wait(60)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(1000)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert {(event["component"], event["parent_id"]) for event in events(tmp_path)} == {
        (f"thread {number}", None) for number in range(1000)
    }


def test_shutdown_leaves_the_process_as_it_was(tmp_path):
    """After `shutdown` there is no thread, no patched function of `os`, and nothing is recorded any more."""
    result = run(
        tmp_path,
        """
        import threading
        original = os._exit
        dam_obs.shutdown()
        for function in (os._exit, os.execv, os.execve):
            assert not hasattr(function, "__code__"), function
        assert original is not os._exit
        assert [t.name for t in threading.enumerate()] == ["MainThread"]
        span("after")
        """,
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert not (tmp_path / "trace.jsonl").exists()


def test_the_seeds_switch_switches_it_on(tmp_path):
    """``DOPEJAR_TRACE=1`` is all that code written against the seed needs."""
    program = "from dam_obs import tracer\nwith tracer.span('alt', 'plan', 'loop.py'):\n    pass\n"
    for value, wanted in (("0", False), ("1", True)):
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            check=True,
            timeout=60,
            env={**os.environ, "DOPEJAR_TRACE": value},
        )
        assert (tmp_path / "trace.jsonl").exists() is wanted


def test_a_measured_process_ends_without_a_word(tmp_path):
    """Counters, audit events and threads that end with the interpreter say nothing on standard error."""
    result = run(
        tmp_path,
        """
        import threading
        dam_obs.configure(output="trace.jsonl", measure=True)
        from dam_obs import traced

        @traced("system.execute")
        def work():
            open(os.devnull).close()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        work()

        class Late:
            def __del__(self, opening=open):
                opening("/dev/null").close()
        sys.modules["late"] = kept = [Late()]
        kept.append(kept)
        """,
        "-W",
        "error",
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert len(events(tmp_path)) == 9
