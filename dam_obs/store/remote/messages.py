"""
Messages of a file: lines, or what follows its length in four bytes; plain or compressed.

Nothing but one message is in memory. A length that cannot be, or a message that does not decompress, is damage: then
the next place is looked for at which a compressed message stands behind its length.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

import zstandard

from dam_obs.store.remote.events import Account
from dam_obs.store.trace_files import GZIP_ERRORS, GZIP_MAGIC, open_plain

LONGEST_BYTES: Final = 64 * 1024 * 1024
"""Of one message, decompressed: a collector sends some megabytes at most."""

ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"

_LENGTH: Final = 4
_TOO_LONG: Final = f"it is longer than {LONGEST_BYTES // 1024**2} MiB"
_UNFINISHED: Final = "{} ends within a message, which is left out: it is still being written"
_PIECE_BYTES: Final = 16 * 1024
_SEARCHED_BYTES: Final = 1024 * 1024
_BAD: Final = (zstandard.ZstdError, zlib.error, *GZIP_ERRORS)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A message that cannot be had."""

    why: str


def messages_of(path: Path, account: Account) -> Iterator[tuple[int, bytes | Damaged]]:
    """
    Yield the messages of a file with their numbers, from 1; what is appended meanwhile is not read.

    Raises:
        NotATrace: It cannot be read.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(_LENGTH + len(ZSTD_MAGIC))
        file.seek(0)
        yield from enumerate(_messages(_Bounded(file, size), start, f"{path}", account), start=1)


class _Bounded(io.RawIOBase):
    """A file up to the size that it had."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        found = self._file.read(min(len(view), self.left))
        view[: len(found)] = found
        self.left -= len(found)
        return len(found)


class _Unpacked(io.RawIOBase):
    """What is in a file of zstd frames; raises `EOFError` where the last one is not whole."""

    def __init__(self, raw: _Bounded) -> None:
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while not self._ready and self._more():
            pass
        given, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(given)] = given
        return len(given)

    def _more(self) -> bool:
        """Decompress some more; `False` at the end."""
        piece = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame, self._begun = zstandard.ZstdDecompressor().decompressobj(), False
        piece = piece or self._raw.read(_PIECE_BYTES) or b""
        if not piece:
            if self._begun:
                raise EOFError("a frame of zstd is not whole")
            return False
        self._begun = True
        self._ready = self._frame.decompress(piece)
        return True


def _messages(raw: _Bounded, start: bytes, name: str, account: Account) -> Iterator[bytes | Damaged]:
    if start.startswith(GZIP_MAGIC):
        yield from _inside(cast("IO[bytes]", gzip.GzipFile(fileobj=io.BufferedReader(raw))), name, account)
    elif start.startswith(ZSTD_MAGIC):
        yield from _inside(cast("IO[bytes]", io.BufferedReader(_Unpacked(raw))), name, account)
    else:
        yield from _plain(io.BufferedReader(raw), start, name, account)


def _inside(file: IO[bytes], name: str, account: Account) -> Iterator[bytes | Damaged]:
    """Yield what is in a file that is compressed whole."""
    buffered = cast("io.BufferedReader", file)
    try:
        yield from _plain(buffered, buffered.peek(_LENGTH)[:_LENGTH], name, account)
    except _BAD as error:
        account.note(f"{name} ends early: it is still being written, or its writer was killed")
        if not isinstance(error, EOFError):
            yield Damaged(str(error))


def _plain(file: IO[bytes], start: bytes, name: str, account: Account) -> Iterator[bytes | Damaged]:
    if start[:1] == b"\0" or start[_LENGTH:] == ZSTD_MAGIC:
        yield from _framed(file, name, account)
    else:
        yield from _lines(file, name, account)


def _lines(file: IO[bytes], name: str, account: Account) -> Iterator[bytes | Damaged]:
    while line := file.readline(LONGEST_BYTES):
        if not line.endswith(b"\n"):
            if len(line) < LONGEST_BYTES:
                yield from _last_line(line, name, account)
                return
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST_BYTES)
            yield Damaged(_TOO_LONG)
        elif line.strip():
            yield line


def _last_line(line: bytes, name: str, account: Account) -> Iterator[bytes]:
    """Take a line without an end if it is whole all the same."""
    if line.rstrip().endswith(b"}"):
        yield line
    elif line.strip():
        account.note(f"{name} ends within a line, which is left out: it is still being written")


def _framed(file: IO[bytes], name: str, account: Account) -> Iterator[bytes | Damaged]:
    held = _Held(file)
    while held.fill(1):
        if not held.fill(_LENGTH):
            account.note(_UNFINISHED.format(name))
            return
        length = int.from_bytes(held.bytes[:_LENGTH], "big")
        complete = length <= LONGEST_BYTES and held.fill(_LENGTH + length)
        if complete:
            message = _decompressed(held.bytes[_LENGTH : _LENGTH + length])
        elif length > LONGEST_BYTES:
            message = Damaged(f"it is said to be {length:,} bytes long")
        else:
            message = Damaged("it is said to go on beyond the end of the file")
        if isinstance(message, bytes):
            held.drop(_LENGTH + length)
            yield message
        elif held.go_to_next() or complete:
            yield message
        elif length > LONGEST_BYTES:
            yield Damaged(f"{message.why}, and what is behind it is not found again")
        else:
            account.note(_UNFINISHED.format(name))


class _Held:
    """The beginning of what is still to be read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.bytes = b""

    def fill(self, number: int) -> bool:
        """Hold so many bytes at least; say whether there are."""
        while len(self.bytes) < number:
            piece = self._file.read(number - len(self.bytes))
            if not piece:
                return False
            self.bytes += piece
        return True

    def drop(self, number: int) -> None:
        """Let go of so many bytes."""
        self.bytes = self.bytes[number:]

    def go_to_next(self) -> bool:
        """Let go of all before the next length that a compressed message follows; of all, where there is none."""
        searched_from = _LENGTH + 1
        while True:
            at = self.bytes.find(ZSTD_MAGIC, searched_from)
            if at >= 0:
                self.drop(at - _LENGTH)
                return True
            self.drop(max(0, len(self.bytes) - 2 * _LENGTH))
            searched_from = _LENGTH
            piece = self._file.read(_SEARCHED_BYTES)
            if not piece:
                self.bytes = b""
                return False
            self.bytes += piece


def _decompressed(body: bytes) -> bytes | Damaged:
    if not body.startswith(ZSTD_MAGIC):
        return body
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    try:
        found = decompressor.decompress(body)
    except zstandard.ZstdError as error:
        return Damaged(f"it does not decompress: {error}")
    if not decompressor.eof or decompressor.unused_data:
        return Damaged("its length is wrong")
    return Damaged(_TOO_LONG) if len(found) > LONGEST_BYTES else found
