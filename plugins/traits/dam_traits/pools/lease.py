"""`Lease`: the pools that somebody has, until they are released. `NO_LEASE` for who needs none."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from dam_traits.pools.holds import Hold
from dam_traits.pools.tree import Plan
from dam_traits.system_traits import ResourceUsageTrait

if TYPE_CHECKING:
    from dam_traits.pools.pools import ResourcePools


class Lease:
    """
    Pools that were taken, all at once. Made by `ResourcePools.acquire` only.

    Release it in a ``finally`` or by ``with``, on any thread. One that is dropped unreleased is
    released by its finalizer, counted in `ResourcePools.dropped` and reported by a `ResourceWarning`.
    """

    __slots__ = ("_hold", "_owner", "waited", "waited_ns")

    def __init__(self, owner: ResourcePools | None, hold: Hold, waited: bool, waited_ns: int) -> None:
        self._owner = owner
        self._hold = hold
        self.waited = waited
        """Whether it was not free at once."""
        self.waited_ns = waited_ns
        """How long it had to wait, by the pools' clock."""

    @property
    def needs(self) -> tuple[ResourceUsageTrait, ...]:
        """What was asked for."""
        return self._hold.plan.needs

    @property
    def pools(self) -> tuple[str, ...]:
        """The paths that were asked for, each once."""
        return self._hold.plan.paths

    def release(self) -> None:
        """Give the pools back; a second time means nothing."""
        owner = self._owner
        if owner is not None:
            self._owner = None
            owner._release(self._hold)

    def current(self) -> Current:
        """
        Let what is dispatched inside ``with lease.current():`` count as dispatched by this lease's holder.

        It then borrows from this lease what both need, and a circle of waits is found. Enter it
        around the code of the holder; for a generator around each of its steps, since
        it is kept in a context variable. Without pools it changes nothing: who was current is.
        """
        return Current(self._owner, self._hold)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        owner = self._owner
        if owner is not None:
            self._owner = None
            owner._drop(self._hold)

    def __repr__(self) -> str:
        state = "" if self._owner is not None else ", released"
        return f"<Lease of {', '.join(self.pools) or 'no pools'}{state}>"


class Current:
    """The time in which a hold is the current one; `None` for the hold: in which none is."""

    __slots__ = ("_hold", "_owner", "_token")

    def __init__(self, owner: ResourcePools | None, hold: Hold | None) -> None:
        self._owner = owner
        self._hold = hold

    def __enter__(self) -> None:
        if self._owner is not None:
            self._token = self._owner._current.set(self._hold)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._owner is not None:
            self._owner._current.reset(self._token)


NO_LEASE = Lease(None, Hold(Plan((), {}), (), None, None), False, 0)
"""The lease of whoever needs no pools: never ends, never runs out."""
