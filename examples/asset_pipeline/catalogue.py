"""
The catalogue: a small HTTP server on loopback that knows titles and licences of assets.

It takes its time before it answers, as a server elsewhere would. It is a program of its
own (`started` runs it), so that a client's wait for it is a wait. It prints its port, and
ends when its standard input does, and so with whoever started it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
LICENCES = ("CC-BY-4.0", "CC0-1.0", "unknown")
_MIN_SECONDS, _SPREAD_SECONDS = 0.005, 0.035


@contextmanager
def started() -> Iterator[int]:
    """Run the catalogue as long as the block lasts; gives its port."""
    program = [sys.executable, "-P", str(Path(__file__).resolve())]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdin is not None  # it is a pipe
        assert process.stdout is not None  # likewise
        port = process.stdout.readline()
        if not port:
            raise RuntimeError("the catalogue did not start: see its message above")
        try:
            yield int(port)
        finally:
            process.stdin.close()


async def serve() -> None:
    """Answer until standard input ends."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    server = await asyncio.start_server(_answer, HOST, 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    server.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        body = await _look_up(request.split(b" ", 2)[1])
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has gone
    finally:
        writer.close()


async def _look_up(path: bytes) -> bytes:
    """Return what is known about an asset, after a time that depends on its name alone."""
    number = zlib.crc32(path)
    await asyncio.sleep(_MIN_SECONDS + _SPREAD_SECONDS * (number % 1000) / 1000)
    known = {"title": f"Asset No. {number % 100_000}", "licence": LICENCES[number % len(LICENCES)]}
    return json.dumps(known).encode()


if __name__ == "__main__":
    asyncio.run(serve())
