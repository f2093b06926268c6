"""
Ask a backend over HTTP, and take what it answers piece by piece.

One connection, no redirects (they would carry the credentials elsewhere), a limit on how long a silence may last,
and what goes wrong told in one line. Nothing is tried twice but a connection that could not be made.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from dam_obs.store.remote.address import Address
from dam_obs.store.remote.errors import NotAllowed, TlsRefused, Unreachable

CONNECT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 120.0
"""How long a backend may take until it answers, or goes on."""

PIECE_BYTES: Final = 64 * 1024
_NUMBER: Final = re.compile(r"^\[Errno -?\d+\] ")

ERROR_BYTES: Final = 16 * 1024
"""What is read of an answer that says what is wrong."""


class Answer:
    """What came back; read it once."""

    def __init__(self, response: urllib3.BaseHTTPResponse, where: str) -> None:
        self._response = response
        self._where = where
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def pieces(self) -> Iterator[bytes]:
        """
        Yield what is in it, as it comes.

        Raises:
            Unreachable: It breaks off.
        """
        with _told(self._where):
            yield from self._response.stream(PIECE_BYTES, decode_content=True)

    def lines(self) -> Iterator[bytes]:
        """
        Yield its lines, as they come; the last one may have no end.

        Raises:
            Unreachable: It breaks off.
        """
        rest = b""
        for piece in self.pieces():
            first, *others = piece.split(b"\n")
            rest += first
            for other in others:
                yield rest
                rest = other
        if rest:
            yield rest

    def text(self, most_bytes: int = ERROR_BYTES) -> str:
        """Return its beginning as text."""
        found = b""
        for piece in self.pieces():
            found += piece
            if len(found) >= most_bytes:
                break
        return found[:most_bytes].decode("utf-8", errors="replace")


class Client:
    """Asks one backend."""

    def __init__(
        self, address: Address, headers: Mapping[str, str], variables: str, message: Callable[[str], str]
    ) -> None:
        """
        Connect to nobody yet.

        Args:
            address: Where it is.
            headers: Go with each request.
            variables: The environment's variables that say who asks, for messages.
            message: Finds what is wrong in an answer that says so.

        Raises:
            TlsRefused: The file of certificates cannot be used.
        """
        self._address = address
        self._variables = variables
        self._message = message
        self._pool = urllib3.PoolManager(
            headers=dict(headers),
            retries=urllib3.Retry(total=None, connect=1, read=0, redirect=0, status=0, other=0, backoff_factor=0.2),
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS),
            ssl_context=_context(address),
        )

    @contextmanager
    def asked(
        self, path: str, parameters: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Iterator[Answer]:
        """
        Ask, by POST where there is a body; meanwhile the answer can be read, what is left of it is let go.

        Raises:
            Unreachable: Nobody answers, or breaks off.
            TlsRefused: It is not who it should be.
            NotAllowed: It wants to know who asks, or does not let them.
        """
        where = self._address.name
        url = f"{self._address.url}/{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        with _told(where):
            response = self._pool.request(
                "GET" if body is None else "POST", url, body=body, preload_content=False, redirect=False
            )
        try:
            answer = Answer(response, where)
            if answer.status in (401, 403):
                raise NotAllowed(where, self._message(answer.text()) or f"HTTP status {answer.status}", self._variables)
            yield answer
        finally:
            response.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.clear()


def said(text: str) -> str:
    """Return the first line of what a backend says, short enough for a message."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= 300 else f"{line[:300]}…"


def _context(address: Address) -> ssl.SSLContext | None:
    if not address.url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=address.ca)
    except (OSError, ssl.SSLError) as error:
        why = f"{address.ca} is no file of certificates: {getattr(error, 'strerror', None) or error}"
        raise TlsRefused(address.name, why) from error


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Tell in one line what went wrong meanwhile."""
    try:
        yield
    except MaxRetryError as error:
        reason = error.reason
        if isinstance(reason, SSLError):
            raise TlsRefused(where, _short(reason)) from error
        raise Unreachable(where, _short(reason or error)) from error
    except SSLError as error:
        raise TlsRefused(where, _short(error)) from error
    except ReadTimeoutError as error:
        raise Unreachable(where, f"it was silent for {SILENCE_SECONDS:.0f} s") from error
    except ProtocolError as error:
        raise Unreachable(where, f"it broke off: {_short(error)}") from error
    except (HTTPError, OSError) as error:
        raise Unreachable(where, _short(error)) from error


def _short(error: BaseException) -> str:
    """Return the reason without where in the libraries it arose."""
    inner: BaseException = error
    while isinstance(inner, HTTPError) and inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    cause = inner.__cause__ if isinstance(inner, NewConnectionError) else None
    text = str(cause or inner)
    if isinstance(inner, NewConnectionError):
        text = text.rpartition(": ")[2]
    return said(_NUMBER.sub("", text)) or type(inner).__name__
