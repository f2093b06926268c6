"""What can be wrong with a backend, each in one line: what it was, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dam_obs.errors import DamObsError

NAMED: Final = 8
"""Names that a message lists before it only counts."""


class BackendError(DamObsError):
    """Events cannot be had from a backend."""


class BadAddress(BackendError):
    """The URI of a backend cannot be understood."""

    def __init__(self, uri: str, why: str, example: str) -> None:
        super().__init__(f"{uri} is no address of a backend: {why}; write {example}")
        self.uri = uri


class Unreachable(BackendError):
    """Nobody answers."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} does not answer ({why}): look whether it runs, and correct host and port")
        self.where = where


class TlsRefused(BackendError):
    """The other side is not who it should be, or does not speak TLS."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(
            f"{where} is refused, for TLS fails ({why}): name who signed its certificate with ?ca=FILE, "
            "or an address without TLS if it has none"
        )
        self.where = where


class NotAllowed(BackendError):
    """The backend wants to know who asks, or does not let them."""

    def __init__(self, where: str, why: str, variables: str) -> None:
        super().__init__(f"{where} does not let us in ({why}): set {variables} in the environment")
        self.where = where


class NotThisBackend(BackendError):
    """Something answers, and it is something else."""

    def __init__(self, where: str, what: str, why: str) -> None:
        super().__init__(f"{where} is no {what} ({why}): correct host, port and path")
        self.where = where


class BackendFailed(BackendError):
    """The backend says that it cannot."""

    def __init__(self, where: str, why: str, remedy: str = "ask for less with --since, --until or --service") -> None:
        super().__init__(f"{where} failed: {why}; {remedy}")
        self.where = where
        self.why = why


class NoSuchTable(BackendError):
    """The database has no table of this name."""

    def __init__(self, where: str, table: str, others: Sequence[str]) -> None:
        there = f"there are {listed(others)}" if others else "it has none that is like it"
        super().__init__(f"{where} has no table {table}: {there}; name another with ?table=NAME")
        self.table = table


class OtherSchema(BackendError):
    """A table is not one that the collector's exporter makes."""

    def __init__(self, where: str, table: str, missing: Sequence[str], wrong: Sequence[str] = ()) -> None:
        said = [f"it has no {listed(missing)}"] if missing else []
        said += [f"it has {listed(wrong)}"] if wrong else []
        super().__init__(
            f"{where}: table {table} is not one of the collector's ClickHouse exporter ({', and '.join(said)}): "
            "name the table of its traces with ?table=NAME"
        )
        self.missing = tuple(missing)


class NothingThere(BackendError):
    """A backend has no span that is asked for."""

    def __init__(self, where: str, window: str, scope: str) -> None:
        of = f" of {scope}" if scope else ""
        super().__init__(
            f"{where} has no span{of} {window}: widen that with --since, "
            "or see what it has with `dam-obs doctor --from`"
        )
        self.where = where


class NoSuchService(BackendError):
    """A service is asked for that the backend does not know."""

    def __init__(self, where: str, service: str, known: Sequence[str]) -> None:
        there = f"there are {listed(known)}" if known else "it knows none yet"
        super().__init__(f"{where} knows no service {service!r}: {there}")
        self.service = service


def listed(names: Sequence[str]) -> str:
    """Return names for a message, the first few of many."""
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
