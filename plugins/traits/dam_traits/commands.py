"""
What is asked of a world: commands, and events that it is told of.

A command is a value of a class of its own; the systems that handle it are found by that
class. Deriving from `Command` is not needed to be dispatched: it is how a type checker
knows what `World.dispatch_command` gives back.
"""

from __future__ import annotations

from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")
"""What the systems that handle a command return or yield."""


class Command(Generic[ResultT]):
    """Base of commands: ``class Check(Command[bool])`` says that its handlers answer with a `bool`."""

    __slots__ = ()


class Event:
    """Base of events: something that happened, which systems may react to."""

    __slots__ = ()
