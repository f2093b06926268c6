"""
Compare what a draft would have said of recorded commands with what the executions took.

``time_ms`` is in whole milliseconds and 1 at least, so observed times are rounded to that before
they are compared: nothing finer can be said, and a draft is not blamed for it.
"""

from __future__ import annotations

import ast
import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_obs.diagnose.costs import QUANTILE
from dam_obs.draft.certainty import Interval, share_interval
from dam_obs.draft.check import LONGEST_SOURCE, check
from dam_obs.draft.errors import DraftRefused, UnknownSystem
from dam_obs.draft.literals import comment, shown
from dam_obs.draft.names import class_name, command_type
from dam_obs.draft.parsing import Unparsed, parse, read_text
from dam_obs.draft.recorded import Execution, RecordedSystem, unique_features
from dam_obs.draft.sandbox import Answer, DraftCode, Limits, ask
from dam_obs.draft.telling import Tell, nobody
from dam_obs.errors import DamObsError
from dam_obs.trace.events import Scalar

NS_PER_MS: Final = 1_000_000
WORST: Final = 5
NO_TIME: Final = "it predicts no time"
"""What is said of an answer without a cost: a draft may leave it to its reviewer."""

_SYSTEM: Final = re.compile(r"^# System: (.*)$", re.M)
_QUANTILE: Final = re.compile(r"time_ms is meant to hold for (\d{1,2})% of executions")


class NotADraft(DamObsError):
    """A file was given as a draft and is none."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is no draft ({shown(why)}): name a file that `dam-obs draft` wrote, or its folder")
        self.path = path
        self.why = why


class NoSuchSystem(DamObsError):
    """It cannot be told which system of the run a draft is for."""

    def __init__(self, path: Path, known: Iterable[str]) -> None:
        names = ", ".join(shown(name) for name in sorted(known)[:5]) or "none"
        super().__init__(
            f"{path} is for no system of this run: name one with --system, of those with commands ({names})"
        )
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drafted file, read and not run."""

    path: Path
    text: str
    class_name: str
    system: str | None
    """As its first lines say, made safe for a comment."""
    quantile: float
    """Of executions that ``time_ms`` is meant to hold for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One execution and what the draft says of its command."""

    handle: str
    said_ms: int
    took_ns: int
    features: Mapping[str, Scalar]

    @property
    def took_ms(self) -> int:
        """Return the time as ``time_ms`` could have said it."""
        return whole_ms(self.took_ns)

    @property
    def error(self) -> float:
        """Return the signed relative error; positive: the draft says too much."""
        return (self.said_ms - self.took_ms) / self.took_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What came of one draft."""

    system: str
    draft: Path
    quantile: float
    executions: int
    """Recorded ones that succeeded; the time of a failure says nothing of the work."""
    left_out: int
    """Recorded ones that did not succeed, or were not taken since there were so many."""
    predicted: int
    mdape: float | None
    """Median absolute percentage error, as a fraction; `None` where nothing was predicted."""
    bias: float | None
    """Median signed relative error; positive: over-estimates."""
    under: Interval | None
    """Share of executions that took longer than the draft said; 1 - `quantile` was meant."""
    worst: tuple[Prediction, ...]
    """Those that it missed by the largest factor, worst first."""
    problems: dict[str, int]
    """Why executions have no prediction, and how many."""
    stopped: str | None
    """Why the draft was not asked about all commands."""
    not_rebuilt: tuple[str, ...]
    """Features that are no fields of a command, by their names, and were left out."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a draft says of executions."""

    each: tuple[Prediction | None, ...]
    """One for each execution, in order; `None` where nothing was predicted."""
    problems: dict[str, int]
    """Why not, and of how many."""
    stopped: str | None
    """Why the draft was not asked about all commands."""

    def made(self) -> list[Prediction]:
        """Return those that there are."""
        return [each for each in self.each if each is not None]


def whole_ms(duration_ns: int) -> int:
    """Return a time as ``time_ms`` could say it: rounded, and 1 at least."""
    return max(1, (duration_ns + NS_PER_MS // 2) // NS_PER_MS)


def read_drafts(path: Path) -> list[Draft]:
    """
    Read a drafted file, or all of a folder; a folder's other files are left out.

    Raises:
        NotADraft: It is none, or the folder has none.
    """
    if not path.is_dir():
        return [_read_draft(path)]
    found = sorted(each for each in path.glob("*.py") if each.is_file())
    if not found:
        raise NotADraft(path, "the folder has no Python files")
    return [_read_draft(each) for each in found]


def system_of(draft: Draft, systems: Mapping[str, RecordedSystem], asked: str | None = None) -> RecordedSystem:
    """
    Find the system that a draft is for.

    Args:
        draft: The draft.
        systems: Those of the run.
        asked: The system's name, or the last part of it, as a user has it.

    Raises:
        UnknownSystem: There is none by the name that was asked for.
        NoSuchSystem: The draft does not say for which one it is, or the run has not seen that one.
    """
    if asked is not None:
        same = [asked] if asked in systems else [name for name in systems if class_name(name) == asked]
        if len(same) != 1:
            raise UnknownSystem(asked, same or systems.keys())
        return systems[same[0]]
    same = [name for name in systems if draft.system is not None and comment(name) == draft.system]
    same = same or [name for name in systems if draft.system is None and class_name(name) == draft.class_name]
    if len(same) != 1:
        raise NoSuchSystem(draft.path, systems.keys())
    return systems[same[0]]


def backtest(
    draft: Draft,
    recorded: RecordedSystem,
    *,
    quantile: float | None = None,
    limits: Limits | None = None,
    tell: Tell = nobody,
) -> Backtest:
    """
    Ask a draft about the recorded commands of a system.

    Args:
        draft: What to ask; it is checked first.
        recorded: The system's executions.
        quantile: Of executions that the draft's time is meant to hold for; as the draft says, if `None`.
        limits: What the child process may use.
        tell: Told how far it is.

    Raises:
        NotADraft: It holds more than a draft may; it was not run.
    """
    found = predict(draft, recorded, limits=limits, tell=tell)
    predictions = found.made()
    errors = [each.error for each in predictions]
    return Backtest(
        system=recorded.system,
        draft=draft.path,
        quantile=draft.quantile if quantile is None else quantile,
        executions=len(found.each),
        left_out=recorded.seen - len(found.each),
        predicted=len(predictions),
        mdape=statistics.median(map(abs, errors)) if errors else None,
        bias=statistics.median(errors) if errors else None,
        under=share_interval(sum(error < 0 for error in errors), len(errors)) if errors else None,
        worst=tuple(sorted(predictions, key=_miss, reverse=True)[:WORST]),
        problems=found.problems,
        stopped=found.stopped,
        not_rebuilt=tuple(recorded.not_rebuilt()),
    )


def predict(
    draft: Draft, recorded: RecordedSystem, *, limits: Limits | None = None, tell: Tell = nobody
) -> Predictions:
    """
    Ask a draft about each execution of a system that succeeded.

    Args:
        draft: What to ask; it is checked first.
        recorded: The system's executions.
        limits: What the child process may use.
        tell: Told how far it is.

    Raises:
        NotADraft: It holds more than a draft may; it was not run.
    """
    command = None if recorded.takes_dict else command_type(recorded.command_type, taken=draft.class_name)
    try:
        check(draft.text, command=command)
    except DraftRefused as error:
        raise NotADraft(draft.path, error.why) from error

    executions = recorded.succeeded()
    commands, which = unique_features(executions)
    code = DraftCode(text=draft.text, class_name=draft.class_name)
    outcome = ask(code, commands, is_dict=recorded.takes_dict, limits=limits, tell=tell)
    answers = [outcome.answers[place] if place < len(outcome.answers) else None for place in which]
    each = tuple(_prediction(execution, answer) for execution, answer in zip(executions, answers, strict=True))
    return Predictions(each, problems(answers), outcome.stopped)


def problems(answers: Iterable[Answer | None]) -> dict[str, int]:
    """Count why answers have no use, the most frequent reason first."""
    counts = Counter(_problem(answer) for answer in answers)
    return {why: count for why, count in counts.most_common() if why is not None}


def _problem(answer: Answer | None) -> str | None:
    if answer is None:
        return "it was not asked any more"
    if answer.traits is None:
        return answer.problem or "it gave no answer"
    return None if answer.time_ms() is not None else NO_TIME


def _prediction(execution: Execution, answer: Answer | None) -> Prediction | None:
    said = None if answer is None else answer.time_ms()
    if said is None:
        return None
    return Prediction(handle=execution.handle, said_ms=said, took_ns=execution.duration_ns, features=execution.features)


def _miss(prediction: Prediction) -> float:
    return abs(math.log(prediction.said_ms / prediction.took_ms))


def _read_draft(path: Path) -> Draft:
    try:
        text = read_text(path, LONGEST_SOURCE)
        tree = parse(text)
    except Unparsed as error:
        raise NotADraft(path, str(error)) from error
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if len(classes) != 1:
        raise NotADraft(path, f"it has {len(classes)} classes, not one")
    system, quantile = _SYSTEM.search(text), _QUANTILE.search(text)
    return Draft(
        path=path,
        text=text,
        class_name=classes[0].name,
        system=system[1] if system else None,
        quantile=int(quantile[1]) / 100 if quantile and int(quantile[1]) else QUANTILE,
    )
