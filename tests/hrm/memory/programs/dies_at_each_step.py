"""
End a process in the middle of an operation, at each step towards the disk that it takes, one after another.

A step is before a statement that SQLite writes by, before a sync, and between the halves of what is
written to the cold file. Each time two processes are forked: one does the operation and is killed at
the step, one looks at what is left and goes on. Prints a line of JSON for each step.
"""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from dam_hrm import Session, hookimpl, plugin_manager
from dam_hrm.focus.values import GateDecision
from dam_hrm.memory import cold as cold_module
from dam_hrm.memory import warm as warm_module

BEFORE = {
    "write warm": "warm",
    "write cold": "cold",
    "write cold over warm": "warm",
    "demote": "warm",
    "promote": "cold",
    "demote from hot": "cold",
}
"""The operations, and the tier in which the record is before."""


class Open:
    @hookimpl
    def dam_hrm_gate_write_approval(self, request):
        return GateDecision(allowed=True, reason="")


async def do(memory, operation):
    """Carry the operation out; for a write, in place of "old"."""
    if operation == "demote":
        return await memory.demote("n", "key")
    if operation == "promote":
        return await memory.promote("n", "key")
    if operation == "demote from hot":
        await memory.promote("n", "key", "hot")
        return await memory.demote("n", "key")
    tier = "warm" if operation == "write warm" else "cold"
    return await memory.write("n", "key", "new", tier=tier)


class Steps:
    """Counts steps, and kills the process at one of them."""

    def __init__(self, last):
        self.last = last
        self.count = -(10**9)

    def step(self):
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self):
        """Have all that goes towards the disk count from now on."""
        steps, connect, fsync = self, sqlite3.connect, os.fsync

        class Connection(sqlite3.Connection):
            def execute(self, statement, *args):
                if statement.split()[0] not in ("SELECT", "PRAGMA"):
                    steps.step()
                return super().execute(statement, *args)

        def counting_fsync(descriptor):
            steps.step()
            fsync(descriptor)

        warm_module.sqlite3 = type("Counting", (), dict(vars(sqlite3)))
        warm_module.sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=Connection, **kwargs)
        cold_module.os = type("Counting", (), dict(vars(os)) | {"fsync": staticmethod(counting_fsync)})

    def halve_writes(self, cold):
        """Have the cold file written to in two halves, with a step between them."""
        whole, steps = cold._file, self

        class Halves:
            def write(self, data):
                done = whole.write(data[: max(1, len(data) // 2)])
                steps.step()
                return done

            def __getattr__(self, name):
                return getattr(whole, name)

        cold._file = Halves()


def forked(work):
    """Run work in a process of its own; gives its exit status, or the signal that ended it as a negative number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def session(folder):
    return Session(folder=folder, plugins=plugin_manager(Open(), installed=False))


def prepare(folder, operation):
    async def work():
        memory = session(folder).memory
        for _ in range(2):
            await memory.write("n", "key", "old", tier=BEFORE[operation])
        await memory.write("n", "other", "kept", tier="cold")
        await memory.close()

    asyncio.run(work())


def operate(folder, operation, last_step):
    async def work():
        steps = Steps(last_step)
        steps.install()
        memory = session(folder).memory
        await memory.read("n", "key")
        steps.halve_writes(memory.records._opened.tiers._cold)
        steps.count = 0
        await do(memory, operation)
        steps.count = -(10**9)
        await memory.close()

    asyncio.run(work())


def look(folder, operation, step, ended):
    async def work():
        memory = session(folder).memory
        found = await memory.read("n", "key")
        again = await memory.read("n", "key")
        kept = await memory.read("n", "other")
        await do(memory, operation)
        after = await memory.read("n", "key")
        await memory.write("n", "third", "fine", tier="cold")
        faults = [fault.kind for fault in memory.faults]
        await memory.close()
        last = session(folder).memory
        values = [(await last.read("n", key)).value for key in ("key", "other", "third")]
        await last.close()
        said = {"operation": operation, "step": step, "ended": ended, "found": [found.value, found.tier]}
        said |= {"kept": kept.value, "same": found == again, "after": [after.value, after.tier]}
        print(json.dumps(said | {"last": values, "faults": faults}))

    asyncio.run(work())


def die(place, operation, step):
    """Let a process die at a step; gives how it ended."""
    folder = place / f"{operation} {step}"
    shutil.copytree(place / operation, folder)
    ended = forked(lambda: operate(folder, operation, step))
    assert forked(lambda: look(folder, operation, step, ended)) == 0
    return ended


def main(place):
    plugin_manager(installed=False)  # so that no child has to import what it brings
    for operation in BEFORE:
        prepare(place / operation, operation)
        step = 1
        while die(place, operation, step) == -signal.SIGKILL:
            step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
