"""
Never hurt the host: whatever dam-obs meets, the program prints, returns and ends as it does bare.

Each case runs one program bare and observed, both with warnings as errors, and compares all that is seen from
outside; then it looks that dam-obs has counted what it met.
"""

from collections import Counter
from pathlib import Path

import pytest

from dam_obs.testing import faults

PROGRAMS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "programs").glob("*.py"))}
WORKS = PROGRAMS["works"]
RECORDED = Counter(step=300, items=1, stream=1, later=20, call=1)
ALL = sum(RECORDED.values())

HOW = ["by_hand", pytest.param("run", marks=pytest.mark.slow)]


bare_ones = {}
"""What programs do bare, by their text: they do the same each time."""


def observe(subject, how):
    """Run a program bare, if it has not been, and observed, see that nothing differs; return what was observed."""
    known = (subject.text, subject.flags)
    if known not in bare_ones:
        bare_ones[known] = subject.bare()
    bare = bare_ones[known]
    observed = getattr(subject, how)()
    # A command that measures another one ends as a shell would where a signal has ended that.
    killed = 128 - bare.status if bare.status < 0 and how == "diagnose" else bare.status
    assert (observed.status, observed.out) == (killed, bare.out)
    if how != "diagnose":  # which tells of its report on standard error
        assert observed.err == bare.err
    return observed


# -- what programs do


RECORDS = {
    "works": RECORDED,
    "forks": Counter(step=20),
    "has_a_thousand_threads": Counter(step=1000, call=1000),
    "is_terminated": Counter(step=1),
    "ends_in_a_signal_handler": Counter(step=1),
    "becomes_a_daemon": Counter(step=101),
    "becomes_another_program": Counter(step=1),
    "moves_to_another_folder": Counter(step=2),
    "stands_in_a_folder_that_is_gone": Counter(step=300),
    "patches_clocks_and_chance": Counter(step=600),
}
"""What is in the file, once, however the program goes about it: what Python lets us see the end of."""


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that(program, name, how):
    """It behaves as ever, what has ended is recorded, and nothing went wrong on our side."""
    observed = observe(program(PROGRAMS[name]), how)

    assert observed.events
    if how == "by_hand" and name in RECORDS:
        assert observed.operations() == RECORDS[name]
    if name != "patches_with_mocks":  # where nothing can be written for a while
        assert (observed.faults, observed.told) == ({}, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["works", "forks", "forks_in_a_threaded_program", "is_terminated", "fails", "has_a_thousand_threads"],
)
def test_a_measured_program_that(program, name):
    """The same under ``dam-obs diagnose``, with its own exit status."""
    observed = observe(program(PROGRAMS[name]), "diagnose")

    assert (observed.faults, observed.told) == ({}, [])


# -- where events go


@pytest.mark.parametrize("how", HOW)
def test_disk_full(program, tmp_path, how):
    """What fits is written, whole; the rest is counted, and told once."""
    subject = program(WORKS)
    try:
        with faults.full_disk(tmp_path / "disk", free_bytes=8192) as disk:
            subject.output = disk / "trace.jsonl"
            observed = observe(subject, how)
    except faults.CannotMount as error:
        pytest.skip(str(error))

    assert observed.faults["sinks.jsonl"] >= 1
    assert observed.faults["sinks.jsonl.dropped"] == ALL - len(observed.events) > 0
    assert len(observed.told) == 1


@pytest.mark.parametrize("how", HOW)
def test_no_file_may_grow(program, how):
    """As a full disk, where no disk can be mounted: the limit is the program's own."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))"
    observed = observe(program(f"{limit}\n{WORKS}"), how)

    assert observed.faults["sinks.jsonl"] >= 1
    assert observed.faults["sinks.jsonl.dropped"] == ALL - len(observed.events) > 0


@pytest.mark.parametrize("how", HOW)
def test_read_only_folder(program, tmp_path, how):
    """Nothing can be written; all of it is counted."""
    subject = program(WORKS)
    try:
        with faults.read_only_folder(tmp_path / "fixed") as folder:
            subject.output = folder / "trace.jsonl"
            observed = observe(subject, how)
    except faults.CannotMount as error:
        pytest.skip(str(error))

    assert (observed.events, observed.faults["sinks.jsonl.dropped"]) == ([], ALL)


def test_few_descriptors(program):
    """A program that needs all that it may open has them; what cannot be written meanwhile is counted."""
    subject = program(
        """
        import os, resource, sys, work
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        taken = []
        try:
            while True: taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            print(error)
        for number in range(100): work.step(number)
        if "dam_obs" in sys.modules: sys.modules["dam_obs"].flush(60)
        for number in taken: os.close(number)
        for number in range(100): work.step(number)
        print(len(taken) > 20)
        """
    )
    observed = observe(subject, "by_hand")

    assert observed.faults["sinks.jsonl.dropped"] == 200 - len(observed.events) == 100


@pytest.mark.parametrize(
    ("protocol", "trouble"),
    [
        *((protocol, trouble) for protocol in ("http/protobuf", "grpc") for trouble in ("refuses", "silent")),
        *(
            pytest.param(protocol, trouble, marks=pytest.mark.slow)
            for protocol in ("http/protobuf", "grpc")
            for trouble in ("unavailable", "hangs up", "slow")
        ),
    ],
)
def test_dead_collector(program, protocol, trouble):
    """The file has everything all the same; what the collector did not take is counted."""
    subject = program(WORKS)
    is_well = (protocol, trouble) == ("http/protobuf", "slow")
    with faults.dead_collector(trouble) as collector:
        subject.environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "DAM_OBS_SHUTDOWN_TIMEOUT": "30" if is_well else "3",
        }
        observed = observe(subject, "by_hand")

    assert observed.operations() == RECORDED
    assert observed.faults["sinks.otlp.dropped"] == (0 if is_well else ALL)
    assert len(observed.told) <= 1


# -- plugins

RAISES = "from dam_obs.testing.faults import raising_plugin\nplugin = raising_plugin({hook!r}, error={error})"
STALLS = "from dam_obs.testing.faults import stalling_plugin\nplugin = stalling_plugin({hook!r}, seconds={seconds})"
ERRORS = [
    "RuntimeError('x')",
    pytest.param("SystemExit(3)", marks=pytest.mark.slow),
    pytest.param("KeyboardInterrupt()", marks=pytest.mark.slow),
]


@pytest.fixture
def with_plugin(program, tmp_path):
    """Make a program in whose environment a plugin is installed, as pip would."""

    def make(text, source):
        subject = program(text)
        subject.environ["PYTHONPATH"] = str(faults.install_plugin(tmp_path / "site", "acme", source))
        return subject

    return make


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("hook", ["dam_obs_event", "dam_obs_redact"])
def test_plugin_that_raises_on_our_thread(with_plugin, hook, error):
    """Counted by plugin and hook; every event is written, though values it was to redact are not shown."""
    observed = observe(with_plugin(WORKS, RAISES.format(hook=hook, error=error)), "run")

    assert set(observed.faults) == {f"plugins.acme.{hook}"}
    assert observed.operations() == RECORDED
    if hook == "dam_obs_redact":
        assert {event["component"] for event in observed.events} == {"[redacted:plugin_failed]"}


@pytest.mark.parametrize("error", ERRORS[:2])
@pytest.mark.parametrize("hook", ["dam_obs_sinks", "dam_obs_trace_points"])
def test_plugin_that_raises_at_the_start(with_plugin, hook, error):
    """Counted by plugin and hook; all else is recorded."""
    observed = observe(with_plugin(WORKS, RAISES.format(hook=hook, error=error)), "run")

    assert observed.faults == {f"plugins.acme.{hook}": 1}
    assert observed.operations() == RECORDED


@pytest.mark.slow
@pytest.mark.parametrize("error", ["RuntimeError('x')", "SystemExit(3)"])
def test_plugin_that_raises_on_the_programs_thread(with_plugin, error):
    """Features are asked for there, in a measured run: counted each time, and our own reading takes over."""
    observed = observe(with_plugin(WORKS, RAISES.format(hook="dam_obs_features", error=error)), "diagnose")

    assert observed.faults == {"plugins.acme.dam_obs_features": ALL}
    assert observed.operations() == RECORDED


@pytest.mark.parametrize(
    "source",
    [
        "raise RuntimeError('no')",
        "import sys; sys.exit(3)",
        pytest.param("import nowhere", marks=pytest.mark.slow),
        pytest.param("(", marks=pytest.mark.slow),
    ],
)
def test_plugin_that_does_not_import(with_plugin, source):
    """It is left out and counted."""
    observed = observe(with_plugin(WORKS, source), "by_hand")

    assert observed.faults == {"plugins.acme": 1}
    assert observed.operations() == RECORDED


@pytest.mark.parametrize("hook", ["dam_obs_event", "dam_obs_redact"])
def test_plugin_that_never_comes_back(with_plugin, hook):
    """The program ends when it need wait no longer; what was not handed on is counted."""
    subject = with_plugin(WORKS, STALLS.format(hook=hook, seconds=3600))
    subject.environ["DAM_OBS_SHUTDOWN_TIMEOUT"] = "0.5"
    observed = observe(subject, "by_hand")

    assert observed.faults["recorder.shutdown_timeout"] == 1
    assert len(observed.events) + observed.faults["recorder.lost"] <= ALL


def test_plugin_that_never_comes_back_and_a_program_that_forks(with_plugin):
    """A fork waits for it once; the children, and the rest of the program, go on."""
    forks = """
    import os, time, work
    work.step(0)
    time.sleep(0.5)
    for number in (1, 2, 3):
        child = os.fork()
        work.step(number)
        if not child:
            os._exit(number)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    subject = with_plugin(forks, STALLS.format(hook="dam_obs_event", seconds=3600))
    subject.environ["DAM_OBS_SHUTDOWN_TIMEOUT"] = "0.5"
    subject.flags = ("-W", "ignore::DeprecationWarning")  # of our thread, which there is no way to end
    observed = observe(subject, "by_hand")

    assert observed.faults["recorder.fork_with_thread"] == 3


@pytest.mark.slow
def test_plugin_that_is_slow_on_the_programs_thread(with_plugin):
    """After a few slow calls it is not asked any more."""
    observed = observe(with_plugin(WORKS, STALLS.format(hook="dam_obs_features", seconds=0.1)), "diagnose")

    assert observed.faults == {"features.slow": 3}


def test_plugin_that_is_slow_at_the_start(with_plugin):
    """The program starts later, and it is counted who held it up."""
    observed = observe(with_plugin(WORKS, STALLS.format(hook="dam_obs_trace_points", seconds=1.1)), "run")

    assert observed.faults == {"plugins.acme.dam_obs_trace_points.slow": 1}
    assert observed.operations() == RECORDED


# -- objects that are best left alone


@pytest.mark.parametrize("how", ["by_hand", "run", pytest.param("diagnose", marks=pytest.mark.slow)])
def test_hostile_objects(program, how):
    """Given, returned and raised: they pass through as the very objects, and none of their code is run."""
    subject = program(
        """
        import work
        from dam_obs.testing.faults import HostileError, hostile_objects, ran

        for name, value in hostile_objects().items():
            value = [value] if name == "endless" else value  # where a generator is returned, it is the work
            assert work.step(value) is value, name
            assert work.call(lambda: value) is value, name
        error = HostileError()
        def fail():
            raise error
        try:
            work.call(fail)
        except HostileError as caught:
            assert caught is error
        print(ran)
        """
    )
    observed = observe(subject, how)

    assert (observed.out, observed.faults) == ("[]\n", {})
    assert observed.operations() == Counter(step=21, call=22)
    assert "hunter2" not in str(observed.events)
    assert max(len(str(event)) for event in observed.events) < 60_000
    (number,) = (event for event in observed.events if event["input_summary"] == "<int of 16610 bits>")
    assert number["metadata"]["given"] == "<int of 16610 bits>"
