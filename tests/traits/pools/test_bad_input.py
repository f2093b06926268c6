"""Each wrong argument ends in one sentence that names it, at once, and nothing is held."""

import pytest
from dam_traits import InvalidPool, PoolError, ResourcePools, TraitError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("path", ["", "/", "disk/", "a//b", " a", "a\nb", None, 3])
def test_a_path_that_names_no_pool(make_pools, path):
    with pytest.raises(InvalidPool, match=r"^path is .*: it must be printable names joined by /"):
        make_pools().set_capacity(path, 1)
    with pytest.raises(InvalidPool, match=r"^path is"):
        make_pools().capacity(path)


@pytest.mark.parametrize("amount", [-1, 1.5, True, "4"])
def test_a_capacity_that_is_no_amount(make_pools, amount):
    with pytest.raises(InvalidPool, match=r"^the capacity of pool cpu is .*: it must be a whole number"):
        make_pools().set_capacity("cpu", amount)


def test_a_wrong_capacity_among_those_given_at_the_start():
    with pytest.raises(InvalidPool, match="the capacity of pool disk is -3"):
        ResourcePools({"cpu": 1, "disk": -3})


@pytest.mark.parametrize("needs", [["cpu"], "cpu", [None], 3, {"cpu": 1}])
def test_needs_that_are_none(make_pools, needs):
    with pytest.raises(InvalidPool, match=r"^needs is .*: it must be"):
        make_pools().acquire(needs)


def test_a_need_that_only_looks_like_one(make_pools):
    class Need:
        pool_path = "../etc"
        amount = -5

    pools = make_pools()
    with pytest.raises(InvalidPool, match="needs is a Need: it must be made of ResourceUsageTrait"):
        pools.acquire([Need()])
    assert pools.state() == []


@pytest.mark.parametrize("priority", [None, "1", 1.5, True])
def test_a_priority_that_is_no_whole_number(make_pools, need, priority):
    with pytest.raises(InvalidPool, match=r"^priority is"):
        make_pools().acquire(need("cpu"), priority=priority)


@pytest.mark.parametrize("seconds", [-1, float("nan"), "1", True])
def test_a_timeout_that_is_no_time(make_pools, need, seconds):
    with pytest.raises(InvalidPool, match=r"^timeout_s is"):
        make_pools().acquire(need("cpu"), timeout_s=seconds)


@pytest.mark.parametrize("milliseconds", [-1, float("nan"), "1"])
def test_an_expected_time_that_is_none(make_pools, need, milliseconds):
    with pytest.raises(InvalidPool, match=r"^expected_ms is"):
        make_pools().acquire(need("cpu"), expected_ms=milliseconds)


@pytest.mark.parametrize("setting", [{"patience_s": -1}, {"patience_s": None}, {"age_s": 0}, {"age_s": "x"}])
def test_settings_that_cannot_be_meant(setting):
    with pytest.raises(InvalidPool, match=f"^{next(iter(setting))} is"):
        ResourcePools(**setting)


@given(st.one_of(st.text(), st.integers(), st.lists(st.text(), min_size=1), st.dictionaries(st.text(), st.text())))
def test_nothing_else_comes_out(needs):
    """Whatever is passed as needs, only our own error is raised."""
    if not needs:
        return
    with pytest.raises(PoolError) as caught:
        ResourcePools().acquire(needs)
    assert isinstance(caught.value, TraitError)
