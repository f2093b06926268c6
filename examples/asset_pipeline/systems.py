"""
Systems: each does what one type of command says, and is bound by something else.

Those that compute or wait for a disk are plain functions, called in threads. Those that
wait for a server, a process or other systems are coroutines. Those that find things are
async generators, which a consumer may leave before the end.

What one needs of a pool, `calculate_traits` says, as a person guessed it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Final

from dam_traits import ResourceUsageTrait, Trait, World, system

from asset_pipeline import formats
from asset_pipeline.commands import (
    AppendJournal,
    ApproveWrite,
    Command,
    CompressAsset,
    ExtractMember,
    FetchMetadata,
    HashAsset,
    IngestAsset,
    ResultT,
    ScanFolder,
    SniffMime,
    UnpackArchive,
    ValidateAsset,
    WalkArchive,
)
from asset_pipeline.results import (
    Appended,
    Asset,
    Compressed,
    Extracted,
    Fingerprint,
    Ingested,
    Member,
    Metadata,
    Sniffed,
    Unpacked,
    Valid,
    Verdict,
)
from asset_pipeline.workplace import Catalogue, Workplace

_HEAD: Final = 512
_BLOCK: Final = 128 * 1024
_DIGESTS: Final = (
    "sha3_224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "blake2s",
    "blake2b",
    "sha384",
    "sha512",
    "sha1",
    "md5",
)
_MAX_UNKNOWN: Final = 64_000
"""Bytes of a file of unknown type that may be stored."""

_MAX_MEMBERS: Final = 4
"""That are taken from one archive."""

_MAX_DEPTH: Final = 2


@system(on_command=ScanFolder)
class FolderScanner:
    """Finds assets in a folder."""

    async def __call__(self, command: ScanFolder) -> AsyncGenerator[Asset, None]:
        """Yield the folder's files in order of their names."""
        paths = await asyncio.get_running_loop().run_in_executor(None, sorted, command.folder.iterdir())
        for path in paths:
            yield Asset(f"{command.folder.name}/{path.name}", path, path.stat().st_size)


@system(on_command=SniffMime)
class MimeSniffer:
    """Tells a file's type. Bound by small reads."""

    @classmethod
    async def calculate_traits(cls, cmd: SniffMime, world: World) -> list[Trait]:
        """Have the disk."""
        return [ResourceUsageTrait("disk")]

    def __call__(self, command: SniffMime) -> Sniffed:
        """Read the first bytes and no more."""
        with command.path.open("rb", buffering=0) as file:
            return Sniffed(formats.mime_of(file.read(_HEAD)))


@system(on_command=ApproveWrite, run_in="loop")
class WriteGate:
    """Decides what may be stored."""

    def __call__(self, command: ApproveWrite) -> Verdict:
        """Refuse what is large and of unknown type."""
        if command.mime != formats.UNKNOWN:
            return Verdict(allowed=True, reason="known type")
        if command.size > _MAX_UNKNOWN:
            return Verdict(allowed=False, reason=f"unknown type and more than {_MAX_UNKNOWN} bytes")
        return Verdict(allowed=True, reason="small")


@system(on_command=ValidateAsset)
class Validator:
    """Checks files strictly. Raises `InvalidAsset`, for one on everything of unknown type."""

    @classmethod
    async def calculate_traits(cls, cmd: ValidateAsset, world: World) -> list[Trait]:
        """Be one of those that compute."""
        return [ResourceUsageTrait("heavy")]

    def __call__(self, command: ValidateAsset) -> Valid:
        """Read the file from start to end."""
        return Valid(formats.validate(command.path, command.mime))


@system(on_command=HashAsset)
class Hasher:
    """Makes the digests of a file. Bound by the CPU, in proportion to size."""

    @classmethod
    async def calculate_traits(cls, cmd: HashAsset, world: World) -> list[Trait]:
        """Be one of those that compute."""
        return [ResourceUsageTrait("heavy")]

    def __call__(self, command: HashAsset) -> Fingerprint:
        """Read the file at once and hash it as a whole: in few and long steps, for which Python is not needed."""
        with command.path.open("rb", buffering=0) as file:
            data = file.read()
        return Fingerprint({name: hashlib.new(name, data).hexdigest() for name in _DIGESTS})


@system(on_command=WalkArchive)
class ArchiveWalker:
    """Finds the members of an archive."""

    async def __call__(self, command: WalkArchive) -> AsyncGenerator[Member, None]:
        """Yield the members as the archive's directory has them."""
        found = await asyncio.get_running_loop().run_in_executor(None, _directory_of, command.archive)
        for entry in found:
            stored = entry.compress_type == zipfile.ZIP_STORED
            yield Member(entry.filename, entry.file_size, "stored" if stored else "deflated")


@system(on_command=ExtractMember)
class MemberExtractor:
    """Writes members to disk: reads, inflates and writes, in proportion to the member's size."""

    @classmethod
    async def calculate_traits(cls, cmd: ExtractMember, world: World) -> list[Trait]:
        """Be one of those that compute."""
        return [ResourceUsageTrait("heavy")]

    def __call__(self, command: ExtractMember) -> Extracted:
        """Copy the member out."""
        command.target.parent.mkdir(parents=True, exist_ok=True)
        with (
            zipfile.ZipFile(command.archive) as archive,
            archive.open(command.member) as member,
            command.target.open("wb") as file,
        ):
            shutil.copyfileobj(member, file, _BLOCK)
        return Extracted(command.target, command.size)


@system(on_command=UnpackArchive)
class ArchiveUnpacker:
    """Extracts whole archives, and those inside them."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, command: UnpackArchive) -> Unpacked:
        """Extract the first members at once, look at what they are, then extract the archives among them."""
        members = await self._choose(command)
        extracted = await asyncio.gather(*(self._extract(member, command) for member in members))
        inner = await self._unpack_nested(extracted, command)
        return Unpacked(
            members=len(extracted) + sum(each.members for each in inner),
            size=sum(each.size for each, _ in extracted) + sum(each.size for each in inner),
        )

    async def _choose(self, command: UnpackArchive) -> list[Member]:
        chosen: list[Member] = []
        walk = WalkArchive(archive=command.archive, size=command.size, caller=command.call_id)
        async with self._world.dispatch_command(walk) as members:
            async for member in members:
                chosen.append(member)
                if len(chosen) == _MAX_MEMBERS:
                    break
        return chosen

    async def _extract(self, member: Member, command: UnpackArchive) -> tuple[Extracted, Sniffed]:
        extract = ExtractMember(
            archive=command.archive,
            member=member.name,
            size=member.size,
            compression=member.compression,
            target=command.target / member.name,
            caller=command.call_id,
        )
        extracted = await self._world.dispatch_command(extract).get_one_value()
        sniff = SniffMime(path=extracted.path, size=extracted.size, caller=command.call_id)
        return extracted, await self._world.dispatch_command(sniff).get_one_value()

    async def _unpack_nested(
        self, extracted: list[tuple[Extracted, Sniffed]], command: UnpackArchive
    ) -> list[Unpacked]:
        if command.depth == _MAX_DEPTH:
            return []
        nested = (
            UnpackArchive(
                archive=each.path,
                size=each.size,
                target=each.path.with_suffix(""),
                depth=command.depth + 1,
                caller=command.call_id,
            )
            for each, sniffed in extracted
            if sniffed.mime == formats.ZIP
        )
        return await asyncio.gather(*(self._world.dispatch_command(each).get_one_value() for each in nested))


@system(on_command=FetchMetadata)
class MetadataFetcher:
    """Asks the catalogue over HTTP. Bound by the network: it waits and does not compute."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._host = catalogue.host
        self._port = catalogue.port

    async def __call__(self, command: FetchMetadata) -> Metadata:
        """Send one request and read the answer."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(f"GET /assets/{command.asset_id} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        known = json.loads(answer.partition(b"\r\n\r\n")[2])
        return Metadata(known["title"], known["licence"])


@system(on_command=CompressAsset)
class Compressor:
    """Runs gzip. Bound by another process."""

    @classmethod
    async def calculate_traits(cls, cmd: CompressAsset, world: World) -> list[Trait]:
        """Be one of those that compute."""
        return [ResourceUsageTrait("heavy")]

    async def __call__(self, command: CompressAsset) -> Compressed:
        """Compress in the background: what the user waits for comes first."""
        command.target.parent.mkdir(parents=True, exist_ok=True)
        with command.target.open("wb") as file:
            process = await asyncio.create_subprocess_exec("gzip", "-1", "-c", str(command.path), stdout=file)
            _to_background(process.pid)
            if await process.wait() != 0:
                raise OSError(f"gzip failed on {command.path}")
        return Compressed(command.target, command.target.stat().st_size)


@system(on_command=AppendJournal)
class JournalWriter:
    """Appends to the journal. Bound by the disk's flush, whatever the size."""

    @classmethod
    async def calculate_traits(cls, cmd: AppendJournal, world: World) -> list[Trait]:
        """Be the one writer."""
        return [ResourceUsageTrait("journal")]

    def __init__(self, workplace: Workplace) -> None:
        self._path = workplace.journal

    def __call__(self, command: AppendJournal) -> Appended:
        """Return when the entry is on the disk."""
        with self._path.open("ab") as file:
            file.write(command.entry.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            return Appended(file.tell())


@system(on_command=IngestAsset)
class AssetIngester:
    """Takes an asset through all of the above."""

    def __init__(self, world: World, workplace: Workplace) -> None:
        self._world = world
        self._output = workplace.output

    async def __call__(self, command: IngestAsset) -> Ingested:
        """Look at the asset, ask the gate, store it, and note what became of it."""
        sniffed = await self._do(SniffMime(path=command.path, size=command.size, caller=command.call_id))
        verdict = await self._do(
            ApproveWrite(asset_id=command.asset_id, mime=sniffed.mime, size=command.size, caller=command.call_id)
        )
        outcome = await self._store(command, sniffed.mime) if verdict.allowed else "refused"
        await self._note(command, outcome)
        return Ingested(command.asset_id, outcome)

    async def _do(self, command: Command[ResultT]) -> ResultT:
        return await self._world.dispatch_command(command).get_one_value()

    async def _store(self, command: IngestAsset, mime: str) -> str:
        fetch = FetchMetadata(asset_id=command.asset_id, caller=command.call_id)
        valid, _ = await asyncio.gather(self._is_valid(command, mime), self._do(fetch))
        if not valid:
            return "invalid"
        await self._copy(command, mime)
        await self._do(
            HashAsset(asset_id=command.asset_id, path=command.path, size=command.size, caller=command.call_id)
        )
        return "stored"

    async def _copy(self, command: IngestAsset, mime: str) -> None:
        """Unpack an archive that is worth it; compress anything else."""
        path, size, caller, target = command.path, command.size, command.call_id, self._output / command.asset_id
        if mime != formats.ZIP:
            small = target.with_suffix(".gz")
            await self._do(CompressAsset(path=path, size=size, suffix=command.suffix, target=small, caller=caller))
        elif await self._holds_something_known(command):
            folder = target.with_suffix("")
            await self._do(UnpackArchive(archive=path, size=size, target=folder, depth=0, caller=caller))

    async def _is_valid(self, command: IngestAsset, mime: str) -> bool:
        try:
            await self._do(ValidateAsset(path=command.path, size=command.size, mime=mime, caller=command.call_id))
        except formats.InvalidAsset:
            return False
        return True

    async def _holds_something_known(self, command: IngestAsset) -> bool:
        """Look for a member worth having; stops at the first, and leaves the walk for Python to close."""
        walk = WalkArchive(archive=command.path, size=command.size, caller=command.call_id)
        async for member in self._world.dispatch_command(walk):
            if not member.name.endswith(".bin"):
                return True
        return False

    async def _note(self, command: IngestAsset, outcome: str) -> None:
        entry = json.dumps({"asset": command.asset_id, "outcome": outcome})
        await self._do(AppendJournal(entry=entry, size=len(entry), caller=command.call_id))


SYSTEMS: Final = (
    FolderScanner,
    AssetIngester,
    MimeSniffer,
    WriteGate,
    Validator,
    MetadataFetcher,
    ArchiveWalker,
    ArchiveUnpacker,
    MemberExtractor,
    Compressor,
    Hasher,
    JournalWriter,
)
"""All of them."""


def _to_background(pid: int) -> None:
    """Let a process have only the time that nothing else wants."""
    with suppress(ProcessLookupError):
        if hasattr(os, "SCHED_IDLE"):
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
        else:
            os.setpriority(os.PRIO_PROCESS, pid, 19)


def _directory_of(path: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()
