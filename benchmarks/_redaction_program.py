"""
A program that hands secrets to dam-obs in every way that a program can; ``redaction.py`` runs it and makes the same.

    python benchmarks/_redaction_program.py SEED NUMBER TRACE
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

WAYS = ("data", "input", "error", "command", "nested", "name", "file")


NOT_IN_PATHS = ("url_password", "basic_auth", "private_key")
"""Their slashes, or lines, would make folders of them: no name of a file looks so."""


class Job:
    """A command; its fields become features."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)
        self.size = len(fields)


def handle(job: Job) -> int:
    """Take a job; trace points are attached to this."""
    return job.size


def secrets(seed: int, number: int) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield a way to hand it over, the rule that knows it, what holds it, and the secret itself."""
    from redaction import NAMES, by_name, by_shape, credentials

    dice = random.Random(seed)
    shapes = list(credentials(dice))
    for trial in range(number):
        rule = dice.choice([*shapes, *NAMES])
        way = WAYS[trial % len(WAYS)]
        if way in ("name", "file"):  # nothing but its shape tells it there
            rule = dice.choice([shape for shape in shapes if way == "name" or shape not in NOT_IN_PATHS])
            whole, secret = credentials(dice)[rule]
            yield way, rule, {"name": whole}, secret
        else:
            holds, secret = by_shape(dice, rule) if rule in shapes else by_name(dice, rule)
            yield way, rule, holds, secret


def nested(value: Any, dice: random.Random) -> Any:
    """Put a value some levels deep."""
    for _ in range(dice.randint(1, 6)):
        value = dice.choice([lambda v: {"inner": v}, lambda v: [1, v], lambda v: (v, None)])(value)
    return value


def main() -> None:
    seed, number, trace = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    import dam_obs
    from dam_obs import tracer
    from dam_obs.points.activate import activate
    from dam_obs.trace import session

    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    dam_obs.configure(
        output=trace, console=True, measure=True, points=(trace.parent / "points.toml",), flush_interval=1
    )
    running = session.current()
    if running is not None:
        activate(running.settings)
    import _redaction_program as watched  # by its own name, as its trace points know it, and after they are there

    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        for trial, (way, _, holds, _) in enumerate(secrets(seed, number)):
            hand_over(way, holds, dice, tracer, watched, Path(folder))
            if trial % 2_000 == 0:
                dam_obs.flush()
    dam_obs.flush()


def hand_over(way: str, holds: dict[str, Any], dice: random.Random, tracer: Any, watched: Any, folder: Path) -> None:
    """Do what a program would do that lets a secret out."""
    if way == "command":
        watched.handle(watched.Job({name: value for name, value in holds.items() if name.isidentifier()} or holds))
    elif way == "error":
        with suppress(RuntimeError), tracer.span("sys", "execute", "app:Failing", str(holds)):
            raise RuntimeError(f"cannot go on: {holds}")
    elif way == "input":
        with tracer.span("mem", "write", "app:Storing", holds) as span:
            span.set_output(holds)
    elif way == "name":
        with tracer.span("foc", f"gate {holds['name'][:400]}", "app:Named"):
            tracer.event("foc", "noted", "app:Named", holds["name"])
    elif way == "file":
        with suppress(OSError), tracer.span("sys", "execute", "app:Opening"):
            open(folder / holds["name"].replace("/", "_")[:120], "w").close()
    else:
        data = {"note": nested(holds, dice)} if way == "nested" else holds
        with tracer.span("sys", "execute", "app:Storing", "", **{f"{name}": value for name, value in data.items()}):
            pass


if __name__ == "__main__":
    main()
