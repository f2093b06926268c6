"""
Does dam-obs find out what is known: laws, pools, what waits for I/O, and where time went?

    python benchmarks/oracle.py [--seed 1] [--repeat 1] [--json]

`_oracle_program` plays 27 systems whose truth is known by construction. It runs
once under a real ``dam-obs diagnose``, and its report is held against the truth:

- pools and ``IOBoundTrait`` as they would be drafted (what is drafted as a comment does not count);
- the time split, against the clocks of the program itself, in points of wall time;
- the law that was named; the error it states for executions it had not seen; and its error
  and rate of under-estimates on *fresh* executions: every fourth, which dam-obs never saw.

Exit status 1 if an aim is missed. A law's error and its quantile are about wall time: a machine
that is busy with something else makes them worse. *Noise* says by how much: it is the error
of the true law itself, fitted to the very executions that it is judged by.
"""

from __future__ import annotations

import argparse
import json
import os
import socketserver
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
from _oracle_program import ROUNDS
from _oracle_systems import SYSTEMS, Truth

from dam_obs.diagnose.columns import Columns
from dam_obs.diagnose.costs import predict
from dam_obs.diagnose.families import Candidate
from dam_obs.diagnose.report import DiagnosticReport, SystemDiagnosis
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE

POOLS = ("cpu", "disk/read", "disk/write", "net", "process")

POINTS = """
[host]
name = "oracle"

[[points]]
layer = "system"
operation = "execute"
meaning = "A system whose truth is known"
command = "args.job"
"""

TARGET = """
[[points.targets]]
function = "_oracle_systems:{name}"
"""

# -- a run of the program, observed


class Server(socketserver.ThreadingTCPServer):
    """Answers after as many milliseconds as the path says, from a process that is not observed."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(float(self.path[1:]) / 1000)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[int]:
    """Run the server on a free port of loopback."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def observe(folder: Path, seed: int, rounds: int) -> tuple[DiagnosticReport, dict[str, Any], int]:
    """Run the program under ``dam-obs diagnose``; return the report, the truth and the server's port."""
    points = folder / "points.toml"
    points.write_text(POINTS + "".join(TARGET.format(name=truth.name) for truth in SYSTEMS))
    start = folder / "start.py"
    start.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from _oracle_program import main\nmain(sys.argv[1:])\n"
    )
    with serving() as port:
        subprocess.run(
            [
                sys.executable, "-m", "dam_obs.cli", "diagnose", "--points", points, "--out", folder / "run", "--",
                sys.executable, start, folder, str(port), str(seed), str(rounds),
            ],
            cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DAM_OBS_FEATURE_FILE_SIZES": "1"},
        )  # fmt: skip
    report = DiagnosticReport.model_validate_json((folder / "run" / "report.json").read_bytes())
    return report, json.loads((folder / "truth.json").read_text()), port


# -- the judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How near to the truth the report came about one system."""

    system: str
    executions: int
    pools: tuple[str, ...]
    true_pools: tuple[str, ...]
    names_right: bool
    """Peers, programs and devices are the very ones."""
    io_bound: bool
    true_io_bound: bool | None
    """`None`: neither mostly waiting nor mostly computing."""
    time_off_points: float
    """Largest difference of a part of the time split from the truth, in points of wall time."""
    time_parts: dict[str, tuple[float, float]]
    """Part to share said and share true."""
    law: str
    law_right: bool | None
    """`None`: the truth is not known."""
    warned: bool
    unexplainable: bool
    explained: bool
    mdape: float | None
    """As the report states it, on executions held out."""
    fresh_mdape: float
    noise: float | None
    """What the true law misses on fresh executions, fitted to them; `None`: there is none."""
    under_rate: float | None
    """As the report states it; 1 - quantile is meant."""
    fresh_under_rate: float
    fresh: int

    @property
    def class_right(self) -> bool:
        io_right = self.true_io_bound is None or self.io_bound == self.true_io_bound
        return self.pools == self.true_pools and self.names_right and io_right


def judge(truth: Truth, found: SystemDiagnosis, books: dict[str, Any], port: int, disk: str | None) -> Verdict:
    """Hold what was found of one system against its truth."""
    drafted = [trait for trait in found.traits if trait.confidence >= DRAFT_CONFIDENCE]
    paths = [trait.arguments["pool_path"] for trait in drafted if trait.trait == "ResourceUsageTrait"]
    meant = {"net": f"net/127.0.0.1:{port}", "process": "process/sleep"}
    if disk is not None:
        meant |= {"disk/read": f"disk/read/{disk}", "disk/write": f"disk/write/{disk}"}
    kinds = tuple(sorted({kind_of(path) for path in paths}))
    parts = time_parts(found, books)
    errors, under = fresh_errors(found, books["fresh"])
    cost = found.cost
    return Verdict(
        system=truth.name,
        executions=found.executions,
        pools=kinds,
        true_pools=tuple(sorted(truth.pools)),
        names_right=all(path == meant.get(kind_of(path), path) for path in paths),
        io_bound=any(trait.trait == "IOBoundTrait" for trait in drafted),
        true_io_bound=by_clocks(books) if truth.io_bound is None else truth.io_bound,
        time_off_points=100 * max(abs(said - true) for said, true in parts.values()),
        time_parts=parts,
        law=law_of(found),
        law_right=law_right(truth, found),
        warned=bool(cost.warnings),
        unexplainable=truth.unexplainable,
        explained=truth.law is not None and truth.law != ("constant",),
        mdape=None if cost.held_out is None else cost.held_out.mdape,
        fresh_mdape=statistics.median(errors),
        noise=noise(truth, books["fresh"]),
        under_rate=None if cost.held_out is None else cost.held_out.under_rate,
        fresh_under_rate=under / len(errors),
        fresh=len(errors),
    )


def by_clocks(books: dict[str, Any]) -> bool | None:
    """Say whether a system of a disk waited for it, by the program's own clocks; `None` where that is not clear."""
    waiting = 1 - books["cpu_ns"] / (books["wall_ns"] - books["queue_ns"])
    return None if 0.4 < waiting < 0.6 else waiting >= 0.6


def kind_of(path: str) -> str:
    """Return the kind of a pool: ``disk/read/vda`` is a ``disk/read``."""
    first, _, rest = path.partition("/")
    return f"{first}/{rest.partition('/')[0]}" if first == "disk" else first


def time_parts(found: SystemDiagnosis, books: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return shares of wall time, said and true: what is neither computing nor awaiting is off the CPU in a step."""
    time_said, wall = found.time, books["wall_ns"]
    cpu = (time_said.on_cpu_ns or 0) / time_said.wall_ns
    parts = {"cpu": (cpu, books["cpu_ns"] / wall)}
    if books["awaiting_ns"] is not None:
        awaiting, true = (time_said.awaiting_ns or 0) / time_said.wall_ns, books["awaiting_ns"] / wall
        parts |= {"awaiting": (awaiting, true), "blocked": (1 - cpu - awaiting, 1 - parts["cpu"][1] - true)}
    return parts


def fresh_errors(found: SystemDiagnosis, fresh: Sequence[Any]) -> tuple[list[float], int]:
    """Predict executions that were not observed: relative errors, and how many took longer than the quantile."""
    errors, under = [], 0
    for features, wall_ns in fresh:
        predicted = predict(found.cost, features)
        if predicted is None:
            raise SystemExit(f"{found.system}: no prediction for {features}")
        errors.append(abs(predicted - wall_ns) / wall_ns)
        under += wall_ns > predicted * found.cost.quantile_factor
    return errors, under


def noise(truth: Truth, fresh: Sequence[Any]) -> float | None:
    """Fit the true law to fresh executions and return the error that is left."""
    if truth.law is None or truth.unexplainable:
        return None
    family, *names = truth.law
    rows = Columns(np.array([float(wall_ns) for _, wall_ns in fresh]))
    for name in names:
        values = [features[name] for features, _ in fresh]
        if isinstance(values[0], str):
            rows.categories[name] = np.array(values)
        else:
            rows.numbers[name] = np.array(values, dtype=np.float64)
    law = Candidate(family, tuple(names), 0).fit(rows)  # type: ignore[arg-type]
    return float(np.median(np.abs(law.predict(rows) / rows.cost - 1)))


def law_of(found: SystemDiagnosis) -> str:
    """Name the law in few words, its exponent among them."""
    cost = found.cost
    exponent = f" {cost.coefficients['exponent']:.2f}" if cost.family == "power" else ""
    return f"{cost.family}{exponent} {'+'.join(cost.features)}".strip() + (" !" if cost.warnings else "")


def law_right(truth: Truth, found: SystemDiagnosis) -> bool | None:
    """Say whether the law is the true one; one that would not be drafted is not."""
    cost = found.cost
    if truth.law is None:
        # No one knows the law of a device or a lock. What is certain is what cannot matter.
        return None if not set(cost.features) & {"level", "urgent", "number", "kind"} else False
    if (cost.family, *cost.features) != truth.law:
        return False
    return cost.family == "constant" or not cost.warnings


def disk_of(folder: Path) -> str | None:
    """Name the disk below a folder by its device number; `None` where the number is no disk's."""
    number = os.stat(folder).st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not device.exists():
        return None
    whole = device.resolve()
    return whole.parent.name if (whole / "partition").exists() else whole.name


# -- the aims


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What was aimed at, and what came of it."""

    what: str
    reached: float
    wanted: str
    met: bool


def aims(verdicts: Sequence[Verdict], quantile: float) -> list[Aim]:
    """Sum up."""
    right = share(one.class_right for one in verdicts)
    off = max(verdicts, key=lambda one: one.time_off_points)
    laws = share(one.law_right for one in verdicts if one.law_right is not None)
    explained = statistics.median(one.mdape for one in verdicts if one.explained and one.mdape is not None)
    worst = max((one for one in verdicts if one.explained), key=lambda one: one.mdape or 0.0)
    alone = statistics.median(one.noise for one in verdicts if one.explained and one.noise is not None)
    overall = statistics.median(one.mdape for one in verdicts if one.mdape is not None)
    fresh = sum(one.fresh for one in verdicts)
    under = sum(one.fresh_under_rate * one.fresh for one in verdicts) / fresh
    stated = max(verdicts, key=lambda one: abs((one.under_rate or 0.0) - (1 - quantile)))
    refused = share(one.law.startswith("constant") and one.warned for one in verdicts if one.unexplainable)
    return [
        _aim("pools and I/O-bound right, share of systems", right, ">=", 0.95),
        _aim(f"time split, points off at most (worst: {off.system})", off.time_off_points, "<=", 5),
        _aim("law named right, share of systems", laws, ">=", 0.90),
        _aim(
            f"MdAPE held out where a feature explains, median of systems (noise alone {alone:.1%}; "
            f"worst: {worst.system} {worst.mdape or 0:.1%})",
            explained,
            "<=",
            0.10,
        ),
        _aim("MdAPE held out, median of all systems", overall, "<=", 0.15),
        _aim(
            f"stated under-rate, off the quantile at most ({stated.system})",
            abs((stated.under_rate or 0) - (1 - quantile)),
            "<=",
            0.02,
        ),
        _aim(f"under-rate of {fresh} fresh executions, off the quantile", abs(under - (1 - quantile)), "<=", 0.02),
        _aim("unexplainable: constant and warned of, share of systems", refused, ">=", 1.0),
    ]


def share(answers: Any) -> float:
    """Return how many of the answers are yes."""
    return statistics.fmean(bool(answer) for answer in answers)


def _aim(what: str, reached: float, relation: str, bound: float) -> Aim:
    met = reached >= bound if relation == ">=" else reached <= bound
    return Aim(what=what, reached=round(reached, 4), wanted=f"{relation} {bound:g}", met=met)


# -- what is printed


def confusion(verdicts: Sequence[Verdict]) -> Counter[tuple[str, str]]:
    """Count systems by pool that is true and pool that was drafted; ``-`` where there is none to match."""
    cells: Counter[tuple[str, str]] = Counter()
    for one in verdicts:
        true, drafted = set(one.true_pools), set(one.pools)
        cells.update((pool, pool) for pool in true & drafted)
        missed, invented = sorted(true - drafted), sorted(drafted - true)
        if not true and not drafted:
            cells["-", "-"] += 1
        for place in range(max(len(missed), len(invented))):
            left = missed[place] if place < len(missed) else "-"
            cells[left, invented[place] if place < len(invented) else "-"] += 1
    return cells


def show(verdicts: Sequence[Verdict], found: Sequence[Aim]) -> None:
    """Print the tables."""
    cells, names = confusion(verdicts), (*POOLS, "-")
    print("pools: truth in rows, drafted in columns (- is none)")
    print(" " * 12 + "".join(f"{name:>11s}" for name in names))
    for row in names:
        print(f"{row:12s}" + "".join(f"{cells[row, column] or '.':>11}" for column in names))
    print("\nI/O-bound: truth in rows, drafted in columns")
    print(" " * 12 + f"{'yes':>11s}{'no':>11s}")
    for truth, word in ((True, "yes"), (False, "no")):
        drafted = [one.io_bound for one in verdicts if one.true_io_bound is truth]
        counts = [sum(drafted), len(drafted) - sum(drafted)]
        print(f"{word:12s}" + "".join(f"{count or '.':>11}" for count in counts))
    print(
        f"\n{'system':20s}{'n':>5s} {'class':6s}{'time':>6s}  {'law (! warned of)':30s}{'right':6s}"
        f"{'MdAPE':>7s}{'fresh':>7s}{'noise':>7s}{'under':>7s}{'fresh':>7s}"
    )
    for one in verdicts:
        print(row_of(one))
    print()
    for aim in found:
        print(f"{'met   ' if aim.met else 'MISSED'} {aim.what}: {aim.reached:g} ({aim.wanted})")


def row_of(one: Verdict) -> str:
    """Lay out one system's line."""
    law = {True: "yes", False: "NO", None: "-"}[one.law_right]
    stated, noise, under = (
        "-" if value is None else f"{value:.1%}" for value in (one.mdape, one.noise, one.under_rate)
    )
    line = (
        f"{one.system:20s}{one.executions:5d} {'right' if one.class_right else 'WRONG':6s}{one.time_off_points:6.1f}"
        f"  {one.law:30s}{law:6s}{stated:>7s}{one.fresh_mdape:>7.1%}{noise:>7s}{under:>7s}{one.fresh_under_rate:>7.1%}"
    )
    if one.class_right:
        return line
    said, true = (" ".join(pools) or "none" for pools in (one.pools, one.true_pools))
    return f"{line}\n{'':26s}drafted {said}, I/O {one.io_bound}; true {true}, I/O {one.true_io_bound}"


def one_run(seed: int, rounds: int, folder: Path) -> tuple[list[Verdict], list[Aim]]:
    """Observe the program once, and judge."""
    report, books, port = observe(folder, seed, rounds)
    by_name = {one.system.rpartition(":")[2]: one for one in report.systems}
    disk = disk_of(folder)
    verdicts = [judge(truth, by_name[truth.name], books[truth.name], port, disk) for truth in SYSTEMS]
    return verdicts, aims(verdicts, report.systems[0].cost.quantile)


def main() -> int:
    parser = argparse.ArgumentParser(description="What dam-obs says of systems whose truth is known.")
    parser.add_argument("--seed", type=int, default=1, help="of jobs and of chance (default: 1)")
    parser.add_argument("--repeat", type=int, default=1, help="runs, each with the next seed (default: 1)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of all systems (default: {ROUNDS})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--keep", type=Path, help="an empty folder in which to leave what the run left")
    options = parser.parse_args()
    runs, met = [], True
    for seed in range(options.seed, options.seed + options.repeat):
        with tempfile.TemporaryDirectory() as folder:
            verdicts, found = one_run(seed, options.rounds, options.keep or Path(folder))
        met = met and all(aim.met for aim in found)
        if not options.json:
            print(f"seed {seed}")
            show(verdicts, found)
        systems = [{**asdict(one), "class_right": one.class_right} for one in verdicts]
        runs.append({"seed": seed, "systems": systems, "aims": [asdict(aim) for aim in found]})
    if options.json:
        print(json.dumps(runs, indent=2))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
