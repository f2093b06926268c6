"""Drafts into the files of a project: all of them, or none."""

from __future__ import annotations

import os
import stat

import pytest

from dam_obs.draft import rewrite
from dam_obs.draft.errors import NotWritten, Unwritable
from dam_obs.draft.rewrite import apply, plan
from dam_obs.draft.write import make_drafts

HEAD = "from __future__ import annotations\nfrom app.commands import Command\n\n\n"
CLASS = "class {0}:\n    def __call__(self):\n        return 1\n"


@pytest.fixture
def project(tmp_path, system, report):
    """A project of two files, the report on its three systems, and what plans them."""
    folder = tmp_path / "project"
    (folder / "app").mkdir(parents=True)
    (folder / "app/one.py").write_text(HEAD + CLASS.format("A") + "\n\n" + CLASS.format("B"))
    (folder / "app/two.py").write_text(HEAD + CLASS.format("C"))
    places = {"app.one:A": 5, "app.one:B": 10, "app.two:C": 5}

    return Project(folder, [made(system, name, line) for name, line in places.items()], report)


class Project:
    """A folder and the systems in it."""

    def __init__(self, path, systems, report):
        self.path = path
        self.systems = systems
        self._report = report

    def plan(self, *more, **asked):
        whole = self._report(*self.systems, *more)
        return plan(whole, make_drafts(whole, templates=(), **asked), self.path)

    def contents(self):
        return {path.name: path.read_bytes() for path in sorted(self.path.rglob("*.*"))}


def made(system, name, line=5, **changes):
    module = name.partition(":")[0]
    given = {
        "system": name,
        "command_type": "app.commands:Command",
        "source_file": f"/srv/{module.replace('.', '/')}.py",
        "source_line": line,
        "source_function": f"{name}.__call__",
    }
    return system(**(given | changes))


def told(planned):
    return [(each.system, planned.name(each.path), each.line, each.action, each.owner) for each in planned.placed]


def test_every_system_gets_its_method_and_no_file_is_left_beside(project):
    """What is planned is what is written."""
    planned = project.plan()
    assert told(planned) == [
        ("app.one:A", "app/one.py", 5, "inserted", "nobody"),
        ("app.one:B", "app/one.py", 10, "inserted", "nobody"),
        ("app.two:C", "app/two.py", 5, "inserted", "nobody"),
    ]
    apply(planned)

    assert project.contents() == {each.path.name: each.after for each in planned.files}
    assert project.contents()["one.py"].count(b"async def calculate_traits(") == 2
    assert sorted(project.contents()) == ["one.py", "two.py"]


def test_once_written_there_is_nothing_left_to_do(project):
    """Neither a change nor a line of the patch."""
    apply(project.plan())
    before = {path: path.stat().st_mtime_ns for path in project.path.rglob("*.py")}
    again = project.plan()
    apply(again)

    assert {action for *_, action, _ in told(again)} == {"unchanged"}
    assert (again.files, again.patch()) == ([], b"")
    assert {path: path.stat().st_mtime_ns for path in project.path.rglob("*.py")} == before


def test_a_newer_draft_replaces_one_that_nobody_edited(project, system):
    """No --force is needed."""
    apply(project.plan())
    project.systems[2] = made(system, "app.two:C", executions=7)
    planned = project.plan()
    apply(planned)

    assert told(planned)[2][3:] == ("replaced", "draft")
    assert b"7 executions" in project.contents()["two.py"]


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        (HEAD + CLASS.format("C") + "\n    def calculate_traits(self): ...\n", "was written by a person"),
        (None, "was edited since it was drafted"),
    ],
)
def test_a_persons_method_stops_everything_unless_forced(project, system, text, whose):
    """It is named, and what would become of it is shown; no other file is written either."""
    two = project.path / "app/two.py"
    if text is None:
        apply(project.plan(systems=["C"]))
        text = two.read_text().replace("231 success", "all success")
        project.systems[2] = made(system, "app.two:C", executions=7)
    two.write_text(text)
    before = project.contents()
    planned = project.plan()

    with pytest.raises(NotWritten) as caught:
        apply(planned)
    assert f"app.two:C: calculate_traits {whose} (app/two.py, class in line " in str(caught.value)
    assert "); add --force to replace, or choose other systems with --system" in str(caught.value)
    assert caught.value.excerpt[:2] == ("--- a/app/two.py", "+++ b/app/two.py")
    assert any(line.startswith("-") for line in caught.value.excerpt[3:])
    assert project.contents() == before

    apply(planned, force=True)
    assert project.contents() == {each.path.name: each.after for each in planned.files}


def test_what_cannot_be_placed_stops_everything_also_when_forced(project, system):
    """All reasons are given."""
    (project.path / "app/two.py").write_text("x = (\n")
    before = project.contents()
    planned = project.plan(made(system, "app.one:Gone"))

    with pytest.raises(NotWritten) as caught:
        apply(planned, force=True)
    assert caught.value.reasons == (
        "app.two:C: the file cannot be parsed (app/two.py)",
        "app.one:Gone: the file has no class Gone: it was changed since the run (app/one.py)",
    )
    assert project.contents() == before


def test_what_is_elsewhere_or_no_class_is_left_out(project, system):
    """The others are written."""
    (project.path / "app/one.py").write_text((project.path / "app/one.py").read_text() + "def run(): pass\n")
    planned = project.plan(made(system, "lib.other:X"), made(system, "app.one:run"))
    apply(planned)

    assert len(planned.placed) == 3
    assert list(planned.left_out) == ["lib.other:X", "app.one:run"]
    assert "run is a function: pass what was drafted as calculate_traits=" in planned.left_out["app.one:run"]


def test_two_systems_of_one_class_are_refused(project, system):
    """A script's class has two names if it is imported as well."""
    other = made(system, "__main__:C", source_file="/srv/app/two.py", source_function="__main__:C.__call__")

    assert project.plan(other).refused == {
        "__main__:C": "its class is that of app.two:C, too: choose one with --system (app/two.py)"
    }


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_the_mode_of_a_file_is_kept(project, mode):
    """A script stays one."""
    two = project.path / "app/two.py"
    two.chmod(mode)
    apply(project.plan())

    assert stat.S_IMODE(two.stat().st_mode) == mode
    assert b"calculate_traits" in two.read_bytes()


def test_through_a_link_inside_the_file_is_written_and_the_link_stays(project):
    """It is the file that changes."""
    two, real = project.path / "app/two.py", project.path / "real.py"
    two.rename(real)
    two.symlink_to(real)
    apply(project.plan())

    assert two.is_symlink()
    assert b"calculate_traits" in real.read_bytes()


def test_a_file_that_may_not_be_written_stops_everything(project):
    """Also for root, who could."""
    (project.path / "app/two.py").chmod(0o444)
    before = project.contents()

    with pytest.raises(Unwritable, match=r"two.py: is not writable"):
        apply(project.plan())
    assert project.contents() == before


def test_a_file_that_changed_meanwhile_stops_everything(project):
    """The plan was made for another one."""
    planned = project.plan()
    (project.path / "app/two.py").write_text("mine")
    before = project.contents()

    with pytest.raises(Unwritable, match="was changed while its draft was made"):
        apply(planned)
    assert project.contents() == before


def test_when_a_file_cannot_be_replaced_the_others_are_put_back(project, monkeypatch):
    """The second of two fails: a disk is full, a folder is gone."""
    before = project.contents()
    calls = []

    def replace(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return os.rename(source, target)

    monkeypatch.setattr(rewrite.os, "replace", replace)
    with pytest.raises(Unwritable, match=r"two.py: No space left on device"):
        apply(project.plan())
    assert project.contents() == before


def test_a_source_that_is_not_there_is_an_error(report, tmp_path):
    """One sentence."""
    whole = report()
    with pytest.raises(Unwritable, match="No such file or directory"):
        plan(whole, make_drafts(whole, templates=()), tmp_path / "nowhere")
