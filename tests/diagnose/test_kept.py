"""Of very many executions some are kept whole, each with the same chance."""

from __future__ import annotations

from dam_obs.diagnose.kept import Kept


def rows(count: int, most: int) -> list[int]:
    kept = Kept(most)
    for row in range(count):
        kept.add(row, f"h{row}", {"row": row})
    found = kept.executions()
    assert all((one.handle, one.features) == (f"h{one.row}", {"row": one.row}) for one in found)
    return [one.row for one in found]


def test_few_are_all_kept_in_their_order():
    """So that nothing is other than it was without a bound."""
    assert rows(500, most=500) == list(range(500))


def test_of_many_so_many_are_kept_in_their_order():
    """And never more than twice as many are in memory meanwhile."""
    found = rows(20_000, most=500)

    assert len(found) == 500
    assert found == sorted(set(found))


def test_the_same_events_give_the_same_ones():
    """A report does not change by being made again."""
    assert rows(5_000, most=100) == rows(5_000, most=100)


def test_early_and_late_ones_have_the_same_chance():
    """Of 2,000 drawn from 40,000 each quarter has its 500, give or take five standard deviations."""
    found = rows(40_000, most=2_000)
    quarters = [sum(quarter * 10_000 <= row < (quarter + 1) * 10_000 for row in found) for quarter in range(4)]

    assert all(abs(quarter - 500) < 100 for quarter in quarters)


def test_memory_is_bounded_while_they_come():
    """Counted in executions: at most twice as many as are kept in the end."""
    kept = Kept(100)
    most = 0
    for row in range(10_000):
        kept.add(row, "", {})
        most = max(most, len(kept._found))

    assert most < 200
