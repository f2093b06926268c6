"""
Files of a collector's file exporter: ``otlp-file:PATH``, a file with its rotated ones, or a folder of them.

A file is what it is by its content: lines of JSON, or messages of JSON or protobuf that each follow their length in
four bytes; both as they are or compressed, message by message or whole, by zstd or gzip. It may be written to
meanwhile: what was there when it was opened is read, and an unfinished end is no damage. What is damaged is counted
and named, and what is behind it is found again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from dam_obs.store.errors import NoTraceFound
from dam_obs.store.otlp import OtlpSpan, spans_of
from dam_obs.store.remote.choice import fits, in_scope
from dam_obs.store.remote.events import Account
from dam_obs.store.remote.messages import Damaged, messages_of
from dam_obs.store.remote.query import Query
from dam_obs.store.trace_files import open_plain

SCHEME: Final = "otlp-file:"

_ROTATED: Final = re.compile(r"-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$")
_ENDS: Final = (".zst", ".zstd", ".gz")
_OTHER_SIGNALS: Final = ("resourceMetrics", "resourceLogs", "resourceProfiles")


class OtlpFiles:
    """What a file exporter wrote."""

    def __init__(self, uri: str) -> None:
        self.name = uri
        rest = uri.removeprefix(SCHEME)
        self._path = Path(unquote(rest.removeprefix("//")) if rest.startswith("//") else rest)

    def account(self, query: Query) -> Account:
        """Return an account of nothing yet; a file has no window of its own."""
        return Account(query, "files of OTLP", loses=())

    def pages(self, account: Account) -> Iterator[Sequence[OtlpSpan]]:
        """
        Yield the spans of each message.

        Raises:
            NoTraceFound: There is no such file, or none in the folder.
            NotATrace: A file cannot be read.
        """
        asked = account.asked
        # Which of a trace's spans are still to come nobody knows: who wants whole traces gets those of all times.
        wanted = in_scope(asked) if asked.whole_traces and asked.chooses else fits(asked)
        for path in self.files():
            account.requests += 1
            for spans in _spans_in(path, account):
                page = [span for span in spans if wanted(span)]
                if page:
                    yield page

    def look(self) -> str:
        """Say what is there: the files, and of how many bytes."""
        files = self.files()
        size = sum(path.stat().st_size for path in files)
        for path in files[-1:]:
            open_plain(path).close()
        return f"{len(files)} {'file' if len(files) == 1 else 'files'} with {size:,} bytes"

    def files(self) -> list[Path]:
        """
        Return the files, the oldest first.

        Raises:
            NoTraceFound: There is none.
        """
        if self._path.is_dir():
            found = [path for path in self._path.rglob("*") if path.is_file() and not path.name.startswith(".")]
        else:
            found = [*_rotated(self._path), *([self._path] if self._path.exists() else [])]
        if not found:
            raise NoTraceFound(f"at {self._path}")
        return sorted(found, key=_age)


def _rotated(path: Path) -> Iterator[Path]:
    """Yield the files that a collector renamed: ``data-2026-01-13T14-00-00.000.json`` of ``data.json``."""
    if not path.parent.is_dir():
        return
    for sibling in path.parent.iterdir():
        stem, end = _plain(sibling)
        if end == path.suffix and _ROTATED.search(stem) and _ROTATED.sub("", stem) == path.stem:
            yield sibling


def _age(path: Path) -> tuple[str, bool, str, int, str]:
    """Order files by exporter, then by when they were renamed; the one that is written to has not been, and is last."""
    stem, end = _plain(path)
    stamp = _ROTATED.search(stem)
    own = str(path.parent / _ROTATED.sub("", stem)) + end
    return own, stamp is None, stamp[0] if stamp else "", path.stat().st_mtime_ns, str(path)


def _plain(path: Path) -> tuple[str, str]:
    """Return stem and suffix of what a file was called before it was compressed."""
    bare = path.with_suffix("") if path.suffix in _ENDS else path
    return bare.stem, bare.suffix


def _spans_in(path: Path, account: Account) -> Iterator[list[OtlpSpan]]:
    for number, message in messages_of(path, account):
        if isinstance(message, Damaged):
            account.skipped.add(str(path), number, "torn", message.why)
            continue
        groups, why = _groups(message)
        if groups is None:
            account.skipped.add(str(path), number, "foreign", why)
            continue
        spans, unread = spans_of(groups)
        for _ in range(unread):
            account.skipped.add(str(path), number, "foreign", "spans of another shape than OTLP's")
        yield spans


def _groups(message: bytes) -> tuple[list[Any] | None, str]:
    """Return the groups of spans of a request; of another signal's none, and `None` where it is no request."""
    try:
        request = msgspec.json.decode(message) if message.lstrip()[:1] == b"{" else _from_protobuf(message)
    except (ValueError, RecursionError) as error:
        return None, str(error)
    if not isinstance(request, dict):
        return None, "it is no object"
    groups = request.get("resourceSpans")
    if isinstance(groups, list):
        return groups, ""
    if not request or any(name in request for name in _OTHER_SIGNALS):
        return [], ""
    return None, "it is no request of OTLP"


def _from_protobuf(message: bytes) -> Any:
    from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        return MessageToDict(ExportTraceServiceRequest.FromString(message))
    except DecodeError as error:
        raise ValueError(f"neither JSON nor a request as protobuf: {error}") from None
