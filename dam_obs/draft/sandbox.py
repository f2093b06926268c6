"""
Ask a `calculate_traits` about recorded commands, in a child process that is ended whatever it does.

The child is a fresh, isolated interpreter with no environment of ours, in a folder of its own, limited in
CPU time, memory and files, and killed with its whole process group when its time is up. Its
answers come through a pipe as lines of JSON, and each is checked before it is believed.

A draft has passed `check` before. Anything else is somebody's program: it is for the caller to decide
whether that is run at all.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dam_obs.draft.literals import LARGEST_INT, shown
from dam_obs.draft.telling import Tell, nobody
from dam_obs.draft.traits import is_pool_path
from dam_obs.trace.events import Scalar

CHILD: Final = Path(__file__).with_name("_sandbox_child.py")
TICK_SECONDS: Final = 0.05
LONGEST_LINE: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use."""

    seconds: float = 30.0
    """Wall time; then it is killed."""

    cpu_seconds: int = 20
    memory_bytes: int = 512 * 2**20
    """Of address space."""

    answer_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftCode:
    """Code that has passed `check`."""

    text: str
    class_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCode:
    """A function of somebody's program, which is imported for it."""

    root: Path
    """The folder that it is imported from."""
    module: str
    qualname: str
    """``System.calculate_traits``"""


@dataclass(frozen=True, slots=True)
class SaidTrait:
    """A trait as it was returned, with arguments that its class accepts."""

    trait: str
    arguments: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was returned for one command."""

    traits: tuple[SaidTrait, ...] | None
    """`None`: nothing that could be used."""

    problem: str | None = None
    """Why not; text of the code that was run, on one line."""

    def time_ms(self) -> int | None:
        """Return the predicted time; `None` where none is predicted."""
        times = [said.arguments.get("time_ms", 0) for said in self.of("ExecutionCostTrait")]
        return next((value for value in times if isinstance(value, int) and value > 0), None)

    def of(self, trait: str) -> list[SaidTrait]:
        """Return the traits of a class."""
        return [said for said in self.traits or () if said.trait == trait]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking."""

    answers: tuple[Answer, ...]
    """One for each command, in order; fewer where the child did not get to the end."""

    stopped: str | None
    """Why it did not: a sentence without a subject."""


def ask(
    code: DraftCode | SourceCode,
    commands: Sequence[Mapping[str, Scalar]],
    *,
    is_dict: bool = False,
    limits: Limits | None = None,
    tell: Tell = nobody,
) -> Outcome:
    """
    Run `code` for each of `commands`.

    Args:
        code: What to run.
        commands: The features of each command.
        is_dict: Commands were dictionaries.
        limits: What it may use.
        tell: Told how far it is.
    """
    limits = Limits() if limits is None else limits
    with tempfile.TemporaryDirectory(prefix="dam-obs-sandbox-", ignore_cleanup_errors=True) as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps(_job(code, commands, is_dict, limits)), encoding="ascii")
        work = Path(folder) / "work"
        work.mkdir()
        raw, status, ended = _run(
            job, work, limits, plain=isinstance(code, DraftCode), tell=lambda lines: tell(lines / (len(commands) + 1))
        )
    answers, last = _read(raw, len(commands))
    if last.get("done") is True and len(answers) < len(commands):
        last = {"nonsense": True}
    return Outcome(answers, ended or _verdict(last, status, limits))


def _job(
    code: DraftCode | SourceCode, commands: Sequence[Mapping[str, Scalar]], is_dict: bool, limits: Limits
) -> dict[str, Any]:
    job: dict[str, Any] = {
        "commands": [dict(features) for features in commands],
        "items": is_dict,
        "cpu_seconds": limits.cpu_seconds,
        "memory_bytes": limits.memory_bytes,
    }
    match code:
        case DraftCode(text=text, class_name=name):
            job["draft"] = {"text": text, "class": name}
        case SourceCode(root=root, module=module, qualname=qualname):
            job["source"] = {"root": str(root), "module": module, "qualname": qualname}
    return job


def _run(job: Path, work: Path, limits: Limits, *, plain: bool, tell: Tell) -> tuple[bytes, int, str | None]:
    """Run the child to its end or to the end of our patience; return its answers, status, and why it was killed."""
    reading, writing = os.pipe()
    without_site = ("-S",) if plain else ()
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(work), "TMPDIR": str(work)}
    try:
        with job.open("rb") as given:
            child = subprocess.Popen(  # noqa: S603 - our own script in our own interpreter
                (sys.executable, "-I", "-B", *without_site, str(CHILD), str(writing)),
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(writing,),
                cwd=work,
                env=environment,
                start_new_session=True,
            )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        raw, ended = _listen(child.pid, reading, limits, tell)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError, PermissionError):  # not reaped yet, so the group is still its own
            os.killpg(child.pid, signal.SIGKILL)
        status = child.wait()
    return raw, status, ended


def _listen(pid: int, reading: int, limits: Limits, tell: Tell) -> tuple[bytes, str | None]:
    """Read until the child has ended, and tell of each line; what it started may hold the pipe open for longer."""
    end = time.monotonic() + limits.seconds
    raw = bytearray()
    told = lines = 0
    os.set_blocking(reading, False)
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        is_open = True
        while True:
            has_ended = _has_ended(pid)
            if is_open:
                selector.select(0 if has_ended else TICK_SECONDS)
                is_open = _take(reading, raw, limits.answer_bytes)
                lines, told = lines + raw.count(b"\n", told), len(raw)
                tell(lines)
            elif not has_ended:
                time.sleep(TICK_SECONDS / 10)
            if len(raw) > limits.answer_bytes:
                return bytes(raw), f"answered with more than {limits.answer_bytes:,} bytes"
            if has_ended:
                return bytes(raw), None
            if time.monotonic() > end:
                return bytes(raw), f"took longer than {limits.seconds:g} s"


def _take(reading: int, raw: bytearray, most: int) -> bool:
    """Add all that can be read now; say whether more may come."""
    while len(raw) <= most:
        try:
            part = os.read(reading, 1 << 16)
        except BlockingIOError:
            return True
        if not part:
            return False
        raw += part
    return True


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _read(raw: bytes, expected: int) -> tuple[tuple[Answer, ...], dict[str, Any]]:
    """Return the answers, and the last line that is none: how it ended."""
    answers: list[Answer] = []
    for line in raw.splitlines(keepends=True):
        told = _line(line)
        if "traits" in told and len(answers) < expected:
            answers.append(_answer(told["traits"]))
        elif isinstance(told.get("problem"), str) and len(answers) < expected:
            answers.append(Answer(None, shown(told["problem"])))
        else:
            return tuple(answers), told
    return tuple(answers), {}


def _line(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        return {}  # torn
    try:
        told = json.loads(line) if len(line) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        told = None
    return told if isinstance(told, dict) else {"nonsense": True}


def _verdict(last: Mapping[str, Any], status: int, limits: Limits) -> str | None:
    if last.get("done") is True:
        return None
    if isinstance(last.get("failed"), str):
        return f"could not be loaded ({shown(last['failed'])})"
    if last:
        return "answered with something that is no result"
    if status == -signal.SIGXCPU:
        return f"used up its {limits.cpu_seconds} s of CPU time"
    if status == -signal.SIGKILL:
        return "was killed, as the kernel does for want of memory"
    if status < 0:
        return f"was ended by {_signal_name(-status)}"
    return f"ended by itself, with status {status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _answer(traits: object) -> Answer:
    if not isinstance(traits, list):
        return Answer(None, "it returned no list of traits")
    said = []
    for each in traits:
        problem = _why_refused(each)
        if problem is not None:
            return Answer(None, problem)
        said.append(SaidTrait(each["trait"], each["arguments"]))
    return Answer(tuple(said))


def _why_refused(said: Any) -> str | None:
    """Say why the trait's class would not take its arguments."""
    match said:
        case {"trait": str(trait), "arguments": dict(given)} if len(said) == 2:
            pass
        case _:
            return "it returned something that is no trait"
    accepted = _ACCEPTED.get(trait)
    if accepted is None:
        return None
    for name, value in given.items():
        if name not in accepted or not accepted[name](value):
            return shown(f"{trait} does not take {name}={value!r}")
    return "ResourceUsageTrait has no pool_path" if trait == "ResourceUsageTrait" and "pool_path" not in given else None


def _is_int(value: object, least: int) -> bool:
    return type(value) is int and least <= value < LARGEST_INT


_ACCEPTED: Final[dict[str, dict[str, Any]]] = {
    "ResourceUsageTrait": {"pool_path": is_pool_path, "amount": lambda value: _is_int(value, 1)},
    "ExecutionCostTrait": {
        "priority": lambda value: _is_int(value, -LARGEST_INT),
        "time_ms": lambda value: _is_int(value, 0),
    },
    "IOBoundTrait": {},
}
