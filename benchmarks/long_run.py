"""
What a long run takes: memory of the program and of its observer, room on the disk, time and memory of the report.

    python benchmarks/long_run.py                            # a small one: does it grow?
    python benchmarks/long_run.py --executions 3600000       # an hour of 1,000 executions a second

One run under ``dam-obs diagnose``, looked at after a sixth, a half and the whole: an hour's 10, 30 and 60
minutes. At each look the program stands still until what it has closed is packed. The report is made of a copy
of the run folder, by a process of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
SHARES = {10: 1 / 6, 30: 1 / 2, 60: 1.0}
"""Minutes of an hour, and the share of the executions that has passed then."""

POINTS = """
[host]
name = "long_run"

[[points]]
layer = "system"
operation = "execute"
meaning = "A unit of work"
command = "args.job"

[[points.targets]]
function = "_long_run_program:inner"

[[points.targets]]
function = "_long_run_program:outer"

[[points.targets]]
function = "_long_run_program:waits"
"""

REPORT = """
import json, resource, sys, time
from pathlib import Path
from dam_obs.diagnose.build import build_report
from dam_obs.store.runs import RunFolder
begun, cpu = time.perf_counter(), time.process_time()
report = build_report(RunFolder(Path(sys.argv[1])))
print(json.dumps({
    "seconds": time.perf_counter() - begun,
    "cpu_s": time.process_time() - cpu,
    "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "executions": report.quality.executions,
}))
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment of the run."""

    minutes: int
    executions: int
    host_rss_mb: float
    observer_rss_mb: float
    observer_cpu_s: float
    """All that it used so far."""
    disk_mb: float
    packed_files: int
    report_s: float
    report_cpu_s: float
    report_rss_mb: float
    reported: int
    """Executions that the report speaks of."""


def rss_mb(pid: int) -> float:
    """Return the memory that a process has now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process, all its threads, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def disk_mb(run: Path) -> float:
    """Return what the trace takes."""
    files = [*run.glob("trace.jsonl*"), *run.glob("trace.closed/*")]
    return sum(path.stat().st_size for path in files) / 2**20


def wait_until_packed(run: Path) -> None:
    """Wait for the observer, which looks once a second."""
    end = time.monotonic() + 120
    while any(run.glob("trace.closed/*.jsonl")):
        if time.monotonic() > end:
            raise TimeoutError("the observer does not come to an end")
        time.sleep(0.1)


def reported(run: Path, folder: Path) -> dict[str, float]:
    """Make the report of a run as it is now."""
    copy = folder / "copy"
    shutil.copytree(run, copy)
    done = subprocess.run([sys.executable, "-c", REPORT, str(copy)], capture_output=True, text=True, check=True)
    shutil.rmtree(copy)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(executions: int, folder: Path, *, stacks: bool, max_disk: float) -> list[Look]:
    """Run it and look at it."""
    (folder / "points.toml").write_text(POINTS)
    run = folder / "run"
    marks = {int(executions * share): minutes for minutes, share in SHARES.items()}
    start = (
        f"import asyncio, sys; sys.path.insert(0, {str(HERE)!r}); import _long_run_program as program; "
        f"asyncio.run(program.main({executions}, {sorted(marks)}))"
    )
    (folder / "start.py").write_text(start)
    options = ["--no-draft", "--points", str(folder / "points.toml"), "--out", str(run), "--max-disk", str(max_disk)]
    command = [sys.executable, "-m", "dam_obs.cli", "diagnose", *options, *([] if stacks else ["--no-stacks"])]
    observer = subprocess.Popen(
        [*command, "--", sys.executable, str(folder / "start.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert observer.stdin is not None
    assert observer.stdout is not None
    looks = []
    for line in observer.stdout:
        done, host = map(int, line.split())
        wait_until_packed(run)
        report = reported(run, folder)
        look = Look(
            minutes=marks.get(done, 60),
            executions=done,
            host_rss_mb=rss_mb(host),
            observer_rss_mb=rss_mb(observer.pid),
            observer_cpu_s=cpu_s(observer.pid),
            disk_mb=disk_mb(run),
            packed_files=len(list(run.glob("trace.closed/*.parquet"))),
            report_s=report["seconds"],
            report_cpu_s=report["cpu_s"],
            report_rss_mb=report["rss_mb"],
            reported=int(report["executions"]),
        )
        looks.append(look)
        print(json.dumps(asdict(look)), file=sys.stderr, flush=True)
        observer.stdin.write("\n")
        observer.stdin.flush()
        if look.minutes == 60:
            break
    observer.terminate() if observer.poll() is None and len(looks) < len(SHARES) else observer.communicate()
    return looks


def main() -> None:
    """Print what was seen, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--executions", type=int, default=240_000, help="of the whole run [240000]")
    parser.add_argument("--max-disk", type=float, default=4, help="GiB that the trace may take [4]")
    parser.add_argument("--stacks", action="store_true", help="with the sampler")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dam-obs-long-") as folder:
        looks = measure(given.executions, Path(folder), stacks=given.stacks, max_disk=given.max_disk)
    if given.json:
        print(json.dumps([asdict(look) for look in looks], indent=2))
        return
    print(f"{'min':>4}{'executions':>12}{'program':>10}{'observer':>10}{'its CPU':>9}{'disk':>9}{'report':>9}{'in':>9}")
    for look in looks:
        print(
            f"{look.minutes:>4}{look.executions:>12,}{look.host_rss_mb:>7.0f} MB{look.observer_rss_mb:>7.0f} MB"
            f"{look.observer_cpu_s:>7.1f} s{look.disk_mb:>6.1f} MB{look.report_s:>7.1f} s{look.report_rss_mb:>6.0f} MB"
        )


if __name__ == "__main__":
    main()
