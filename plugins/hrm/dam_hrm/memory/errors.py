"""What memory raises: each says what was wrong, where, and what to do next."""

from __future__ import annotations

from pathlib import Path

from dam_hrm.errors import HrmError


class BadAddress(HrmError, ValueError):
    """A namespace or a key is not one that memory takes."""

    def __init__(self, part: str, text: object, rule: str) -> None:
        super().__init__(f"{str(text)[:80]!r} is no {part}: {rule}")
        self.part = part


class NotJson(HrmError, TypeError):
    """A value, or something within it, is not JSON; nothing was written."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.path = path
        """Where it is, from the value down: ``value.steps[2]``."""


class TooLarge(HrmError, ValueError):
    """A value takes more room than memory gives to one; nothing was written."""

    def __init__(self, size_bytes: int, most_bytes: int) -> None:
        super().__init__(
            f"the value takes {size_bytes} bytes and may take {most_bytes}: write it in parts, or a summary"
        )
        self.size_bytes = size_bytes


class FolderUnusable(HrmError, OSError):
    """The folder or a file in it cannot be read or written; what was acknowledged before is still there."""

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(f"memory cannot use {path} ({why}): make it writable and make room, or name another folder")
        self.path = path


class MemoryBusy(HrmError, TimeoutError):
    """Others have been writing to the folder all the time that one waits; nothing was written."""

    def __init__(self, path: Path, waited_s: float) -> None:
        super().__init__(f"{path} has been locked by others for {waited_s:g} s: try again when they are done")
        self.path = path


class NewerFormat(HrmError):
    """A file was written by a later version of dam_hrm."""

    def __init__(self, path: Path, version: int, known: int) -> None:
        super().__init__(
            f"{path} has format {version} and this dam_hrm knows {known}: update it, or name another folder"
        )
        self.path = path
        self.version = version


class NotOurs(HrmError):
    """A file of memory's name is something else; it is left as it is."""

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(f"{path} is no memory of dam_hrm ({why}): move it away, or name another folder")
        self.path = path


class WarmDamaged(HrmError):
    """SQLite cannot make sense of its file. Nothing is changed in it; what is in cold can be read without it."""

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(
            f"{path} is damaged ({why}): get back what can be with sqlite3's .recover, or move it away to begin anew"
        )
        self.path = path


class RecordDamaged(HrmError):
    """The newest record of an address cannot be read any more. An older one is not given in its place."""

    def __init__(self, address: str, where: object) -> None:
        super().__init__(
            f"the record {address} in {where} is damaged and was set aside (see session.memory.faults): write it anew"
        )
        self.address = address


class MemoryClosed(HrmError):
    """It was used after its end, or in a process that was forked off."""

    def __init__(self, why: str) -> None:
        super().__init__(f"memory {why}: begin a new session")
