"""What a trace point reads from a call, and what it leaves alone."""

import enum
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from dam_obs.points.attach import attached
from dam_obs.testing import recording
from dam_obs.trace import faults


class Verdict(enum.Enum):
    YES = "yes"
    NO = "no"


@dataclass
class Command:
    call_id: str
    size: int


SOURCE = """
    def plain(command, /, other=5, *rest, flag=False, **more): return command
    class System:
        name = "the system"
        def __call__(self, command): return command
        @classmethod
        def made(cls, command): return command
        @staticmethod
        def alone(command): return command
"""


@pytest.fixture
def host(imported):
    return imported("reading_host", SOURCE)


def read(point, host, path, call, *, function="plain", type_="str"):
    """Return the metadata of one call, with ``found`` read from `path`."""
    lines = f'[points.data.found]\ntype = "{type_}"\nmeaning = "m"\nfrom = "{path}"'
    with recording() as record, attached([point(f"reading_host:{function}", lines=lines)]):
        call(host)
        return record.event().metadata


PATHS = {
    "a parameter": ("args.command", lambda m: m.plain("x"), "x"),
    "a parameter given by name": ("args.other", lambda m: m.plain("x", other="y"), "y"),
    "a default": ("args.other", lambda m: m.plain("x"), "5"),
    "surplus arguments": ("args.rest.1", lambda m: m.plain("x", 1, "a", "b"), "b"),
    "a keyword-only parameter": ("args.flag", lambda m: m.plain("x", flag="on"), "on"),
    "surplus names": ("args.more.colour", lambda m: m.plain("x", colour="red"), "red"),
    "a name that only **more takes": ("args.colour", lambda m: m.plain("x", colour="red"), "red"),
    "an attribute": ("args.command.call_id", lambda m: m.plain(Command("c1", 3)), "c1"),
    "a key": ("args.command.call_id", lambda m: m.plain({"call_id": "c2"}), "c2"),
    "a key, not a dict's method": ("args.command.items", lambda m: m.plain({"items": "mine"}), "mine"),
    "a position": ("args.command.1", lambda m: m.plain(["a", "b"]), "b"),
    "the last position": ("args.command.-1", lambda m: m.plain(("a", "b", "c")), "c"),
    "a number as key": ("args.command.7", lambda m: m.plain({7: "seven"}), "seven"),
    "a number as text key": ("args.command.7", lambda m: m.plain({"7": "seven"}), "seven"),
    "a long way": ("args.command.a.0.b", lambda m: m.plain({"a": [SimpleNamespace(b="deep")]}), "deep"),
    "the first argument": ("args.0", lambda m: m.plain("x"), "x"),
    "the result": ("result", lambda m: m.plain("x"), "x"),
    "below the result": ("result.size", lambda m: m.plain(Command("c", 3)), "3"),
    "an enum's value": ("result", lambda m: m.plain(Verdict.NO), "no"),
    "an enum's name": ("result.name", lambda m: m.plain(Verdict.NO), "NO"),
    "none": ("result", lambda m: m.plain(None), None),
}


@pytest.mark.parametrize(("path", "call", "found"), PATHS.values(), ids=PATHS)
def test_a_path_finds(point, host, path, call, found):
    """Parameters, attributes, keys and positions are followed from arguments and result."""
    assert read(point, host, path, call) == {"found": found}


METHODS = {
    "self": ("System.__call__", "self.name", lambda m: m.System()("x"), "the system"),
    "a method's parameter": ("System.__call__", "args.command", lambda m: m.System()("x"), "x"),
    "a method's first argument": ("System.__call__", "args.0", lambda m: m.System()("x"), "x"),
    "a class method's class": ("System.made", "self.name", lambda m: m.System.made("x"), "the system"),
    "a class method's parameter": ("System.made", "args.command", lambda m: m.System().made("x"), "x"),
    "a static method's parameter": ("System.alone", "args.command", lambda m: m.System().alone("x"), "x"),
}


@pytest.mark.parametrize(("function", "path", "call", "found"), METHODS.values(), ids=METHODS)
def test_a_path_finds_in_a_method(point, host, function, path, call, found):
    """``self`` is what the method is called on, and is not counted among the arguments."""
    assert read(point, host, path, call, function=function) == {"found": found}


TYPES = [
    ("int", True, 1),
    ("int", 3.0, 3),
    ("int", "3", "3"),
    ("float", 3, 3.0),
    ("bool", 1, True),
    ("bool", 2, 2),
    ("str", 1.5, "1.5"),
    ("str", [1, "a"], [1, "a"]),
]


@pytest.mark.parametrize(("type_", "value", "found"), TYPES)
def test_values_become_what_was_declared_where_that_says_the_same(point, host, type_, value, found):
    """A value that is not of the declared type and cannot simply be it is kept as it is."""
    metadata = read(point, host, "args.command", lambda m: m.plain(value), type_=type_)

    assert (metadata, type(metadata["found"])) == ({"found": found}, type(found))


def test_an_enum_counts_by_its_value_in_summaries_too(point, host, recorder):
    """What a reader of the trace sees is the word, not Python's name for it."""
    with attached([point("reading_host:plain", lines='input = "args.command"\noutput = "result"')]):
        host.plain(Verdict.NO)

    event = recorder.event()
    assert (event.input_summary, event.output_summary) == ("no", "no")


class Host:
    @property
    def broken(self):
        raise RuntimeError("no database")

    @property
    def missing(self):
        raise AttributeError("never loaded")


@pytest.mark.parametrize(
    ("path", "counted"),
    [
        ("args.command.nothing", "points.system.execute.found.absent"),
        ("args.command.missing", "points.system.execute.found.absent"),
        ("args.command.3", "points.system.execute.found.absent"),
        ("result.nothing.more", "points.system.execute.found.absent"),
        ("args.command.broken", "points.system.execute"),
        ("result.broken", "points.system.execute"),
    ],
)
def test_what_is_not_there_or_raises_is_left_out_and_counted(point, host, path, counted):
    """The data read after it is there all the same, and the call knows nothing of it."""
    lines = f"""
        input = "args.command"
        output = "result"
        [points.data.found]
        type = "str"
        meaning = "m"
        from = "{path}"
        [points.data.second]
        type = "int"
        meaning = "m"
        from = "args.other"
    """
    faults.reset()
    thing = Host()
    with recording(let_faults_through=False) as record, attached([point("reading_host:plain", lines=lines)]):
        assert host.plain(thing) is thing
        event = record.event()

    assert (event.metadata, event.status, faults.counts()) == ({"second": 5}, "success", {counted: 1})


@pytest.mark.parametrize(
    ("function", "path", "says"),
    [
        ("plain", "self.name", "self.name: this is not a method, so there is no self"),
        ("System.alone", "self.name", "self.name: this is not a method, so there is no self"),
        ("System.made", "args.comand", "args.comand: there is no parameter 'comand', only cls, command"),
    ],
)
def test_a_path_that_can_never_find_anything_is_reported_once(point, host, function, path, says):
    """It is told when the point is attached, and costs the calls nothing."""
    lines = f'[points.data.found]\ntype = "str"\nmeaning = "m"\nfrom = "{path}"'
    with attached([point(f"reading_host:{function}", lines=lines)]) as attachment:
        report = attachment.report()

    assert report.unreadable == (f"system.execute at reading_host:{function}, found: {says}",)
    assert len(report.attached) == 1


BLOCKED = [
    ("equals = false", False, "blocked"),
    ("equals = false", 0, "success"),
    ("equals = false", None, "success"),
    ("equals = 0", 0, "blocked"),
    ("equals = 0", False, "success"),
    ('equals = "no"', Verdict.NO, "blocked"),
    ('in = ["no", "never"]', "never", "blocked"),
    ('in = ["no", "never"]', "yes", "success"),
    ("is_none = true", None, "blocked"),
    ("is_none = true", 0, "success"),
    ("is_none = false", 0, "blocked"),
    ("equals = 1", [1], "success"),
]


@pytest.mark.parametrize(("rule", "result", "status"), BLOCKED)
def test_a_refusal_is_read_from_the_result(point, host, rule, result, status):
    """A number is no boolean, an enum counts by its value, and nothing else is compared."""
    lines = f'[points.blocked]\npath = "result"\n{rule}'
    with recording() as record, attached([point("reading_host:plain", lines=lines)]):
        host.plain(result)

        assert record.event().status == status


WHY = {
    "refused": (SimpleNamespace(allowed=False, why="too late"), "blocked", "blocked: too late"),
    "refused in one word": (SimpleNamespace(allowed=False, why=Verdict.NO), "blocked", "blocked: no"),
    "refused without a word": (SimpleNamespace(allowed=False, why=""), "blocked", "the output"),
    "refused, and nothing is said there": (SimpleNamespace(allowed=False), "blocked", "the output"),
    "allowed": (SimpleNamespace(allowed=True, why="in time"), "success", "the output"),
}


@pytest.mark.parametrize(("result", "status", "output"), WHY.values(), ids=WHY)
def test_a_refusal_says_why(point, host, result, status, output):
    """Where there is a reason to read, it is the output of what was refused, and of nothing else."""
    lines = 'output = "result.output"\nblocked = { path = "result.allowed", equals = false, reason = "result.why" }'
    result.output = "the output"
    with recording() as record, attached([point("reading_host:plain", lines=lines)]):
        host.plain(result)
        event = record.event()

    assert (event.status, event.output_summary) == (status, output)


def test_a_failure_is_an_error_even_where_a_refusal_was_read_before(point, imported, recorder):
    """What is read from the arguments is not the last word."""
    host = imported("failing_host", "def f(allowed): raise ValueError('no')")
    lines = '[points.blocked]\npath = "args.allowed"\nequals = false'
    with attached([point("failing_host:f", lines=lines)]), pytest.raises(ValueError, match="no"):
        host.f(False)

    assert recorder.event().status == "error"


@pytest.mark.parametrize(
    ("lines", "component"),
    [
        ("", "reading_host:System"),
        ('component = "self.name"', "the system"),
        ('system = "self"', "reading_host:System"),
        ('system = "args.command"', f"{__name__}:Command"),
        ('system = "args.command.call_id"', "c1"),
        ('system = "args.command"\ncomponent = "self.name"', "the system"),
    ],
)
def test_the_component_is_the_system(point, host, recorder, lines, component):
    """The target's class by default; a path to an object names that object's class."""
    with attached([point("reading_host:System.__call__", lines=lines)]):
        host.System()(Command("c1", 3))

    assert recorder.event().component == component


def test_a_subclass_is_told_from_its_base(point, imported, recorder):
    """With ``system = "self"`` one target on a base class names every system below it."""
    host = imported("based_host", "class Base:\n    def run(self): pass\nclass Sub(Base): pass")
    with attached([point("based_host:Base.run", lines='system = "self"')]):
        host.Sub().run()

    assert recorder.event().component == "based_host:Sub"


def test_a_command_gives_features_in_measured_runs(point, host):
    """Where the point names a command, its class and fields stand on the event."""
    with recording(measure=True) as record, attached([point("reading_host:plain", lines='command = "args.command"')]):
        host.plain(Command("c1", 3))
        event = record.event()

    assert (event.command, event.features) == (
        f"{__name__}:Command",
        {"call_id": "c1", "len(call_id)": 2, "size": 3},
    )


def test_an_event_point_is_a_moment(point, host, recorder, clock):
    """Its event has no duration, and carries input, output and data like a span's."""
    lines = 'kind = "event"\ninput = "args.command"\noutput = "result"'
    with attached([point("reading_host:plain", lines=lines)]):
        host.plain("x")
    event = recorder.event()

    assert (event.kind, event.duration_ns, event.input_summary, event.output_summary) == ("event", 0, "x", "x")


def test_a_generators_last_item_is_its_result(point, imported, recorder):
    """Async generators have no result, so paths below ``result`` start at the last item."""
    import asyncio

    host = imported("items_host", "async def items(n):\n    for i in range(n): yield {'number': i}")

    async def consume():
        return [item async for item in host.items(3)]

    with attached([point("items_host:items", lines='output = "result.number"')]):
        asyncio.run(consume())

    assert recorder.event().output_summary == "2"


def test_the_first_alternative_that_finds_something_counts(point, host, recorder):
    """A list of paths is read in order; one that finds nothing, or None, gives way."""
    lines = 'input = ["args.command.nothing", "args.command.size", "args.command.call_id"]'
    with attached([point("reading_host:plain", lines=lines)]):
        host.plain(Command("c1", None))

    assert recorder.event().input_summary == "c1"
    assert faults.counts() == {}


def test_alternatives_that_all_find_nothing_are_counted_once(point, host):
    """Of several paths that lead nowhere, the data is absent once."""
    lines = 'input = ["args.command.nothing", "args.command.missing"]'
    with recording() as record, attached([point("reading_host:plain", lines=lines)]):
        host.plain(Command("c1", 3))
        record.event()

    assert faults.counts() == {"points.system.execute.input.absent": 1}


SYSTEMS = """
    class Callable:
        def __call__(self, command): return command
    class Without: pass
    def function(command): return command
    def call(system, command): return None
"""


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("function", "system_host:function"),
        ("Callable", "system_host:Callable.__call__"),
        ("Without", "system_host:Without"),
    ],
)
def test_a_system_that_is_called_by_the_target_has_its_own_code(point, imported, recorder, name, function):
    """Where a registry's caller is told the function or class, that is where the span says it ran."""
    host = imported("system_host", SYSTEMS)
    with attached([point("system_host:call", lines='system = "args.system"')]):
        host.call(getattr(host, name), 1)
        host.call(getattr(host, name), 2)
    first, second = recorder.spans()

    assert first.code["function"] == function
    assert first.code is second.code
    assert first.code.get("line") == {"Callable": 3, "function": 5}.get(name)


def test_an_object_that_is_a_system_stands_where_its_target_does(point, host, recorder):
    """A method's own code is known better than any that its object's class could name."""
    with attached([point("reading_host:System.__call__", lines='system = "self"')]):
        host.System()("x")

    assert recorder.spans()[0].code["function"] == "reading_host:System.__call__"


def test_work_that_starts_later_is_linked_to_what_gave_it_out(points, imported, recorder):
    """What is dispatched runs below whoever iterates it, with a link to where it was dispatched."""
    host = imported(
        "lazy_host",
        """
        class Later:
            def __iter__(self):
                yield 1
        def dispatch(): return Later()
        """,
    )
    file = points(
        """
        [[points]]
        layer = "system"
        operation = "dispatch"
        meaning = "m"
        gives = "result"
        targets = [{ function = "lazy_host:dispatch" }]
        [[points]]
        layer = "system"
        operation = "run"
        meaning = "m"
        given = "self"
        targets = [{ function = "lazy_host:Later.__iter__" }]
        """
    )
    with attached([file]):
        later = host.dispatch()
        list(later)
        list(host.Later())
    dispatch, run, other = recorder.spans()

    assert [(link.trace_id, link.span_id) for link in run.links] == [(dispatch.trace_id, dispatch.span_id)]
    assert run.parent_span_id == 0
    assert other.links == ()


def test_a_step_is_a_span_without_evidence(point, host):
    """A step of the host's own is recorded as such, and nothing is measured for it."""
    lines = 'kind = "step"\ncommand = "args.command"'
    with recording(measure=True) as record, attached([point("reading_host:plain", lines=lines)]):
        host.plain(Command("c1", 3))
        event = record.event()

    assert (event.kind, event.cpu_ns, event.command) == ("step", None, None)
    assert event.duration_ns > 0


@pytest.mark.parametrize("path", ["args.system", "args.system.name"])
def test_each_system_of_a_target_has_a_pace_of_its_own(point, imported, path):
    """That counters are not worth their cost for a quick system does not take them from another."""
    host = imported("pace_host", "def call(system): return system()")

    class Quick:
        name = "quick"

        def __call__(self):
            return None

    class Other(Quick):
        name = "other"

    with recording(measure=True) as record, attached([point("pace_host:call", lines=f'system = "{path}"')]):
        for _ in range(300):
            host.call(Quick())
        host.call(Other())
        events = record.events()

    assert sum(event.io is not None for event in events[:-1]) < 100
    assert events[-1].io is not None
