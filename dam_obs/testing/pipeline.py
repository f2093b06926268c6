"""
The systems of an asset pipeline that never was, and the truth about each: its law of cost, its waits, what it touches.

`dam_obs.testing.runs` plays it and writes what a measured run would have left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from dam_obs.trace.events import Scalar

PEER = "127.0.0.1:8099"
"""The server that metadata is fetched from."""


@dataclass(frozen=True, slots=True)
class Asset:
    """What the pipeline works on."""

    name: str
    kind: str
    size: int
    member_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSystem:
    """A system of the example and the truth about it."""

    name: str
    command: str
    line: int
    law: str
    """How its time in milliseconds depends on the asset, in words."""
    median_ms: Callable[[Asset], float]
    features: Callable[[Asset], dict[str, Scalar]]
    on_cpu: float
    """Share of its time."""
    awaiting: float = 0.0
    block_io: float = 0.0
    touches: Callable[[Asset, str], dict[str, list[str]]] = field(default=lambda asset, folder: {})
    read_bytes: Callable[[Asset], int] = field(default=lambda asset: 0)
    write_bytes: Callable[[Asset], int] = field(default=lambda asset: 0)
    noise: float = 0.06
    """Standard deviation of the logarithm of its time."""


def _file(asset: Asset, folder: str) -> str:
    return f"{folder}/corpus/{asset.name}"


SYSTEMS = (
    ExampleSystem(
        name="HashAsset",
        command="HashAssetCommand",
        line=41,
        law="linear in size",
        median_ms=lambda asset: 0.4 + asset.size * 4e-6,
        features=lambda asset: {"size": asset.size, "kind": asset.kind},
        on_cpu=0.95,
        touches=lambda asset, folder: {"files_read": [_file(asset, folder)]},
        read_bytes=lambda asset: asset.size,
    ),
    ExampleSystem(
        name="SniffMime",
        command="SniffMimeCommand",
        line=78,
        law="constant",
        median_ms=lambda asset: 0.3,
        features=lambda asset: {"size": asset.size},
        on_cpu=0.6,
        touches=lambda asset, folder: {"files_read": [_file(asset, folder)]},
        read_bytes=lambda asset: 512,
        noise=0.15,
    ),
    ExampleSystem(
        name="ExtractMember",
        command="ExtractMemberCommand",
        line=112,
        law="n log n in member_size",
        median_ms=lambda asset: 1.0 + 6e-7 * asset.member_size * math.log2(1 + asset.member_size),
        features=lambda asset: {"member_size": asset.member_size, "size": asset.size},
        on_cpu=0.35,
        block_io=0.5,
        touches=lambda asset, folder: {
            "files_read": [_file(asset, folder)],
            "files_written": [f"{folder}/out/{asset.name}.member"],
        },
        read_bytes=lambda asset: asset.member_size // 3,
        write_bytes=lambda asset: asset.member_size,
    ),
    ExampleSystem(
        name="WriteJournal",
        command="WriteJournalCommand",
        line=160,
        law="constant",
        median_ms=lambda asset: 4.0,
        features=lambda asset: {},
        on_cpu=0.03,
        block_io=0.9,
        touches=lambda asset, folder: {"files_written": [f"{folder}/journal.log"]},
        write_bytes=lambda asset: 4096,
        noise=0.2,
    ),
    ExampleSystem(
        name="FetchMetadata",
        command="FetchMetadataCommand",
        line=190,
        law="by kind",
        median_ms=lambda asset: {"text": 8.0, "zip": 20.0, "png": 12.0, "random": 30.0}[asset.kind],
        features=lambda asset: {"kind": asset.kind, "size": asset.size},
        on_cpu=0.04,
        awaiting=0.93,
        touches=lambda asset, folder: {"peers": [PEER]},
    ),
    ExampleSystem(
        name="CompressAsset",
        command="CompressAssetCommand",
        line=231,
        law="power of size",
        median_ms=lambda asset: 0.02 * asset.size**0.5,
        features=lambda asset: {"size": asset.size, "urgent": asset.size % 2 == 0},
        on_cpu=0.05,
        awaiting=0.05,
        touches=lambda asset, folder: {
            "processes": ["gzip"],
            "files_read": [_file(asset, folder)],
            "files_written": [f"{folder}/out/{asset.name}.gz"],
        },
        write_bytes=lambda asset: asset.size // 4,
    ),
)
"""The systems below ``IngestAsset``, which awaits them one after the other and does nothing else."""
