from __future__ import annotations

from dam_obs.diagnose.flame import flame_graph, hot_stacks
from dam_obs.diagnose.report import DiagnosticReport, FrameNode, HotStack, StackFrame
from dam_obs.sample.samples import Frame, StackSample


def sample(*frames: tuple[str, int], weight: int = 1) -> StackSample:
    return StackSample(
        pid=1, thread="main", frames=tuple(Frame(name, "demo.py", line) for name, line in frames), weight=weight
    )


def test_stacks_of_the_same_functions_are_one() -> None:
    """Lines differ from sample to sample; the one seen most is shown."""
    samples = [
        sample(("call", 1), ("work", 5), weight=2),
        sample(("call", 1), ("work", 9), weight=3),
        sample(("call", 1), ("wait", 2), weight=4),
    ]

    assert hot_stacks(samples) == [
        HotStack(
            frames=[
                StackFrame(function="call", file="demo.py", line=1),
                StackFrame(function="work", file="demo.py", line=9),
            ],
            samples=5,
        ),
        HotStack(
            frames=[
                StackFrame(function="call", file="demo.py", line=1),
                StackFrame(function="wait", file="demo.py", line=2),
            ],
            samples=4,
        ),
    ]


def test_at_most_twenty_stacks_are_kept() -> None:
    """The most seen first."""
    stacks = hot_stacks([sample((f"f{n}", 1), weight=n) for n in range(1, 31)])

    assert [stack.samples for stack in stacks] == list(range(30, 10, -1))


def test_an_empty_stack_is_counted_and_not_shown() -> None:
    """A sample at the very call has no frame of the host yet."""
    assert hot_stacks([sample()]) == []
    assert flame_graph({"demo": [sample()]}).samples == 1


def test_the_flame_graph_sums_up() -> None:
    """Each node has the samples in it and below; wide branches come first."""
    graph = flame_graph(
        {
            "a": [sample(("call", 1), ("work", 5)), sample(("call", 1))],
            "b": [sample(("call", 3), ("wait", 4), weight=5)],
        }
    )

    def node(
        name: str, samples: int, *children: FrameNode, file: str = "demo.py", line: int | None = None
    ) -> FrameNode:
        return FrameNode(name=name, file=file, line=line, samples=samples, children=list(children))

    assert graph == node(
        "all executions",
        7,
        node("b", 5, node("call", 5, node("wait", 5, line=4), line=3), file=""),
        node("a", 2, node("call", 2, node("work", 1, line=5), line=1), file=""),
        file="",
    )


def test_a_runaway_recursion_can_be_written_and_read(report: DiagnosticReport) -> None:
    """A thousand frames deep: the graph is cut so that JSON readers take the report."""
    graph = flame_graph({"a": [sample(*((f"f{n}", n) for n in range(1_000)))]})
    deep = report.model_copy(update={"flame": graph})

    assert DiagnosticReport.model_validate_json(deep.model_dump_json()) == deep
