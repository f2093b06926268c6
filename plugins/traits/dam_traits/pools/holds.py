"""
`Hold`: the amounts that one lease has, and those that it lent to, or borrowed from, others.

A system that holds pools may dispatch commands whose systems need pools too. What an outer
hold has counts for those within it: they borrow, from the nearest first, and take from
the pool only what is missing. A unit is lent to one at a time. Whoever ends first settles
it: a borrower gives back; a lender that ends leaves what it lent to its borrowers.

Nothing here decides who may take what; the ledger does.
"""

from __future__ import annotations

from collections.abc import Iterator

from dam_traits.pools.tree import Part, Parts, Plan, Pool


class Hold:
    """What one lease has."""

    __slots__ = ("ends_at", "kin", "live", "own", "parent", "plan")

    def __init__(self, plan: Plan, own: Parts, parent: Hold | None, ends_at: float | None) -> None:
        self.plan = plan
        self.own = own
        """What it took from the pools: all of the plan, or what was not borrowed."""
        self.parent = parent
        self.ends_at = ends_at
        """When it is expected to end, by the clock; `None`: nobody said."""
        self.live = True
        self.kin: Kin | None = None
        """Only where anything is lent, borrowed, or waited for below it."""

    def relations(self) -> Kin:
        """Give its `kin`, made now if need be."""
        kin = self.kin
        if kin is None:
            kin = self.kin = Kin()
        return kin

    def spare(self, pool: Pool) -> int:
        """How much of a pool it has and did not lend."""
        amount = self.plan.amounts.get(pool, 0)
        if amount and self.kin is not None:
            return amount - self.kin.lent_units.get(pool, 0)
        return amount

    @property
    def stuck(self) -> bool:
        """Whether anything dispatched below it waits, so that it cannot end."""
        return self.kin is not None and self.kin.waiting > 0

    def add_waiting(self, change: int) -> None:
        """Note that so many more, or fewer, requests below it wait."""
        kin = self.relations()
        before = kin.waiting
        kin.waiting += change
        if (before == 0) != (kin.waiting == 0):
            for pool, units in self.own:
                pool.stuck += units if change > 0 else -units


class Kin:
    """How one hold stands to those around it."""

    __slots__ = ("lent", "lent_units", "loans", "waiting")

    def __init__(self) -> None:
        self.loans: dict[Loan, None] = {}
        """What it borrowed."""
        self.lent: dict[Loan, None] = {}
        """What it lent."""
        self.lent_units: dict[Pool, int] = {}
        self.waiting = 0
        """How many requests wait that were made below it."""


class Loan:
    """Some units of a pool that one hold has from another."""

    __slots__ = ("borrower", "lender", "pool", "units")

    def __init__(self, lender: Hold, borrower: Hold, pool: Pool, units: int) -> None:
        self.lender = lender
        self.borrower = borrower
        self.pool = pool
        self.units = units


def lineage(hold: Hold | None) -> Iterator[Hold]:
    """Give a hold and those around it, the nearest first, without those that have ended."""
    while hold is not None:
        if hold.live:
            yield hold
        hold = hold.parent


def missing(parts: Parts, parent: Hold | None) -> Parts:
    """Give what of `parts` the holds around do not have to spare."""
    if parent is None:
        return parts
    short: list[Part] = []
    for pool, amount in parts:
        for lender in lineage(parent):
            amount -= min(amount, lender.spare(pool))
            if not amount:
                break
        else:
            short.append((pool, amount))
    return tuple(short)


def take(plan: Plan, parent: Hold | None, ends_at: float | None) -> Hold:
    """Borrow what can be borrowed and take the rest from the pools, which must have it."""
    hold = Hold(plan, missing(plan.parts, parent), parent, ends_at)
    if parent is not None:
        own = dict(hold.own)
        for pool, amount in plan.parts:
            _borrow(hold, pool, amount - own.get(pool, 0))
    for pool, units in hold.own:
        pool.used += units
        pool.holders.add(hold)
    return hold


def give_up(hold: Hold) -> list[Pool]:
    """End a hold, and say of which pools there may be more now."""
    hold.live = False
    if hold.kin is not None:
        return _settle(hold, hold.kin)
    freed = []
    for pool, units in hold.own:
        pool.used -= units
        pool.holders.discard(hold)
        if pool.door < 0:
            freed.append(pool)
    return freed


def _borrow(borrower: Hold, pool: Pool, units: int) -> None:
    for lender in lineage(borrower.parent):
        if not units:
            return
        lent = min(units, lender.spare(pool))
        if lent:
            _lend(Loan(lender, borrower, pool, lent))
            units -= lent


def _lend(loan: Loan) -> None:
    lender = loan.lender.relations()
    lender.lent[loan] = None
    lender.lent_units[loan.pool] = lender.lent_units.get(loan.pool, 0) + loan.units
    loan.borrower.relations().loans[loan] = None


def _give_back(loan: Loan) -> None:
    lender = loan.lender.relations()
    del lender.lent[loan]
    lender.lent_units[loan.pool] -= loan.units
    if not lender.lent_units[loan.pool]:
        del lender.lent_units[loan.pool]
    del loan.borrower.relations().loans[loan]


def _settle(hold: Hold, kin: Kin) -> list[Pool]:
    if kin.waiting:
        for pool, units in hold.own:
            pool.stuck -= units
    own = dict(hold.own)
    for loan in list(kin.lent):
        _leave(loan, own)
    freed = [*own, *(loan.pool for loan in kin.loans)]
    for loan in list(kin.loans):
        _give_back(loan)
    for pool, _ in hold.own:
        pool.holders.discard(hold)
        pool.used -= own.get(pool, 0)
    hold.own = ()
    return [pool for pool in dict.fromkeys(freed) if pool.door < 0]


def _leave(loan: Loan, own: dict[Pool, int]) -> None:
    """Let a borrower keep what its ending lender lent: first what that had borrowed itself, then of its `own`."""
    borrower, pool, units = loan.borrower, loan.pool, loan.units
    _give_back(loan)
    for upper in [each for each in loan.lender.relations().loans if each.pool is pool]:
        moved = min(upper.units, units)
        if not moved:
            break
        units -= moved
        rest = upper.units - moved
        _give_back(upper)
        _lend(Loan(upper.lender, borrower, pool, moved))
        if rest:
            _lend(Loan(upper.lender, loan.lender, pool, rest))
    if not units:
        return
    own[pool] -= units
    if not own[pool]:
        del own[pool]
    borrower.own = (
        *[part for part in borrower.own if part[0] is not pool],
        (pool, dict(borrower.own).get(pool, 0) + units),
    )
    pool.holders.add(borrower)
    if borrower.stuck:
        pool.stuck += units
