"""The systems of the shop."""

import asyncio
import hashlib
from dataclasses import dataclass


@dataclass
class Pack:
    """Features of every type that a backend may lose."""

    items: int
    label: str = "42"
    weight: float = 2.0
    fragile: bool = True


@dataclass
class Fetch:
    number: int


class Packer:
    def execute(self, command):
        digest = hashlib.sha256(b"x" * 1000 * command.items).hexdigest()
        with self.shelf.open("a") as file:
            file.write(digest)
        return digest[:8]

    def __init__(self, shelf):
        self.shelf = shelf


class Refuser:
    def execute(self, command):
        if command.items % 2:
            raise ValueError(f"cannot pack {command.items}")
        return False


async def fetch(command):
    await asyncio.sleep(0.002 * command.number)
    return command.number
