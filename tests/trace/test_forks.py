"""A fork in the midst of an execution: the child is another process, and the execution is its parent's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

START = """
import dam_obs, os, sys
from dam_obs import tracer, traced
dam_obs.configure(output="trace.jsonl", measure=True, run_directory="run")

def own(component):
    with tracer.span("sys", "execute", component):
        pass

def done(child):
    if child == 0:
        own("in child")
        return "child"
    os.waitpid(child, 0)
    return "parent"
"""

PROGRAMS = {
    "a call": """
        @traced("system.outer", component="outer")
        def outer(): return done(os.fork())
        outer()
        """,
    "a with block": """
        with tracer.span("system", "outer", "outer") as span:
            span.set_output(done(os.fork()))
        """,
    "a generator": """
        @traced("system.outer", component="outer")
        def outer():
            yield done(os.fork())
            yield 2
        list(outer())
        """,
    "a generator that waits": """
        @traced("system.outer", component="outer")
        def outer():
            yield 1
            yield 2
        items = outer()
        next(items)
        done(os.fork())
        list(items)
        """,
    "a coroutine": """
        import asyncio
        @traced("system.outer", component="outer")
        async def outer():
            await asyncio.sleep(0)
            return done(os.fork())
        asyncio.run(outer())
        """,
    "a grandchild": """
        @traced("system.outer", component="outer")
        def outer():
            child = os.fork()
            if child == 0:
                done(os.fork())
                os._exit(0)
            return done(child)
        outer()
        """,
}


def run(folder: Path, program: str) -> list[dict[str, Any]]:
    """Run a program in `folder` to its end, and return its events."""
    subprocess.run([sys.executable, "-c", START + textwrap.dedent(program)], check=True, timeout=60, cwd=folder)
    return [json.loads(line) for line in (folder / "trace.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_execution_is_recorded_once_by_its_own_process(tmp_path: Path, name: str) -> None:
    """The child that goes on in it, and comes to its end, does not record it; its own are below it."""
    events = run(tmp_path, PROGRAMS[name])
    (outer,) = [event for event in events if event["component"] == "outer"]
    inner = [event for event in events if event["component"] == "in child"]

    assert len(inner) == 1
    assert inner[0]["pid"] != outer["pid"]
    expected = None if name == "a generator that waits" else outer["otel_span_id"]
    assert inner[0].get("otel_parent_id") == expected


def test_each_process_has_its_own_note(tmp_path: Path) -> None:
    """By pid and start; a child's counts begin at none, and a parent that ended first is still named."""
    run(tmp_path, "own('a')\nown('b')\nif os.fork() == 0:\n    os.fork()\n    own('c')\nelse:\n    os.wait()\n")
    notes = {path.name: json.loads(path.read_text()) for path in (tmp_path / "run" / "processes").iterdir()}

    assert all(name == f"{note['pid']}-{note['start_ticks']}.json" for name, note in notes.items())
    parents = {note["pid"]: note["parent_pid"] for note in notes.values()}
    (root,) = [pid for pid, parent in parents.items() if parent not in parents]
    assert parents[root] == os.getpid()
    (child,) = [pid for pid, parent in parents.items() if parent == root]
    (grandchild,) = [pid for pid, parent in parents.items() if parent == child]
    executions = {note["pid"]: note["executions"] for note in notes.values()}
    assert executions == {root: 2, child: 1, grandchild: 1}
    assert all(note["observed"] for note in notes.values())


def test_a_program_that_takes_anothers_place_goes_on_with_its_counts(tmp_path: Path) -> None:
    """After ``exec`` it is the same process: one note, one start, all executions."""
    again = "sys.argv[1:] or os.execv(sys.executable, [sys.executable, 'program.py', 'again'])"
    (tmp_path / "program.py").write_text(f"{START}\nown('a')\n{again}\n")
    subprocess.run([sys.executable, "program.py"], check=True, timeout=60, cwd=tmp_path)
    (note,) = [json.loads(path.read_text()) for path in (tmp_path / "run" / "processes").iterdir()]

    assert (note["executions"], note["parent_pid"], note["ended"]) == (2, os.getpid(), True)
