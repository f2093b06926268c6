"""
The events of a backend, and an account of how they were read.

A backend is a `Source`: it yields spans page by page, in the order in which they ended as far as it can, and writes
into the account what it had to pass over. Nothing but a page is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dam_obs.store.otlp import OtlpSpan, event_of_span, handles_of
from dam_obs.store.parts import Skipped
from dam_obs.store.remote.errors import NothingThere
from dam_obs.store.remote.processes import Processes
from dam_obs.store.remote.query import Query
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.identity import RUN_ID


@dataclass(slots=True)
class Account:
    """What became of a query."""

    asked: Query
    """With the beginning and the end that the backend was asked for."""
    kind: str
    """What was read: ``Jaeger``, ``ClickHouse``, ``files of OTLP``."""
    requests: int = 0
    """Questions to the backend, or files."""
    spans: int = 0
    skipped: Skipped = field(default_factory=Skipped)
    """Lines, rows and spans that could not be read."""
    notes: list[str] = field(default_factory=list)
    """What is to be known of the answer, for a person: what was left out, and why."""
    loses: Sequence[str] = ()
    """What this kind of backend does not give back as it was."""
    processes: Processes = field(default_factory=Processes)
    runs: set[str] = field(default_factory=set)
    """The measured runs that spans are of, the first few of them."""

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)


class Source(Protocol):
    """One backend."""

    name: str
    """As the user gave it, without secrets."""

    def account(self, query: Query) -> Account:
        """Return an account of nothing yet."""

    def pages(self, account: Account) -> Iterator[Sequence[OtlpSpan]]:
        """Yield the spans that fit `account.asked`, each once."""

    def look(self) -> str:
        """Say in a few words what is there; raises what `pages` would."""


class BackendEvents:
    """The events that a query finds; read while it is iterated, anew each time."""

    def __init__(self, name: str, make: Callable[[], Source], query: Query) -> None:
        """
        Ask nobody yet.

        Args:
            name: For messages.
            make: Makes the backend; raises what is wrong with its address.
            query: What is wanted.
        """
        self.name = name
        self.account = Account(query, "")
        """Of the last time that it was iterated; whole at the end."""
        self._make = make
        self._query = query

    def __iter__(self) -> Iterator[TraceEvent]:
        source = self._make()
        self.account = account = source.account(self._query)
        for page in source.pages(account):
            handles = handles_of(page)
            for span in page:
                event = event_of_span(span, handles)
                if event is None:
                    account.skipped.add(self.name, account.spans, "foreign", "a span cannot be read")
                    continue
                _note_process(account, span, event)
                account.spans += 1
                yield event
        if account.processes.renumbered:
            account.note(
                f"{account.processes.renumbered} processes have the pid of another machine's or container's: their "
                "numbers end with it"
            )
        if not account.spans:
            raise NothingThere(self.name, account.asked.window(), account.asked.scope())


def _note_process(account: Account, span: OtlpSpan, event: TraceEvent) -> None:
    run = span.resource.get(RUN_ID)
    if isinstance(run, str) and len(account.runs) < 100:
        account.runs.add(run)
    process = account.processes.of(span.resource)
    if process is None:
        return
    event.pid = process.number
    process.first_ns = min(process.first_ns, span.start_ns)
    process.spans += event.kind != "event"
