"""Writing drafts into a folder."""

from __future__ import annotations

import pytest

from dam_obs.draft.errors import DraftEdited
from dam_obs.draft.stamp import is_untouched, stamp
from dam_obs.draft.write import write_drafts

DRAFT = "asset_pipeline_systems_ExtractMember.py"
PICTURE = "asset_pipeline_systems_ExtractMember.svg"


@pytest.fixture
def folder(tmp_path):
    """A folder that is not there yet."""
    return tmp_path / "runs" / "drafts"


def contents(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_one_file_for_each_system_with_a_command_and_the_review_last(report, system, folder):
    """A system whose command was not seen has none."""
    made = report(system(), system(system="x:Gate", command_type=None))

    assert write_drafts(made, folder) == [folder / DRAFT, folder / "review.md"]
    assert sorted(contents(folder)) == [DRAFT, PICTURE, "review.md"]
    assert "- `x:Gate`: no command of it was seen" in contents(folder)["review.md"]


def test_writing_twice_gives_the_same_bytes(report, folder):
    """And leaves nothing else behind."""
    write_drafts(report(), folder)
    first = contents(folder)
    write_drafts(report(), folder)

    assert contents(folder) == first


def test_untouched_drafts_are_replaced_by_newer_ones(report, system, folder):
    """No --force is needed for what nobody edited."""
    write_drafts(report(), folder)
    write_drafts(report(system(traits=[])), folder)

    assert "return []" in contents(folder)[DRAFT]


@pytest.mark.parametrize("name", [DRAFT, PICTURE, "review.md"])
@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "\n",
        lambda text: text.replace("size", "length"),
        lambda text: text.replace("Code: sha256 ", "Code: sha256 0"),
        lambda text: "print('mine')\n",
        lambda text: "",
    ],
)
def test_an_edited_file_is_not_replaced_and_nothing_is_written(report, system, folder, name, edit):
    """A person's work is kept, and no half of the drafts is newer than the other."""
    write_drafts(report(), folder)
    (folder / name).write_text(edit((folder / name).read_text()))
    before = contents(folder)

    with pytest.raises(
        DraftEdited, match=r"edited since it was drafted; add --force to replace, or --output"
    ) as caught:
        write_drafts(report(system(traits=[]), system(system="x:New")), folder)
    assert caught.value.paths == (folder / name,)
    assert contents(folder) == before


def test_an_edited_file_is_replaced_when_forced(report, folder):
    """On request."""
    write_drafts(report(), folder)
    first = contents(folder)
    (folder / DRAFT).write_bytes(b"\xff\xfe")
    write_drafts(report(), folder, force=True)

    assert contents(folder) == first


def test_a_file_that_is_no_text_is_somebodys(report, folder):
    """It is not ours, so it is kept."""
    folder.mkdir(parents=True)
    (folder / DRAFT).write_bytes(b"\xff\xfe")

    with pytest.raises(DraftEdited):
        write_drafts(report(), folder)


def test_a_name_never_leads_out_of_the_folder(report, system, folder):
    """Whatever a system is called."""
    names = ["../../etc/passwd", "/etc/passwd", "..", "a/../b", "review", ".hidden", "x\0y", "CON"]
    written = write_drafts(report(*[system(system=name) for name in names]), folder)

    assert len(written) == len(names) + 1
    assert {path.parent for path in written} == {folder}


def test_a_stamp_knows_its_text_from_another():
    """Any change of any line shows."""
    text = "# one\nx = 1\n"
    stamped = stamp(text, after_line=1)

    assert stamped.splitlines()[0::2] == ["# one", "x = 1"]
    assert is_untouched(stamped)
    assert not is_untouched(stamped.replace("x = 1", "x = 2"))
    assert not is_untouched(stamped.replace("# one", "# two"))
    assert not is_untouched(text)
