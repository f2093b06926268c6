"""
The laws of the ledger, whatever is asked of it in whatever order.

Never above capacity, never idle while something fits, never taken from what is set aside for
an overdue waiter, never deadlocked, never leaked. The clock is the test's own.
"""

import contextlib

import pytest
from dam_traits import PoolDeadlock, PoolExceeded, PoolState, PoolTimeout, ResourceUsageTrait
from dam_traits.pools.holds import lineage
from dam_traits.pools.ledger import Ledger
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

PATHS = ["cpu", "disk", "disk/read", "disk/read/a", "disk/read/b", "disk/write"]
PATIENCE_S = 5.0

# Small pools and small needs, so that much of what is asked for can be had, but seldom at once.
one_need = st.builds(ResourceUsageTrait, st.sampled_from(PATHS), st.sampled_from([1, 1, 1, 2]))
some_needs = st.one_of(st.tuples(one_need), st.tuples(one_need), st.tuples(one_need, one_need))
capacities = st.sampled_from([2, 3, 4, None, 1, 0])


class Ledgers(RuleBasedStateMachine):
    """Requests from outside and from within holders, that end, give up and time out, on pools that change."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.ledger = Ledger(patience_s=PATIENCE_S, age_s=2.0, clock=lambda: self.now)
        self.holds = []
        self.waiters = []
        self.used = {}

    # -- what can happen

    @initialize(cpu=st.integers(1, 3), disk=st.integers(2, 4), leaf=st.sampled_from([None, 1, 2]))
    def build(self, cpu, disk, leaf):
        for path, capacity in (("cpu", cpu), ("disk", disk), ("disk/read/a", leaf)):
            self.ledger.set_capacity(path, capacity)

    @rule(needs=some_needs, priority=st.integers(0, 3))
    def ask(self, needs, priority):
        self.request(needs, priority, None)

    @rule(path=st.sampled_from(["cpu", "disk"]), amount=st.integers(1, 2))
    def ask_for_much_of_one(self, path, amount):
        self.request([ResourceUsageTrait(path, amount)], 1, None)

    @precondition(lambda self: self.holds)
    @rule(needs=some_needs, priority=st.integers(0, 3), data=st.data())
    def ask_from_within(self, needs, priority, data):
        self.request(needs, priority, data.draw(st.sampled_from(self.holds), label="parent"))

    @precondition(lambda self: self.holds)
    @rule(path=st.sampled_from(["cpu", "disk"]), data=st.data())
    def ask_from_within_for_another(self, path, data):
        """The stuff of circles: who has of one pool wants of the other."""
        holds = [hold for hold in self.holds if path not in {pool.path for pool, _ in hold.own}]
        if holds:
            parent = data.draw(st.sampled_from(holds), label="parent")
            self.request([ResourceUsageTrait(path)], 1, parent)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), then_withdraw=st.sampled_from([False, False, True]))
    def end(self, data, then_withdraw):
        """A lease ends; those that this lets go may give up at that very moment, before they know."""
        hold = data.draw(st.sampled_from(self.holds), label="hold")
        self.holds.remove(hold)
        woken = self.ledger.release(hold)
        assert self.ledger.release(hold) == []
        self.woken(woken)
        for waiter in woken if then_withdraw else []:
            self.holds.remove(waiter.hold)
            self.woken(self.ledger.withdraw(waiter))

    @precondition(lambda self: self.waiters)
    @rule(data=st.data(), times_out=st.booleans())
    def give_up(self, data, times_out):
        waiter = data.draw(st.sampled_from(self.waiters), label="waiter")
        if times_out:
            self.woken(self.ledger.expire(waiter, PoolTimeout(["cpu"], 1.0)))
            assert isinstance(waiter.error, PoolTimeout)
        else:
            self.waiters.remove(waiter)
            self.woken(self.ledger.withdraw(waiter))
        assert self.ledger.withdraw(waiter) == []

    @rule(path=st.sampled_from(PATHS), capacity=capacities)
    def resize(self, path, capacity):
        woken = self.ledger.set_capacity(path, capacity)
        failed = [each for each in woken if isinstance(each.error, PoolExceeded)]
        assert all(each.error.pool == path and each.error.amount > capacity for each in failed)
        self.woken(woken)

    @rule(seconds=st.sampled_from([0.5, 3.0, PATIENCE_S, 20.0]))
    def pass_time(self, seconds):
        self.now += seconds

    def request(self, needs, priority, parent):
        """Take, or else wait, as `ResourcePools` does."""
        plan = self.ledger.plan(needs)
        set_aside = self.set_aside(self.ledger.newcomer(priority, self.now))
        try:
            hold = self.ledger.take(plan, parent, priority, None)
        except PoolExceeded as error:
            self.exceeded(error)
            return
        if hold is None:
            with contextlib.suppress(PoolDeadlock):
                self.waiters.append(self.ledger.wait(plan, parent, priority))
            return
        self.holds.append(hold)
        if parent is None:
            self.took_nothing_set_aside(hold, set_aside)

    # -- what must hold

    def woken(self, waiters):
        """Account for waiters that need not wait any more."""
        granted = [each for each in waiters if each.hold is not None]
        assert all(each.group is None and (each.hold is None) != (each.error is None) for each in waiters)
        self.waiters = [each for each in self.waiters if each not in waiters]
        self.holds += [each.hold for each in granted]
        if all(not each.above for each in granted):
            for each in granted:
                self.took_nothing_set_aside(each.hold, self.set_aside(each.order))

    def exceeded(self, error):
        assert error.amount > self.ledger.tree.pools[error.pool].capacity == error.capacity

    def set_aside(self, order):
        """What overdue waiters before `order` need, by pool: worked out one by one."""
        total = {}
        for waiter in self.waiters:
            if waiter.order < order and self.now - waiter.since >= PATIENCE_S:
                for pool, amount in self.short(waiter).items():
                    total[pool] = total.get(pool, 0) + amount
        return total

    def short(self, waiter):
        """What a waiter needs beyond what the holds around it have to spare."""
        return {
            pool: max(0, amount - sum(hold.spare(pool) for hold in lineage(waiter.parent)))
            for pool, amount in waiter.plan.parts
        }

    def took_nothing_set_aside(self, hold, set_aside):
        for pool, _ in hold.own:
            assert pool.limit - pool.used >= set_aside.get(pool, 0)

    @invariant()
    def never_above_capacity(self):
        """Unless less is had than before: then at least nobody gets more."""
        for pool in self.ledger.tree.pools.values():
            assert pool.used <= max(pool.limit, self.used.get(pool.path, 0))
            self.used[pool.path] = pool.used

    @invariant()
    def use_is_what_holds_have(self):
        own, stuck = {}, {}
        for hold in self.holds:
            for pool, units in hold.own:
                own[pool] = own.get(pool, 0) + units
                if any(hold in waiter.above for waiter in self.waiters):
                    stuck[pool] = stuck.get(pool, 0) + units
        for pool in self.ledger.tree.pools.values():
            assert (pool.used, pool.stuck) == (own.get(pool, 0), stuck.get(pool, 0))
            assert pool.holders == {hold for hold in self.holds if pool in dict(hold.own)}

    @invariant()
    def every_hold_has_what_it_needs(self):
        """Of its own or borrowed; and it never lends more than that."""
        for hold in self.holds:
            have = dict(hold.own)
            for loan in hold.kin.loans if hold.kin else ():
                assert loan.lender.live
                have[loan.pool] = have.get(loan.pool, 0) + loan.units
            assert have == hold.plan.amounts
            assert all(hold.spare(pool) >= 0 for pool in have)

    @invariant()
    def nothing_waits_that_could_go(self):
        """Whoever fits, and takes nothing that is set aside, is not among those who wait."""
        for waiter in self.waiters:
            inside = any(True for _ in lineage(waiter.parent))
            set_aside = {} if inside else self.set_aside(waiter.order)
            assert any(
                amount and pool.used + amount + set_aside.get(pool, 0) > pool.limit
                for pool, amount in self.short(waiter).items()
            )

    @invariant()
    def state_says_so(self):
        waiting = dict.fromkeys(self.ledger.tree.pools.values(), 0)
        for waiter in self.waiters:
            for pool, _ in waiter.plan.parts:
                waiting[pool] += 1
        assert self.ledger.state() == [
            PoolState(pool.path, pool.capacity, pool.used, waiting[pool])
            for pool in sorted(waiting, key=lambda each: each.path)
        ]

    def teardown(self):
        """Whatever happened: if holders end that wait for nothing, all waiters are granted, and nothing is left."""
        while self.holds:
            ready = [hold for hold in self.holds if not any(hold in waiter.above for waiter in self.waiters)]
            assert ready, "deadlock"
            self.holds.remove(ready[0])
            self.woken(self.ledger.release(ready[0]))
        assert self.waiters == []
        assert (dict(self.ledger.waiting), self.ledger.groups) == ({}, {})
        for pool in self.ledger.tree.pools.values():
            assert (pool.used, pool.stuck, pool.holders, pool.queues) == (0, 0, set(), ([], []))


class ManyLedgers(Ledgers):
    """The same laws on many more examples: some mistakes need three requests and a clock in just the right order."""


Ledgers.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
ManyLedgers.TestCase.settings = settings(max_examples=2000, stateful_step_count=60, deadline=None)
TestLedgers = pytest.mark.timeout(300)(Ledgers.TestCase)
TestManyLedgers = pytest.mark.slow(pytest.mark.timeout(600)(ManyLedgers.TestCase))
