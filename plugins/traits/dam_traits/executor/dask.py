"""
`DaskExecutor`: systems on the workers of a Dask cluster (extra ``dam-obs-traits[dask]``).

A system goes to a worker if it can be imported there and takes nothing but its command; all
others run where their world is, by an executor of this machine. What is sent and what comes
back is the same as for processes; that a lost worker's work is run again is Dask's doing.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, Future, KilledWorker, LocalCluster

from dam_traits.executor.base import SystemExecutor
from dam_traits.executor.child import run_parcel
from dam_traits.executor.errors import WorkerLost
from dam_traits.executor.local import LocalExecutor
from dam_traits.executor.remote import needs_only_its_command, results_of, why_not_importable
from dam_traits.system import Kind, RunIn

if TYPE_CHECKING:
    from dam_traits.invocation import Invocation
    from dam_traits.system import System


class DaskExecutor(SystemExecutor):
    """Runs systems on Dask workers where it can, and the others here."""

    def __init__(
        self,
        cluster: str | Client | None = None,
        *,
        local: SystemExecutor | None = None,
        plugins: Sequence[str] = (),
        patience_s: float = 30.0,
    ) -> None:
        """
        Make an executor; it connects when the first system is sent.

        Args:
            cluster: A scheduler's address, or a client: one that is asynchronous and of the world's loop is used as it
                is, another one's cluster is connected to. `None`: the cluster that Dask's configuration names
                (``DASK_SCHEDULER_ADDRESS``), else one of processes on this machine, closed with the executor.
            local: Runs what is not sent; `None`: a `LocalExecutor`.
            plugins: Plugins on the workers besides those of entry points, ``package.module`` or
                ``package.module:attribute``; those that were added to a world here are not there.
            patience_s: For how long a system that was sent waits for a cluster without a worker that could run it.
        """
        self._link = _Link(cluster)
        self._local = LocalExecutor() if local is None else local
        self._plugins = tuple(plugins)
        self._patience_s = patience_s
        self._reasons: dict[System, str | None] = {}
        self._replies: set[asyncio.Task[bytes]] = set()

    def check(self, system: System) -> None:
        """Refuse what could not run here: any system may have to."""
        self._local.check(system)

    def run(self, invocation: Invocation) -> AsyncGenerator[Any, None]:
        """Run an invocation on a worker, or here."""
        if self.why_here(invocation) is not None:
            return self._local.run(invocation)
        return results_of(invocation, self._plugins, partial(self._send, invocation))

    def why_here(self, invocation: Invocation) -> str | None:
        """Say why an invocation's system is not sent to a worker; `None`: it is."""
        system = invocation.system
        if system not in self._reasons:
            self._reasons[system] = _why_here(invocation)
        return self._reasons[system]

    async def aclose(self) -> None:
        """Wait for what runs, here and there, and leave the cluster."""
        try:
            await self._local.aclose()
        finally:
            if self._replies:
                await asyncio.wait(self._replies)
            await self._link.aclose()

    async def _send(self, invocation: Invocation, name: str, parcel: bytes) -> bytes:
        client = await self._link.client()
        resources = await self._link.offered(_amounts(invocation))
        cost = invocation.cost
        future = client.submit(
            run_parcel,
            parcel,
            key=f"{name}-{uuid.uuid4().hex}",
            resources=resources or None,
            priority=0 if cost is None else -cost.priority,
            pure=False,
        )
        try:
            return await self._reply(name, future, resources)
        finally:
            future.release()  # type: ignore[no-untyped-call] # ends what has not begun

    async def _reply(self, name: str, future: Future[bytes], resources: Mapping[str, int]) -> bytes:
        # A task of its own, never cancelled: the client gathers the results of several readers at once, and
        # would cancel them all with one. It ends when the future is released.
        reply = asyncio.create_task(_reply(name, future))
        self._replies.add(reply)
        reply.add_done_callback(self._forget)
        had_worker = True
        while not reply.done():
            await asyncio.wait({reply}, timeout=self._patience_s)
            if reply.done():
                break
            had_worker_before, had_worker = had_worker, await self._link.has_worker(resources)
            if not had_worker and not had_worker_before:
                needs = f" with {dict(resources)}" if resources else ""
                raise WorkerLost(name, f"the cluster, which has had no worker{needs} for {self._patience_s:g} s")
        return reply.result()

    def _forget(self, reply: asyncio.Task[bytes]) -> None:
        self._replies.discard(reply)
        if not reply.cancelled():
            reply.exception()  # seen, also where its reader has left


async def _reply(name: str, future: Future[bytes]) -> bytes:
    try:
        reply: bytes = await future
    except KilledWorker as error:
        times = error.allowed_failures + 1
        how = f"{times} workers, each of which died while it ran there; the last was {error.last_worker.address}"
        raise WorkerLost(name, how) from error
    except CancelledError as error:  # not asyncio's: nobody here has cancelled it
        raise WorkerLost(name, f"the cluster ({error})") from error
    return reply


class _Link:
    """The way to a cluster: made when it is first needed, and again when it was lost."""

    def __init__(self, cluster: str | Client | None) -> None:
        self._given = cluster
        self._cluster: LocalCluster | None = None
        self._client: Client | None = None
        self._connecting: asyncio.Task[Client] | None = None
        self._offers: dict[str, float] = {}
        self._offers_until_s = 0.0

    async def client(self) -> Client:
        """Give a client that is connected."""
        if self._client is not None and self._client.status in ("running", "connecting", "newly-created"):
            return self._client
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        return await asyncio.shield(self._connecting)

    async def offered(self, amounts: Mapping[str, int]) -> dict[str, int]:
        """Give those of some resources that a worker of the cluster has enough of; others it knows nothing of."""
        if not amounts:
            return {}
        loop = asyncio.get_running_loop()
        if loop.time() >= self._offers_until_s:
            self._offers = {}
            for worker in await self._workers():
                for name, amount in worker.get("resources", {}).items():
                    self._offers[name] = max(amount, self._offers.get(name, 0))
            self._offers_until_s = loop.time() + _OFFERS_LAST_S
        return {name: amount for name, amount in amounts.items() if self._offers.get(name, 0) >= amount}

    async def has_worker(self, resources: Mapping[str, int]) -> bool:
        """Say whether there is a worker now, and one with these resources."""
        return any(
            all(worker.get("resources", {}).get(name, 0) >= amount for name, amount in resources.items())
            for worker in await self._workers()
        )

    async def aclose(self) -> None:
        """Close what was opened here; what was given is its giver's."""
        if self._connecting is not None:
            await asyncio.wait({self._connecting})
        client, self._client = self._client, None
        cluster, self._cluster = self._cluster, None
        if client is not None and client is not self._given:
            await client.close()  # type: ignore[no-untyped-call]
        if cluster is not None:
            await cluster.close()  # type: ignore[misc] # it is asynchronous

    async def _connect(self) -> Client:
        given = self._given
        if isinstance(given, Client):
            if given.asynchronous:
                return given
            return await _client(_scheduler(given).address, security=given.security)
        address = given or dask.config.get("scheduler-address", None)
        if address is None and self._cluster is None:
            self._cluster = await LocalCluster(asynchronous=True, dashboard_address="127.0.0.1:0")  # type: ignore[no-untyped-call]
        return await _client(address or self._cluster)

    def _connected(self, connecting: asyncio.Task[Client]) -> None:
        self._connecting = None
        if not connecting.cancelled() and connecting.exception() is None:
            self._client = connecting.result()

    async def _workers(self) -> list[dict[str, Any]]:
        client = await self.client()
        known = await _scheduler(client).identity()
        return list(known["workers"].values())


async def _client(cluster: object, **options: object) -> Client:
    client: Client = await Client(cluster, asynchronous=True, set_as_default=False, **options)  # type: ignore[no-untyped-call]
    return client


def _scheduler(client: Client) -> Any:
    """Give the way to call a client's scheduler."""
    return client.scheduler


def _why_here(invocation: Invocation) -> str | None:
    system = invocation.system
    if system.kind is Kind.ASYNC_GENERATOR:
        return "it gives its items as they come, to a reader who may leave"
    if system.run_in is RunIn.LOOP and system.kind is not Kind.COROUTINE:
        return "it asks for the loop"
    if not needs_only_its_command(system, invocation.arguments, invocation.command):
        return "it takes more than its command"
    return why_not_importable(system)


def _amounts(invocation: Invocation) -> Counter[str]:
    amounts: Counter[str] = Counter()
    for need in invocation.needs:
        amounts[need.pool_path] += need.amount
    return amounts


_OFFERS_LAST_S = 5.0
"""For how long the cluster's resources are taken to be what they were."""
