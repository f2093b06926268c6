"""Calls in processes of their own: what comes back, what does not, and what may become of one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from dam_entities import CallableRegistry, Entity, EntityError, EntityRegistry, Runtime, Store
from dam_entities.isolation import errors
from dam_entities.isolation.errors import IsolationError
from pydantic import BaseModel

WAYS = ("fork", "forkserver", "spawn")

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfd_open")


class Grade(Entity):
    score: float = 0.0


class Student(Entity):
    name: str = "Bob"
    age: int = 18
    grades: list[Grade] = []


class Honours(Student):
    title: str = "Dr"


def older(student: Student, years: int = 1) -> Student:
    """Change what is given, and make a few things nobody asks for."""
    EntityRegistry.register(Student(name="temporary"))
    student.age += years
    student.grades.append(Grade(score=float(years)))
    return student


async def older_later(student: Student) -> Student:
    await asyncio.sleep(0)
    return older(student)


def whoever(names: list[str]) -> dict[str, list[Student]]:
    """Return a subclass, too."""
    return {"students": [Honours(name=name) for name in names]}


def fail(how: str, seconds: float = 3600.0) -> int:
    """Come to a bad end."""
    if how == "raise":
        raise KeyError("no such key")
    if how == "exit":
        os._exit(7)
    if how == "sys.exit":
        sys.exit("bye")
    if how == "signal":
        os.kill(os.getpid(), signal.SIGUSR1)
    if how == "hang":
        time.sleep(seconds)
    if how == "hang, deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(seconds)
    if how == "wrong type":
        return "five"  # type: ignore[return-value]
    return 5


def deep(kind: str) -> list[Student]:
    """Return what looks right from far."""
    student = Student(grades=[Grade()])
    object.__getattribute__(student.grades[0], "__dict__")["score"] = "wrong"
    return [student] if kind == "wrong" else []


def large(size: int) -> str:
    return "x" * size


def untyped(size: int):
    return size


def odd() -> Any:
    return lambda: 1


def children(path: str) -> int:
    """Start a process that outlives a careless parent, and say which."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    Path(path).write_text(str(child.pid))
    time.sleep(3600)
    return 0


EVERY = (older, older_later, whoever, fail, deep, large, untyped, odd, children)


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    for function in EVERY:
        CallableRegistry.register(function.__name__)(function)
    return runtime


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No descriptor and no child of ours stays, whatever happens."""
    before = set(os.listdir("/proc/self/fd"))
    mine = children_of(os.getpid())
    yield
    # The fork server and its resource tracker stay, on purpose; each call's process does not.
    left = {pid for pid in children_of(os.getpid()) - mine if not is_server(pid)}
    assert left == set()
    assert len(set(os.listdir("/proc/self/fd")) - before) <= 4


def children_of(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(each) for task in tasks for each in (task / "children").read_text().split()}


def is_server(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return b"forkserver" in command or b"resource_tracker" in command


def kept(runtime: Runtime) -> set[UUID]:
    return set(runtime.store.state.versions)


@pytest.mark.parametrize("isolation", WAYS)
def test_what_is_returned_comes_back_with_its_lineage(runtime, isolation):
    """And nothing else: neither what was made beside it, nor what was done to the input."""
    bob = EntityRegistry.register(Student(grades=[Grade(score=1.0)]))
    first, before = bob.ecs_id, kept(runtime)
    done = runtime.execute_isolated("older", {"student": f"@{first}", "years": 2}, isolation=isolation)

    assert done.isolation == isolation
    assert done.pid != os.getpid()
    assert (done.value.age, [grade.score for grade in done.value.grades]) == (20, [1.0, 2.0])
    assert (done.value.parent_id, done.value.lineage_id) == (first, bob.lineage_id)
    assert done.value.grades[0].ecs_id == bob.grades[0].ecs_id
    assert kept(runtime) - before == {done.value.ecs_id, done.value.grades[1].ecs_id} == set(done.merged.ecs_ids)
    assert not runtime.store.has_diverged(done.value)
    assert (bob.age, bob.ecs_id) == (18, first)
    assert (len(done.touched.read), len(done.touched.forked), len(done.touched.created)) == (1, 1, 1)
    assert done.used.cpu_ns > 0
    assert done.used.peak_memory_bytes > 1_000_000


def test_versions_on_the_way_come_back_too(runtime):
    """What had changed before the call is a version between what is known and what is returned."""
    bob = EntityRegistry.register(Student())
    first = bob.ecs_id
    bob.age = 30
    done = runtime.execute_isolated("older", {"student": bob}, isolation="fork")

    assert [version.values["age"] for version in runtime.store.history(done.value.ecs_id)] == [18, 30, 31]
    assert runtime.store.history(done.value.ecs_id)[0].ecs_id == first


@pytest.mark.parametrize("isolation", ["fork", "forkserver"])
def test_coroutine_functions(runtime, isolation):
    """Run in a loop of the child's own; awaited here, or not."""
    bob = EntityRegistry.register(Student())
    data = {"student": f"@{bob.ecs_id}"}
    assert runtime.execute_isolated("older_later", data, isolation=isolation).value.age == 19

    async def both() -> list[int]:
        ran = [runtime.aexecute_isolated(name, data, isolation=isolation) for name in ("older", "older_later")]
        return [done.value.age for done in await asyncio.gather(*ran)]

    assert asyncio.run(both()) == [19, 19]


def test_the_type_that_was_returned_comes_back(runtime):
    """Not the one of the annotation."""
    done = runtime.execute_isolated("whoever", {"names": ["a", "b"]}, isolation="fork")
    assert [type(each) for each in done.value["students"]] == [Honours, Honours]
    assert [each.name for each in done.value["students"]] == ["a", "b"]


BAD_ENDS = {
    "raise": (errors.CallRaised, "fail raised builtins.KeyError: 'no such key'"),
    "exit": (errors.Exited, "fail left its process with status 7 before it returned"),
    "sys.exit": (errors.CallRaised, "fail raised builtins.SystemExit: bye"),
    "signal": (errors.Killed, "fail was ended by SIGUSR1 before it returned"),
    "hang": (errors.TimedOut, "fail did not end within 0.3 s and was killed"),
    "hang, deaf": (errors.TimedOut, "fail did not end within 0.3 s and was killed"),
    "wrong type": (errors.WrongResult, "Input should be a valid integer"),
}


@pytest.mark.parametrize("isolation", ["fork", "forkserver"])
@pytest.mark.parametrize("how", BAD_ENDS)
def test_every_bad_end_is_its_own_error(runtime, how, isolation):
    """With what the child used; the registry is as it was."""
    error, message = BAD_ENDS[how]
    EntityRegistry.register(Student())
    before = runtime.store.state
    timeout = 0.3 if how.startswith("hang") and isolation == "fork" else 5.0
    with pytest.raises(error, match=message if timeout < 1 or "hang" not in how else "did not end") as raised:
        runtime.execute_isolated("fail", {"how": how}, timeout=timeout, isolation=isolation)

    assert isinstance(raised.value, IsolationError)
    assert isinstance(raised.value, EntityError)
    assert raised.value.used is not None
    assert raised.value.used.peak_memory_bytes > 1_000_000
    assert raised.value.pid is not None
    assert runtime.store.state is before


def stubborn() -> int:
    """Return, and let nobody out."""

    class Deaf:
        def write(self, text: str) -> None: ...

        def flush(self) -> None:
            time.sleep(3600)

    sys.stdout = Deaf()
    return 5


def test_a_process_that_does_not_end_is_ended(runtime, monkeypatch):
    """It had returned, but nobody knows what it still does."""
    monkeypatch.setattr("dam_entities.isolation.watch.EXIT_PATIENCE_S", 0.3)
    CallableRegistry.register("stubborn")(stubborn)
    before = runtime.store.state
    with pytest.raises(errors.HungAtExit, match="returned, but its process did not end within"):
        runtime.execute_isolated("stubborn", isolation="fork")
    assert runtime.store.state is before


CHATTY = """
import contextlib, os
from dam_entities import CallableRegistry, IsolationError, execute_isolated

@CallableRegistry.register("chatty")
def chatty() -> int:
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if int(descriptor) > 2 and os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:"):
                os.write(int(descriptor), b"what is this? " * 10)
    return 5

try:
    print(execute_isolated("chatty", isolation="fork"))
except IsolationError as error:
    print(type(error).__name__)
"""


def test_what_is_no_message_of_ours_is_not_believed():
    """A function may write where it should not: to every pipe there is."""
    done = subprocess.run([sys.executable, "-c", CHATTY], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout in ("Garbled\n", "TooLarge\n")


def test_the_kernels_kills_for_want_of_memory_are_known_by_its_count(runtime, monkeypatch):
    """A SIGKILL that the kernel counted meanwhile is one of them; any other is not."""
    kills = iter([3, 3, 4])
    monkeypatch.setattr("dam_entities.isolation.memory._read", lambda: next(kills))
    monkeypatch.setattr("dam_entities.isolation.memory._counted", [])

    @CallableRegistry.register("killed")
    def killed() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    with pytest.raises(errors.Killed, match="was ended by SIGKILL") as raised:
        runtime.execute_isolated("killed", isolation="fork")
    assert not isinstance(raised.value, errors.OutOfMemory)
    with pytest.raises(errors.OutOfMemory, match="was ended by the kernel for want of memory"):
        runtime.execute_isolated("killed", isolation="fork")


@pytest.mark.slow
def test_beside_exporting_threads_nothing_hangs_and_nothing_is_left():
    """The benchmark's own count, of fewer calls."""
    benchmark = Path(__file__).parents[2] / "benchmarks" / "isolation.py"
    ran = subprocess.run(
        [sys.executable, benchmark, "--faults", "150"], capture_output=True, text=True, timeout=115, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    counted = json.loads(ran.stdout)
    assert counted["calls"] == 150
    assert {counted[name] for name in ("wrong", "hangs", "zombies", "leaked_descriptors")} == {0}


def test_an_exception_is_told_with_its_traceback(runtime):
    """As text; the object stays where it was raised."""
    with pytest.raises(errors.CallRaised) as raised:
        runtime.execute_isolated("fail", {"how": "raise"}, isolation="fork")
    assert (raised.value.kind, raised.value.message) == ("builtins.KeyError", "'no such key'")
    assert 'raise KeyError("no such key")' in raised.value.traceback


def test_a_result_that_is_wrong_deep_inside_does_not_come_back(runtime):
    """Though it is of the right type from outside."""
    before = runtime.store.state
    with pytest.raises(errors.WrongResult, match="score"):
        runtime.execute_isolated("deep", {"kind": "wrong"}, isolation="fork")
    assert runtime.store.state is before
    assert runtime.execute_isolated("deep", {"kind": "none"}, isolation="fork").value == []


def test_a_result_has_a_size(runtime):
    """Beyond which it does not come back."""
    assert len(runtime.execute_isolated("large", {"size": 5_000_000}, isolation="fork").value) == 5_000_000
    with pytest.raises(errors.TooLarge, match="large returned more than 1,000 bytes: return less, or allow more"):
        runtime.execute_isolated("large", {"size": 1_001}, isolation="fork", max_result_bytes=1_000)


def test_what_cannot_cross_is_said(runtime):
    """Going in, and coming out."""
    with pytest.raises(errors.NotTransferable, match="odd cannot hand over a function"):
        runtime.execute_isolated("odd", isolation="fork")
    with pytest.raises(errors.NotIsolable, match="untyped has no return annotation"):
        runtime.execute_isolated("untyped", {"size": 1})

    @CallableRegistry.register("inner")
    def inner() -> int:
        return 1

    assert runtime.execute_isolated("inner", isolation="fork").value == 1
    with pytest.raises(errors.CannotStart, match="inner is defined inside a function: only isolation by fork"):
        runtime.execute_isolated("inner", isolation="spawn")

    @CallableRegistry.register("generator")
    def generator() -> Iterator[int]:
        yield 1

    with pytest.raises(errors.NotIsolable, match="generator is a generator function"):
        runtime.execute_isolated("generator")


def test_bad_input_makes_no_process(runtime):
    """References and types are looked at before."""
    with pytest.raises(ValueError, match="is no reference"):
        runtime.execute_isolated("older", {"student": "@nobody"})
    with pytest.raises(ValueError, match="validation error for fail"):
        runtime.execute_isolated("fail", {})
    with pytest.raises(ValueError, match="is no time"):
        runtime.execute_isolated("fail", {"how": ""}, timeout=0)
    with pytest.raises(LookupError, match="no callable is named 'oldr': did you mean older"):
        runtime.execute_isolated("oldr")


@pytest.mark.parametrize("isolation", ["fork", "forkserver"])
def test_what_the_child_started_ends_with_it(runtime, tmp_path, isolation):
    """Its whole process group."""
    noted = tmp_path / "pid"
    with pytest.raises(errors.TimedOut):
        runtime.execute_isolated("children", {"path": str(noted)}, timeout=5.0, isolation=isolation)
    grandchild = int(noted.read_text())
    wait_for(lambda: not is_alive(grandchild))


def is_alive(pid: int) -> bool:
    """Say whether it runs; one that nobody has waited for yet does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("isolation", ["fork", "forkserver"])
def test_a_cancelled_call_is_killed(runtime, isolation):
    """And the event loop goes on."""

    async def cancel() -> None:
        waiting = asyncio.create_task(runtime.aexecute_isolated("fail", {"how": "hang"}, isolation=isolation))
        while not any(not is_server(pid) for pid in children_of(os.getpid())) and isolation == "fork":
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancel())


SAFE = """
import threading
from dam_entities.isolation.fork import is_safe
from dam_entities.isolation.run import way_of

goes_on = threading.Event()

def shown():
    return is_safe(), way_of("auto"), way_of("spawn")

print(shown())
thread = threading.Thread(target=goes_on.wait)
thread.start()
print(shown())
thread.name = "dam-obs-drain"
print(shown())
inside = []
other = threading.Thread(target=lambda: inside.append(shown()))
other.start()
other.join()
print(inside[0])
goes_on.set()
"""


def test_auto_forks_only_where_that_is_safe():
    """Not beside threads whose locks the child would inherit; those that know of forks are no hindrance."""
    done = subprocess.run([sys.executable, "-c", SAFE], capture_output=True, text=True, timeout=60, check=True)
    fork, server = "(True, 'fork', 'spawn')", "(False, 'forkserver', 'spawn')"
    assert done.stdout.splitlines() == [fork, server, fork, server]


@pytest.mark.parametrize("isolation", ["fork", "forkserver"])
def test_killed_at_any_moment_it_changes_nothing(runtime, isolation):
    """Or it is too late, and all of it is there. Neither the child nor who looks after it is spared."""
    bob = EntityRegistry.register(Student(grades=[Grade() for _ in range(200)]))
    data = {"student": f"@{bob.ecs_id}"}
    runtime.execute_isolated("older", data, isolation=isolation)  # the fork server is there, and is not to be killed
    others = descendants()
    for delay in [number / 500 for number in range(12)]:
        before, done = runtime.store.state, None

        def kill(delay: float = delay) -> None:
            time.sleep(delay)
            for pid in descendants() - others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            done = runtime.execute_isolated("older", data, isolation=isolation)
        except IsolationError:
            assert runtime.store.state is before
        finally:
            killer.join(60)
        if done is not None:
            assert runtime.store.get(done.value.ecs_id, Student).age == 19


def descendants() -> set[int]:
    """Return all processes below this one."""
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        with contextlib.suppress(OSError):
            below = children_of(waiting.pop()) - found
            found |= below
            waiting.extend(below)
    return found


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    at: datetime


class Model(BaseModel):
    x: float


VALUES = [
    None, True, 0, -(10**40), 1.5, float("inf"), -0.0, "text", "\ud800 lone", "\x00", b"\xff", Decimal("1.10"),
    UUID(int=5), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), Colour.RED, Path("/a/b"), 1 + 2j, range(1, 9, 2),
    (1, [2, {"a": {3}}], frozenset({4})), {1: "a", (2, 3): None, "x": b""}, Point(1, datetime(2026, 1, 1)),
    Model(x=1.5),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=[str(number) for number in range(len(VALUES))])
def test_plain_values_come_back_as_they_were(runtime, value):
    """Of the same types, exactly."""

    @CallableRegistry.register("same")
    def same() -> Any:
        return value

    again = runtime.execute_isolated("same", isolation="fork").value
    assert type(again) is type(value)
    assert repr(again) == repr(value)


def test_a_registry_of_the_childs_own(runtime):
    """With what the input reaches, in a process that shares no memory."""
    other = EntityRegistry.register(Student(name="unreached"))
    bob = EntityRegistry.register(Student())

    done = runtime.execute_isolated("older", {"student": f"@{bob.ecs_id}"}, isolation="forkserver")
    assert done.value.parent_id == bob.ecs_id
    assert other.ecs_id in runtime.store


def test_a_store_that_went_on_meanwhile(runtime):
    """What comes back is added to what is there then."""
    bob = EntityRegistry.register(Student())

    async def both() -> Student:
        data = {"student": f"@{bob.ecs_id}"}
        waiting = asyncio.create_task(runtime.aexecute_isolated("older", data, isolation="fork"))
        await asyncio.sleep(0)
        runtime.fork(bob, age=50)
        return (await waiting).value

    first = bob.ecs_id
    older_bob = asyncio.run(both())
    assert older_bob.parent_id == bob.parent_id == first
    assert len(runtime.store.lineage(bob.lineage_id)) == 3


def test_a_store_is_needed_by_nobody_else():
    """A runtime of one's own is isolated from the program's."""
    mine = Runtime(store=Store())
    mine.callables.register("fail", fail)
    assert mine.execute_isolated("fail", {"how": ""}, isolation="fork").value == 5
