"""
What sending events costs and bears: how many a second arrive, what the program pays, what it keeps if none are taken.

    python benchmarks/export.py                        # all three; seven minutes, five of them with the collector dead
    python benchmarks/export.py --only chain --rates 1000,2000,4000 --step-seconds 10 --programs 2
    python benchmarks/export.py --only cost --rounds 9 --rate 1000
    python benchmarks/export.py --only dead --dead-seconds 30 --dead silent --json

chain   Programs record at a rate for a while, into the agent of `collector-config`, which sends to its gateway. The
        step holds if every event is counted by the gateway and in its file soon after, and nobody counted a loss: not
        the programs, not the collectors. Then the rate is raised. CPU is that of programs, agent and gateway.
cost    The same program with the JSONL file alone, and with OTLP beside it, by gRPC and by HTTP; in turns, medians.
        CPU time of the caller's thread, while it records, and of the whole process until all is flushed.
dead    Memory of a program whose collector is dead, looked at while it records.

The collector is built by `make collector`; where that is not possible, chain and cost are left out, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from _export_collectors import Chain, NoCollector, chain

from dam_obs.testing.faults import dead_collector

PROGRAM = Path(__file__).with_name("_export_program.py")
TROUBLES = ("refuses", "silent", "unavailable", "hangs up")
PARTS = ("chain", "cost", "dead")
KINDS: dict[str, str | None] = {"JSONL": None, "JSONL + OTLP/gRPC": "grpc", "JSONL + OTLP/HTTP": "http/protobuf"}


# -- programs


def environment(folder: Path, *, jsonl: bool, endpoint: str = "", protocol: str = "") -> dict[str, str]:
    """Return what a program is told of where events go."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "OTEL"))}
    folder.mkdir(parents=True, exist_ok=True)
    own = {"DAM_OBS_OUTPUT": str(folder / "trace.jsonl"), "DAM_OBS_JSONL": str(int(jsonl))}
    if endpoint:
        own |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{endpoint}", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    return kept | own


@contextmanager
def program(rate: float, seconds: float, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start a program that records."""
    command = [sys.executable, str(PROGRAM), str(rate), str(seconds)]
    process = subprocess.Popen(command, env=dict(environ), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a program, and return what it said."""
    out, _ = process.communicate(timeout=3600)
    if process.returncode:
        raise SystemExit(f"a program ended with {process.returncode}")
    said: dict[str, Any] = json.loads(out)
    return said


def dropped(said: Mapping[str, Any]) -> int:
    """Return how many events a program counted as lost, wherever that was."""
    faults: dict[str, int] = said["faults"]
    return sum(number for name, number in faults.items() if name.endswith((".dropped", ".rejected")))


# -- how many a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rate."""

    asked: int
    """Events a second, of all programs."""
    recorded: int
    reached: float
    """Events a second that were really recorded."""
    lost_by_programs: int
    lost_by_collectors: int
    missing_at_gateway: int
    missing_in_file: int
    settled_s: float
    """How long after the last event all were in the file, or were not waited for any longer."""
    program_us: float
    """CPU of the programs for each event."""
    agent_us: float
    gateway_us: float

    @property
    def holds(self) -> bool:
        """Whether everything arrived, at the rate that was asked for."""
        lost = self.lost_by_programs + self.lost_by_collectors + self.missing_at_gateway + self.missing_in_file
        return lost == 0 and self.reached > 0.95 * self.asked


def step(to: Chain, rate: int, seconds: float, programs: int, settle: float, folder: Path) -> Step:
    """Record at a rate, and wait until all has arrived."""
    before = to.gateway.accepted(), to.written(), to.agent.lost() + to.gateway.lost()
    cpu = to.agent.cpu_s(), to.gateway.cpu_s()
    environ = environment(folder, jsonl=False, endpoint=to.agent.grpc, protocol="grpc")
    processes = []
    managers = [program(rate / programs, seconds, environ) for _ in range(programs)]
    try:
        processes = [manager.__enter__() for manager in managers]
        said = [told(process) for process in processes]
    finally:
        for manager in managers[: len(processes)]:
            manager.__exit__(None, None, None)
    ended = time.monotonic()
    sent = sum(each["sent"] for each in said)
    lost = sum(map(dropped, said))
    while time.monotonic() - ended < settle and to.written() - before[1] < sent - lost:
        time.sleep(0.25)
    settled = time.monotonic() - ended
    recorded = sum(each["events"] for each in said)
    return Step(
        asked=rate,
        recorded=recorded,
        reached=sum(each["events"] / each["seconds"] for each in said),
        lost_by_programs=lost,
        lost_by_collectors=to.agent.lost() + to.gateway.lost() - before[2],
        missing_at_gateway=max(0, sent - (to.gateway.accepted() - before[0])),
        missing_in_file=max(0, sent - (to.written() - before[1])),
        settled_s=settled,
        program_us=sum(each["process_ns"] for each in said) / max(recorded, 1) / 1000,
        agent_us=(to.agent.cpu_s() - cpu[0]) / max(sent, 1) * 1e6,
        gateway_us=(to.gateway.cpu_s() - cpu[1]) / max(sent, 1) * 1e6,
    )


def steps(given: argparse.Namespace, to: Chain, folder: Path) -> list[Step]:
    """Raise the rate until something is lost, or it cannot be reached."""
    found: list[Step] = []
    for rate in given.rates:
        found.append(step(to, rate, given.step_seconds, given.programs, given.settle, folder))
        print(json.dumps(asdict(found[-1])), file=sys.stderr, flush=True)
        if not found[-1].holds:
            break
    return found


# -- what a program pays


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU time for each event, medians over rounds."""

    kind: str
    caller_us: float
    process_us: float
    lost: int


def costs(given: argparse.Namespace, to: Chain, folder: Path) -> list[Cost]:
    """Let the program run in each way, in turns."""
    seen: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for number in range(given.rounds):
        order = list(KINDS.items())
        for kind, protocol in order[number % 3 :] + order[: number % 3]:
            endpoint = {"grpc": to.agent.grpc, "http/protobuf": to.agent.http}.get(protocol or "", "")
            environ = environment(folder / str(number), jsonl=True, endpoint=endpoint, protocol=protocol or "")
            with program(given.rate, given.round_seconds, environ) as process:
                seen[kind].append(told(process))
    return [
        Cost(
            kind=kind,
            caller_us=median(each["caller_ns"] / each["events"] for each in rounds) / 1000,
            process_us=median(each["process_ns"] / each["events"] for each in rounds) / 1000,
            lost=sum(map(dropped, rounds)),
        )
        for kind, rounds in seen.items()
    ]


# -- what it keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A program whose collector is dead."""

    protocol: str
    trouble: str
    rate: int
    seconds: float
    rss_mb: list[tuple[float, float]]
    """Seconds since its start, and MB."""
    sent: int
    """Events that were recorded."""
    in_file: int
    """Of them."""
    counted_as_lost: int


def dead(given: argparse.Namespace, folder: Path) -> Memory:
    """Let a program record for a collector that takes nothing, and look at its memory."""
    with nullcontext() if given.dead == "off" else dead_collector(given.dead) as collector:
        endpoint = collector.endpoint.removeprefix("http://") if collector else ""
        environ = environment(folder, jsonl=True, endpoint=endpoint, protocol=given.protocol)
        looks: list[tuple[float, float]] = []
        with program(given.rate, given.dead_seconds, environ) as process:
            began = time.monotonic()
            every = min(10.0, given.dead_seconds / 4)
            while process.poll() is None and time.monotonic() - began < given.dead_seconds:
                time.sleep(every)
                looks.append((round(time.monotonic() - began, 1), round(rss_mb(process.pid), 1)))
            said = told(process)
    return Memory(
        protocol=given.protocol,
        trouble=given.dead,
        rate=given.rate,
        seconds=given.dead_seconds,
        rss_mb=looks,
        sent=said["sent"],
        in_file=sum(path.read_bytes().count(b"\n") for path in folder.glob("trace.jsonl*")),
        counted_as_lost=dropped(said),
    )


def rss_mb(pid: int) -> float:
    """Return the memory that a process has now; 0 if it has just ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


# -- printing


def print_steps(found: Sequence[Step]) -> None:
    print(f"{'asked/s':>9}{'reached':>10}{'lost':>8}{'settled':>9}{'program':>10}{'agent':>9}{'gateway':>9}")
    for each in found:
        lost = each.lost_by_programs + each.lost_by_collectors + max(each.missing_at_gateway, each.missing_in_file)
        print(
            f"{each.asked:>9,}{each.reached:>10,.0f}{lost:>8,}{each.settled_s:>7.1f} s"
            f"{each.program_us:>7.0f} us{each.agent_us:>6.0f} us{each.gateway_us:>6.0f} us"
            f"{'' if each.holds else '  does not hold'}"
        )
    held = [each.reached for each in found if each.holds]
    if held:
        print(f"without a loss: {max(held):,.0f} events a second")


def print_costs(found: Sequence[Cost]) -> None:
    first = found[0]
    print(f"{'':22}{'caller':>10}{'process':>11}{'of JSONL':>10}{'lost':>7}")
    for each in found:
        ratio = each.process_us / first.process_us
        print(f"{each.kind:22}{each.caller_us:>7.1f} us{each.process_us:>8.1f} us{ratio:>10.2f}{each.lost:>7,}")


def print_memory(found: Memory) -> None:
    print(f"collector {found.trouble}, {found.protocol}, {found.rate:,} events a second for {found.seconds:.0f} s")
    for seconds, size in found.rss_mb:
        print(f"{seconds:>8.0f} s{size:>8.1f} MB")
    print(f"{found.sent:,} events, {found.in_file:,} in the file, {found.counted_as_lost:,} counted as lost")


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", help="may be given again [all]")
    parser.add_argument("--rates", type=lambda text: [int(each) for each in text.split(",")], metavar="A,B,...")
    parser.add_argument("--step-seconds", type=float, default=5)
    parser.add_argument("--programs", type=int, default=2, help="that record at the same time in a step [2]")
    parser.add_argument("--settle", type=float, default=15, help="seconds that arriving is waited for [15]")
    parser.add_argument("--rate", type=int, default=1000, help="events a second in cost and dead [1000]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--round-seconds", type=float, default=2)
    parser.add_argument("--dead", choices=(*TROUBLES, "off"), default="refuses", help="off: no OTLP")
    parser.add_argument("--dead-seconds", type=float, default=300)
    parser.add_argument("--protocol", choices=("grpc", "http/protobuf"), default="grpc", help="in dead [grpc]")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    given.rates = given.rates or [1000, 2000, 4000, 6000, 8000, 12000, 16000, 24000]
    found = measure(given)
    if given.json:
        print(json.dumps(found, indent=2, default=asdict))
        return 0
    for part, show in (("chain", print_steps), ("cost", print_costs), ("dead", print_memory)):
        if part in found:
            print(f"\n{part}")
            show(found[part]) if not isinstance(found[part], str) else print(f"left out: {found[part]}")
    return 0


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Return what was found, by part; for a part that is left out, why."""
    wanted = given.only or PARTS
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="dam-obs-export-") as name:
        folder = Path(name)
        parts = {"chain": steps, "cost": costs}
        asked = [part for part in parts if part in wanted]
        try:
            if asked:
                with chain(folder / "collectors") as to:
                    for part in asked:
                        found[part] = parts[part](given, to, folder / part)
        except NoCollector as error:
            found |= {part: str(error) for part in asked if part not in found}
        if "dead" in wanted:
            found["dead"] = dead(given, folder / "dead")
    return found


if __name__ == "__main__":
    sys.exit(main())
