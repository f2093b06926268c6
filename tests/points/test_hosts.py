"""Hook calls of pluggy hosts are spans, and pluggy notices nothing."""

import asyncio
import gc
import inspect
import sys
import threading
import weakref

import pluggy
import pytest

import dam_obs
from dam_obs.config import Settings
from dam_obs.points.hosts import ManagerWatch, is_observed, observe
from dam_obs.points.load import load_file
from dam_obs.points.model import HookName
from dam_obs.testing import recording
from dam_obs.trace import faults
from dam_obs.trace.tracer import tracer

spec = pluggy.HookspecMarker("demo")
impl = pluggy.HookimplMarker("demo")


class Specs:
    @spec
    def work(self, x):
        """Return whatever."""

    @spec(firstresult=True)
    def first(self, x):
        """Return one thing."""

    @spec(historic=True)
    def announce(self, x):
        """Told to those who come later, too."""


def manager(*plugins, project="demo"):
    made = pluggy.PluginManager(project)
    if project == "demo":
        made.add_hookspecs(Specs)
    for plugin in plugins:
        made.register(plugin, getattr(plugin, "plugin_name", None))
    return made


def plugin(name=None, project="demo", **implementations):
    """Make a plugin of functions that take ``x``."""
    mark = pluggy.HookimplMarker(project)
    namespace = {key: staticmethod(mark(function)) for key, function in implementations.items()}
    if name:
        namespace["plugin_name"] = name
    return type("Plugin", (), namespace)()


@pytest.fixture
def observed():
    """Make managers that are observed until the end of the test."""
    observations = []

    def make(*plugins, files=(), **options):
        made = manager(*plugins, **options)
        observations.append(observe(made, files))
        return made

    yield make
    for each in observations:
        each.stop()


def test_a_hook_call_is_a_span_of_the_project(recorder, observed):
    """Layer system, the hook as operation, the project as component, and who implements it."""
    host = observed(plugin("a", work=lambda x: x), plugin("b", work=lambda x: x + 1))

    assert host.hook.work(x=1) == [2, 1]
    event = recorder.event()
    assert (event.hrm_layer, event.operation, event.component, event.status, event.metadata) == (
        "system",
        "work",
        "demo",
        "success",
        {"implementations": 2, "plugins": "a, b"},
    )


def test_a_plugin_without_a_name_is_shown_by_its_class(recorder, observed):
    """pluggy names it by its address, which says nothing and is never the same."""
    observed(plugin(work=lambda x: x)).hook.work(x=1)

    assert recorder.event().metadata["plugins"] == "Plugin"


def test_hook_calls_nest(recorder, observed):
    """A hook called by an implementation is its child; the next call is a sibling."""
    host = observed(plugin(first=lambda x: host.hook.work(x=x), work=lambda x: x))
    host.hook.first(x=1)
    host.hook.work(x=2)
    inner, outer, after = recorder.events()

    assert (inner.parent_id, outer.parent_id, after.parent_id) == (outer.trace_id, None, None)


def test_a_call_that_nobody_implements_is_no_span(recorder, observed):
    """There is nothing to time."""
    assert observed().hook.work(x=1) == []
    assert recorder.events() == []


def test_a_span_lasts_as_long_as_the_call(recorder, clock, observed):
    """From before the first implementation to after the last."""
    observed(plugin(work=lambda x: clock.advance(seconds=2))).hook.work(x=1)

    assert recorder.event().duration_ns == 2_000_000_000


def test_results_are_the_very_objects(recorder, observed):
    """Also the list of results is pluggy's own, and what a wrapper put in its place."""
    thing = object()
    forced = [thing]

    class Wrapper:
        @impl(wrapper=True)
        def work(self, x):
            yield
            return forced

    host = observed(plugin(first=lambda x: thing), Wrapper())

    assert host.hook.first(x=1) is thing
    assert host.hook.work(x=1) is forced


def test_an_exception_is_the_very_object_with_its_own_traceback(recorder, observed):
    """The host sees what its plugin raised, through the frames of pluggy alone."""
    raised = KeyError("mine")

    def fail(x):
        raise raised

    host = observed(plugin(work=fail))
    with pytest.raises(KeyError) as caught:
        host.hook.work(x=1)

    assert caught.value is raised
    assert not [frame for frame in inspect.getinnerframes(caught.tb) if "dam_obs/" in frame.filename]
    assert (recorder.event().status, recorder.event().metadata["error.type"]) == ("error", "KeyError")


@pytest.mark.parametrize("old", [False, True], ids=["wrapper", "hookwrapper"])
def test_a_wrapper_that_raises_ends_the_span(recorder, observed, old):
    """New and old wrappers; the exception is the wrapper's."""

    class Wrapper:
        @impl(wrapper=not old, hookwrapper=old)
        def work(self, x):
            outcome = yield
            if old:
                outcome.force_exception(LookupError("wrapped"))
            else:
                raise LookupError("wrapped")

    host = observed(plugin(work=lambda x: x), Wrapper())
    with pytest.raises(LookupError, match="wrapped"):
        host.hook.work(x=1)

    assert recorder.event().metadata["error"] == "wrapped"


def test_historic_calls_are_spans_also_for_those_who_come_later(recorder, observed):
    """Each plugin that registers later is a call of its own."""
    seen = []
    host = observed(plugin(announce=lambda x: seen.append(x)))
    host.hook.announce.call_historic(kwargs={"x": 1})
    host.register(plugin(announce=lambda x: seen.append(x + 1)))

    assert seen == [1, 2]
    assert [event.operation for event in recorder.events()] == ["announce", "announce"]


def test_a_plugin_registered_during_a_historic_call_nests(recorder, observed):
    """pluggy passes the same arguments object in the inner call, which must not be confused with the outer one."""
    host = observed(plugin(announce=lambda x: host.register(late) if late not in host.get_plugins() else None))
    late = plugin(announce=lambda x: None)
    host.hook.announce.call_historic(kwargs={"x": 1})
    inner, outer = recorder.events()

    assert inner.parent_id == outer.trace_id


def test_extra_methods_and_subsets_are_seen(recorder, observed):
    """`call_extra` and `subset_hook_caller` go the same way."""
    left_out = plugin("left", work=lambda x: "left")
    host = observed(left_out, plugin("kept", work=lambda x: "kept"))

    assert host.subset_hook_caller("work", [left_out])(x=1) == ["kept"]
    assert host.hook.work.call_extra([lambda x: "extra"], {"x": 1}) == ["extra", "kept", "left"]
    assert [event.metadata["implementations"] for event in recorder.events()] == [1, 3]


def test_a_hook_that_nobody_specified_is_seen(recorder, observed):
    """pluggy lets plugins implement what is called without a specification."""
    host = observed(plugin(unspecified=lambda x: x))

    assert host.hook.unspecified(x=1) == [1]
    assert recorder.event().operation == "unspecified"


def test_threads_do_not_see_each_others_calls(recorder, observed):
    """Two threads in the same hook at once: two roots."""
    barrier = threading.Barrier(2)
    host = observed(plugin(work=lambda x: barrier.wait(60)))
    threads = [threading.Thread(target=lambda: host.hook.work(x=1)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [event.parent_id for event in recorder.events()] == [None, None]


# -- hooks whose work is still to come


def test_a_coroutine_ends_the_span_when_it_ends(recorder, clock, observed):
    """The call returned at once; the span lasts as long as the work, and is current in it."""

    async def work():
        clock.advance(seconds=3)
        with tracer.span("sys", "inside", "test"):
            return "done"

    host = observed(plugin(first=lambda x: work()))
    result = host.hook.first(x=1)

    assert inspect.iscoroutine(result)
    assert recorder.events() == []
    assert asyncio.run(result) == "done"
    inside, outer = recorder.events()
    assert (outer.operation, outer.duration_ns, inside.parent_id) == ("first", 3_000_000_000, outer.trace_id)


def test_an_async_generator_ends_the_span_when_it_is_exhausted(recorder, clock, observed):
    """Its items pass through."""

    async def work():
        for number in range(3):
            clock.advance(seconds=1)
            yield number

    async def consume():
        return [item async for item in host.hook.first(x=1)]

    host = observed(plugin(first=lambda x: work()))

    assert asyncio.run(consume()) == [0, 1, 2]
    assert recorder.event().duration_ns == 3_000_000_000


def test_a_generator_ends_the_span_when_it_is_exhausted(recorder, clock, observed):
    """The same for a plain one."""

    def work():
        clock.advance(seconds=1)
        yield "item"

    host = observed(plugin(first=lambda x: work()))

    assert list(host.hook.first(x=1)) == ["item"]
    assert recorder.event().duration_ns == 1_000_000_000


def test_several_coroutines_end_the_span_together(recorder, clock, observed):
    """Of a list of results the last one to finish ends the one span; what is no coroutine stays what it is."""
    plain = object()

    async def work(seconds):
        for _ in range(seconds):
            clock.advance(seconds=1)
            await asyncio.sleep(0)
        return seconds

    host = observed(plugin(work=lambda x: work(1)), plugin(work=lambda x: plain), plugin(work=lambda x: work(3)))

    async def consume():
        first, second, third = host.hook.work(x=1)
        assert second is plain
        return await asyncio.gather(first, third)

    assert asyncio.run(consume()) == [3, 1]
    assert recorder.event().duration_ns == 4_000_000_000


def test_one_of_several_failing_makes_the_span_an_error(recorder, observed):
    """The others go on to their end, and the exception is the very object."""
    raised = ValueError("one of them")

    async def good():
        await asyncio.sleep(0)
        return "good"

    async def bad():
        raise raised

    host = observed(plugin(work=lambda x: good()), plugin(work=lambda x: bad()))

    async def consume():
        return await asyncio.gather(*host.hook.work(x=1), return_exceptions=True)

    bad_result, good_result = asyncio.run(consume())
    assert (bad_result is raised, good_result) == (True, "good")
    assert recorder.event().metadata["error"] == "one of them"


# -- hooks that trace points name

POINT = """
    [[points]]
    layer = "focus"
    operation = "gate_check"
    meaning = "A gate decides"
    input = "args.x"
    output = "result.0"
    [points.blocked]
    path = "result.0"
    equals = false
    [points.data.gate]
    type = "str"
    meaning = "Which gate"
    from = "args.x"
    [[points.targets]]
    hook = "work"
    project = "demo"
"""


def test_a_named_hook_is_its_trace_point(recorder, observed, points):
    """Layer, operation, data, input, output and refusal as the file says; nothing else is added."""
    observed(plugin(work=lambda x: False), files=[points(POINT)]).hook.work(x="write")
    event = recorder.event()

    assert (event.hrm_layer, event.operation, event.component) == ("focus", "gate_check", "demo")
    assert (event.input_summary, event.output_summary, event.status) == ("write", "False", "blocked")
    assert event.metadata == {"gate": "write"}


def test_a_hook_of_another_project_is_not_named(recorder, observed, points):
    """With a project the name counts there alone."""
    observed(plugin(work=lambda x: False), files=[points(POINT.replace('"demo"', '"other"'))]).hook.work(x=1)

    assert recorder.event().operation == "work"


def test_a_hook_without_a_project_is_named_everywhere(recorder, observed, points):
    """Without one it is the same point in every project."""
    observed(plugin(work=lambda x: True), files=[points(POINT.replace('project = "demo"', ""))]).hook.work(x=1)

    assert recorder.event().operation == "gate_check"


def test_two_points_on_one_hook_nest(recorder, observed, points):
    """Both are recorded, the first as the outer one, also around a coroutine."""

    async def work():
        return "done"

    text = POINT + POINT.replace("gate_check", "route")
    host = observed(plugin(work=lambda x: work()), files=[points(text)])
    (result,) = host.hook.work(x=1)
    assert asyncio.run(result) == "done"
    inner, outer = recorder.events()

    assert (inner.operation, outer.operation, inner.parent_id) == ("route", "gate_check", outer.trace_id)
    assert (inner.output_summary, outer.output_summary) == ("done", "done")


def test_a_named_hook_is_attached_once_a_manager_has_it(observed, points):
    """Until then it waits."""
    name = HookName("work", "only_here")
    assert not is_observed(name)
    observed(plugin(project="only_here", work=lambda x: x), project="only_here")

    assert is_observed(name)


# -- to stop, and what must not break


def test_stopping_leaves_the_manager_as_it_was(recorder):
    """pluggy's own call function is back."""
    host = manager(plugin(work=lambda x: x))
    before = host._inner_hookexec
    with dam_obs.observe(host):
        assert host._inner_hookexec is not before
    host.hook.work(x=1)

    assert host._inner_hookexec == before
    assert recorder.events() == []


def test_stopping_below_another_monitor_leaves_that_one(recorder):
    """pluggy's undo would throw it away; ours goes silent instead."""
    seen = []
    host = manager(plugin(work=lambda x: x))
    observation = observe(host)
    host.add_hookcall_monitoring(lambda *args: seen.append("before"), lambda *args: seen.append("after"))
    observation.stop()
    host.hook.work(x=1)

    assert (seen, recorder.events()) == (["before", "after"], [])


def test_observing_twice_is_observing_once(recorder):
    """Under `dam-obs run` a program that observes its own manager gets one span a call."""
    host = manager(plugin(work=lambda x: x))
    with observe(host) as first, observe(host) as second:
        host.hook.work(x=1)

    assert (first is second, len(recorder.events())) == (True, 1)


def test_observing_from_within_a_hook_call_works(recorder):
    """The call in progress is not seen; the ones inside it are."""
    host = manager(plugin(first=lambda x: (observe(host), host.hook.work(x=x)), work=lambda x: x))
    host.hook.first(x=1)
    observe(host).stop()

    assert [event.operation for event in recorder.events()] == ["work"]


def test_switching_recording_on_within_a_call_keeps_calls_apart(recorder, observed):
    """A call that began while recording was off has no span, and takes nobody else's."""

    def work(x):
        tracer.enabled = True
        return host.hook.first(x=x)

    host = observed(plugin(work=work, first=lambda x: x))
    tracer.enabled = False
    host.hook.work(x=1)

    assert [(event.operation, event.parent_id) for event in recorder.events()] == [("first", None)]


def test_a_fault_of_ours_is_counted_and_nothing_else(observed):
    """The call goes on, and the next one is recorded again."""

    class Unprintable:
        plugin_name = property(lambda self: 1 / 0)

    host = observed(plugin("good", work=lambda x: x))
    faults.reset()
    with recording(let_faults_through=False) as record:
        implementation = host.hook.work.get_hookimpls()[0]
        implementation.plugin_name = type("Name", (), {"__str__": lambda self: 1 / 0})()
        assert host.hook.work(x=1) == [1]
        implementation.plugin_name = "good"
        assert host.hook.work(x=2) == [2]

        assert faults.counts() == {"points.hosts": 1}
        assert [event.parent_id for event in record.events()] == [None, None]


def test_an_observed_manager_can_be_collected():
    """Observing keeps nobody alive."""
    host = manager(plugin(work=lambda x: x))
    observe(host)
    gone = weakref.ref(host)
    del host
    gc.collect()

    assert gone() is None


def test_every_manager_that_is_made_is_observed_until_the_watch_ends(recorder):
    """Subclasses too; our own is not; afterwards pluggy's class is as it was."""

    class Manager(pluggy.PluginManager):
        def __init__(self):
            super().__init__("sub")
            self.register(plugin(project="sub", work=lambda x: x))

    before = pluggy.PluginManager.__init__
    watch = ManagerWatch(()).open()
    try:
        signature = inspect.signature(pluggy.PluginManager)
        made = [Manager(), pluggy.PluginManager("dam_obs")]
        made[1].register(plugin(project="dam_obs", work=lambda x: x))
        for each in made:
            each.hook.work(x=1)
    finally:
        watch.close()
    made[0].hook.work(x=1)

    assert [event.component for event in recorder.events()] == ["sub"]
    assert pluggy.PluginManager.__init__ is before
    assert signature == inspect.signature(pluggy.PluginManager)


def test_a_measured_hook_call_has_its_evidence(observed):
    """CPU time and one step of a plain hook; steps and waits of one that returned a coroutine."""

    async def slow():
        await asyncio.sleep(0)
        return 1

    host = observed(plugin(work=lambda x: sum(range(1000)), first=lambda x: slow()))
    with recording(measure=True) as record:
        host.hook.work(x=1)
        asyncio.run(host.hook.first(x=1))
        plain, lazy = record.events()

    assert (plain.steps, len(plain.segments)) == (1, 1)
    assert plain.cpu_ns > 0
    assert lazy.steps == 3


def test_a_measured_hook_call_is_measured_in_an_event_loop_too(observed):
    """It returns without a suspension between: all that its thread did meanwhile is its own."""
    host = observed(plugin(work=lambda x: sum(range(1000))))

    async def call():
        return host.hook.work(x=1)

    with recording(measure=True) as record:
        asyncio.run(call())
        (event,) = record.events()

    assert (event.steps, len(event.segments)) == (1, 1)
    assert event.cpu_ns > 0


def test_a_sampler_sees_whose_hook_call_it_is(observed):
    """The span's id stands on the stack of what implements it, and nobody else sees a change."""
    stacks, seen = [], []

    def look(x):
        frame, names = sys._getframe(), []
        while frame is not None:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        stacks.append([name for name in names if name.startswith("dam:")])
        return x

    def around(x):
        result = yield
        seen.append(list(result))
        return result

    wrapping = plugin()
    wrapping.work = pluggy.HookimplMarker("demo")(around, wrapper=True)
    host = observed(plugin(first=lambda x: host.hook.work(x=x), work=look), wrapping)
    impls = host.hook.work.get_hookimpls()
    functions = [impl.function for impl in impls]
    undo = host.add_hookcall_monitoring(
        lambda *_: None, lambda outcome, name, called, kwargs: seen.append([impl.function for impl in called])
    )
    with recording(measure=True) as record:
        assert host.hook.first(x=7) == [7]
        inner, outer = record.events()
    undo()

    assert stacks == [[f"dam:{inner.otel_span_id}", f"dam:{outer.otel_span_id}"]]
    assert seen == [[7], functions, [host.hook.first.get_hookimpls()[0].function]]
    assert [impl.function for impl in impls] == functions


def test_a_project_may_want_its_named_hooks_alone(recorder, observed, tmp_path):
    """With only_named, hooks that no point names make no span; those of other projects do."""
    path = tmp_path / "demo.toml"
    path.write_text(
        '[host]\nname = "demo"\nonly_named = true\n'
        '[[points]]\nlayer = "system"\noperation = "named"\nmeaning = "m"\ntargets = [{ hook = "first" }]\n'
    )
    files = [load_file(path)]
    host = observed(plugin(first=lambda x: host.hook.work(x=x), work=lambda x: x), files=files)
    other = observed(plugin(project="other", work=lambda x: x), project="other", files=files)

    assert host.hook.first(x=1) == [1]
    other.hook.work(x=2)

    assert [(event.operation, event.component) for event in recorder.events()] == [("named", "demo"), ("work", "other")]


@pytest.mark.parametrize(("level", "operations"), [("debug", ["work", "named"]), ("info", ["work"])])
def test_a_hook_of_level_debug_is_no_span_where_nobody_keeps_it(observed, tmp_path, level, operations):
    """It is not begun at all, so what is below it has the parent that is recorded."""
    path = tmp_path / "demo.toml"
    path.write_text(
        '[host]\nname = "demo"\n[[points]]\nlayer = "system"\noperation = "named"\nlevel = "debug"\nmeaning = "m"\n'
        'targets = [{ hook = "first" }]\n'
    )
    with recording(settings=Settings(level=level)) as record:
        host = observed(plugin(first=lambda x: host.hook.work(x=x), work=lambda x: x), files=[load_file(path)])
        host.hook.first(x=1)
        *_, outermost = events = record.events()

    assert [each.operation for each in events] == operations
    assert outermost.parent_id is None
