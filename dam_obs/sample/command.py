"""
Run the user's command as it would run without us: its terminal, its signals, its exit status.

It stays in our process group, so that Ctrl-C and Ctrl-Z at the terminal reach it by
themselves; other signals that we get are handed on. A second Ctrl-C kills it. Meanwhile
none of them ends us: a run that was interrupted still has its report.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from dam_obs.errors import DamObsError

HANDED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class CommandNotFound(DamObsError):
    """There is no such program."""

    exit_status = 127

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: command not found; give a program on PATH or the path of one after --")
        self.name = name


class NotExecutable(DamObsError):
    """The program cannot be run."""

    exit_status = 126

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"{name} cannot be run ({why}): for a script, name its interpreter first, as in -- python {name}"
        )
        self.name = name
        self.why = why


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """
    Return the path of the program that a shell would run.

    Raises:
        CommandNotFound: there is none.
        NotExecutable: it is there, and not a program.
    """
    path = environ.get("PATH", os.defpath)
    found = shutil.which(name, path=path)
    if found is not None:
        return found
    places = [name] if os.sep in name else [os.path.join(folder, name) for folder in path.split(os.pathsep)]
    for place in places:
        if os.path.isdir(place) and os.sep in name:
            raise NotExecutable(name, "it is a folder")
        if os.path.isfile(place):
            raise NotExecutable(name, "it may not be executed")
    raise CommandNotFound(name)


class Command:
    """The user's command: not started yet, running, or ended."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """
        Prepare it.

        Raises:
            CommandNotFound: there is no such program.
            NotExecutable: it cannot be run.
        """
        self.name = Path(command[0]).name
        self._command = list(command)
        self._program = find_program(command[0], environ)
        self._running: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._interrupts = 0

    @contextmanager
    def run(self, environ: Mapping[str, str]) -> Iterator[None]:
        """
        Start it, with our standard input, output and error; meanwhile signals are its own and do not end us.

        Raises:
            NotExecutable: it cannot be run.
        """
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT, *HANDED_ON)}
        # What was ignored when we were started (nohup, a job in the background) stays so.
        taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in taken:
            signal.signal(number, self._on_signal)
        try:
            self._start(environ)
            yield
        finally:
            for number in taken:
                signal.signal(number, before[number])

    def _start(self, environ: Mapping[str, str]) -> None:
        try:
            self._running = subprocess.Popen(self._command, executable=self._program, env=dict(environ))  # noqa: S603 - the user's own
        except FileNotFoundError as error:  # a script whose interpreter is not there
            raise NotExecutable(self._command[0], "its interpreter is missing") from error
        except OSError as error:
            raise NotExecutable(self._command[0], error.strerror or type(error).__name__) from error
        for number in self._early:
            self._hand_on(number)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """As a shell says it, 128 and the signal's number for one that was killed; `None` while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return code if code >= 0 else 128 - code

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, so long at most."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        if self._running is None:
            raise RuntimeError("the command has not been started")
        return self._running

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._running is None:
            self._early.append(number)
        else:
            self._hand_on(number)

    def _hand_on(self, number: int) -> None:
        if number == signal.SIGINT:
            self._interrupts += 1
            if self._interrupts > 1:
                self._process.kill()
                return
        if number not in (signal.SIGINT, signal.SIGQUIT) or not _from_terminal():
            self._process.send_signal(number)


def _from_terminal() -> bool:
    """Tell whether Ctrl-C at a terminal reaches our whole group, and so the command without us."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
