"""Systems in processes of their own: what cannot go there, what is lost with one, and what never is."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import executor_systems as systems
import pytest
from dam_traits.errors import InvalidSystem
from dam_traits.executor import LocalExecutor, NotSendable, RemoteFailure, RemoteTraceback, WorkerLost
from executor_systems import Ask

PROGRAMS = Path(__file__).parent


def run(coroutine):
    """Run a test's coroutine, but not for ever."""

    async def bounded():
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(bounded())


@pytest.fixture
def world(small_world, processes):
    """Give a world whose executor keeps its processes from test to test."""
    return small_world(processes)


async def text_of(path):
    """Wait for a system to write a file."""
    while not (path.exists() and path.read_text()):
        await asyncio.sleep(0.01)
    return path.read_text()


async def gone(pid):
    """Wait until a process has ended: it is no more, or dead and not yet taken notice of."""
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        await asyncio.sleep(0.01)


def test_process_is_another_and_no_fork_of_this_one(world):
    """A system runs in a process that has nothing of this one's memory."""
    systems.SEEN.append("in the parent alone")
    try:
        ((pid, seen),) = run(world.results(systems.pid_and_seen, Ask(), run_in="process"))
    finally:
        systems.SEEN.clear()

    assert pid != os.getpid()
    assert seen == []


@pytest.mark.parametrize(
    ("how", "exit_code", "words"),
    [("killed", -signal.SIGKILL, "was killed by SIGKILL"), ("exits", 3, "ended with exit code 3")],
)
def test_lost_process_is_an_error_that_says_so(world, how, exit_code, words):
    """A system whose process dies is lost with a word on how and on what can be done; the next one runs."""
    with pytest.raises(WorkerLost, match=f"executor_systems:dies was lost .*{words}.*retries=1") as caught:
        run(world.results(systems.dies, Ask((how, None)), run_in="process"))

    assert (caught.value.system, caught.value.exit_code) == ("executor_systems:dies", exit_code)
    assert f"process {caught.value.pid}" in str(caught.value)
    assert run(world.results(systems.function, Ask(1), run_in="process")) == [("function", 1)]


def test_lost_process_takes_no_other_along(world, tmp_path):
    """While one process dies, the work of another goes on to its end."""

    async def check():
        what = (tmp_path / "pid", tmp_path / "go on")
        waiting = asyncio.create_task(world.results(systems.writes_pid_then_waits, Ask(what), run_in="process"))
        await text_of(tmp_path / "pid")
        with pytest.raises(WorkerLost):
            await world.results(systems.dies, Ask(("killed", None)), run_in="process")
        (tmp_path / "go on").touch()
        assert await waiting == ["waited"]

    run(check())


def test_lost_system_is_run_again_where_that_is_allowed(small_world, tmp_path):
    """With retries, a system whose process died runs once more, and its result is that of the second time."""

    async def check():
        async with small_world(processes=1, retries=1) as world:
            assert await world.results(systems.dies, Ask(("killed", tmp_path / "once")), run_in="process") == ["alive"]
            with pytest.raises(WorkerLost):
                await world.results(systems.dies, Ask(("killed", None)), run_in="process")

    run(check())


def test_process_that_died_idle_is_replaced(world):
    """A process that is killed while it has nothing to do costs nobody anything."""

    async def check():
        (pid,) = await world.results(systems.pid, Ask(), run_in="process")
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
        (another,) = await world.results(systems.pid, Ask(), run_in="process")
        assert another != pid

    run(check())


def test_process_that_died_idle_is_replaced_before_its_death_is_known(world):
    """The fork server tells of a death when it gets round to it; what comes before that is not sent to the dead."""

    async def check():
        (pid,) = await world.results(systems.pid, Ask(), run_in="process")
        fork_server = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(fork_server, signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            await gone(pid)
            another = asyncio.create_task(world.results(systems.pid, Ask(), run_in="process"))
            await asyncio.wait([another], timeout=0.3)
        finally:
            os.kill(fork_server, signal.SIGCONT)
        assert await another != [pid]

    run(check())


def test_cancelled_reader_has_its_process_killed(small_world, tmp_path):
    """What a reader that is gone was waiting for runs no longer once its cancelling is done, and others do run."""

    async def check():
        async with small_world(processes=1) as world:
            sleeps = world.results(systems.writes_pid_then_sleeps, Ask((tmp_path / "pid", 1000)), run_in="process")
            task = asyncio.create_task(sleeps)
            pid = int(await text_of(tmp_path / "pid"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not Path(f"/proc/{pid}").exists()
            assert await world.results(systems.function, Ask(1), run_in="process") == [("function", 1)]

    run(check())


def test_cancelled_reader_whose_turn_never_came_has_nothing_run(small_world, tmp_path):
    """Cancelled while it waits for a process, a system does not run, and the one that has the process goes on."""

    async def check():
        async with small_world(processes=1) as world:
            sleeps = world.results(systems.writes_pid_then_sleeps, Ask((tmp_path / "pid", 0.3)), run_in="process")
            first = asyncio.create_task(sleeps)
            await text_of(tmp_path / "pid")
            second = asyncio.create_task(world.results(systems.touches, Ask(tmp_path / "ran"), run_in="process"))
            await asyncio.sleep(0.02)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            assert await first == ["slept"]
        assert not (tmp_path / "ran").exists()

    run(check())


def test_interrupt_is_for_the_parent_to_act_on(world, tmp_path):
    """Ctrl-C reaches all processes of a terminal; a system's process leaves it to the one that waits for it."""

    async def check():
        sleeps = world.results(systems.writes_pid_then_sleeps, Ask((tmp_path / "pid", 0.2)), run_in="process")
        task = asyncio.create_task(sleeps)
        os.kill(int(await text_of(tmp_path / "pid")), signal.SIGINT)
        assert await task == ["slept"]

    run(check())


def test_closing_waits_for_what_runs_and_leaves_no_process(small_world, tmp_path):
    """`aclose` ends when the last system has, and with it all processes of the executor have."""
    before = set(multiprocessing.active_children())

    async def check():
        world = small_world(processes=2)
        sleeps = world.results(systems.writes_pid_then_sleeps, Ask((tmp_path / "pid", 0.2)), run_in="process")
        task = asyncio.create_task(sleeps)
        await text_of(tmp_path / "pid")
        await world.executor.aclose()
        assert set(multiprocessing.active_children()) == before
        assert await task == ["slept"]

    run(check())


@pytest.mark.parametrize("which", systems.ERRORS)
def test_error_comes_back_as_what_it_was(world, which):
    """Errors of all kinds come back with their class, text, arguments and attributes, and where they were raised."""
    error = systems.ERRORS[which]
    with pytest.raises(type(error)) as caught:
        run(world.results(systems.raises, Ask(which), run_in="process"))

    found = caught.value
    assert (type(found), str(found), repr(found.args)) == (type(error), str(error), repr(error.args))
    assert repr(vars(found)) == repr(vars(error))
    assert isinstance(found.__cause__, RemoteTraceback)
    assert "in raises" in str(found.__cause__)


def test_error_comes_back_without_what_cannot(world):
    """An attribute that cannot be pickled stays behind; the error and its other attributes come."""
    with pytest.raises(systems.OddError) as caught:
        run(world.results(systems.raises_with_lock, Ask(), run_in="process"))

    assert vars(caught.value) == {"code": 1, "where": "there", "kept": "kept"}


def test_error_that_cannot_come_back_is_told_of(world):
    """An error of a class that exists only in the other process comes as another, with its name and text."""
    with pytest.raises(RemoteFailure, match="Local: only here") as caught:
        run(world.results(systems.fails_with_local_error, Ask(), run_in="process"))

    assert "in fails_with_local_error" in str(caught.value.__cause__)


def test_error_that_a_plugin_swallows_is_not_lost(small_world):
    """A context manager of a plugin that keeps an error to itself does not make a failure a success."""

    async def check():
        async with small_world(processes=1, plugins=["executor_systems:Silent"]) as world:
            with pytest.raises(systems.OddError):
                await world.results(systems.fails, Ask(), run_in="process")

    run(check())


@pytest.mark.parametrize(
    ("system", "what", "words"),
    [
        (systems.function, lambda: None, "executor_systems:function: its Ask cannot cross"),
        (systems.gives_a_lock, None, "executor_systems:gives_a_lock: what it gave cannot cross"),
    ],
)
def test_what_cannot_be_sent_is_an_error(world, system, what, words):
    """A command or a result that cannot be pickled is an error naming the system, and breaks nothing else."""
    with pytest.raises(NotSendable, match=words):
        run(world.results(system, Ask(what), run_in="process"))

    assert run(world.results(systems.function, Ask(1), run_in="process")) == [("function", 1)]


def local_and_top_level():
    """Make functions that no process could import by their names."""

    def local(command: Ask):
        pass

    def of_main(command: Ask):
        pass

    def not_there(command: Ask):
        pass

    def another(command: Ask):
        pass

    of_main.__module__, of_main.__qualname__ = "__main__", "of_main"
    not_there.__module__, not_there.__qualname__ = "executor_systems", "not_there"
    another.__module__, another.__qualname__ = "executor_systems", "function"
    return [
        (local, "define it at the top of its module"),
        (of_main, "it is defined in __main__.*move it to a module"),
        (not_there, "executor_systems:not_there cannot be imported.*define it at the top"),
        (another, "executor_systems:function is something else by now"),
    ]


@pytest.mark.parametrize(("system", "words"), local_and_top_level(), ids=lambda each: getattr(each, "__name__", ""))
def test_system_that_no_process_could_import_is_refused(world, system, words):
    """What has no name to import it by is refused when it is registered, with what to do."""
    with pytest.raises(InvalidSystem, match=words):
        world.invocation(system, Ask(), run_in="process")


def test_program_that_closes_nothing_ends():
    """Processes that nobody closed do not keep their program from ending, nor outlive it."""
    program = """
import asyncio, executor_systems as systems
from conftest import SmallWorld
from dam_traits.executor import LocalExecutor

if __name__ == "__main__":
    world = SmallWorld(LocalExecutor(processes=1))
    print(*asyncio.run(world.results(systems.pid, systems.Ask(), run_in="process")))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=PROGRAMS, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert run(gone(int(done.stdout)))


def test_processes_end_when_their_program_is_killed(tmp_path):
    """A program that is killed while a system runs in a process leaves no process behind once that has ended."""
    program = f"""
import asyncio, executor_systems as systems
from conftest import SmallWorld
from dam_traits.executor import LocalExecutor

if __name__ == "__main__":
    world = SmallWorld(LocalExecutor(processes=1))
    command = systems.Ask(({str(tmp_path / "pid")!r}, 0.5))
    asyncio.run(world.results(systems.writes_pid_then_sleeps, command, run_in="process"))
"""

    async def check():
        with subprocess.Popen([sys.executable, "-c", program], cwd=PROGRAMS) as parent:
            pid = int(await text_of(tmp_path / "pid"))
            parent.kill()
        assert await gone(pid)

    run(check())


def test_script_without_a_guard_is_told_what_to_do(tmp_path):
    """A script that starts its work wherever it is imported gets an error that names the missing guard, and ends."""
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio, executor_systems as systems\n"
        "from conftest import SmallWorld\n"
        "from dam_traits.executor import LocalExecutor\n"
        "world = SmallWorld(LocalExecutor(processes=1))\n"
        "asyncio.run(world.results(systems.pid, systems.Ask(), run_in='process'))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(PROGRAMS)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert "WorkerLost: executor_systems:pid was lost with process" in done.stderr
    assert "before it began: see stderr; a script must start its work under if __name__ == '__main__'" in done.stderr


def test_bound_of_processes(small_world):
    """No more processes are made than were asked for, however many systems wait."""

    async def check():
        async with small_world(processes=2) as world:
            wanted = [world.results(systems.pid, Ask(), run_in="process") for _ in range(20)]
            pids = {pid for (pid,) in await asyncio.gather(*wanted)}
        assert 1 <= len(pids) <= 2

    run(check())


def test_executor_is_light_until_a_process_is_wanted():
    """Importing the executors, and making one, imports neither multiprocessing nor Dask."""
    program = (
        "import sys; from dam_traits.executor import LocalExecutor; LocalExecutor(); "
        "print([each for each in ('multiprocessing', 'distributed', 'dask') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"


def test_time_in_process_is_bounded_by_the_reader(world):
    """A reader's own time limit is the system's too: at its end the process is gone and the reader goes on."""

    async def check():
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await world.results(systems.sleeps, Ask(50), run_in="process")
        assert time.monotonic() - began_s < 40

    run(check())


def test_local_executor_checks_what_it_is_given(small_world):
    """A process executor is a `LocalExecutor`: what is async stays on the loop and is refused elsewhere."""
    world = small_world(LocalExecutor())
    with pytest.raises(InvalidSystem, match="run_in=process is for others"):
        world.invocation(systems.coroutine, Ask(), run_in="process")
