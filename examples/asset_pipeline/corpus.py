"""
Make a folder of real files to work on: text, images, archives with archives in them, and noise.

The same seed gives the same bytes. Sizes are spread evenly over the orders of magnitude,
also in a small corpus, so that a cost which grows with size can be seen to grow.
"""

from __future__ import annotations

import io
import math
import os
import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asset_pipeline.formats import png

KB, MB = 1000, 1_000_000
FOLDER_SIZE: Final = 25
"""Files in a folder."""

FULL_SIZE: Final = 300
"""Files up to which a corpus grows; with more of them the largest are smaller, so that it stays about as large."""

_SUFFIXES: Final = (".txt", ".zip", ".png", ".txt", ".bin", ".zip", ".txt", ".png", ".txt", ".bin")
"""Kinds of files, in turn."""

_FILE_SIZES: Final = (100, 2 * MB)
_MEMBER_SIZES: Final = (10 * KB, 8 * MB)
_MEMBERS: Final = (2, 4)
_LARGE_MEMBER: Final = 2_500 * KB
"""One member in 25 is larger than this."""

_PHRASES: Final = 60_000
_IMAGE_HEAD: Final = 70
"""About what an image costs before its pixels."""


@dataclass(frozen=True)
class Corpus:
    """Files that were made."""

    root: Path
    files: int
    size: int


def make_corpus(root: Path, files: int, seed: int) -> Corpus:
    """Write a corpus of `files` files into the new folder `root`."""
    source = Source(seed)
    size = 0
    for number, (suffix, data) in enumerate(_contents(source, files, seed)):
        folder = root / f"collection-{number // FOLDER_SIZE:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        size += len(data)
        _write(folder / f"asset-{number:04d}{suffix}", data)
    return Corpus(root, files, size)


def spread(chance: random.Random, count: int, low: int, high: int) -> list[int]:
    """Return `count` sizes from `low` to `high`, spread evenly over their logarithms, in random order."""
    places = [(rank + chance.random()) / count for rank in range(count)]
    chance.shuffle(places)
    return [round(low * math.exp(place * math.log(high / low))) for place in places]


class Source:
    """Gives text, noise and images of any size, from a seed."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(f"words of {seed}")
        words = ["".join(chance.choices("etaoinshrdlucmfw", k=chance.randint(2, 9))) for _ in range(2000)]
        self._text = " ".join(chance.choices(words, k=_PHRASES)).encode().replace(b" the", b"\nthe")

    def text(self, chance: random.Random, size: int) -> bytes:
        """Return words and lines."""
        return b"".join(self._phrases(chance, size))

    def noise(self, chance: random.Random, size: int) -> bytes:
        """Return bytes that look like no format."""
        return (b"\xff\x00" + chance.randbytes(max(0, size - 2)))[:size]

    def image(self, chance: random.Random, size: int) -> bytes:
        """Return a PNG of about `size` bytes: half of its rows noise, half of them plain."""
        pixels = max(2, (size - _IMAGE_HEAD) * 2 // 3)
        width = max(1, math.isqrt(pixels))
        height = max(1, pixels // width)
        plain = bytes(3 * width)
        rows = (chance.randbytes(3 * width) if row % 2 else plain for row in range(height))
        return png(width, height, b"".join(rows))

    def of(self, suffix: str) -> Callable[[random.Random, int], bytes]:
        """Return what makes the content of files with this suffix."""
        return {".txt": self.text, ".png": self.image, ".bin": self.noise}[suffix]

    def _phrases(self, chance: random.Random, size: int) -> Iterator[bytes]:
        while size > 0:
            start = chance.randrange(len(self._text) // 2)
            phrase = self._text[start : start + min(size, chance.randint(2 * KB, 64 * KB))]
            size -= len(phrase)
            yield phrase


def _contents(source: Source, files: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield suffix and content of each file."""
    suffixes = [_SUFFIXES[number % len(_SUFFIXES)] for number in range(files)]
    largest = min(1.0, FULL_SIZE / files)
    sizes = {
        suffix: iter(_spread_of(suffix, suffixes.count(suffix), largest, seed)) for suffix in set(suffixes) - {".zip"}
    }
    archives = _archives(source, suffixes.count(".zip"), largest, seed)
    for number, suffix in enumerate(suffixes):
        if suffix == ".zip":
            yield suffix, next(archives)
        else:
            yield suffix, source.of(suffix)(random.Random(f"file {number} of {seed}"), next(sizes[suffix]))


def _spread_of(suffix: str, count: int, largest: float, seed: int) -> list[int]:
    low, high = _FILE_SIZES
    return spread(random.Random(f"sizes of {suffix} in {seed}"), count, low, round(high * largest))


def _archives(source: Source, count: int, largest: float, seed: int) -> Iterator[bytes]:
    """Yield archives; every fourth has an archive in it, every eighth one in that too."""
    chance = random.Random(f"archives of {seed}")
    members = [chance.randint(*_MEMBERS) for _ in range(count)]
    sizes = iter(_member_sizes(chance, sum(members), largest))
    for number, held in enumerate(members):
        depth = 0 if number % 4 else 1 if number % 8 else 2
        wanted = [next(sizes) for _ in range(held)]
        yield _archive(source, wanted, depth, random.Random(f"archive {number} of {seed}"))


def _member_sizes(chance: random.Random, count: int, largest: float) -> list[int]:
    smallest, high = _MEMBER_SIZES
    large = max(smallest, round(_LARGE_MEMBER * largest))
    many = max(1, count // 25)
    sizes = spread(chance, count - many, smallest, large) + spread(
        chance, many, large, max(large, round(high * largest))
    )
    chance.shuffle(sizes)
    return sizes


def _archive(source: Source, sizes: Sequence[int], depth: int, chance: random.Random) -> bytes:
    """Return an archive with a member of each size and, if `depth` is not 0, first one that is an archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compresslevel=1) as archive:
        if depth:
            inner = spread(chance, chance.randint(2, 4), 10 * KB, 1 * MB)
            _add(archive, f"nested-{depth}.zip", _archive(source, inner, depth - 1, chance), stored=True)
        for number, size in enumerate(sizes):
            suffix = chance.choice((".txt", ".txt", ".txt", ".png", ".bin"))
            stored = chance.random() < 0.25
            _add(archive, f"part-{number:02d}{suffix}", source.of(suffix)(chance, size), stored=stored)
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes, *, stored: bool) -> None:
    member = zipfile.ZipInfo(name, date_time=(2024, 1, 1, 0, 0, 0))
    archive.writestr(member, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)


def _write(path: Path, data: bytes) -> None:
    """Write a file and put archives out of the page cache, as files are that have just come from elsewhere."""
    with path.open("wb") as file:
        file.write(data)
        if path.suffix == ".zip" and hasattr(os, "posix_fadvise"):
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
