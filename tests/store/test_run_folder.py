from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dam_obs.store.errors import BrokenManifest
from dam_obs.store.manifest import AbsentEvidence, HostNote, Manifest, SamplerStats, read_manifest, write_manifest
from dam_obs.store.processes import read_processes
from dam_obs.store.runs import RunFolder
from dam_obs.trace.process import ProcessNote


@pytest.fixture
def manifest() -> Manifest:
    return Manifest(
        run_id="r1", dam_obs_version="0.1.0", versions={"py-spy": "0.4.3"}, started="2026-01-13T14:00:00+00:00",
        duration_ns=5, command="demo", exit_status=None, settings={}, privilege="root", complete=False,
        host=HostNote(python="3.12.1", implementation="CPython", kernel="Linux", machine="x86_64", cpus=2),
        sampler=SamplerStats(sampler="py-spy 0.4.3", rate_asked_hz=100, samples=1, failed=0, late=0, seconds=1.0),
        absent=[AbsentEvidence(evidence="stacks", why="no", remedy="yes")],
    )  # fmt: skip


def test_a_manifest_comes_back(tmp_path: Path, manifest: Manifest) -> None:
    """What was written is what is read, and nothing else is left in the folder."""
    run = RunFolder(tmp_path / "run")
    write_manifest(run, manifest)
    manifest.complete = True
    write_manifest(run, manifest)

    assert read_manifest(run) == manifest
    assert [path.name for path in run.path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("content", [None, b"", b"\0\0\0\0", b" \n"], ids=["none", "empty", "zeros", "blank"])
def test_no_manifest_is_none(tmp_path: Path, content: bytes | None) -> None:
    """A crash may leave an empty file or a hole; that is as good as none."""
    run = RunFolder(tmp_path)
    if content is not None:
        run.manifest.write_bytes(content)

    assert read_manifest(run) is None


@pytest.mark.parametrize("content", [b'{"run_id": "r', b"{}", b"\xff\xfe", b'{"run_id": 3}'])
def test_a_broken_manifest_is_an_error(tmp_path: Path, content: bytes) -> None:
    """It names the file and the way out."""
    run = RunFolder(tmp_path)
    run.manifest.write_bytes(content)

    with pytest.raises(BrokenManifest, match=r"manifest\.json cannot be read \(.*\): remove it to go on"):
        read_manifest(run)


def test_a_manifest_that_cannot_be_placed_leaves_nothing(tmp_path: Path, manifest: Manifest) -> None:
    """The draft beside it is taken away again."""
    run = RunFolder(tmp_path)
    run.manifest.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_manifest(run, manifest)

    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_process_notes_come_by_start_without_the_half_written(tmp_path: Path) -> None:
    """A note that is being written is left out; the others count."""
    run = RunFolder(tmp_path)
    run.processes.mkdir()
    early = ProcessNote(pid=20, parent_pid=1, program="python", started_ns=1, dropped=3)
    late = ProcessNote(pid=10, parent_pid=20, program="python", started_ns=2, faults={"sinks.jsonl": 1})
    for note in (late, early):
        (run.processes / f"{note.pid}.json").write_bytes(msgspec.json.encode(note))
    (run.processes / "30.json").write_bytes(b'{"pid": 30, "par')

    assert read_processes(run) == [early, late]


def test_a_run_without_processes_has_no_notes(tmp_path: Path) -> None:
    """Nothing was observed, or nothing said anything."""
    assert read_processes(RunFolder(tmp_path)) == []
