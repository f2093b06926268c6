"""Read, write, promote and demote, as a session offers them."""

import pytest
from dam_hrm import HookFailed, UnknownName, hookimpl
from dam_hrm.memory.errors import BadAddress
from dam_hrm.memory.values import Address, Found, Shift, Shifted, Tier, Written

A = Address(namespace="altitude", key="session")
TIERS = [Tier.HOT, Tier.WARM, Tier.COLD]


@pytest.mark.parametrize("tier", TIERS)
def test_what_was_written_is_read_from_there(memory, run, tier):
    """A write answers where it went, a read where it found it."""
    value = {"level": "L2", "steps": [1, 2.5, None, True, "ä\ud800"], "": {}}

    written = run(memory.write("altitude", "session", value, tier=tier))

    assert written == Written(address=A, tier=tier, allowed=True)
    assert run(memory.read("altitude", "session")) == Found(address=A, tier=tier, value=value)


def test_warm_is_where_a_write_goes(memory, run):
    """Unless it says otherwise; and a tier may be named in text."""
    assert run(memory.write("altitude", "session", 1)).tier is Tier.WARM
    assert run(memory.write("altitude", "session", 1, tier="COLD")).tier is Tier.COLD


def test_nothing_is_found_where_nothing_was_written(memory, run):
    """That is an answer, and told from a written `None`."""
    run(memory.write("altitude", "session", None))

    assert run(memory.read("altitude", "other")) == Found(
        address=Address(namespace="altitude", key="other"), tier=None, value=None
    )
    assert run(memory.read("altitude", "session")) == Found(address=A, tier=Tier.WARM, value=None)


@pytest.mark.parametrize("tier", TIERS)
def test_a_denied_write_writes_nothing(memory, run, tier):
    """The gate's reason is in the answer, and what was there before is still there."""
    written = run(memory.write("altitude", "secret", 1, tier=tier))

    assert written == Written(
        address=Address(namespace="altitude", key="secret"), tier=tier, allowed=False, reason="it is a secret"
    )
    assert written.outcome == "denied"
    assert run(memory.read("altitude", "secret")).tier is None


@pytest.mark.parametrize("second", TIERS)
@pytest.mark.parametrize("first", TIERS)
def test_the_newest_write_counts_whatever_its_tier(begin, run, first, second):
    """Older copies in nearer and in further tiers are stale, in this session and in the next."""
    memory = begin()
    run(memory.write("altitude", "session", "old", tier=first))
    run(memory.write("altitude", "session", "new", tier=second))

    assert run(memory.read("altitude", "session")) == Found(address=A, tier=second, value="new")
    run(memory.close())
    assert run(begin().read("altitude", "session")).value == "new"


@pytest.mark.parametrize("to", [None, *TIERS])
@pytest.mark.parametrize("here", TIERS)
@pytest.mark.parametrize("operation", ["promote", "demote"])
def test_moves(memory, run, operation, here, to):
    """A record moves one tier, or to the one that was named, in its own direction only, and keeps its value."""
    run(memory.write("altitude", "session", ["value"], tier=here))
    step = -1 if operation == "promote" else 1
    goal = to or TIERS[min(max(TIERS.index(here) + step, 0), 2)]
    moves = (TIERS.index(goal) - TIERS.index(here)) * step > 0

    shifted = run(getattr(memory, operation)("altitude", "session", to))

    assert (shifted.shift, shifted.moved) == (Shift(address=A, from_tier=here, to_tier=goal), moves)
    assert bool(shifted.reason) is not moves
    assert run(memory.read("altitude", "session")) == Found(address=A, tier=goal if moves else here, value=["value"])


@pytest.mark.parametrize(("operation", "here"), [("promote", Tier.COLD), ("demote", Tier.HOT)])
def test_what_is_not_there_does_not_move(memory, run, operation, here):
    """That is an answer, too."""
    to = TIERS[1]

    assert run(getattr(memory, operation)("altitude", "session")) == Shifted(
        shift=Shift(address=A, from_tier=here, to_tier=to), moved=False, reason="there is no such record"
    )


def test_a_record_that_came_to_hot_is_on_the_disk_still(begin, run):
    """Hot goes with the process, so it does not take from warm or cold what they had acknowledged."""
    memory = begin()
    for tier in ("warm", "cold"):
        run(memory.write("altitude", tier, tier, tier=tier))
        run(memory.promote("altitude", tier, "hot"))

    other = begin()

    assert [run(memory.read("altitude", tier)).tier for tier in ("warm", "cold")] == [Tier.HOT, Tier.HOT]
    assert [run(other.read("altitude", tier)).tier for tier in ("warm", "cold")] == [Tier.WARM, Tier.COLD]


def test_a_record_leaves_cold_when_it_comes_to_warm(begin, folder, run):
    """Then cold alone, as it is found where warm was lost, does not bring up what is old."""
    memory = begin()
    run(memory.write("altitude", "session", "value", tier="cold"))
    run(memory.promote("altitude", "session"))
    run(memory.close())
    for path in folder.glob("warm.sqlite*"):
        path.unlink()

    assert run(begin().read("altitude", "session")).tier is None


def test_cold_alone_can_be_read(begin, folder, run):
    """Where warm was lost, what is in cold is there still, each address' last record."""
    memory = begin()
    for number in range(3):
        run(memory.write("altitude", "session", number, tier="cold"))
    run(memory.close())
    for path in folder.glob("warm.sqlite*"):
        path.unlink()
    again = begin()

    assert run(again.read("altitude", "session")) == Found(address=A, tier=Tier.COLD, value=2)
    run(again.write("altitude", "session", "newer"))
    assert run(again.read("altitude", "session")).value == "newer"


def test_tokens_saved_by_a_summary(memory, run):
    """A summary in place of a text says how many tokens it saves; anything else says nothing."""
    text = "The user asked three times whether the draft of the quarterly report could be shortened. " * 4

    assert run(memory.write("altitude", "session", "shorten the report", summary_of=text)).tokens_saved == 69
    assert run(memory.write("altitude", "session", text, summary_of="short")).tokens_saved == 0
    assert run(memory.write("altitude", "session", text)).tokens_saved is None


@pytest.mark.parametrize(
    ("namespace", "key", "said"),
    [
        ("", "key", "'' is no namespace: use 1 to 64 letters, digits, _ and -"),
        ("a.b", "key", "'a.b' is no namespace: use 1 to 64 letters, digits, _ and -"),
        ("../../etc", "key", "'../../etc' is no namespace: use 1 to 64 letters, digits, _ and -"),
        ("n" * 65, "key", f"'{'n' * 65}' is no namespace: use 1 to 64 letters, digits, _ and -"),
        (None, "key", "'None' is no namespace: use 1 to 64 letters, digits, _ and -"),
        ("altitude", "", "'' is no key: use 1 to 256 characters that print"),
        ("altitude", "two\nlines", r"'two\nlines' is no key: use 1 to 256 characters that print"),
        ("altitude", "nul\0", r"'nul\x00' is no key: use 1 to 256 characters that print"),
        ("altitude", "\ud800", r"'\ud800' is no key: use 1 to 256 characters that print"),
        ("altitude", "k" * 257, f"'{'k' * 80}' is no key: use 1 to 256 characters that print"),
        ("altitude", 7, "'7' is no key: use 1 to 256 characters that print"),
    ],
)
def test_bad_addresses(memory, run, namespace, key, said):
    """Every operation refuses them and says which part is wrong and what is right."""
    for operation in (memory.read, memory.promote, memory.demote):
        with pytest.raises(BadAddress) as caught:
            run(operation(namespace, key))
        assert str(caught.value) == said
    with pytest.raises(BadAddress):
        run(memory.write(namespace, key, 1))


def test_keys_are_no_paths(memory, folder, run):
    """A key that looks like one is a key like others, and makes no file."""
    run(memory.write("altitude", "../../escaped/key", 1))
    run(memory.write("altitude", "../../escaped/key", 2, tier="cold"))

    assert run(memory.read("altitude", "../../escaped/key")).value == 2
    assert {path.name for path in folder.iterdir()} <= {
        "warm.sqlite",
        "warm.sqlite-wal",
        "warm.sqlite-shm",
        "cold.records",
    }


def test_unknown_tiers(memory, run):
    """The nearest one is suggested."""
    for attempt in (
        memory.write("altitude", "session", 1, tier="wram"),
        memory.promote("altitude", "session", "hott"),
        memory.demote("altitude", "session", "colder"),
    ):
        with pytest.raises(UnknownName, match=r"unknown tier '(wram|hott|colder)': did you mean (warm|hot|cold)\?"):
            run(attempt)


def test_a_plugin_may_keep_records_elsewhere(begin, run):
    """Its answer is the answer, and nothing else is asked or written."""

    class Elsewhere:
        @hookimpl
        def dam_hrm_memory_write(self, request):
            return Written(address=request.address, tier=Tier.COLD, allowed=True, reason="in a cloud")

    memory = begin(Elsewhere())

    assert run(memory.write("altitude", "session", 1)).reason == "in a cloud"
    assert run(memory.read("altitude", "session")).tier is None


def test_a_plugin_that_fails_writes_nothing(begin, run):
    """It is named, and what was there stays."""

    class Broken:
        @hookimpl
        def dam_hrm_memory_write(self, request):
            if request.value == "break":
                raise RuntimeError("no")

    memory = begin(Broken())
    run(memory.write("altitude", "session", "kept"))

    with pytest.raises(HookFailed, match="Broken"):
        run(memory.write("altitude", "session", "break"))
    assert run(memory.read("altitude", "session")).value == "kept"
