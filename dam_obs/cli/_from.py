"""``--from``, ``--since``, ``--until``, ``--service`` and ``--run``: a backend, and what is wanted of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from dam_obs.cli._base import Decorated, named_source
from dam_obs.cli._reading import telling
from dam_obs.text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from dam_obs.store.filter import Filter
    from dam_obs.store.find import Source
    from dam_obs.store.manifest import Manifest
    from dam_obs.store.remote.query import Query
    from dam_obs.store.runs import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the options say."""

    uri: str | None
    since: str | None
    until: str | None
    services: tuple[str, ...]
    run: str | None

    def wanted(self) -> Filter:
        """
        Return ``--since`` and ``--until`` as a filter.

        Raises:
            BadFilter: They are no times.
        """
        from dam_obs.store.filter import all_of, parse_filter

        words = (("since", self.since), ("before", self.until))
        return all_of(*(parse_filter(f'{name}:"{_quoted(text)}"') for name, text in words if text is not None))

    def query(self, wanted: Filter, **more: Any) -> tuple[Query, bool]:
        """
        Return what is wanted of a backend, and whether that is no more than `wanted` lets through.

        Args:
            wanted: With ``--since`` and ``--until`` in it.
            **more: Fields of the `Query`.
        """
        from dam_obs.store.remote.query import Query, narrowed

        return narrowed(Query(services=self.services, run=self.run, **more), wanted)

    @property
    def is_everything(self) -> bool:
        """None of the options was given."""
        return not (self.since or self.until or self.services or self.run)

    def backend(self) -> Source | None:
        """
        Return what ``--from`` names, for a command without a `source_argument`; `None` where it is not given.

        Raises:
            click.UsageError: It is no backend, or other options need one.
            NoBackend: No plugin knows it.
        """
        if self.uri is None:
            if not self.is_everything:
                raise click.UsageError("--since, --until, --service and --run go with --from")
            return None
        source = named_source(self.uri)
        if source.uri is None:
            raise click.UsageError(
                f"--from names a backend, and {self.uri!r} is a file: see `dam-obs report` for a run"
            )
        return asking(source, self.query(self.wanted())[0])

    def check(self, source: Source) -> None:
        """
        Refuse what cannot be asked of a source.

        Raises:
            click.UsageError: It is.
        """
        if source.uri is None and (self.services or self.run):
            raise click.UsageError("--service and --run go with --from: a file's events do not tell them")


def from_options(function: Decorated) -> Decorated:
    """Give a command the options, as its parameter ``reading``; a `source_argument` heeds ``--from`` by itself."""

    @wraps(function)
    def command(*args: Any, from_: str | None, since: str | None, until: str | None, **given: Any) -> Any:
        reading = Reading(
            uri=from_, since=since, until=until, services=given.pop("services"), run=given.pop("run_name")
        )
        return function(*args, reading=reading, **given)

    decorated: Any = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


_OPTIONS = (
    click.option(
        "--from",
        "from_",
        is_eager=True,
        metavar="URI",
        help="Read what a backend has: otlp-file:PATH, jaeger://HOST:16686, clickhouse://HOST:8123/DATABASE, or a "
        "plugin's.",
    ),
    click.option(
        "--since",
        metavar="TIME",
        help="Only what started then or later: 10m ago, 2d, or 2026-01-13T15:00. [default for Jaeger and ClickHouse: "
        "the last day]",
    ),
    click.option("--until", metavar="TIME", help="Only what started before then."),
    click.option(
        "--service", "services", metavar="NAME", multiple=True, help="Of a backend, only this service; may be repeated."
    ),
    click.option("--run", "run_name", metavar="ID", help="Of a backend, only this measured run."),
)


def brought(source: Source, out: Path | None) -> tuple[RunFolder, Manifest]:
    """
    Put what is wanted of a backend into the folder of a new run.

    Args:
        source: The backend.
        out: The folder, new or empty; ``.dam-obs/runs/<run id>`` if `None`.

    Raises:
        DamObsError: It cannot be had, or there is nothing; then there is no folder either.
    """
    from dam_obs.sample.folder import new_run

    run = new_run(out)
    try:
        return run.folder, _bring(run.folder, run.run_id, source)
    except BaseException:
        run.discard()
        raise


def _bring(run: RunFolder, run_id: str, source: Source) -> Manifest:
    """Fill a folder, and say what was passed over."""
    from dam_obs.store.backend import backend_events
    from dam_obs.store.remote.bringing import bring
    from dam_obs.store.remote.query import EVERYTHING

    uri, query = source.uri or "", source.query or EVERYTHING
    with telling(f"Reading {printable(uri)}"):
        manifest = bring(backend_events(uri, query), run, run_id=run_id, uri=uri, query=query)
    note = manifest.source
    if note is not None and note.skipped:
        click.echo(printable(f"Skipped {note.skipped:,} lines or spans, first {note.first_skipped}"), err=True)
    for text in note.notes if note is not None else ():
        click.echo(printable(text), err=True)
    return manifest


def asking(source: Source, query: Query) -> Source:
    """Return a source of which no more is wanted than `query` says, if it is a backend."""
    return source if source.uri is None else replace(source, query=query)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
