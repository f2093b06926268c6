"""Diffs that git itself takes."""

from __future__ import annotations

import subprocess

import pytest

from dam_obs.draft.patch import top_of, unified

CONTENTS = {
    "plain": (b"a\nb\nc\n", b"a\nx\nb\nc\n"),
    "without an end": (b"a\nb", b"a\nb\nc"),
    "an end that is lost": (b"a\nb\n", b"a\nb"),
    "an end that is won": (b"a\nb", b"a\nb\n"),
    "carriage returns": (b"a\r\nb\r\nc\r\n", b"a\r\nx\r\nb\r\nc\r\n"),
    "mixed": (b"a\r\nb\nc\x0c\nd\xc2\x85e\n", b"a\r\nb\r\nc\x0c\nd\xc2\x85e\nf\n"),
    "a byte-order mark": (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\na\n"),
    "trailing blanks": (b"a  \n\t\n", b"a  \nb \n\t\n"),
    "far apart": (
        b"".join(b"%d\n" % n for n in range(50)),
        b"".join(b"%d\n" % n for n in range(50) if n not in (3, 40)),
    ),
    "from nothing": (b"", b"a\n"),
}

NAMES = ["a.py", "src/app/systems.py", "with blank/a b.py", 'quo"te\\.py', "名/é.py", "tab\there.py", "-x.py"]


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture
def repository(tmp_path):
    """A repository that does not touch line ends."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "core.autocrlf", "false")
    return tmp_path


@pytest.mark.parametrize("name", CONTENTS)
def test_git_makes_the_new_content_of_the_old(repository, name):
    """Byte for byte, whatever ends the lines."""
    before, after = CONTENTS[name]
    (repository / "a.py").write_bytes(before)
    (repository / "p.diff").write_bytes(unified("a.py", before, after))

    git(repository, "apply", "p.diff")
    assert (repository / "a.py").read_bytes() == after


@pytest.mark.parametrize("name", NAMES)
def test_git_finds_the_file_whatever_it_is_called(repository, name):
    """Names are quoted as git quotes them."""
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a\n")
    (repository / "p.diff").write_bytes(unified(name, b"a\n", b"b\n"))

    git(repository, "apply", "p.diff")
    assert path.read_bytes() == b"b\n"


def test_equal_contents_have_no_diff():
    """Not even a heading."""
    assert unified("a.py", b"a", b"a") == b""


def test_a_name_does_not_begin_a_line_of_its_own():
    """A file may be called anything."""
    diff = unified("a\n+++ b/etc/passwd", b"a\n", b"b\n")

    assert diff.count(b"\n+++ ") == 1
    assert b'\n+++ "b/a\\n+++ b/etc/passwd"\n' in diff


def test_the_top_is_the_repository_around_a_folder(repository, tmp_path_factory):
    """Also a work tree, whose .git is a file; without one it is the folder itself."""
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)
    outside = tmp_path_factory.mktemp("outside")
    assert top_of(inner) == repository
    assert top_of(outside) == outside
    (inner / ".git").write_text("gitdir: elsewhere\n")
    assert top_of(inner) == inner
