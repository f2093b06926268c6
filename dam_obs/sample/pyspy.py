"""
Run py-spy beside a process: find it, start it, know when it samples, stop it.

It pauses the process for each look (``--nonblocking`` loses half the samples), follows
Python children, and takes idle threads too, since what waits is what we want to see. It
writes its file only at its end, so it is always asked to end, by SIGINT, and killed only
if it does not.

What it printed is understood in `pyspy_words`, what it wrote is read in `profile`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dam_obs.sample.procfs import cpu_ns_of, memory_bytes_of
from dam_obs.sample.pyspy_words import Words

SCRIPTS = Path(sys.executable).parent
"""Where the programs of our own environment are; a py-spy there goes before one on PATH."""

STOP_PATIENCE_S = 30.0
"""How long py-spy may take to write its file."""

VERSION_PATIENCE_S = 5.0

_POLL_S = 0.005

_LOG_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class PySpy:
    """A py-spy that can be run."""

    path: Path
    version: str
    """``0.4.3``"""

    @property
    def name(self) -> str:
        """Name and version."""
        return f"py-spy {self.version}"


def find_pyspy() -> PySpy | str:
    """Return the py-spy to use, or in words why there is none."""
    found = shutil.which("py-spy", path=str(SCRIPTS)) or shutil.which("py-spy")
    if found is None:
        return "py-spy is not installed"
    try:
        answer = subprocess.run(  # noqa: S603 - a program that the user has installed
            [found, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=VERSION_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{found} does not answer"
    except OSError as error:
        return f"{found} cannot be run: {error.strerror}"
    name, _, version = answer.stdout.decode("utf-8", "replace").strip().partition(" ")
    if answer.returncode != 0 or name != "py-spy" or not version:
        return f"{found} is not py-spy, or is broken"
    return PySpy(Path(found), version)


class PySpySession:
    """One py-spy, from its start on a process to its end."""

    def __init__(
        self,
        tool: PySpy,
        pid: int,
        *,
        rate_hz: float,
        output: Path,
        log: Path,
        native: bool = False,
        children: bool = True,
    ) -> None:
        """
        Start sampling `pid` and its Python children.

        Args:
            tool: Which py-spy.
            pid: The process; it need not be Python itself if a child of it is.
            rate_hz: Looks a second; whole ones.
            output: Where py-spy writes the profile, at its end.
            log: What it prints is appended here, up to a bound.
            native: Take stacks of native code, too.
            children: Search for Python children; that costs as much at any rate.
        """
        self.pid = pid
        self.rate_hz = rate_hz
        self.native = native
        self.children = children
        self.output = output
        self.words = Words()
        self.begun = time.monotonic()
        self.sampling_since: float | None = None
        self._ended: float | None = None
        self._first_cpu_ns: int | None = None
        self._last_cpu_ns: int | None = None
        self._all_cpu_ns = 0
        self._log = log
        self._process = subprocess.Popen(  # noqa: S603 - a program that the user has installed
            _with(_command(tool, pid, rate_hz, output), native=native, children=children),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RUST_LOG": "warn", "RUST_BACKTRACE": "0"},
            start_new_session=True,  # a Ctrl-C at the terminal is for the program; we end py-spy ourselves
        )
        self._listener = threading.Thread(target=self._listen, name="dam-obs-py-spy", daemon=True)
        self._listener.start()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by itself or by `stop`."""
        self._note_cpu()  # once it is polled after its end, the kernel no longer tells
        return self._process.poll() is not None

    @property
    def ended(self) -> float | None:
        """When it ended sampling, by the monotonic clock."""
        return self._ended

    @property
    def cpu_s(self) -> float:
        """CPU time that it took so far, with what it takes to begin and to end."""
        self._note_cpu()
        return self._all_cpu_ns / 1e9

    @property
    def memory_bytes(self) -> int:
        """Memory that it takes now; 0 if that cannot be read."""
        return memory_bytes_of(self._process.pid)

    @property
    def seconds(self) -> float:
        """How long it has sampled, or did."""
        if self.sampling_since is None:
            return 0.0
        return (self._ended or time.monotonic()) - self.sampling_since

    @property
    def busy_s(self) -> float | None:
        """CPU time that it took while it sampled; `None` if that could not be read."""
        if self._first_cpu_ns is None or self._last_cpu_ns is None:
            return None
        return (self._last_cpu_ns - self._first_cpu_ns) / 1e9

    def stop(self, patience_s: float = STOP_PATIENCE_S) -> bool:
        """
        End it, and wait until it has written its file.

        Returns:
            Whether it did; otherwise it was killed, and there is no file.
        """
        self.ask_to_end()
        deadline = time.monotonic() + patience_s
        while not self.is_over:
            if time.monotonic() >= deadline:
                self.kill()
                return False
            time.sleep(_POLL_S)
        self._listener.join(patience_s)
        return self._process.returncode == 0 and self.output.is_file()

    def ask_to_end(self) -> None:
        """Ask it to end, and do not wait for that; `is_over` tells."""
        if not self.is_over:
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it at once; what it sampled is lost."""
        self._process.kill()
        self._process.wait()
        self._listener.join(STOP_PATIENCE_S)

    def _listen(self) -> None:
        printed = self._process.stdout
        if printed is None:
            return
        with printed, self._log.open("ab") as log:
            for line in printed:
                self._keep(line, log)
                self.words.hear(line.decode("utf-8", "replace"))
                if self.words.sampling and self.sampling_since is None:
                    self.sampling_since = time.monotonic()
                    self._first_cpu_ns = cpu_ns_of(self._process.pid)
                    self._note_cpu()
                if "Stopped sampling" in line.decode("utf-8", "replace"):
                    self._note_cpu()
                    self._ended = time.monotonic()
        self._ended = self._ended or time.monotonic()

    def _note_cpu(self) -> None:
        """Remember the CPU time that it has taken; while it samples, also how much of that."""
        if self._process.returncode is not None:
            return  # the pid may be another's by now
        self._all_cpu_ns = cpu_ns_of(self._process.pid) or self._all_cpu_ns
        if self.sampling_since is not None and self._ended is None:
            self._last_cpu_ns = self._all_cpu_ns or self._last_cpu_ns

    def _keep(self, line: bytes, log: BinaryIO) -> None:
        if log.tell() < _LOG_BYTES:
            log.write(line)
            log.flush()


def _with(command: list[str], *, native: bool, children: bool) -> list[str]:
    kept = command if children else [word for word in command if word != "--subprocesses"]
    return [*kept, "--native"] if native else kept


def _command(tool: PySpy, pid: int, rate_hz: float, output: Path) -> list[str]:
    return [
        str(tool.path),
        "record",
        f"--pid={pid}",
        "--format=speedscope",
        f"--output={output}",
        f"--rate={max(1, round(rate_hz))}",
        "--threads",
        "--idle",
        "--subprocesses",
        "--full-filenames",
    ]
