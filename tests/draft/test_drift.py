"""Declared traits against observed ones: what is drift, and what is no more than chance or not known."""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest

from dam_obs.diagnose.report import DeviceBytes, InferredTrait, Peer, TimeSplit
from dam_obs.draft.drift import Asked, Terms, differences, pools_of
from dam_obs.draft.recorded import Execution
from dam_obs.draft.sandbox import Answer, SaidTrait

MS = 1_000_000


def execution(number, took_ms=10.0, cpu=0.5, status="success", **touched):
    """One execution that was `cpu` of its time on the CPU; `None`: that was not measured."""
    return Execution(
        handle=f"sys_1768312800_{number:04x}",
        status=status,
        duration_ns=round(took_ms * MS),
        features={},
        cpu_ns=None if cpu is None else round(took_ms * cpu * MS),
        run_queue_ns=None,
        touched=touched,
    )


def declares(*pools, time_ms=None, io_bound=False):
    """What was declared for a command."""
    said = [SaidTrait("ResourceUsageTrait", {"pool_path": pool, "amount": 1}) for pool in pools]
    said += [SaidTrait("ExecutionCostTrait", {"priority": 1, "time_ms": time_ms})] if time_ms else []
    return Answer((*said, *([SaidTrait("IOBoundTrait", {})] if io_bound else [])))


def uses(pool, confidence=0.9):
    """A resource that was inferred."""
    return InferredTrait(
        trait="ResourceUsageTrait",
        arguments={"pool_path": pool, "amount": 1},
        confidence=confidence,
        evidence=["It was seen."],
        rival=None,
    )


WAITS = InferredTrait(trait="IOBoundTrait", arguments={}, confidence=0.9, evidence=["It waited."], rival=None)


def disk(direction, executions, moved=4096, device="vda"):
    """Bytes of a device."""
    return DeviceBytes(
        device=device,
        direction=direction,
        pool=f"disk/{direction}/{device}",
        bytes=moved,
        layer="block",
        executions=executions,
    )


@pytest.fixture
def find(system):
    """Find the differences of a system as ``(rule, level, subject)``."""

    def found(answer, *, number=60, terms=None, cpu=0.5, took_ms=10.0, measured=True, **observed):
        wall = number * 10 * MS
        split = TimeSplit(
            wall_ns=wall,
            on_cpu_ns=round(wall * (cpu or 0)) if measured else None,
            run_queue_ns=None,
            block_io_ns=None,
            awaiting_ns=None,
            other_ns=0,
            measured=number,
        )
        diagnosis = system(**{"traits": [], "executions": number, "time": split, **observed})
        asked = [Asked(execution(each, took_ms, cpu if measured else None), answer) for each in range(number)]
        return [
            (each.rule.id, each.level, each.subject)
            for each in differences(diagnosis, asked, pools_of(asked), terms or Terms())
        ]

    return found


POOLS = {
    "used and declared": (["disk/read/vda"], {"devices": [disk("read", 60)], "traits": [uses("disk/read/vda")]}, []),
    "a pool above it is declared": (["disk"], {"devices": [disk("read", 60)], "traits": [uses("disk/read/vda")]}, []),
    "a name that only begins alike": (
        ["disk/read/v"],
        {"devices": [disk("read", 60)], "traits": [uses("disk/read/vda")]},
        [("pool-missing", "error", "disk/read/vda"), ("pool-unused", "note", "disk/read/v")],
    ),
    "used and not declared": ([], {"traits": [uses("process/gzip")]}, [("pool-missing", "error", "process/gzip")]),
    "used, perhaps": ([], {"traits": [uses("process/gzip", 0.5)]}, []),
    "never touched": (
        ["disk/write/vda"],
        {"devices": [disk("read", 60)]},
        [("pool-unused", "error", "disk/write/vda")],
    ),
    "bytes of a file that is kept open": (
        ["disk/write/vda"],
        {"devices": [disk("write", 0, device="unknown")]},
        [("pool-unused", "note", "disk/write/vda")],
    ),
    "a connection that may be kept open": (["net/db:1"], {}, [("pool-unused", "note", "net/db:1")]),
    "a peer of another name": (
        ["net/db:1"],
        {"peers": [Peer(address="db:2", pool="net/db:2", executions=60)], "cpu": 0.95},
        [("pool-unused", "error", "net/db:1")],
    ),
    "the CPU, by what computes": (["cpu"], {"cpu": 0.9}, []),
    "the CPU, by what does not": (["cpu"], {"cpu": 0.01}, [("pool-unused", "error", "cpu")]),
    "a limit of the program's own": (["heavy", "db/connections"], {}, []),
    "never touched by few": (["disk/write/vda"], {"number": 19}, []),
    "in a run that was not measured": (["disk/write/vda"], {"measured": False, "traits": [uses("cpu")]}, []),
}


@pytest.mark.parametrize(("declared", "observed", "expected"), POOLS.values(), ids=POOLS.keys())
def test_pools(find, declared, observed, expected):
    """What is used must be declared, and what is declared used, as far as that can be known."""
    assert find(declares(*declared), **observed) == expected


def test_an_alias_says_what_a_declared_pool_is_called_when_observed(find):
    """Then it is judged as that."""
    terms = Terms(aliases={"heavy": "cpu"})

    assert find(declares("heavy"), terms=terms, cpu=0.9, traits=[uses("cpu")]) == []
    assert find(declares("heavy"), terms=terms, cpu=0.01) == [("pool-unused", "error", "heavy")]
    assert find(declares("heavy"), cpu=0.9, traits=[uses("cpu")]) == [("pool-missing", "error", "cpu")]


IO_BOUND = {
    "declared, and it waits": (True, {"cpu": 0.1, "traits": [WAITS]}, []),
    "declared, and it computes": (True, {"cpu": 0.9}, [("io-bound-wrong", "error", "")]),
    "declared, and about half": (True, {"cpu": 0.5}, []),
    "not declared, and it waits": (False, {"cpu": 0.1, "traits": [WAITS]}, [("io-bound-missing", "error", "")]),
    "not declared, and it waits for what is no I/O": (False, {"cpu": 0.1}, []),
    "not declared, and it computes": (False, {"cpu": 0.9}, []),
    "declared, few of which compute": (True, {"cpu": 0.9, "number": 9}, []),
    "in a run that was not measured": (True, {"measured": False, "cpu": 0.9}, []),
}


@pytest.mark.parametrize(("declared", "observed", "expected"), IO_BOUND.values(), ids=IO_BOUND.keys())
def test_being_io_bound(find, declared, observed, expected):
    """Against where its own time went."""
    assert find(declares(io_bound=declared), **observed) == expected


TIMES = {
    "as declared": (10, {}, []),
    "a little longer": (7, {}, []),
    "much longer": (5, {}, [("time-too-short", "error", "")]),
    "much longer, by five": (5, {"number": 5}, [("time-too-short", "error", "")]),
    "much longer, by four": (5, {"number": 4}, []),
    "a little shorter": (14, {}, []),
    "much shorter": (40, {}, [("time-too-long", "error", "")]),
    "much shorter, by fifty, of which one might yet take longer": (40, {"number": 50}, []),
    "another threshold": (5, {"terms": Terms(threshold=1.5)}, []),
    "nothing": (None, {}, []),
    "less than a millisecond, as finely as can be said": (1, {"took_ms": 0.01}, []),
}


@pytest.mark.parametrize(("time_ms", "observed", "expected"), TIMES.values(), ids=TIMES.keys())
def test_time(find, time_ms, observed, expected):
    """Off by more than the threshold, for all that it may truly be."""
    assert find(declares(time_ms=time_ms), **observed) == expected


def test_the_time_of_failures_says_nothing(system):
    """Of the work."""
    asked = [Asked(execution(each, 900.0, None, "error"), declares(time_ms=1)) for each in range(60)]

    assert list(differences(system(traits=[]), asked, {}, Terms())) == []


def test_a_finding_has_its_figures_and_executions_to_look_at(system):
    """The slowest first."""
    asked = [Asked(execution(each, 10.0 + each, None), declares(time_ms=5)) for each in range(50)]

    (found,) = differences(system(traits=[]), asked, {}, Terms())

    assert found.message == (
        "declares time_ms, but 90% of executions take up to 10.8 times that, surely at least 9.6 times"
    )
    assert found.figures == {"ratio": 10.8, "quantile": 0.9, "threshold": 0.5, "executions": 50}
    assert found.handles == ("sys_1768312800_0031", "sys_1768312800_0030", "sys_1768312800_002f")


def test_handles_of_a_missing_pool_are_of_those_that_touched_it(system):
    """And of no others."""
    asked = [Asked(execution(each, processes=["gzip"] if each % 20 == 7 else []), declares()) for each in range(60)]

    (found,) = differences(system(traits=[uses("process/gzip")]), asked, {}, Terms())

    assert found.handles == ("sys_1768312800_0007", "sys_1768312800_001b", "sys_1768312800_002f")
    assert found.evidence == ("It was seen.",)


@pytest.mark.parametrize("number", [5, 20, 60, 200])
def test_what_is_true_is_seldom_called_drift(system, number):
    """Even with no threshold at all: in one of a hundred systems, as is stated; the trials are the same each time."""
    chance = random.Random(7)
    wrong = 0
    for _ in range(300):
        took = [math.exp(chance.gauss(7, 0.8)) for _ in range(number)]
        true_ms = round(math.exp(7 + 0.8 * NormalDist().inv_cdf(0.9)))
        asked = [Asked(execution(each, ms, None), declares(time_ms=true_ms)) for each, ms in enumerate(took)]
        wrong += bool(list(differences(system(traits=[]), asked, {}, Terms(threshold=0.0))))

    assert wrong <= 6


def test_what_is_twice_too_short_is_found_soon(system):
    """With sixty executions of much noise, nearly always."""
    chance = random.Random(8)
    found = 0
    for _ in range(100):
        took = [math.exp(chance.gauss(7, 0.3)) for _ in range(60)]
        said_ms = round(math.exp(7 + 0.3 * NormalDist().inv_cdf(0.9)) / 2.5)
        asked = [Asked(execution(each, ms, None), declares(time_ms=said_ms)) for each, ms in enumerate(took)]
        found += [each.rule.id for each in differences(system(traits=[]), asked, {}, Terms())] == ["time-too-short"]

    assert found >= 95
