"""
What a look-up of a trait costs: remembered, and found anew, over depth, width, size of the world and length of history.

    python benchmarks/beliefs.py        # --longest 100, --beliefs 100000, --ticks 1000, --rounds 30, --json

Remembered, it has to cost the same everywhere. Found anew, it has to follow the prototypes that are visited, and
neither the size of the world nor the number of its ticks. The floor is Python's own `collections.ChainMap` over plain
dicts, as many as there are prototypes on the way: it finds the nearest value, or for lists joins those of all, and
knows no levels, no types, no operations and no hooks. All of one table is measured in turns, in the same rounds;
figures are the best of these, in CPU time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections import ChainMap
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from dam_beliefs import Belief, World, plugin_manager

BATCH_NS = 1_000_000
"""A batch of look-ups lasts at least as long, so that the clock does not matter."""

Lookup = Callable[[], Any]
Make = Callable[[World, int], Belief]


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


def measured(rounds: int, lookups: list[Lookup]) -> list[float]:
    """Return what each takes, in nanoseconds of CPU: the best of rounds in which each of them has its turn."""
    counts = [_enough(lookup) for lookup in lookups]
    best = [math.inf for _ in lookups]
    for _ in range(rounds):
        for place, (lookup, count) in enumerate(zip(lookups, counts, strict=True)):
            best[place] = min(best[place], _batch(lookup, count) / count)
    return best


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


@dataclass(frozen=True, slots=True)
class Subject:
    """A trait of a belief, made alike in a world that remembers and in one that does not, and in plain dicts."""

    size: int
    visited: int
    lookups: tuple[Lookup, Lookup, Lookup]


def subject(size: int, trait: str, make: Make) -> Subject:
    """
    Make what is measured.

    Raises:
        SystemExit: The three ways of looking it up do not find the same.
    """
    worlds = (empty_world(caching=True), empty_world(caching=False))
    remembering, forgetting = (make(world, size) for world in worlds)
    for world in worlds:
        world.state.lock()
    own = maps(forgetting)
    floor = ChainMap(*own)
    lookups = (
        lambda: remembering.get_trait(trait),
        lambda: forgetting.get_trait(trait),
        (lambda: joined(floor, trait)) if trait == "tools" else (lambda: floor[trait]),
    )
    if len({lookup() for lookup in lookups}) > 1:
        raise SystemExit(f"{trait}: a value is another one when it is remembered, or than the floor finds")
    return Subject(size, len(own), lookups)


def beliefs(world: World, count: int) -> Belief:
    """Return the end of a chain of ten, beside so many other beliefs."""
    for number in range(count):
        world.state.add_belief(bases=["Thing"], traits={"age": number})
    return chain(world, 10)


def ticks(world: World, count: int) -> Belief:
    """Return the end of a chain of ten after so many ticks, at each of which another belief got a new version."""
    belief = chain(world, 10)
    other = world.state.add_belief(bases=["Thing"], traits={"age": 0})
    for number in range(1, count + 1):
        other = other.with_traits(world.mind.create_state(number), {"age": number})
    return belief


def versions(world: World, count: int) -> Belief:
    """Return a belief whose first version has a color, after so many that do not speak of it."""
    belief = world.state.add_belief(bases=["Thing"], traits={"color": "red"})
    for number in range(1, count + 1):
        belief = belief.with_traits(world.mind.create_state(number), {"age": number})
    return belief


@dataclass(frozen=True, slots=True)
class Table:
    """What is measured over what."""

    title: str
    make: Make
    sizes: tuple[int, ...]
    up_to: str
    """The option that says how far."""
    trait: str = "color"

    def rows(self, asked: argparse.Namespace) -> list[Row]:
        """Measure all in the same rounds, so that one line can be compared with another."""
        sizes = [size for size in self.sizes if size <= getattr(asked, self.up_to)]
        subjects = [subject(size, self.trait, self.make) for size in sizes]
        took = measured(asked.rounds, [lookup for each in subjects for lookup in each.lookups])
        return [Row(each.size, each.visited, *took[3 * n : 3 * n + 3]) for n, each in enumerate(subjects)]


LENGTHS = (1, 2, 5, 10, 20, 50, 100)
COUNTS = (1, 10, 100, 1_000, 10_000, 100_000)
TABLES = {
    "depth": Table("a chain of prototypes, the value in the last", chain, LENGTHS, "longest"),
    "width": Table("bases side by side, the value in the last", wide, LENGTHS, "longest"),
    "composed": Table("bases side by side, each with an item of a list", wide, LENGTHS, "longest", "tools"),
    "beliefs": Table("a chain of ten, in a world of so many beliefs", beliefs, COUNTS[2:], "beliefs"),
    "ticks": Table("a chain of ten, after so many ticks", ticks, COUNTS[:4], "ticks"),
    "versions": Table("a value of the first version, after so many silent ones", versions, COUNTS[:4], "ticks"),
}


def shown(name: str, rows: list[Row]) -> None:
    """Print a table."""
    print(f"\n{TABLES[name].title}")
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
        rows = TABLES[name].rows(asked)
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
