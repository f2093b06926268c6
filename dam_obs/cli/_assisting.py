"""``dam-obs draft --prompt``, ``--llm`` and ``--answer``: what is asked, who answers, and what is told of it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table

from dam_obs.cli._base import console
from dam_obs.cli._reading import telling
from dam_obs.cli._units import percent
from dam_obs.diagnose.report import DiagnosticReport, SystemDiagnosis
from dam_obs.draft.assist.contest import Contest, contest
from dam_obs.draft.assist.errors import NotOneSystem
from dam_obs.draft.assist.model import ask
from dam_obs.draft.assist.prompt import prompt
from dam_obs.draft.assist.verdict import Result, Verdict, judge
from dam_obs.draft.errors import UnknownSystem
from dam_obs.draft.names import class_name
from dam_obs.draft.recorded import recorded_systems
from dam_obs.errors import DamObsError
from dam_obs.store.runs import RunFolder
from dam_obs.text import printable

REJECTED: Final = 1
"""The exit status if an answer was rejected; nothing was written then."""

MOST_BYTES: Final = 1_000_000
"""Of a file with an answer."""

MOST_LINES: Final = 200
"""Of a rejected draft that is shown."""


class NoAnswer(DamObsError):
    """A file with an answer cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"{path} cannot be read ({why}): name a file with what a model answered, or - for standard input"
        )
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user wants of a model."""

    model: str | None
    seconds: float
    answer: str | None
    """A file with an answer."""
    prompt_bytes: int
    is_prompt: bool
    """The prompt alone."""

    def __post_init__(self) -> None:
        given = [name for name, value in (("--llm", self.model), ("--answer", self.answer)) if value is not None]
        if self.is_prompt and given:
            raise click.UsageError(f"--prompt does not go with {given[0]}: it prints what would be asked")
        if len(given) > 1:
            raise click.UsageError("--llm and --answer do not go together: an answer has one author")

    @property
    def is_assisted(self) -> bool:
        """Whether anything is wanted of a model."""
        return self.is_prompt or self.model is not None or self.answer is not None

    def verdict(self, contest: Contest) -> Verdict:
        """Have a cost written, or take the one that was, and judge it."""
        author, answer = self._answer(contest)
        with telling("Judging the answer") as tell:
            return judge(contest, answer, author, tell=tell)

    def _answer(self, contest: Contest) -> tuple[str, str]:
        """Return who wrote a cost, and what."""
        if self.answer is not None:
            return _author(self.answer), _read_answer(self.answer)
        text = prompt(contest, most_bytes=self.prompt_bytes)
        with telling(f"Asking {printable(str(self.model))}"):
            name, answer = ask(str(self.model), text, seconds=self.seconds)
        return f"the model {name}", answer


def contest_of(run: RunFolder, report: DiagnosticReport, systems: Collection[str]) -> Contest:
    """
    Part the executions of the one system that is asked for.

    Raises:
        NotOneSystem: It is not one.
        UnknownSystem: It is not in the report.
        TooFewExecutions, NothingToBeat: Nothing can be judged.
    """
    system = _one_of(report, systems)
    with telling(f"Reading {printable(str(run.path))}"):
        return contest(report, system, recorded_systems(run))


def _one_of(report: DiagnosticReport, systems: Collection[str]) -> SystemDiagnosis:
    known = {each.system: each for each in report.systems if each.command_type is not None}
    wanted = set(systems) or set(known)
    if len(wanted) != 1:
        raise NotOneSystem(known)
    (name,) = wanted
    same = [name] if name in known else [each for each in known if class_name(each) == name]
    if len(same) != 1:
        raise UnknownSystem(name, same or known)
    return known[same[0]]


def tell_verdict(verdict: Verdict) -> None:
    """Say on standard error what came of an answer: the figures, and why it was rejected, with the code."""
    out = console(stderr=True)
    if verdict.template is not None and verdict.assisted is not None:
        out.print(_table(verdict))
    for line in _sentences(verdict):
        out.print(printable(line), soft_wrap=True)


def document(verdict: Verdict) -> dict[str, Any]:
    """Return what ``--json`` prints of an answer."""
    return {
        "author": verdict.author,
        "accepted": verdict.accepted,
        "why_not": list(verdict.why_not),
        "quantile": verdict.quantile,
        "training": verdict.training,
        "held_out": verdict.held_out,
        "template": _figures(verdict.template),
        "assisted": _figures(verdict.assisted),
        "gain": None
        if verdict.gain is None
        else {
            "mdape": verdict.gain.value,
            "low": verdict.gain.low,
            "high": verdict.gain.high,
        },
        "source": verdict.source,
    }


def _figures(result: Result | None) -> dict[str, float] | None:
    if result is None:
        return None
    return {
        "mdape": result.mdape,
        "bias": result.bias,
        "under_rate": result.under.value,
        "under_rate_low": result.under.low,
        "under_rate_high": result.under.high,
        "quantile_loss": result.loss,
    }


def _table(verdict: Verdict) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Draft", overflow="fold")
    for name in ("Runs", "Error", "Bias", "Too long", "Meant"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, result in (("template", verdict.template), (printable(verdict.author), verdict.assisted)):
        if result is not None:
            bias = percent(result.bias)
            table.add_row(
                name,
                f"{verdict.held_out:,}",
                percent(result.mdape),
                f"+{bias}" if result.bias > 0 else bias,
                percent(result.under.value),
                percent(1 - verdict.quantile),
            )
    return table


def _sentences(verdict: Verdict) -> Iterator[str]:
    if verdict.accepted:
        yield (
            f"Accepted: it is nearer to {verdict.held_out:,} executions that neither draft had seen. "
            "A person must read it before it is used."
        )
        return
    yield f"Rejected, what {verdict.author} wrote; the template's draft stays."
    yield from (f"  {why}" for why in verdict.why_not)
    lines = _code(verdict.source) if verdict.source is not None else []
    yield from (f"  | {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"  | ... and {len(lines) - MOST_LINES:,} more lines"


def _code(source: str) -> list[str]:
    """Return the lines of the method from its first statement on: what comes before is the same in each draft."""
    (method,) = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.AsyncFunctionDef))
    words = 1 if ast.get_docstring(method) is not None else 0
    return source.splitlines()[method.body[words].lineno - 1 : method.end_lineno]


def _read_answer(name: str) -> str:
    try:
        with click.open_file(name, "rb") as file:
            data: bytes = file.read(MOST_BYTES)
    except OSError as error:
        raise NoAnswer(name, error.strerror or type(error).__name__) from error
    return data.decode("utf-8", "replace")


def _author(name: str) -> str:
    """Name who wrote an answer that came as a file."""
    return "the author of what came in" if name == "-" else f"the author of {Path(name).name}"
