"""One set of pools, several event loops and threads."""

import asyncio
import threading

from dam_traits import Lease, PoolState


async def take(pools, needs):
    lease = pools.acquire(needs)
    return lease if isinstance(lease, Lease) else await lease


def test_a_release_wakes_waiters_of_other_loops(make_pools, need):
    """The waiter sits on a loop in another thread."""
    pools = make_pools({"cpu": 1})
    lease = pools.acquire(need("cpu"))
    waited = []

    async def wait():
        with await take(pools, need("cpu")) as theirs:
            waited.append(theirs.waited)

    thread = threading.Thread(target=asyncio.run, args=(wait(),))
    thread.start()
    while not pools.state()[0].waiting:
        threading.Event().wait(0.001)
    lease.release()
    thread.join()

    assert waited == [True]


def test_loops_in_threads_share_a_pool(make_pools, need):
    """Many tasks on several loops: never more than there is, and all of them end."""
    pools = make_pools({"cpu": 3, "disk": 2})
    inside = []
    most = []

    async def work(number):
        with await take(pools, need("cpu", "disk/a") if number % 2 else need("cpu")):
            inside.append(number)
            most.append(len(inside))
            await asyncio.sleep(0)
            inside.remove(number)

    async def many(start):
        await asyncio.gather(*(work(start + number) for number in range(200)))

    threads = [threading.Thread(target=asyncio.run, args=(many(1000 * each),)) for each in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(most) == 600
    assert max(most) <= 3
    assert [state for state in pools.state() if state.capacity] == [
        PoolState("cpu", 3, 0, 0),
        PoolState("disk", 2, 0, 0),
    ]


def test_a_lease_may_be_released_on_another_thread(make_pools, need):
    """A system in a thread ends it where it runs."""
    pools = make_pools({"cpu": 1})
    thread = threading.Thread(target=pools.acquire(need("cpu")).release)
    thread.start()
    thread.join()

    assert pools.state() == [PoolState("cpu", 1, 0, 0)]


def test_releasing_while_the_lock_is_taken_waits_for_nobody(make_pools, need):
    """As a finalizer may, anywhere: whoever has the lock sees to it afterwards."""
    pools = make_pools({"cpu": 1})
    lease = pools.acquire(need("cpu"))
    with pools._lock:
        lease.release()

    pools.acquire(need("disk")).release()

    assert pools.state()[0] == PoolState("cpu", 1, 0, 0)
