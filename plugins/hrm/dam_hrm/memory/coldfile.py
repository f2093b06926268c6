"""
The cold file, byte by byte: how a record is packed, and how records are found again, damage or not.

The file begins with its head, twice. Then come records, one after another::

    head    magic 8s | format u16 | mark 8s | checksum 8s
    record  mark 8s | kind u8 | namespace bytes u16 | key bytes u16 | body bytes u32 | version u64 | checksum 8s
            | namespace | key | body (zlib) | checksum 8s

The mark is drawn by lot for each file. It begins every record, so after damage the next record
is found by looking for it, and it keys all checksums (BLAKE2b), so that nobody who cannot read the
file can make a value that looks like a record of it. The first checksum of a record covers what
tells its length and whose it is, the second all of it.

This is our own because the libraries that were found for it in Python (pybitcask, PyCask, tritcask)
are exercises or have been left alone for years.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import BinaryIO, Final, Literal

from dam_hrm.memory.values import Address

FORMAT_VERSION: Final = 1
MAGIC: Final = b"damcold\n"
MARK_BYTES: Final = 8
MOST_VALUE_BYTES: Final = 16 * 1024 * 1024
"""No value is larger when it is unpacked."""

_CHECKSUM_BYTES: Final = 8
_HEAD: Final = struct.Struct("<8sH8s8s")
_RECORD: Final = struct.Struct("<8sBHHIQ8s")
_CHUNK_BYTES: Final = 256 * 1024
_MOST_BODY_BYTES: Final = MOST_VALUE_BYTES + 16 * 1024
HEAD_BYTES: Final = 2 * _HEAD.size


class NoHead(Exception):
    """Neither copy of the head can be read; `version`: of a format that is not known here, if it is that."""

    def __init__(self, version: int | None = None) -> None:
        super().__init__("its head is damaged" if version is None else f"format {version}")
        self.version = version


class Damage(Exception):
    """The bytes are no record; `address`: whose it was, where that can be told."""

    def __init__(self, kind: Literal["torn", "damaged"], address: Address | None = None) -> None:
        super().__init__(kind)
        self.kind: Literal["torn", "damaged"] = kind
        self.address = address


class Kind(IntEnum):
    """What a record says."""

    VALUE = 1
    GONE = 2
    """The record of this version is in another tier now."""


_KINDS: Final = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class ColdRecord:
    """A record as it was read."""

    kind: Kind
    address: Address
    version: int
    packed: bytes

    def unpack(self) -> bytes:
        """
        Give the value's bytes.

        Raises:
            Damage: They cannot be had.
        """
        unpacker = zlib.decompressobj()
        try:
            encoded = unpacker.decompress(self.packed, MOST_VALUE_BYTES)
        except zlib.error:
            raise Damage("damaged", self.address) from None
        if not unpacker.eof:
            raise Damage("damaged", self.address)
        return encoded


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of the file."""

    offset: int
    length_bytes: int


def pack_head(mark: bytes) -> bytes:
    """Give the head of a file, twice."""
    fields = struct.pack("<8sH8s", MAGIC, FORMAT_VERSION, mark)
    return (fields + _checksum(b"", fields)) * 2


def read_head(start: bytes) -> bytes:
    """
    Give the mark of a file that starts so.

    Raises:
        NoHead: There is none that can be used.
    """
    for copy in (start[: _HEAD.size], start[_HEAD.size : HEAD_BYTES]):
        if len(copy) < _HEAD.size or _checksum(b"", copy[:-_CHECKSUM_BYTES]) != copy[-_CHECKSUM_BYTES:]:
            continue
        magic, version, mark, _ = _HEAD.unpack(copy)
        if magic == MAGIC and version == FORMAT_VERSION:
            return bytes(mark)
        if magic == MAGIC:
            raise NoHead(version)
    raise NoHead


def pack_record(mark: bytes, kind: Kind, address: Address, version: int, encoded: bytes) -> bytes:
    """Give a record's bytes."""
    namespace, key = address.namespace.encode(), address.key.encode()
    body = zlib.compress(encoded)
    fields = struct.pack("<8sBHHIQ", mark, kind, len(namespace), len(key), len(body), version)
    front = fields + _checksum(mark, fields, namespace, key) + namespace + key + body
    return front + _checksum(mark, front)


def read_record(file: BinaryIO, mark: bytes, offset: int, end: int) -> tuple[ColdRecord, Place]:
    """
    Read the record that begins at `offset`.

    Args:
        file: At any position.
        mark: The file's.
        offset: Where.
        end: What is from here on does not count.

    Raises:
        Damage: There is none. ``torn`` says that it would have ended after `end`.
    """
    file.seek(offset)
    fields = file.read(min(_RECORD.size, end - offset))
    if len(fields) < _RECORD.size:
        raise Damage("torn" if mark.startswith(fields[:MARK_BYTES]) or fields.startswith(mark) else "damaged")
    found, kind, namespace_bytes, key_bytes, body_bytes, version, checksum = _RECORD.unpack(fields)
    if found != mark or body_bytes > _MOST_BODY_BYTES:
        raise Damage("damaged")
    rest_bytes = namespace_bytes + key_bytes + body_bytes + _CHECKSUM_BYTES
    rest = file.read(max(0, min(rest_bytes, end - offset - _RECORD.size)))
    namespace, key = rest[:namespace_bytes], rest[namespace_bytes : namespace_bytes + key_bytes]
    whole_front = len(namespace) + len(key) == namespace_bytes + key_bytes
    if not whole_front or _checksum(mark, fields[:-_CHECKSUM_BYTES], namespace, key) != checksum:
        raise Damage("damaged" if whole_front else "torn")
    address = Address(namespace=namespace.decode(), key=key.decode())
    if len(rest) < rest_bytes:
        raise Damage("torn", address)
    if _checksum(mark, fields, rest[:-_CHECKSUM_BYTES]) != rest[-_CHECKSUM_BYTES:]:
        raise Damage("damaged", address)
    if kind not in _KINDS:
        raise Damage("damaged", address)
    packed = rest[namespace_bytes + key_bytes : -_CHECKSUM_BYTES]
    return ColdRecord(Kind(kind), address, version, packed), Place(offset, _RECORD.size + rest_bytes)


def scan(file: BinaryIO, mark: bytes, offset: int, end: int) -> Iterator[tuple[ColdRecord | Damage, Place]]:
    """Give all records from `offset` to `end`, and the stretches between them that are none."""
    while offset < end:
        item: ColdRecord | Damage
        try:
            item, place = read_record(file, mark, offset, end)
        except Damage as damage:
            following = _find(file, mark, offset + 1, end)
            item = damage if following == end else _again(file, mark, offset, following)
            place = Place(offset, following - offset)
        yield item, place
        offset += place.length_bytes


def _again(file: BinaryIO, mark: bytes, offset: int, end: int) -> Damage:
    """Look again at a stretch that another record follows: it may never have been written to its end."""
    try:
        read_record(file, mark, offset, end)
    except Damage as damage:
        return damage
    return Damage("damaged")


def _find(file: BinaryIO, mark: bytes, offset: int, end: int) -> int:
    """Give where the next mark is; `end` where there is none."""
    while offset < end:
        file.seek(offset)
        chunk = file.read(min(_CHUNK_BYTES, end - offset))
        at = chunk.find(mark)
        if at >= 0:
            return offset + at
        if len(chunk) < MARK_BYTES:
            break
        offset += len(chunk) - MARK_BYTES + 1
    return end


def _checksum(mark: bytes, *parts: bytes) -> bytes:
    checksum = blake2b(digest_size=_CHECKSUM_BYTES, key=mark)
    for part in parts:
        checksum.update(part)
    return checksum.digest()
