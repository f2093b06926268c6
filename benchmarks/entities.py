"""
What versioning costs in trees of entities, and how fast references are resolved.

    python benchmarks/entities.py        # --largest 100000, --rounds 200, --json

One leaf of a tree is changed and the root registered, again and again. The cost has to follow the path to the leaf, and
not the size of the tree; beside it stands the same by `copy.deepcopy` of the whole tree and by pydantic's
`model_dump`, which is what versioning without shared parts takes.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
import time
from typing import Any

from dam_entities import Entity, Runtime, Store, plugin_manager

FAN_OUT = 10


class Leaf(Entity):
    score: float = 0.0


class Node(Entity):
    name: str = ""
    below: list[Node | Leaf] = []


def tree(nodes: int) -> Node:
    """Return a tree of about as many entities, each with up to `FAN_OUT` in it."""
    root = Node(name="root")
    level: list[Node] = [root]
    made = 1
    while made < nodes:
        wanted = [parent for parent in level for _ in range(FAN_OUT)][: nodes - made]
        is_last = made + len(wanted) >= nodes
        below: list[Any] = [Leaf() if is_last else Node() for _ in wanted]
        for parent, child in zip(wanted, below, strict=True):
            parent.below.append(child)
        made += len(below)
        level = below
    return root


def path_to_a_leaf(root: Node) -> list[Any]:
    path: list[Any] = [root]
    while getattr(path[-1], "below", None):
        path.append(path[-1].below[0])
    return path


def versioning(nodes: int, rounds: int) -> dict[str, float]:
    root, store = tree(nodes), Store()
    begun = time.perf_counter()
    store.register(root)
    first = time.perf_counter() - begun
    path = path_to_a_leaf(root)
    took = []
    for number in range(rounds):
        path[-1].score = float(number + 1)
        begun = time.perf_counter()
        store.register(root)
        took.append(time.perf_counter() - begun)
    whole = []
    for _ in range(3 if nodes > 1_000 else 20):
        begun = time.perf_counter()
        copy.deepcopy(root)
        whole.append(time.perf_counter() - begun)
    dump = []
    for _ in range(3 if nodes > 1_000 else 20):
        begun = time.perf_counter()
        root.model_dump()
        dump.append(time.perf_counter() - begun)
    return {
        "nodes": nodes,
        "path": len(path),
        "register_ms": first * 1e3,
        "change_us": statistics.median(took) * 1e6,
        "change_us_per_level": statistics.median(took) * 1e6 / len(path),
        "deepcopy_us": statistics.median(whole) * 1e6,
        "dump_us": statistics.median(dump) * 1e6,
    }


def references(rounds: int) -> dict[str, float]:
    """Return references resolved per second, by what they lead to, in a tree of 10,000 entities."""
    runtime = Runtime(plugins=plugin_manager(installed=False))
    root = tree(10_000)
    runtime.register(root)
    leaf = path_to_a_leaf(root)[-1]
    deep = f"@{root.ecs_id}" + ".below.0" * (len(path_to_a_leaf(root)) - 1) + ".score"
    found = {}
    for name, text in {
        "a field": f"@{root.ecs_id}.name",
        "a field far below": deep,
        "a leaf": f"@{leaf.ecs_id}",
    }.items():
        data = [text] * 100
        took = []
        for _ in range(max(3, rounds // 10)):
            begun = time.perf_counter()
            runtime.resolve(data)
            took.append(time.perf_counter() - begun)
        found[name] = 100 / statistics.median(took)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    sizes = [size for size in (10, 100, 1_000, 10_000, 100_000) if size <= asked.largest]
    rows = []
    print("entities  path   register   change one leaf   a level    deepcopy      dump")
    for size in sizes:
        row = versioning(size, asked.rounds)
        rows.append(row)
        print(
            f"{row['nodes']:8,} {row['path']:5} {row['register_ms']:8.1f} ms {row['change_us']:11.0f} us "
            f"{row['change_us_per_level']:8.0f} us {row['deepcopy_us']:9,.0f} us {row['dump_us']:8,.0f} us"
        )
    least, most = (pick(row["change_us_per_level"] for row in rows) for pick in (min, max))
    print(f"cost of a level from {sizes[0]:,} to {sizes[-1]:,} entities: x {most / least:.1f}")
    found = references(asked.rounds)
    for name, per_second in found.items():
        print(f"references to {name:18} {per_second:10,.0f} a second")
    if asked.json:
        print(json.dumps({"versioning": rows, "references_per_second": found}))


if __name__ == "__main__":
    sys.exit(main())
