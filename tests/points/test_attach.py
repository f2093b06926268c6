"""Points go onto functions of every kind and come off again without a trace."""

import asyncio
import functools
import importlib
import inspect
import sys

import pytest

from dam_obs.points.attach import attach, attached
from dam_obs.points.imports import ImportWatch
from dam_obs.points.places import find_place, traced
from dam_obs.testing import conformance
from dam_obs.trace.site import site

KINDS = """
    import contextlib
    import functools

    def plain(x): return x
    async def coroutine(x): return x
    def generator(x): yield x
    async def async_generator(x): yield x
    @functools.lru_cache
    def cached(x): return x
    @contextlib.contextmanager
    def managed(x): yield x
    def noisy(function):
        @functools.wraps(function)
        def inner(*args): return function(*args)
        return inner
    @noisy
    def decorated(x): return x
    length = len

    class Base:
        def method(self, x): return x
        async def slow(self, x): return x
        @classmethod
        def made(cls, x): return x
        @staticmethod
        def alone(x): return x
        @functools.lru_cache
        def remembered(self, x): return x
        def __call__(self, x): return x
        class Inner:
            def method(self, x): return x

    class Sub(Base): pass
"""

TARGETS = [
    "plain",
    "coroutine",
    "generator",
    "async_generator",
    "cached",
    "managed",
    "decorated",
    "length",
    "Base.method",
    "Base.slow",
    "Base.made",
    "Base.alone",
    "Base.remembered",
    "Base.__call__",
    "Base.Inner.method",
    "Sub.method",
    "Sub.made",
]


def stored(module, qualname):
    """Return a name's owner, and what is stored under it there, without binding."""
    *owners, name = qualname.split(".")
    owner = functools.reduce(getattr, owners, module)
    return vars(owner).get(name, "nothing")


async def finish(result):
    if inspect.iscoroutine(result):
        return await result
    if inspect.isasyncgen(result):
        return [item async for item in result]
    return list(result) if inspect.isgenerator(result) else result


CALLS = {
    "plain": lambda m: m.plain(1),
    "coroutine": lambda m: m.coroutine(1),
    "generator": lambda m: m.generator(1),
    "async_generator": lambda m: m.async_generator(1),
    "cached": lambda m: m.cached(1),
    "managed": lambda m: m.managed(1).__enter__(),
    "decorated": lambda m: m.decorated(1),
    "length": lambda m: m.length("x"),
    "Base.method": lambda m: m.Base().method(1),
    "Base.slow": lambda m: m.Base().slow(1),
    "Base.made": lambda m: m.Base.made(1),
    "Base.alone": lambda m: m.Base.alone(1),
    "Base.remembered": lambda m: m.Base().remembered(1),
    "Base.__call__": lambda m: m.Base()(1),
    "Base.Inner.method": lambda m: m.Base.Inner().method(1),
    "Sub.method": lambda m: m.Sub().method(1),
    "Sub.made": lambda m: m.Sub.made(1),
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_call_is_a_span_and_detaching_restores_the_very_object(point, imported, recorder, target):
    """Every kind of function is traced where it stands, once a call, and is the same object afterwards."""
    host = imported("kinds_host", KINDS)
    before = stored(host, target)
    bare = asyncio.run(finish(CALLS[target](host)))
    with attached([point(f"kinds_host:{target}")]) as attachment:
        during = asyncio.run(finish(CALLS[target](host)))
        assert attachment.report().missing == ()
    asyncio.run(finish(CALLS[target](host)))

    assert (during, len(recorder.events())) == (bare, 1)
    assert stored(host, target) is before or stored(host, target) == before == "nothing"


@pytest.mark.parametrize("target", TARGETS)
def test_a_function_looks_the_same_while_it_is_traced(point, imported, target):
    """Kind, signature, name and documentation are what hosts read, and they stay."""
    host = imported("kinds_host", KINDS)

    def look():
        *owners, name = target.split(".")
        function = getattr(functools.reduce(getattr, owners, host), name)
        return (
            inspect.signature(function),
            function.__name__,
            function.__doc__,
            inspect.iscoroutinefunction(function),
            inspect.isasyncgenfunction(function),
            inspect.isgeneratorfunction(function),
        )

    before = look()
    with attached([point(f"kinds_host:{target}")]):
        assert look() == before


def test_what_a_cached_function_offers_is_still_there(point, imported):
    """`cache_clear` belongs to an object in C, so a closure would have lost it."""
    host = imported("kinds_host", KINDS)
    with attached([point("kinds_host:cached", "kinds_host:Base.remembered")]):
        host.cached(1), host.cached(1)
        base = host.Base()
        base.remembered(2)
        assert (host.cached.cache_info().hits, base.remembered.cache_info().misses) == (1, 1)
        host.cached.cache_clear()
        assert host.cached.cache_info().hits == 0


@pytest.mark.parametrize("measure", [False, True], ids=["plain", "measured"])
@pytest.mark.parametrize("case", conformance.CASES, ids=str)
def test_attached_functions_conform(case, measure):
    """A function in a module does everything right that the kit asks for."""
    module = type(sys)("conforming")

    def trace(function, name):
        module.function = function
        return traced(find_place(module, "function"), site("system", "execute", name), None)

    case.run(trace, measure=measure)


WRAPPED = """
    import functools, wrapt

    @wrapt.decorator
    def instrumented(wrapped, instance, args, kwargs):
        return instance, wrapped(*args, **kwargs)

    @instrumented
    def f(x): return x
    @instrumented
    async def slow(x): return x
    class System:
        @instrumented
        def method(self, x): return x
        @instrumented
        @classmethod
        def made(cls, x): return x
    @functools.singledispatch
    def choose(x): return "any"
    @choose.register
    def _(x: int): return "int"
"""


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("f", lambda m: m.f(1)),
        ("slow", lambda m: asyncio.run(m.slow(1)[1])),
        ("System.method", lambda m: m.System().method(1)[1]),
        ("System.method", lambda m: m.System.method(m.System(), 1)[1]),
        ("System.made", lambda m: m.System.made(1)),
        ("choose", lambda m: (m.choose(1), m.choose("x"), set(m.choose.registry))),
    ],
)
def test_what_other_tools_have_wrapped_is_traced_around_them(point, imported, recorder, target, call):
    """Another instrumentation's descriptor binds as before, and sees the same instance."""
    host = imported("wrapped_host", WRAPPED)
    with attached(
        [point(f"wrapped_host:{target}", lines='[points.data.x]\ntype = "int"\nmeaning = "m"\nfrom = "args.x"')]
    ):
        during = call(host)
    seen = [event.metadata["x"] for event in recorder.events()]

    assert during == call(host)
    assert seen[0] == 1


REFUSED = """
    import functools
    def f(x): return x
    part = functools.partial(f, 1)
    class System:
        @property
        def name(self): return 1
        @functools.cached_property
        def size(self): return 1
        half = functools.partialmethod(f, 1)
        number = 3
        __slots__ = ("slot", "__dict__")
        def __call__(self): pass
        def method(self): pass
    system = System()
"""


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("nothing", "module refusing_host has no nothing"),
        ("System.nothing", "class refusing_host:System has no nothing"),
        ("Nothing.method", "module refusing_host has no Nothing"),
        ("part", "part is a functools.partial: name refusing_host:f, which it calls"),
        ("System.half", "half is a functools.partial: name refusing_host:f, which it calls"),
        ("System.name", "name is a property: name a function that it calls"),
        ("System.size", "size is a property: name a function that it calls"),
        ("System.slot", "slot is a property: name a function that it calls"),
        ("System.number", "number is no function but an object of class builtins:int"),
        ("System", "System is a class: name a method of it, System.__init__ for instance"),
        ("system", "system is an object: name refusing_host:System.__call__, which a call of it runs"),
        ("system.method", "system is an object of class refusing_host:System: name the class instead"),
        ("functools.reduce", "functools is an object of class builtins:module: name the class instead"),
    ],
)
def test_what_no_point_can_be_put_on_is_told_with_what_to_name_instead(point, imported, target, says):
    """Nothing is raised into the host, nothing is changed, and the report says why."""
    host = imported("refusing_host", REFUSED)
    before = dict(vars(host))
    with attached([point(f"refusing_host:{target}")]) as attachment:
        report = attachment.report()
        assert vars(host) == before

    assert [str(each) for each in report.missing] == [f"system.execute at refusing_host:{target}: {says}"]
    assert report.attached == ()


def test_a_class_written_in_c_cannot_be_changed_and_says_so(point):
    """Python refuses; that is a missing target, not an error."""
    with attached([point("datetime:datetime.isoformat")]) as attachment:
        (missing,) = attachment.report().missing

    assert missing.says == "cannot be set: cannot set 'isoformat' attribute of immutable type 'datetime.datetime'"


# -- when modules are imported


def test_a_module_that_is_imported_later_is_attached_when_it_is(point, module, recorder):
    """Until then its targets wait."""
    module("later_host", "def f(): return 1")
    with attached([point("later_host:f")]) as attachment:
        assert [each.target for each in attachment.report().waiting] == ["later_host:f"]
        host = importlib.import_module("later_host")
        host.f()
        assert [each.state for each in attachment.report().attached] == ["attached"]

    assert len(recorder.events()) == 1


def test_names_taken_while_importing_are_taken_after_attaching(point, module, recorder):
    """``from m import f`` in the program gives the traced one, if the point was there first."""
    module("later_host", "def f(): return 1")
    module("user_host", "from later_host import f")
    with attached([point("later_host:f")]) as attachment:
        importlib.import_module("user_host").f()
        assert attachment.report(thorough=True).escaped == ()

    assert len(recorder.events()) == 1


def test_a_module_keeps_its_own_loader(point, module):
    """Resources and sources are found through it, so it must be the module's own."""
    module("later_host", "import sys\nloader = __loader__, __spec__.loader\ndef f(): pass")
    with attached([point("later_host:f")]):
        host = importlib.import_module("later_host")

    assert [type(each).__name__ for each in host.loader] == ["SourceFileLoader"] * 2
    assert type(host.__loader__).__name__ == "SourceFileLoader"
    assert "def f()" in inspect.getsource(host)


def test_a_reloaded_module_is_attached_again(point, imported, recorder):
    """A reload makes new functions, which are the targets now; the old ones are nobody's."""
    host = imported("reloaded_host", "def f(): return 1")
    with attached([point("reloaded_host:f")]):
        importlib.reload(host)
        host.f()
        assert len(recorder.events()) == 1
    host.f()

    assert len(recorder.events()) == 1


def test_an_import_that_fails_fails_as_without_us(point, module):
    """The exception is the module's own; a second try is attached."""
    module("failing_host", "raise RuntimeError('not today')")
    with attached([point("failing_host:f")]):
        with pytest.raises(RuntimeError, match="not today"):
            importlib.import_module("failing_host")
        module("failing_host", "def f(): pass  # now")
        host = importlib.import_module("failing_host")
        assert hasattr(host.f, "__wrapped__")


def test_modules_that_import_each_other_are_both_attached(point, module, recorder):
    """A name taken in the middle of a circle has escaped, and is named."""
    module("circle_a", "def f(): return 1\nimport circle_b\ndef g(): return circle_b.h()")
    module("circle_b", "from circle_a import f\ndef h(): return f()")
    with attached([point("circle_a:f", "circle_a:g", "circle_b:h")]) as attachment:
        importlib.import_module("circle_a").g()
        report = attachment.report()

    assert [event.component for event in recorder.events()] == ["circle_b:h", "circle_a:g"]
    assert report.escaped == ("circle_a:f is also held by circle_b.f",)


def test_a_module_found_by_a_finder_in_front_of_ours_is_noticed_at_the_next_import(point, module, recorder):
    """pytest's rewriting finder, for one, asks nobody else."""
    module("rewritten_host", "def f(): return 1")
    module("another_host", "")

    class Selfish:
        def find_spec(self, name, path=None, target=None):
            return importlib.machinery.PathFinder.find_spec(name, path) if name == "rewritten_host" else None

    finder = Selfish()
    with attached([point("rewritten_host:f")]):
        sys.meta_path.insert(0, finder)
        try:
            host = importlib.import_module("rewritten_host")
            importlib.import_module("another_host")
        finally:
            sys.meta_path.remove(finder)
        host.f()

    assert len(recorder.events()) == 1


def test_nothing_of_the_import_system_stays_changed(point, module):
    """The finder is gone after detaching, also where it never found anything."""
    before = list(sys.meta_path)
    with attached([point("never_imported_host:f")]):
        assert len(sys.meta_path) == len(before) + 1

    assert sys.meta_path == before


def test_a_lazily_loaded_module_stays_lazy(module, monkeypatch):
    """Attaching does not load what the program has put off; it is attached at the next import after it was loaded."""
    module("lazy_host", "import sys; sys.lazy_host_ran = True\ndef f(): pass")
    seen = []
    watch = ImportWatch(["lazy_host"], lambda module, name: seen.append(module.f))
    watch.open()
    try:
        spec = importlib.util.find_spec("lazy_host")
        spec.loader = importlib.util.LazyLoader(spec.loader)
        lazy = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "lazy_host", lazy)
        spec.loader.exec_module(lazy)
        watch.sweep()
        assert (seen, hasattr(sys, "lazy_host_ran")) == ([], False)
        function = lazy.f
        watch.sweep()
        assert seen == [function]
    finally:
        watch.close()
        del sys.lazy_host_ran


# -- more than one


def test_attaching_twice_is_attaching_once(point, imported, recorder):
    """The same point from two files, or twice in one process, gives one span a call."""
    host = imported("kinds_host", KINDS)
    original = host.plain
    with attached([point("kinds_host:plain")]), attached([point("kinds_host:plain")]):
        host.plain(1)

    assert (len(recorder.events()), host.plain is original) == (1, True)


def test_a_point_on_a_base_is_not_put_on_the_inheriting_class_again(point, imported, recorder):
    """One call is one span of one point, also where both classes are named."""
    host = imported("kinds_host", KINDS)
    with attached([point("kinds_host:Base.method", "kinds_host:Sub.method")]):
        host.Sub().method(1)

    assert len(recorder.events()) == 1


def test_two_points_on_one_function_nest(point, imported, recorder):
    """The one attached last is the outer one; both come off."""
    host = imported("kinds_host", KINDS)
    original = vars(host.Base)["made"]
    with attached([point("kinds_host:Base.made"), point("kinds_host:Base.made", operation="make")]):
        host.Base.made(1)
    inner, outer = recorder.events()

    assert (inner.operation, outer.operation, inner.parent_id) == ("execute", "make", outer.trace_id)
    assert vars(host.Base)["made"] is original


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_attachments_come_off_in_any_order(point, imported, order):
    """The one below goes when the one above goes; in the end the very object is back."""
    host = imported("kinds_host", KINDS)
    original = host.plain
    both = [attach([point("kinds_host:plain")]), attach([point("kinds_host:plain", operation="other")])]
    for number in order:
        both[number].close()

    assert host.plain is original


def test_what_somebody_else_put_on_top_stays(point, imported, recorder):
    """Detaching never throws away another's wrapper."""
    host = imported("kinds_host", KINDS)
    with attached([point("kinds_host:plain")]):
        ours = host.plain
        host.plain = theirs = lambda x: ours(x)

    assert host.plain is theirs


def test_detaching_twice_is_detaching_once(point, imported):
    """A second close finds nothing to do."""
    host = imported("kinds_host", KINDS)
    attachment = attach([point("kinds_host:plain")])
    attachment.close()
    host.plain = replaced = len
    attachment.close()

    assert host.plain is replaced


# -- references that go past


ESCAPING = """
    def f(): pass
    REGISTRY = {"f": f}
    CALLBACKS = [f]
    class Holder:
        alias = f
        def __init__(self): self.callback = f
    holder = Holder()
    class System:
        def run(self): pass
    RUNNERS = {System.run}
"""


def test_references_taken_before_attaching_are_named(point, imported):
    """Modules, registries, classes and objects that hold the function itself go past the point."""
    host = imported("escaping_host", ESCAPING)
    imported("borrowing_host", "from escaping_host import f as borrowed")
    with attached([point("escaping_host:f", "escaping_host:System.run")]) as attachment:
        quick = attachment.report().escaped
        thorough = attachment.report(thorough=True).escaped
        assert host.REGISTRY["f"] is host.holder.callback

    assert quick == ("escaping_host:f is also held by borrowing_host.borrowed",)
    assert sorted(thorough) == [
        "escaping_host:System.run is also held by escaping_host.RUNNERS (set)",
        "escaping_host:f is also held by an object of escaping_host:Holder.callback",
        "escaping_host:f is also held by borrowing_host.borrowed",
        "escaping_host:f is also held by escaping_host.CALLBACKS (list)",
        "escaping_host:f is also held by escaping_host.REGISTRY (dict)",
        "escaping_host:f is also held by escaping_host:Holder.alias",
    ]


@pytest.mark.parametrize("target", [each for each in TARGETS if each != "length"])
def test_nothing_has_escaped_where_nobody_took_a_reference(point, imported, target):
    """What holds a function rightly (its class, its wrapper, our own records) is not named."""
    imported("kinds_host", KINDS)
    with attached([point(f"kinds_host:{target}")]) as attachment:
        escaped = attachment.report(thorough=True).escaped

    assert escaped == ()
