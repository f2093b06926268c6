from __future__ import annotations

from collections.abc import Callable

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import DeviceBytes, FileUse, Peer, Process, SystemDiagnosis
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE
from dam_obs.store.mounts import Mount, Mounts, save_mounts
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]
Diagnose = Callable[..., SystemDiagnosis]


@pytest.fixture
def diagnose(run: Callable[..., RunFolder]) -> Diagnose:
    """Diagnose events of one system on a machine with two disks and a file system in memory."""
    mounts = Mounts(
        [
            Mount(point="/", filesystem="ext4", source="/dev/sda1", disks=["sda"]),
            Mount(point="/fast", filesystem="xfs", source="/dev/nvme0n1", disks=["nvme0n1"]),
            Mount(point="/ram", filesystem="tmpfs", source="tmpfs", disks=[]),
        ]
    )

    def one(*events: TraceEvent) -> SystemDiagnosis:
        folder = run(*events)
        save_mounts(folder, mounts)
        (system,) = build_report(folder).systems
        return system

    return one


def test_block_bytes_are_shared_by_files_among_disks(diagnose: Diagnose, event: MakeEvent) -> None:
    """Two files on one disk and one on the other: two thirds and one third; memory takes no block bytes."""
    files = ["/a", "/b", "/fast/c", "/ram/d"]
    one = diagnose(event(touched={"files_read": files}, io={"read_bytes": 900, "rchar": 5_000}))

    assert one.devices == [
        DeviceBytes(
            device=device,
            direction="read",
            pool=f"disk/read/{device}",
            bytes=moved,
            layer="block",
            executions=1,
            counted=1,
            device_bytes=None if device == "tmpfs" else moved,
            at_once=1,
        )
        for device, moved in (("sda", 600), ("nvme0n1", 300), ("tmpfs", 0))
    ]


def test_without_block_bytes_calls_are_counted(diagnose: Diagnose, event: MakeEvent) -> None:
    """What the page cache served is labelled as such, and no byte is lost by sharing."""
    io = {"read_bytes": 0, "rchar": 1_000}
    one = diagnose(
        event(touched={"files_read": ["/a", "/b", "/fast/c"]}, io=io),
        event(io=io),  # no file: that was a pipe
    )

    assert [(use.device, use.bytes, use.layer, use.device_bytes) for use in one.devices] == [
        ("sda", 667, "calls", 0),
        ("nvme0n1", 333, "calls", 0),
    ]


def test_executions_that_were_not_counted_are_told_apart(diagnose: Diagnose, event: MakeEvent) -> None:
    """Bytes are those of the executions counted, and how many these were stands beside them."""
    touched = {"files_read": ["/a"]}
    one = diagnose(event(touched=touched, io={"read_bytes": 100}), event(touched=touched), event(touched=touched))

    assert one.devices == [
        DeviceBytes(
            device="sda",
            direction="read",
            pool="disk/read/sda",
            bytes=100,
            layer="block",
            executions=3,
            counted=1,
            device_bytes=100,
            at_once=1,
        )
    ]


def test_without_counters_bytes_are_unknown(diagnose: Diagnose, event: MakeEvent) -> None:
    """The device is known from the file; how much is not zero but not measured."""
    one = diagnose(event(touched={"files_written": ["/fast/x"]}))

    assert one.devices == [
        DeviceBytes(
            device="nvme0n1",
            direction="write",
            pool="disk/write/nvme0n1",
            bytes=None,
            layer=None,
            executions=1,
            counted=0,
            at_once=1,
        )
    ]


def test_block_bytes_without_a_file_are_on_an_unknown_device(diagnose: Diagnose, event: MakeEvent) -> None:
    """A file opened earlier: the bytes are shown and not guessed at."""
    one = diagnose(event(io={"write_bytes": 4_096}))

    assert [(use.device, use.bytes) for use in one.devices] == [("unknown", 4_096)]
    assert not [trait for trait in one.traits if trait.trait == "ResourceUsageTrait"]


@pytest.mark.parametrize(
    ("io", "counted", "drafted"),
    [
        ({"read_bytes": 0, "rchar": 65_536}, 50, False),
        ({"read_bytes": 0, "rchar": 65_536}, 3, False),
        ({"read_bytes": 65_536, "rchar": 65_536}, 50, True),
        ({"read_bytes": 0, "rchar": 64}, 50, True),
        ({"rchar": 65_536}, 50, True),
        ({"read_bytes": 0, "rchar": 65_536}, 2, True),
    ],
    ids=["from the cache", "some counted", "from the device", "read by another", "device not counted", "few"],
)
def test_what_the_page_cache_serves_takes_no_disk(
    diagnose: Diagnose, event: MakeEvent, io: dict[str, int], counted: int, drafted: bool
) -> None:
    """Read, and nothing asked of the device: in doubt. Where that is not sure, the file's device stands."""
    touched = {"files_read": ["/a"]}
    one = diagnose(*(event(touched=touched, io=io if at < counted else None) for at in range(50)))

    (trait,) = [trait for trait in one.traits if trait.trait == "ResourceUsageTrait"]
    assert trait.arguments["pool_path"] == "disk/read/sda"
    assert (trait.confidence >= DRAFT_CONFIDENCE) is drafted


def test_what_is_written_takes_a_disk_though_the_cache_took_it(diagnose: Diagnose, event: MakeEvent) -> None:
    """The kernel sends it there later, on its own time."""
    io = {"write_bytes": 0, "wchar": 65_536}
    one = diagnose(*(event(touched={"files_written": ["/a"]}, io=io) for _ in range(50)))

    (trait,) = [trait for trait in one.traits if trait.trait == "ResourceUsageTrait"]
    assert trait.confidence >= DRAFT_CONFIDENCE
    assert trait.evidence[-1] == "The device itself moved 0 B for them."


def test_many_files_of_a_folder_are_one_pattern(diagnose: Diagnose, event: MakeEvent) -> None:
    """An execution that touches two of them counts once; few files keep their names."""
    pairs = [[f"/fast/in/{n}", f"/fast/in/{n + 1}"] for n in range(0, 20, 2)]
    one = diagnose(*(event(touched={"files_read": pair, "files_written": ["/log"]}) for pair in pairs))

    assert one.files == [
        FileUse(path="/fast/in/*", direction="read", executions=10, device="nvme0n1", mount="/fast"),
        FileUse(path="/log", direction="write", executions=10, device="sda", mount="/"),
    ]


def test_many_folders_of_a_folder_are_one_pattern(diagnose: Diagnose, event: MakeEvent) -> None:
    """A corpus in many folders is one line, and an execution that touches two of them counts once."""
    pairs = [[f"/fast/in/{n}/x", f"/fast/in/{n + 1}/x"] for n in range(0, 20, 2)]
    one = diagnose(*(event(touched={"files_read": pair}) for pair in pairs))

    assert [(file.path, file.executions, file.device) for file in one.files] == [("/fast/in/*/*", 10, "nvme0n1")]


def test_at_most_twenty_files_are_shown(diagnose: Diagnose, event: MakeEvent) -> None:
    """The most used first."""
    used = [f"/{n}/file" for n in range(30) for _ in range(n + 1)]
    one = diagnose(*(event(touched={"files_read": [path]}) for path in used))

    assert [file.path for file in one.files] == [f"/{n}/file" for n in range(29, 9, -1)]


def test_a_relative_path_has_no_device(diagnose: Diagnose, event: MakeEvent) -> None:
    """Nobody knows where it was."""
    one = diagnose(event(touched={"files_read": ["data.bin"]}))

    assert one.files == [FileUse(path="data.bin", direction="read", executions=1, device=None, mount=None)]


def test_peers_and_programs_are_counted_by_execution(diagnose: Diagnose, event: MakeEvent) -> None:
    """Each once for an execution, the most used first."""
    one = diagnose(
        event(touched={"peers": ["db:5432"], "processes": ["gzip", "gzip"]}),
        event(touched={"peers": ["db:5432", "cache:6379"]}),
    )

    assert one.peers == [
        Peer(address="db:5432", pool="net/db:5432", executions=2, at_once=1),
        Peer(address="cache:6379", pool="net/cache:6379", executions=1, at_once=1),
    ]
    assert one.processes == [Process(name="gzip", pool="process/gzip", executions=1, at_once=1)]
