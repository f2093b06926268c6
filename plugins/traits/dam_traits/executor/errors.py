"""What can go wrong between a world and the place where a system runs."""

from __future__ import annotations

from dam_traits.errors import TraitError


class UnknownExecutor(TraitError, ValueError):
    """A world was asked for an executor of a name that there is not."""

    def __init__(self, name: str) -> None:
        super().__init__(f'there is no executor {name}: give "local", "dask" or a SystemExecutor of your own')
        self.name = name


class WorkerLost(TraitError, RuntimeError):
    """The process that ran a system is gone, and with it what the system had done."""

    def __init__(self, system: str, how: str, *, pid: int | None = None, exit_code: int | None = None) -> None:
        super().__init__(
            f"{system} was lost with {how}: if running it twice does no harm, let the executor do so (retries=1)"
        )
        self.system = system
        self.pid = pid
        """Of the process, where it is known."""
        self.exit_code = exit_code
        """Negative: the number of the signal that killed it; `None`: not known."""
