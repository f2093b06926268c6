"""
How many stack samples and off-CPU intervals go to the execution they were really in?

    python benchmarks/attribution.py [--rate 200] [--seconds 8] [--only SCENARIO] [--json]

Programs run executions whose truth is known (`_attribution_programs`) under
`dam_obs.sample.tracer.SystemTracer`, as `dam-obs diagnose` does it. Then each sample's
innermost truth is compared with the execution that it was given to; and what bpftrace saw
each execution wait for with what it waited for by its own clock.

| scenario | what |
| --- | --- |
| tasks | 50 tasks on one event loop, coroutines within coroutines, async generators, some left early |
| threads | threads, calls within calls, code objects coming and going all the time |
| generators | generators run in turns on one thread, some closed early |
| recursion | a system that calls itself, once and twice |
| short | executions far shorter than the time between two looks |
| subprocesses | Pythons and other programs that executions start, several at once |
| forks | forks in the midst of executions, which the child comes to the end of, too |
| pools | process pools of all start methods at once |
| waits | off-CPU intervals of sleeps, pipes, locks, epoll and children, in all of these |

*Inside* are samples with a truth on the stack, or executions with a wait. *Unclaimed* are those that were given to
nobody. *Between* are those in the few instructions between the id on the stack and the truth that follows it:
rightly given, but not provable. What a forked child does in its parent's execution is right where nobody has it.

Exit status 1 if fewer than 99 % of what is inside is right, or any is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dam_obs.config import Settings
from dam_obs.diagnose.evidence import NOT_MEASURED, RunEvidence, gather
from dam_obs.diagnose.processes import owners
from dam_obs.diagnose.waits import OffCpuTimes
from dam_obs.sample.attribution import attribute, span_id_of
from dam_obs.sample.offcpu.read import read_offcpu
from dam_obs.sample.profile import read_profile, sampled_pids
from dam_obs.sample.samples import StackSample
from dam_obs.sample.tracer import SystemTracer, TracedRun
from dam_obs.store.mounts import read_mounts
from dam_obs.store.processes import Processes, read_processes
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder

PROGRAMS = Path(__file__).with_name("_attribution_programs.py")
SAMPLED = ("tasks", "threads", "generators", "recursion", "short", "subprocesses", "forks", "pools")
WAITS = "waits"
ENOUGH = 0.99

NEVER_BY_CHANCE = ("sleep", "poll", "pipe_socket", "child")
"""Causes that nobody has who did not ask for it; anybody waits for the interpreter's lock."""

SLACK_NS = 200_000
"""Segments that nearly touch are merged (50 us), and the program's clock is read in Python."""

START_PATIENCE_S = 30.0


@dataclass
class Score:
    """What became of the samples, or of the waits, of one scenario."""

    scenario: str
    executions: int = 0
    processes: int = 0
    """That ran executions."""
    inside: int = 0
    right: int = 0
    wrong: int = 0
    unclaimed: int = 0
    between: int = 0
    outside: int = 0
    """In no execution, and given to none."""
    errors: int = 0
    """Looks that failed, or intervals that were lost."""
    absent: str | None = None
    """Why it could not be tried."""
    examples: list[str] = field(default_factory=list)
    """Of what was wrong."""

    @property
    def share_right(self) -> float:
        provable = self.inside - self.between
        return self.right / provable if provable else 0.0

    @property
    def passes(self) -> bool:
        return self.absent is not None or (self.share_right >= ENOUGH and self.wrong == 0)


@dataclass
class Truths:
    """What the program wrote down."""

    spans: dict[str, str] = field(default_factory=dict)
    """Name of a truth to the span it ran in."""
    pids: dict[str, int] = field(default_factory=dict)
    """Process, as in those names, to its pid."""
    waited_ns: dict[tuple[str, int], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Span and pid to cause to how long."""


def read_truths(path: Path) -> Truths:
    truths = Truths()
    for line in path.read_text().splitlines():
        process, pid, kind, *words = line.split()
        truths.pids[process] = int(pid)
        if kind == "span":
            truths.spans[f"truth_{process}_{words[0]}"] = words[1]
        else:
            truths.waited_ns[words[0], int(pid)][words[1]] += int(words[2])
    return truths


# -- samples

_NAME = re.compile(r"truth_([0-9a-fx]+)_\d+")


def judge_samples(run: RunFolder, evidence: RunEvidence, truths: Truths, score: Score) -> None:
    """Compare claims with truths."""
    known = owners(evidence, sampled_pids(run.raw_profile))
    stacks: Counter[StackSample] = Counter()
    for sample in read_profile(run.raw_profile):
        one = StackSample(pid=sample.pid, thread="", frames=sample.frames)
        stacks[one] += sample.seen
    for sample, times in stacks.items():
        claim = next(iter(attribute([sample], known).claimed), None)
        verdict = _verdict(sample, claim, truths)
        setattr(score, verdict, getattr(score, verdict) + times)
        score.inside += times if verdict != "outside" else 0
        if verdict in ("wrong", "unclaimed") and len(score.examples) < 5:
            score.examples.append(f"{verdict}: {claim} pid {sample.pid} {[frame.function for frame in sample.frames]}")


def _verdict(sample: StackSample, claim: str | None, truths: Truths) -> str:
    matches = [(at, _NAME.fullmatch(frame.function)) for at, frame in enumerate(sample.frames)]
    found = [(at, match[0], truths.pids.get(match[1], sample.pid)) for at, match in matches if match]
    own = [(at, name) for at, name, pid in found if pid == sample.pid]
    if claim is None and not own:  # outside; or forked within another process's execution, which nobody may have then
        return "right" if found else "outside"
    if claim is None:
        return "unclaimed"
    at, name = own[-1] if own else (found[-1][0] if found else -1, "")
    if truths.spans.get(name) == claim:
        return "right"
    tags = [place for place, frame in enumerate(sample.frames) if span_id_of(frame)]
    return "between" if tags[-1] > at else "wrong"


# -- waits


def judge_waits(run: RunFolder, evidence: RunEvidence, truths: Truths, score: Score) -> None:
    """Compare what each execution was given with what it noted, those within it included."""
    offcpu = read_offcpu(run.offcpu)
    assert offcpu is not None
    score.errors = offcpu.summary.lost + offcpu.summary.cut
    times = OffCpuTimes(offcpu)
    waits = {system.key: times.of(system) for system in evidence.systems.values()}
    expected = _with_those_within(run, truths)
    for span in [event.otel_span_id for event in read_events(run.trace) if event.kind == "span"]:
        place = evidence.find(span) if span else None
        if span is None or place is None:
            continue
        system, row = place
        wanted = expected.get(span, Counter())
        found = {str(cause): int(column[row]) for cause, column in (waits[system.key] or {}).items()}
        verdict = _verdict_of_waits(found, wanted)
        setattr(score, verdict, getattr(score, verdict) + 1)
        score.inside += verdict != "outside"
        if verdict == "wrong" or (verdict == "unclaimed" and len(score.examples) < 5):
            given = {cause: ns for cause, ns in found.items() if ns}
            score.examples.append(f"{verdict}: {system.key.component} was given {given}, waited {dict(wanted)}")


def _with_those_within(run: RunFolder, truths: Truths) -> dict[str, Counter[str]]:
    """Add what executions waited to those around them in the same process."""
    parents = {
        event.otel_span_id: (event.otel_parent_id, event.pid) for event in read_events(run.trace) if event.otel_span_id
    }
    total: dict[str, Counter[str]] = defaultdict(Counter)
    for (span, pid), waited in truths.waited_ns.items():
        above: str | None = span
        while above in parents and parents[above][1] == pid:
            total[above].update(waited)
            above = parents[above][0]
    return total


def _verdict_of_waits(found: dict[str, int], wanted: Counter[str]) -> str:
    if not found or NOT_MEASURED in found.values():  # not watched all along
        return "unclaimed" if wanted else "outside"
    for cause in NEVER_BY_CHANCE:
        if found[cause] > wanted[cause] + SLACK_NS:
            return "wrong"
    if not wanted:
        return "right"
    # By the program's clock a wait ends when Python goes on: with a CPU, and with the interpreter's lock.
    beside = found["run_queue"] + found["held"] + found["futex"]
    enough = found_of(wanted, found) + beside >= 0.8 * wanted.total() - 1_000_000
    return "right" if enough else "unclaimed"


def found_of(wanted: Counter[str], found: dict[str, int]) -> int:
    return sum(found[cause] for cause in wanted if cause != "futex")


# -- one scenario


def measure(scenario: str, *, rate_hz: float, seconds: float, folder: Path) -> Score:
    """Run a scenario's program under the tracer, and judge."""
    truth_file = folder / "truths"
    command = [sys.executable, str(PROGRAMS), scenario, str(seconds), str(truth_file)]
    tracer = SystemTracer(
        Settings(),
        rate_hz=rate_hz,
        budget=1.0,
        offcpu=scenario == WAITS,
        out=folder / "run",
        start_timeout_s=START_PATIENCE_S,
    )
    run = tracer.run(command, {**os.environ, "TRUTHS": str(truth_file)})
    score = Score(scenario)
    if run.manifest.exit_status != 0:
        raise SystemExit(f"the program of {scenario} failed with status {run.manifest.exit_status}")
    why_not = _absent(run, scenario)
    if why_not:
        score.absent = why_not
        return score
    notes = read_processes(run.folder)
    events = read_events(run.folder.trace)
    evidence = gather(events, read_mounts(), segments=scenario == WAITS, processes=Processes(notes))
    truths = read_truths(truth_file)
    score.executions, score.processes = evidence.executions, len(evidence.executions_by_process)
    if scenario == WAITS:
        judge_waits(run.folder, evidence, truths, score)
    else:
        score.errors = run.manifest.sampler.failed if run.manifest.sampler else 0
        judge_samples(run.folder, evidence, truths, score)
    return score


def _absent(run: TracedRun, scenario: str) -> str | None:
    wanted = "off_cpu" if scenario == WAITS else "stacks"
    return next((f"{one.why}; {one.remedy}" for one in run.manifest.absent if one.evidence == wanted), None)


def measure_all(scenarios: Sequence[str], rate_hz: float, seconds: float) -> Iterator[Score]:
    for scenario in scenarios:
        with tempfile.TemporaryDirectory() as folder:
            yield measure(scenario, rate_hz=rate_hz, seconds=seconds, folder=Path(folder))


# -- what is printed

COLUMNS = ("executions", "processes", "inside", "right", "wrong", "unclaimed", "between", "outside", "errors")


def show(score: Score) -> None:
    if score.absent is not None:
        print(f"{score.scenario:13} not tried: {score.absent}", flush=True)
        return
    numbers = "".join(f"{getattr(score, name):11,}" for name in COLUMNS)
    print(f"{score.scenario:13}{numbers}  {score.share_right:8.3%}  {'met' if score.passes else 'MISSED'}", flush=True)
    for example in score.examples:
        print(f"    {example}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description="Samples and intervals given to the right execution, by known truth.")
    parser.add_argument("--rate", type=float, default=200.0, help="looks a second (default: 200)")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each scenario runs (default: 8)")
    parser.add_argument("--only", action="append", choices=[*SAMPLED, WAITS], help="this scenario alone; repeatable")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    scores = []
    if not options.json:
        print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
        print(f"{'scenario':13}{''.join(f'{name:>11}' for name in COLUMNS)}     right  aim: 99 %, 0 wrong")
    for score in measure_all(options.only or [*SAMPLED, WAITS], options.rate, options.seconds):
        scores.append(score)
        if not options.json:
            show(score)
    if options.json:
        shown = [{**asdict(score), "share_right": score.share_right, "passes": score.passes} for score in scores]
        print(json.dumps({"python": platform.python_version(), "scenarios": shown}, indent=2))
    return 0 if all(score.passes for score in scores) else 1


if __name__ == "__main__":
    sys.exit(main())
