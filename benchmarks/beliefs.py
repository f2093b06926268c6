"""
What a look-up of a trait costs: remembered, and found anew, over depth, width, size of the world and length of history.

    python benchmarks/beliefs.py        # --longest 100, --beliefs 100000, --ticks 1000, --rounds 30, --json

Remembered, it has to cost the same everywhere. Found anew, it has to follow the prototypes that are visited, and
neither the size of the world nor the number of its ticks. The floor is Python's own `collections.ChainMap` over plain
dicts, as many as there are prototypes on the way: it finds the nearest value, or for lists joins those of all, and
knows no levels, no types, no operations and no hooks. All that stands in one line is measured in turns, in one run;
figures are medians of CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections import ChainMap
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from dam_beliefs import Belief, World, plugin_manager

BATCH_NS = 1_000_000
"""A batch of look-ups lasts at least as long, so that the clock does not matter."""

Lookup = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; times in nanoseconds of CPU."""

    size: int
    visited: int
    """Beliefs that it inherits from, itself included."""
    remembered_ns: float
    found_ns: float
    chain_map_ns: float

    @property
    def ratio(self) -> float:
        """How many times the floor a look-up takes that is not remembered."""
        return self.found_ns / self.chain_map_ns


def empty_world(*, caching: bool) -> World:
    """Return a world with the traittypes of all measurements."""
    world = World(hooks=plugin_manager(installed=False), caching=caching)
    world.add_traittype("color", type="str")
    world.add_traittype("tools", type="str", container="list", composable=True)
    world.add_traittype("age", type="int")
    world.add_archetype("Thing", names=["color", "tools", "age"])
    return world


def chain(world: World, length: int) -> Belief:
    """Return a belief whose color stands in the last of so many prototypes; each has a kind beside its prototype."""
    belief = world.state.add_belief(bases=["Thing"], traits={"color": "red"})
    for _ in range(length - 1):
        belief = world.state.add_belief(bases=["Thing", belief])
    return world.state.add_belief(bases=["Thing", belief])


def wide(world: World, width: int) -> Belief:
    """Return a belief with so many bases, the last of which has a color; each of them has a tool."""
    bases = [world.state.add_belief(bases=["Thing"], traits={"tools": [f"tool {n}"]}) for n in range(width - 1)]
    last = world.state.add_belief(bases=["Thing"], traits={"tools": ["last"], "color": "red"})
    return world.state.add_belief(bases=[*bases, last])


def maps(belief: Belief) -> list[dict[str, Any]]:
    """Return the own traits of all that a belief inherits from, as plain dicts."""
    found: list[Any] = [belief]
    for node in found:
        found.extend(base for base in node.bases if isinstance(base, Belief) and base not in found)
    return [dict(node.own_traits) for node in found]


def joined(floor: ChainMap[str, Any], trait: str) -> tuple[Any, ...]:
    """Return the items of all dicts of a chain, each once."""
    return tuple(dict.fromkeys(item for own in floor.maps for item in own.get(trait, ())))


def measured(rounds: int, *lookups: Lookup) -> list[float]:
    """Return what each takes, in nanoseconds of CPU: the median of rounds in which each of them has its turn."""
    counts = [_enough(lookup) for lookup in lookups]
    took: list[list[float]] = [[] for _ in lookups]
    for _ in range(rounds):
        for lookup, count, all_of_it in zip(lookups, counts, took, strict=True):
            all_of_it.append(_batch(lookup, count) / count)
    return [statistics.median(each) for each in took]


def _enough(lookup: Lookup) -> int:
    count = 1
    while _batch(lookup, count) < BATCH_NS:
        count *= 2
    return count


def _batch(lookup: Lookup, count: int) -> int:
    numbers = range(count)
    begun = time.thread_time_ns()
    for _ in numbers:
        lookup()
    return time.thread_time_ns() - begun


def row(size: int, trait: str, make: Callable[[World], Belief], rounds: int) -> Row:
    """Measure a trait of one belief, made alike in a world that remembers and in one that does not."""
    worlds = (empty_world(caching=True), empty_world(caching=False))
    remembering, forgetting = (make(world) for world in worlds)
    for world in worlds:
        world.state.lock()
    return compared(size, trait, remembering, forgetting, rounds)


def compared(size: int, trait: str, remembering: Belief, forgetting: Belief, rounds: int) -> Row:
    """Measure a trait of two beliefs that are alike, beside a `ChainMap` of what they inherit from."""
    own = maps(forgetting)
    floor = ChainMap(*own)
    lookups = (
        lambda: remembering.get_trait(trait),
        lambda: forgetting.get_trait(trait),
        (lambda: joined(floor, trait)) if trait == "tools" else (lambda: floor[trait]),
    )
    if len({lookup() for lookup in lookups}) > 1:
        raise SystemExit(f"{trait}: a value is another one when it is remembered, or than the floor finds")
    return Row(size, len(own), *measured(rounds, *lookups))


def over_depth(asked: argparse.Namespace) -> list[Row]:
    """Measure chains of prototypes."""
    return [row(n, "color", lambda world, n=n: chain(world, n), asked.rounds) for n in sizes(asked.longest)]  # type: ignore[misc]


def over_width(asked: argparse.Namespace, trait: str) -> list[Row]:
    """Measure beliefs with many bases."""
    return [row(n, trait, lambda world, n=n: wide(world, n), asked.rounds) for n in sizes(asked.longest)]  # type: ignore[misc]


def over_beliefs(asked: argparse.Namespace) -> list[Row]:
    """Measure a chain of ten in worlds of more and more beliefs."""

    def make(world: World, beliefs: int) -> Belief:
        for number in range(beliefs):
            world.state.add_belief(bases=["Thing"], traits={"age": number})
        return chain(world, 10)

    counts = [n for n in (100, 1_000, 10_000, 100_000) if n <= asked.beliefs]
    return [row(n, "color", lambda world, n=n: make(world, n), asked.rounds) for n in counts]  # type: ignore[misc]


def over_ticks(asked: argparse.Namespace) -> list[Row]:
    """Measure a chain of ten after more and more ticks, at each of which another belief got a new version."""

    def make(world: World, ticks: int) -> Belief:
        belief = chain(world, 10)
        other = world.state.add_belief(bases=["Thing"], traits={"age": 0})
        for number in range(1, ticks + 1):
            state = world.mind.create_state(number)
            other = other.with_traits(state, {"age": number})
        return belief

    counts = [n for n in (1, 10, 100, 1_000) if n <= asked.ticks]
    return [row(n, "color", lambda world, n=n: make(world, n), asked.rounds) for n in counts]  # type: ignore[misc]


def over_versions(asked: argparse.Namespace) -> list[Row]:
    """Measure a trait that the first version of a belief has, after more and more versions that do not speak of it."""

    def make(world: World, versions: int) -> Belief:
        belief = world.state.add_belief(bases=["Thing"], traits={"color": "red"})
        for number in range(1, versions + 1):
            belief = belief.with_traits(world.mind.create_state(number), {"age": number})
        return belief

    counts = [n for n in (1, 10, 100, 1_000) if n <= asked.ticks]
    return [row(n, "color", lambda world, n=n: make(world, n), asked.rounds) for n in counts]  # type: ignore[misc]


def sizes(longest: int) -> list[int]:
    """Return lengths up to the longest."""
    return [n for n in (1, 2, 5, 10, 20, 50, 100) if n <= longest]


TABLES: dict[str, tuple[str, Callable[[argparse.Namespace], list[Row]]]] = {
    "depth": ("a chain of prototypes, the value in the last", over_depth),
    "width": ("bases side by side, the value in the last", lambda asked: over_width(asked, "color")),
    "composed": ("bases side by side, each with an item of a list", lambda asked: over_width(asked, "tools")),
    "beliefs": ("a chain of ten, in a world of so many beliefs", over_beliefs),
    "ticks": ("a chain of ten, after so many ticks", over_ticks),
    "versions": ("a value of the first version, after so many that do not speak of it", over_versions),
}


def shown(name: str, rows: list[Row]) -> None:
    """Print a table."""
    print(f"\n{TABLES[name][0]}")
    print(f"{name:>8}  visited  remembered/s    found/s  us a visited  ChainMap/s  found : ChainMap")
    for each in rows:
        print(
            f"{each.size:8,} {each.visited:8,} {1e9 / each.remembered_ns:13,.0f} {1e9 / each.found_ns:10,.0f} "
            f"{each.found_ns / each.visited / 1e3:13.2f} {1e9 / each.chain_map_ns:11,.0f} {each.ratio:16.1f}"
        )
    first, last = rows[0], rows[-1]
    print(
        f"from {first.size:,} to {last.size:,}: visited x {last.visited / first.visited:.1f}, "
        f"remembered x {last.remembered_ns / first.remembered_ns:.2f}, found x {last.found_ns / first.found_ns:.2f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longest", type=int, default=100, help="of chains, and most bases side by side")
    parser.add_argument("--beliefs", type=int, default=100_000, help="in the largest world")
    parser.add_argument("--ticks", type=int, default=1_000, help="of the longest history")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only", choices=TABLES, action="append", help="one table; may be given several times")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON instead")
    asked = parser.parse_args()
    begun, begun_cpu = time.perf_counter(), time.process_time()
    found: dict[str, list[dict[str, float]]] = {}
    for name in asked.only or TABLES:
        rows = TABLES[name][1](asked)
        found[name] = [{**asdict(each), "ratio": each.ratio} for each in rows]
        if not asked.json:
            shown(name, rows)
    took, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    load = os.getloadavg()[0]
    if asked.json:
        print(json.dumps({"tables": found, "wall_s": took, "cpu_s": cpu, "load": load}))
    else:
        print(f"\n{took:.0f} s of wall time, {cpu:.0f} s of CPU; load {load:.1f}")


if __name__ == "__main__":
    main()
