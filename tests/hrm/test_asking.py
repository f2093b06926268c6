"""A hook is asked, waited for, and held to its answer; what a plugin does wrong is laid at its door."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import Action, ActionResult, HookFailed, Level, hookimpl, plugin_manager
from dam_hrm.asking import ask, tell

ACTION = Action(altitude=Level.MOMENT, action_type="sing")


class Acting:
    """A plugin whose action is whatever it is made with."""

    def __init__(self, act):
        self._act = act

    @hookimpl
    def dam_hrm_act(self, session, action):
        return self._act()


class Silent:
    @hookimpl
    def dam_hrm_act(self, session, action):
        return None


class Singer(Acting): ...


def done(output="la"):
    return ActionResult(allowed=True, output=output)


def ask_act(*plugins):
    hook = plugin_manager(*plugins, installed=False).hook.dam_hrm_act
    return asyncio.run(ask(hook, ActionResult, session=None, action=ACTION))


def raising(error):
    def act():
        raise error

    return act


async def in_a_while(answer):
    await asyncio.sleep(0)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def test_a_plain_answer_is_given_as_it_is():
    """The very object."""
    answer = done()
    assert ask_act(Acting(lambda: answer)) is answer


def test_an_awaitable_is_waited_for():
    """A coroutine, as an `async def` gives it, or a future."""

    async def future_of(answer):
        future = asyncio.get_running_loop().create_future()
        future.set_result(answer)
        return await future

    assert ask_act(Acting(lambda: in_a_while(done()))) == done()
    assert ask_act(Acting(lambda: future_of(done()))) == done()


def test_no_opinion_asks_the_next_one():
    """The one given last is asked first."""
    assert ask_act(Acting(done), Silent()) == done()


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (raising(OSError("no voice")), "plugin Singer raised OSError: no voice"),
        (raising(KeyError()), "plugin Singer raised KeyError"),
        (raising(Unspeakable()), "plugin Singer raised Unspeakable"),
        (raising(ValueError("x" * 1000)), f"plugin Singer raised ValueError: {'x' * 200}"),
        (lambda: in_a_while(OSError("no voice")), "plugin Singer raised OSError: no voice"),
        (lambda: in_a_while(asyncio.CancelledError()), "plugin Singer raised CancelledError"),
        (lambda: "la", "plugin Singer answered with str where ActionResult was due"),
        (lambda: ActionResult, "plugin Singer answered with type where ActionResult was due"),
        (lambda: in_a_while(7), "plugin Singer answered with int where ActionResult was due"),
        (lambda: in_a_while(None), "plugin Singer answered with NoneType where ActionResult was due"),
        (raising(StopIteration()), "plugin Singer raised StopIteration"),
    ],
)
def test_a_plugin_that_fails_is_named(act, said):
    """Also where it fails later, where others were asked before, and where others would be asked next."""
    with pytest.raises(HookFailed) as caught:
        ask_act(Acting(done), Singer(act), Silent())

    assert str(caught.value) == f"dam_hrm_act: {said}"
    assert (caught.value.hook, caught.value.plugin) == ("dam_hrm_act", "Singer")


def test_what_it_raised_is_the_cause():
    """The very exception."""
    error = OSError("no voice")
    with pytest.raises(HookFailed) as caught:
        ask_act(Singer(raising(error)))
    assert caught.value.__cause__ is error


def test_a_failure_within_a_failure_is_told_once():
    """A plugin that asks another one which fails is not to blame."""
    manager = plugin_manager(Singer(raising(OSError("no voice"))), installed=False)

    class Choir:
        @hookimpl
        async def dam_hrm_altitude_execute(self, session, action):
            return await ask(manager.hook.dam_hrm_act, ActionResult, session=None, action=action)

    manager.register(Choir())
    with pytest.raises(HookFailed, match=r"^dam_hrm_act: plugin Singer raised OSError: no voice$"):
        asyncio.run(ask(manager.hook.dam_hrm_altitude_execute, ActionResult, session=None, action=ACTION))


def test_a_plugin_that_asks_another_one_is_named_for_its_own_answer():
    """Who answered last inside does not count."""
    manager = plugin_manager(Singer(done), installed=False)

    class Choir:
        @hookimpl
        def dam_hrm_altitude_execute(self, session, action):
            return manager.hook.dam_hrm_act(session=None, action=action).output

    manager.register(Choir())
    with pytest.raises(HookFailed, match=r"^dam_hrm_altitude_execute: plugin Choir answered with str"):
        asyncio.run(ask(manager.hook.dam_hrm_altitude_execute, ActionResult, session=None, action=ACTION))


def test_nobody_answered():
    """Where no plugin has an opinion."""
    manager = plugin_manager(installed=False)
    for plugin in list(manager.get_plugins()):
        manager.unregister(plugin)
    with pytest.raises(HookFailed, match=r"^dam_hrm_reducer: nobody answered with a int$") as caught:
        asyncio.run(ask(manager.hook.dam_hrm_reducer, int, session=None, bundle=""))
    assert caught.value.plugin is None


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
@pytest.mark.parametrize("later", [False, True])
def test_what_is_no_failure_goes_through(error, later):
    """To be interrupted or told to exit is nobody's fault."""
    act = (lambda: in_a_while(error)) if later else raising(error)
    manager = plugin_manager(Singer(act), installed=False)
    asking = ask(manager.hook.dam_hrm_act, ActionResult, session=None, action=ACTION)

    async def outcome():
        try:
            return await asking
        except BaseException as caught:  # noqa: BLE001 - here, for asyncio has ways of its own with these
            return caught

    assert asyncio.run(outcome()) is error


def test_being_cancelled_goes_through():
    """The plugin hears of it, and so does who waits."""
    heard = []

    async def wait():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("the plugin")
            raise

    async def main():
        hook = plugin_manager(Singer(wait), installed=False).hook.dam_hrm_act
        task = asyncio.create_task(ask(hook, ActionResult, session=None, action=ACTION))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert heard == ["the plugin"]


def test_no_task_is_added():
    """A plugin runs in the task that asks."""
    tasks = []

    async def look():
        tasks.append((asyncio.current_task(), asyncio.all_tasks()))
        return done()

    async def main():
        hook = plugin_manager(Singer(look), installed=False).hook.dam_hrm_act
        await ask(hook, ActionResult, session=None, action=ACTION)
        assert tasks == [(asyncio.current_task(), {asyncio.current_task()})]

    asyncio.run(main())


class Closing:
    def __init__(self, heard, act):
        self._heard = heard
        self._act = act

    @hookimpl
    def dam_hrm_closing(self, session):
        self._heard.append(session)
        return self._act()


def test_everybody_is_told_whatever_becomes_of_the_others():
    """What failed is given, by plugin, the one asked first as the first."""
    heard = []
    failing = [
        Closing(heard, raising(OSError("gone"))),
        Closing(heard, lambda: in_a_while(ValueError("late"))),
        Closing(heard, lambda: in_a_while(None)),
        Closing(heard, lambda: 7),
    ]
    failures = asyncio.run(tell(plugin_manager(*failing, installed=False).hook.dam_hrm_closing, session="it"))

    assert heard == ["it"] * 4
    assert [str(each).split(": ", 1)[1].split(" ", 2)[2] for each in failures] == [
        "raised ValueError: late",
        "raised OSError: gone",
    ]
    assert [type(each.__cause__) for each in failures] == [ValueError, OSError]


def test_a_manager_made_elsewhere_serves_too():
    """Its plugins do not sign, so all that were asked are named."""
    import pluggy
    from dam_hrm import hookspecs

    manager = pluggy.PluginManager("dam_hrm")
    manager.add_hookspecs(hookspecs)
    manager.register(Singer(raising(OSError("no voice"))), "first")
    manager.register(Silent(), "second")

    with pytest.raises(HookFailed, match="one of the plugins second, first raised OSError: no voice"):
        asyncio.run(ask(manager.hook.dam_hrm_act, ActionResult, session=None, action=ACTION))
