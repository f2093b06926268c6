"""
Send a signal to the agents of a bundle, and make one of what they answer.

A bundle is named after the type of signal that it answers to. One that nobody has a bundle for goes to the bundle
``none``. Each agent passes the agent approval gate, one after the other; those let through then answer at
the same time. One that fails is left out, and the reason says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dam_hrm.asking import HookFailed, ask
from dam_hrm.focus.reducers import reduce
from dam_hrm.focus.signals import NONE
from dam_hrm.focus.values import Answer, GateType, Reducer, Routed, Signal
from dam_hrm.suspects import suspects

if TYPE_CHECKING:
    from dam_hrm.session import Session


async def route(session: Session, signal: Signal) -> Routed:
    """
    Route a signal.

    Raises:
        HookFailed: Which agents there are, or how to reduce their answers, cannot be said.
    """
    bundles = await bundles_of(session)
    bundle = signal.signal_type if signal.signal_type in bundles else NONE
    reducer = await reducer_of(session, bundle)
    let_through, missing = await _approved(session, bundles.get(bundle, ()), bundle, signal)
    outcomes = await _together(session, let_through, signal)
    answers = tuple(each for each in outcomes if isinstance(each, Answer))
    missing += [each.words for each in outcomes if isinstance(each, _Silent)]
    return Routed(
        signal_type=signal.signal_type,
        bundle=bundle,
        agents=tuple(answer.agent for answer in answers),
        reducer=reducer,
        text=reduce(reducer, answers),
        answers=answers,
        allowed=bool(let_through) or not bundles.get(bundle),
        reason="; ".join(missing) if bundles.get(bundle) else f"no agent answers to {signal.signal_type}",
    )


async def bundles_of(session: Session) -> Mapping[str, tuple[str, ...]]:
    """
    Give the agents of each bundle: the built-in ones first, then each plugin's in order of registration, each once.

    Raises:
        HookFailed: A plugin raised, or said it in another way.
    """
    hook = session.hook.dam_hrm_bundles
    together: dict[str, dict[str, None]] = {}
    for bundles in reversed(await ask(hook, list, session=session)):
        if not isinstance(bundles, Mapping):
            raise HookFailed(
                hook.name, f"{suspects(hook)} answered with {type(bundles).__name__} where Mapping was due"
            )
        for bundle, agents in bundles.items():
            if isinstance(agents, str) or not isinstance(agents, Sequence):
                said = f"{agents!r:.80} for bundle {bundle!r:.80} where a list of agents was due"
                raise HookFailed(hook.name, f"{suspects(hook)} answered with {said}")
            together.setdefault(str(bundle), {}).update((str(agent), None) for agent in agents)
    return {bundle: tuple(agents) for bundle, agents in together.items()}


async def reducer_of(session: Session, bundle: str) -> Reducer:
    """
    Give the reducer of a bundle.

    Raises:
        HookFailed: A plugin raised, or answered with something else.
    """
    return await ask(session.hook.dam_hrm_reducer, Reducer, session=session, bundle=bundle)


@dataclass(frozen=True, slots=True)
class _Silent:
    """An agent that did not answer."""

    words: str


async def _approved(
    session: Session, agents: Sequence[str], bundle: str, signal: Signal
) -> tuple[list[str], list[str]]:
    let_through, missing = [], []
    for agent in agents:
        decision = await session.focus.check(
            GateType.AGENT_APPROVAL, agent=agent, bundle=bundle, signal_type=signal.signal_type
        )
        if decision.allowed:
            let_through.append(agent)
        else:
            missing.append(f"{agent} was not let through: {decision.reason}")
    return let_through, missing


async def _together(session: Session, agents: Sequence[str], signal: Signal) -> list[Answer | _Silent]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_answer(session, agent, signal)) for agent in agents]
    return [task.result() for task in tasks]


async def _answer(session: Session, agent: str, signal: Signal) -> Answer | _Silent:
    hook: Any = session.hook.dam_hrm_agent
    try:
        answer = await ask(hook, Answer, session=session, agent=agent, signal=signal)
    except HookFailed as failure:
        return _Silent(f"{agent} failed: {failure}")
    return answer if answer.agent == agent else replace(answer, agent=agent)
