from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import InferredTrait, SystemDiagnosis
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE, execution_cost, infer, io_bound, takes_cpu
from dam_obs.sample.offcpu.causes import Cause
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import Awaited, TraceEvent

MakeEvent = Callable[..., TraceEvent]
Diagnose = Callable[..., SystemDiagnosis]

WALL = 1_000_000


@pytest.fixture
def system(diagnose: Diagnose, event: MakeEvent) -> Callable[..., SystemDiagnosis]:
    """Diagnose a hundred executions of a millisecond with these shares of time."""

    def make(*, cpu: float, wait: float = 0.0, io: dict[str, int] | None = None, **fields: Any) -> SystemDiagnosis:
        times = {"cpu_ns": int(WALL * cpu), "wait_ns": int(WALL * wait)}
        return diagnose(*(event(**times, io=io, **fields) for _ in range(100)))

    return make


MakeSystem = Callable[..., SystemDiagnosis]


def one(traits: list[InferredTrait]) -> InferredTrait:
    (trait,) = traits
    return trait


class TestIOBound:
    def test_an_http_wait_is_io_bound(self, system: MakeSystem) -> None:
        """It mostly awaits a peer: high confidence, with the figures."""
        trait = one(io_bound(system(cpu=0.05, wait=0.9, touched={"peers": ["127.0.0.1:80"]})))

        assert trait.confidence > 0.85
        assert trait.rival is None
        assert trait.evidence == [
            "It waited 95% of 100 ms in 100 executions, else it was on the CPU.",
            "90% of the time it was suspended at an await or yield.",
            "5% of the time it was blocked inside a step: sockets, locks, pipes, sleep.",
        ]

    @pytest.mark.parametrize("cpu", [0.51, 0.8, 1.0])
    def test_a_cpu_system_is_not(self, system: MakeSystem, cpu: float) -> None:
        """What computes for more than half of its time is not I/O-bound at all."""
        assert io_bound(system(cpu=cpu, wait=1 - cpu, touched={"peers": ["127.0.0.1:80"]})) == []

    def test_without_cpu_time_nothing_is_said(self, diagnose: Diagnose, event: MakeEvent) -> None:
        """Not measured is not zero."""
        assert io_bound(diagnose(*(event(touched={"peers": ["127.0.0.1:80"]}) for _ in range(100)))) == []

    def test_a_busy_machine_makes_nothing_io_bound(self, system: MakeSystem) -> None:
        """Time in the run queue is left out, and said to be."""
        busy = system(cpu=0.4, io={"run_queue_ns": WALL // 2})

        assert io_bound(busy) == []
        assert one(takes_cpu(busy)).evidence == [
            "It was on the CPU 80% of 50 ms in 100 executions.",
            "While any was in flight, 1 at once at most, they kept 0.4 CPUs busy.",
            "Another 50 ms it was ready and waiting for a CPU: the machine was busy, which is left out here.",
        ]

    def test_what_only_queued_says_nothing(self, system: MakeSystem) -> None:
        """No time of its own, no trait, no division by zero."""
        assert infer(system(cpu=0.0, io={"run_queue_ns": WALL}))[0].trait == "ExecutionCostTrait"

    @pytest.mark.parametrize(
        ("child_ns", "rival"),
        [
            (WALL, "At least 100% of the waiting was for systems that it had started"),
            (WALL // 10, "It started systems that are observed themselves, and touched nothing that was seen"),
        ],
        ids=["covered", "queueing"],
    )
    def test_a_coordinator_is_in_doubt(
        self, run: Callable[..., RunFolder], event: MakeEvent, child_ns: int, rival: str
    ) -> None:
        """Who waits for nothing but observed systems leaves the I/O to them, and the rival reading says so."""
        events = []
        for number in range(50):
            parent, start = f"alt_1_{number:04x}", number * 10 * WALL
            times = {"start_mono_ns": start, "cpu_ns": 0}
            events.append(event(component="fetch", parent_id=parent, duration_ns=child_ns, wait_ns=child_ns, **times))
            events.append(event(component="plan", trace_id=parent, wait_ns=WALL, **times))
        plan = next(one for one in build_report(run(*events)).systems if one.system == "plan")

        trait = one(io_bound(plan))
        assert trait.confidence < DRAFT_CONFIDENCE
        assert trait.rival is not None
        assert trait.rival.startswith(rival)

    def test_waiting_without_io_in_sight_is_in_doubt(self, system: MakeSystem) -> None:
        """Blocked inside a step with nothing touched: a lock, the GIL or a timer do that too."""
        trait = one(io_bound(system(cpu=0.1)))

        assert trait.confidence < DRAFT_CONFIDENCE
        assert trait.rival is not None
        assert "the GIL" in trait.rival

    def test_awaiting_nothing_that_was_seen_is_in_doubt(self, system: MakeSystem) -> None:
        """A timer, a queue or a slow consumer are awaited too, and take no resource."""
        trait = one(io_bound(system(cpu=0.0, wait=1.0)))

        assert trait.confidence < DRAFT_CONFIDENCE
        assert trait.rival is not None
        assert "its consumer" in trait.rival

    def test_files_from_the_page_cache_are_weak_evidence(self, system: MakeSystem) -> None:
        """Blocked inside a step with files that no device was asked for: that was no I/O, most likely."""
        touched, calls = {"files_read": ["/nowhere/x"]}, {"read_bytes": 0, "rchar": 4096}
        cached = one(io_bound(system(cpu=0.1, touched=touched, io=calls)))

        assert cached.confidence < DRAFT_CONFIDENCE
        assert cached.rival is not None
        assert cached.rival.startswith("Its files may have come from the page cache")

    def test_bytes_at_the_device_are_strong_evidence(self, system: MakeSystem) -> None:
        """The same waiting with bytes that the device was asked for is I/O, with a lock as the rival."""
        touched, block = {"files_read": ["/nowhere/x"]}, {"read_bytes": 4096, "rchar": 4096}
        trait = one(io_bound(system(cpu=0.1, touched=touched, io=block)))

        assert trait.confidence > 0.85
        assert trait.rival == "It may wait for a lock or the GIL beside the I/O that was seen."

    def test_awaits_of_a_lock_are_no_io(self, system: MakeSystem) -> None:
        """Where names say that it was a lock, a file touched beside makes no I/O of it."""
        lock = Awaited(kind="lock", what="asyncio.locks:Lock.acquire", wait_ns=int(WALL * 0.9))
        touched = {"files_written": ["/nowhere/x"]}
        trait = one(io_bound(system(cpu=0.0, wait=1.0, awaited=[lock], touched=touched, io={"write_bytes": 4096})))

        assert trait.confidence < DRAFT_CONFIDENCE
        assert trait.rival == "90% of the waiting is known to have been for locks, which is no I/O."
        assert "Of the waiting, 90% was none (locks), by the names of its awaits." in trait.evidence

    def test_awaits_of_a_stream_are_io_with_nothing_touched(self, system: MakeSystem) -> None:
        """A connection that was kept open is not seen to be touched; the name of the await tells."""
        stream = Awaited(kind="network", what="asyncio.streams:StreamReader.read", wait_ns=int(WALL * 0.8))
        timer = Awaited(kind="sleep", what="asyncio.tasks:sleep", wait_ns=int(WALL * 0.2))
        trait = one(io_bound(system(cpu=0.0, wait=1.0, awaited=[stream, timer])))

        assert trait.confidence > 0.85
        assert trait.rival == "20% of the waiting was for timers, which is no I/O."

    @pytest.mark.parametrize(
        ("cause", "is_sure"), [("futex", False), ("sleep", False), ("held", False), ("pipe_socket", True),
                               ("poll", True), ("child", True), ("other", False)],
    )  # fmt: skip
    def test_causes_say_more_than_counters(self, system: MakeSystem, cause: Cause, is_sure: bool) -> None:
        """Blocked inside a step: what the kernel saw it blocked in decides, and else nothing is claimed."""
        blocked = system(cpu=0.1)
        time = blocked.time.model_copy(update={"causes": {cause: int(blocked.time.wall_ns * 0.9)}})

        trait = one(io_bound(blocked.model_copy(update={"time": time})))

        assert (trait.confidence >= DRAFT_CONFIDENCE) is is_sure

    def test_few_executions_make_less_sure(self, diagnose: Diagnose, event: MakeEvent) -> None:
        """One execution is an anecdote."""
        trait = one(io_bound(diagnose(event(cpu_ns=0, wait_ns=WALL, touched={"peers": ["db:1"]}))))

        assert trait.confidence < DRAFT_CONFIDENCE


class TestResources:
    @pytest.mark.parametrize(("cpu", "sure"), [(0.95, True), (0.6, True), (0.4, False)])
    def test_what_computes_takes_a_cpu(self, system: MakeSystem, cpu: float, sure: bool) -> None:
        """The more of its time, the surer."""
        trait = one(takes_cpu(system(cpu=cpu)))

        assert trait.arguments == {"pool_path": "cpu", "amount": 1}
        assert (trait.confidence >= DRAFT_CONFIDENCE) is sure

    def test_what_hardly_computes_takes_none(self, system: MakeSystem) -> None:
        """A few per cent are every program's."""
        assert takes_cpu(system(cpu=0.2)) == []

    @pytest.mark.parametrize(
        ("fields", "pool"),
        [({"peers": ["db:5432"]}, "net/db:5432"), ({"processes": ["gzip"]}, "process/gzip")],
    )
    def test_what_is_touched_always_is_taken(self, system: MakeSystem, fields: dict[str, list[str]], pool: str) -> None:
        """A peer or program of every execution is named with confidence."""
        traits = infer(system(cpu=0.1, wait=0.8, touched=fields))

        trait = one([trait for trait in traits if trait.trait == "ResourceUsageTrait"])
        assert trait.arguments == {"pool_path": pool, "amount": 1}
        assert trait.confidence > 0.85

    def test_what_is_touched_once_is_an_accident(self, diagnose: Diagnose, event: MakeEvent) -> None:
        """One connection in a hundred executions makes no trait."""
        once = diagnose(*(event(touched={"peers": ["db:1"]} if n == 0 else None) for n in range(100)))

        assert [trait.trait for trait in infer(once)] == ["ExecutionCostTrait"]

    def test_a_kept_connection_is_the_rival(self, diagnose: Diagnose, event: MakeEvent) -> None:
        """Who connects once in a while may use the connection always: the reviewer is told."""
        some = diagnose(*(event(touched={"peers": ["db:1"]} if n % 4 == 0 else None) for n in range(100)))

        trait = next(trait for trait in infer(some) if trait.trait == "ResourceUsageTrait")
        assert trait.confidence < DRAFT_CONFIDENCE
        assert trait.evidence == [
            "25% of executions connected to db:1.",
            "At most 1 execution used net/db:1 at once: the capacity seen.",
        ]
        assert trait.rival == "Executions without a connection of their own may have used one that was kept open."

    def test_memory_file_systems_are_no_disks(self, system: MakeSystem) -> None:
        """A file in /proc or /dev/shm takes no disk."""
        pools = [
            trait.arguments["pool_path"]
            for trait in infer(system(cpu=0.9, touched={"files_read": ["/proc/self/stat"]}))
            if trait.trait == "ResourceUsageTrait"
        ]

        assert pools == ["cpu"]


class TestCost:
    @pytest.mark.parametrize(("duration_ns", "priority"), [(9_000_000, 10), (10_000_000, 50), (100_000_000, 100)])
    def test_short_work_comes_first(
        self, diagnose: Diagnose, event: MakeEvent, duration_ns: int, priority: int
    ) -> None:
        """Priority goes by the 90 % quantile; the trait's default is for what is long."""
        trait = one(execution_cost(diagnose(*(event(duration_ns=duration_ns) for _ in range(30)))))

        assert trait.arguments == {"priority": priority}
        assert trait.confidence > 0.9

    def test_few_executions_are_in_doubt(self, diagnose: Diagnose, event: MakeEvent) -> None:
        """It is there always; the warning is its rival reading."""
        trait = one(execution_cost(diagnose(event())))

        assert trait.confidence < DRAFT_CONFIDENCE
        assert trait.rival == "only 1 successful executions, less than 20: the cost stays constant"
