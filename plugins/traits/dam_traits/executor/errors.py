"""What can go wrong between a world and the place where a system runs."""

from __future__ import annotations

from dam_traits.errors import TraitError


class UnknownExecutor(TraitError, ValueError):
    """A world was asked for an executor of a name that there is not."""

    def __init__(self, name: str) -> None:
        super().__init__(f'there is no executor {name}: give "local", "dask" or a SystemExecutor of your own')
        self.name = name


class MissingExtra(TraitError, ImportError):
    """An executor needs a library that is not installed."""

    def __init__(self, executor: str, library: str, extra: str) -> None:
        super().__init__(f"executor {executor!r} needs {library}: pip install 'dam-obs-traits[{extra}]'")


class NotSendable(TraitError, TypeError):
    """Something was to go to another process, or to come back from there, and cannot be pickled."""

    def __init__(self, system: str, what: str, problem: str) -> None:
        super().__init__(f"{system}: {what} cannot cross to or from another process, since pickle fails ({problem})")
        self.system = system
        self.what = what
        self.problem = problem


class RemoteFailure(TraitError, RuntimeError):
    """A system failed in another process with an error that could not be brought back as it was."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(f"{error}: {message}" if message else error)
        self.error = error
        """The name of its class."""
        self.message = message


class RemoteTraceback(Exception):
    """Where an error was raised in another process; the cause of the one that came back."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


class WorkerLost(TraitError, RuntimeError):
    """The process that ran a system is gone, and with it what the system had done."""

    def __init__(self, system: str, how: str, *, pid: int | None = None, exit_code: int | None = None) -> None:
        super().__init__(f"{system} was lost with {how}")
        self.system = system
        self.how = how
        self.pid = pid
        """Of the process, where it is known."""
        self.exit_code = exit_code
        """Negative: the number of the signal that killed it; `None`: not known."""
