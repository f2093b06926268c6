"""The flame graph is flattened without loss, up to a bound."""

from __future__ import annotations

from dam_obs.diagnose.page.flame import flame_view


def test_parents_come_before_their_children(frame):
    """Each node knows its parent by number, and names are kept once."""
    root = frame("all", 10, [frame("a", 6, [frame("work", 6)]), frame("b", 4, [frame("work", 1)])])
    view = flame_view(root)
    told = [
        (view.names[view.nodes[3 * place + 1]], view.nodes[3 * place], samples)
        for place, samples in enumerate(view.samples)
    ]
    assert told == [("all", -1, 10), ("a", 0, 6), ("work", 1, 6), ("b", 0, 4), ("work", 3, 1)]
    assert view.names == ["all", "a", "work", "b"]
    assert view.places == ["demo.py:3"]
    assert view.cut == ""


def test_smallest_nodes_are_left_out_and_counted(frame):
    """Beyond the bound the largest stay, and the page says how many went."""
    root = frame("all", 10, [frame("a", 6, [frame("work", 6)]), frame("b", 4, [frame("work", 1)])])
    view = flame_view(root, most=3)
    assert (view.samples, view.cut) == ([10, 6, 6], "2")


def test_names_are_made_safe_to_show(frame):
    """A name reaches the script bounded and without what cannot be seen."""
    view = flame_view(frame("\u202e" + "x" * 10_000, 1))
    assert view.names[0].startswith("\\u202exxx")
    assert len(view.names[0]) < 250
