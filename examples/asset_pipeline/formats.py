"""File formats: telling them by their first bytes, checking them strictly, writing PNG."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TEXT: Final = "text/plain"
PNG: Final = "image/png"
ZIP: Final = "application/zip"
UNKNOWN: Final = "application/octet-stream"

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_ZIP_START: Final = b"PK\x03\x04"
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r"))


class InvalidAsset(ValueError):
    """A file is not what its type says."""


def mime_of(head: bytes) -> str:
    """Tell a file's type from its first bytes."""
    if head.startswith(_PNG_START):
        return PNG
    if head.startswith(_ZIP_START):
        return ZIP
    return TEXT if _is_text(head) else UNKNOWN


def validate(path: Path, mime: str) -> str:
    """
    Check that a file is of type `mime` from start to end, and say what was found.

    Raises:
        InvalidAsset: it is not, or no check is known for the type.
    """
    if mime == PNG:
        return _validate_png(path.read_bytes())
    if mime == TEXT:
        return _validate_text(path.read_bytes())
    if mime == ZIP:
        return _validate_zip(path)
    raise InvalidAsset(f"{path.name}: nothing is known about {mime}")


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Return an RGB image; `pixels` are ``3 * width * height`` bytes."""
    stride = 3 * width
    rows = b"".join(b"\0" + pixels[row * stride : (row + 1) * stride] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return _PNG_START + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _is_text(data: bytes) -> bool:
    if data.translate(None, _CONTROLS) != data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.end == len(data) and error.reason == "unexpected end of data"
    return True


def _validate_text(data: bytes) -> str:
    if data.translate(None, _CONTROLS) != data:
        raise InvalidAsset("text holds control characters")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise InvalidAsset(f"text is not UTF-8 at byte {error.start}") from error
    lines = data.count(b"\n")
    return f"{lines} lines"


def _validate_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{len(archive.infolist())} members"
    except zipfile.BadZipFile as error:
        raise InvalidAsset(f"archive: {error}") from error


def _validate_png(data: bytes) -> str:
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise InvalidAsset("image does not start with IHDR and end with IEND")
    width, height = struct.unpack(">II", chunks[0][1][:8])
    try:
        rows = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    except zlib.error as error:
        raise InvalidAsset(f"image data: {error}") from error
    if len(rows) != height * (3 * width + 1):
        raise InvalidAsset(f"image is not {width}x{height}")
    return f"{width}x{height} pixels"


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG_START)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (told,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(kind + body) != told:
            raise InvalidAsset(f"image chunk {kind!r} is damaged")
        yield kind, body
        at += 12 + length
