"""``dam-obs draft --prompt``, ``--llm`` and ``--answer``."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs.cli import main
from dam_obs.draft.assist import contest
from dam_obs.draft.builtin import TEMPLATES
from dam_obs.draft.stamp import is_untouched
from dam_obs.store.runs import RUNS, RunFolder

SYSTEM = "shop.work:Pack"
LIFTED = "max(0.02 * cmd.size, 3 * cmd.count) * 1.08"
SOURCE = '''\
"""Pack what was ordered."""


class PackCommand:
    pass


class Pack:
    def __call__(self, cmd):
        return 1
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory, write_planted):
    """A run, written once."""
    return write_planted(tmp_path_factory.mktemp("made") / "run")


@pytest.fixture
def run(tmp_path, monkeypatch, made):
    """The run below the current folder, which has the system's source."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(RUNS / "20260113-140000-4321")
    shutil.copytree(made.path, folder.path)
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "shop" / "work.py").write_text(SOURCE)
    return folder


@pytest.fixture
def good(models, install, saying):
    """A model that has understood the work."""
    model = models.scripted(models.saying(saying(LIFTED)))
    install(model)
    return model


@pytest.fixture
def mediocre(models, install, saying):
    """A model that says what the template says, a little otherwise."""
    install(models.scripted(models.saying(saying("180 + 0.0001 * cmd.size"))))


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_prompt_is_printed_and_is_what_a_model_is_asked(run, good, capsys):
    """To the letter; nothing is asked for it."""
    assert main(["draft", "--prompt"]) == 0
    printed = capsys.readouterr().out
    assert good.asked == []

    assert main(["draft", "--llm", "shop-model-1", "--stdout"]) == 0
    assert good.asked == [printed]
    assert printed.startswith("You improve one formula.")


def test_the_system_can_be_named_behind_the_run(run, capsys):
    """By the last part of its name; another is an error with those that there are."""
    assert main(["draft", run.path.name, "Pack", "--prompt"]) == 0
    assert '"system": "shop.work:Pack"' in capsys.readouterr().out

    assert main(["draft", run.path.name, "Pakc", "--prompt"]) == 2
    assert "no system Pakc in the report" in capsys.readouterr().err


def test_a_prompt_is_as_long_as_it_may_be(run, capsys):
    """In bytes."""
    assert main(["draft", "--prompt", "--prompt-bytes", "8000"]) == 0
    assert 5_000 < len(capsys.readouterr().out.encode()) <= 8_000
    assert main(["draft", "--prompt", "--prompt-bytes", "100"]) == 2


def test_what_wins_is_drafted_with_who_wrote_it(run, good, capsys):
    """Into the run's folder, stamped as every draft, with the figures in the docstring."""
    assert main(["draft", "--llm", "shop-model-1"]) == 0

    told = capsys.readouterr()
    assert "Accepted: it is nearer to 80 executions that neither draft had seen." in told.err
    assert [line.split()[0] for line in told.err.splitlines()[1:3]] == ["template", "the"]
    text = (run.drafts / "shop_work_Pack.py").read_text()
    assert f"time_ms=max(1, round({LIFTED}))" in text
    assert "time_ms was written by the model shop-model-1 and not by a rule" in text
    assert "80 executions were held out." in text
    assert is_untouched(text)
    assert files_below(run.drafts) == ["review.md", "shop_work_Pack.py"]
    assert "by the model shop-model-1" in (run.drafts / "review.md").read_text()


def test_what_wins_goes_into_the_source_and_is_replaced_by_the_next_draft(run, good, tmp_path, capsys):
    """As any draft does: marked, and not taken for a person's work."""
    source = tmp_path / "src" / "shop" / "work.py"
    assert main(["draft", "--llm", "shop-model-1", "--write"]) == 0
    assert f"time_ms=max(1, round({LIFTED}))" in source.read_text()
    assert "# Drafted by dam-obs, sha256" in source.read_text()

    assert main(["draft", "--write"]) == 0
    assert LIFTED not in source.read_text()


def test_what_wins_is_printed_as_a_patch(run, good, capsys):
    """The patch alone is on standard output, and git takes it."""
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    assert main(["draft", "--llm", "shop-model-1", "--patch"]) == 0

    patch = capsys.readouterr().out
    assert patch.startswith("diff --git ")
    subprocess.run(["git", "apply", "--check", "-"], input=patch.encode(), check=True)


def test_the_review_says_that_a_person_must_read_it(run, good, capsys):
    """First of all, and with the figures of both drafts; none of the report's own law is left."""
    assert main(["draft", "--llm", "shop-model-1", "--review"]) == 0

    page = capsys.readouterr().out
    warnings = page[page.index("## Warnings") : page.index("## Systems")]
    assert "a person must read it before it is used" in warnings
    assert "80 executions were held out" in warnings
    assert "That of the template's draft is" in warnings
    (row,) = [line for line in page.splitlines() if line.startswith("| `shop.work:Pack`")]
    assert "by the model shop" in row
    assert f"max(1, round({LIFTED}))" in page
    assert ".svg" not in page


def test_what_loses_is_rejected_with_the_figures_and_nothing_is_written(run, mediocre, tmp_path, capsys):
    """Exit status 1, in every mode; the source and the drafts that were there stay as they are."""
    main(["draft"])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()

    for mode in ([], ["--write"], ["--patch"], ["--review"], ["--stdout"]):
        assert main(["draft", "--llm", "shop-model-1", *mode]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert "Rejected, what the model shop-model-1 wrote; the template's draft stays." in told.err
        assert "Its median error is" in told.err
        assert "ExecutionCostTrait(priority=100, time_ms=max(1, round(180 + 0.0001 * cmd.size)))," in told.err
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: content for path, content in after.items() if "llm" not in path.parts} == before


def test_a_rejected_draft_is_shown_whatever_its_template_is_like(run, mediocre, tmp_path, monkeypatch, capsys):
    """A plugin's may write no docstring."""
    text = (TEMPLATES / "draft.py.jinja").read_text()
    start, end = text.index('        """\n'), text.rindex('        """\n') + len('        """\n')
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "draft.py.jinja").write_text(text[:start] + text[end:])
    monkeypatch.setattr(contest, "plugin_folders", lambda: [tmp_path / "templates"])

    assert main(["draft", "--llm", "shop-model-1"]) == 1
    shown = [line.strip() for line in capsys.readouterr().err.splitlines() if line.startswith("  |")]
    assert shown == [
        "|         return [",
        "|             ExecutionCostTrait(priority=100, time_ms=max(1, round(180 + 0.0001 * cmd.size))),",
        "|         ]",
    ]


def test_json_says_what_came_of_it(run, good, models, install, capsys):
    """Beside what was written, or alone where it was rejected."""
    assert main(["draft", "--llm", "shop-model-1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [Path(each["file"]).name for each in document["files"]] == ["shop_work_Pack.py", "review.md"]
    assist = document["assist"]
    assert (assist["accepted"], assist["author"], assist["held_out"]) == (True, "the model shop-model-1", 80)
    assert assist["assisted"]["mdape"] < assist["template"]["mdape"]
    assert assist["gain"]["low"] > 0

    assert main(["draft", "--llm", "shop-model-1", "--write", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["assist"]["accepted"] is True

    install(models.scripted(models.saying("I cannot help with that."), "shy"))
    assert main(["draft", "--llm", "shy", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["schema_version", "assist"]
    assert document["assist"]["why_not"] == ["The answer has no code with calculate_traits in it."]
    assert (document["assist"]["template"], document["assist"]["source"]) == (None, None)


HOSTILE = {
    "code that is more than a calculation": "    import os\n        return []",
    "escape sequences for the terminal": "    x = '\x1b[2J'\n        return []",
    "a system of another name": "",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_answer_harms_nobody(run, models, install, head, capsys, what):
    """It is refused with a reason in plain characters."""
    other = head.replace("class Pack:", "class \u202eOther:") + "        return []"
    body = f"{head}    {HOSTILE[what]}" if HOSTILE[what] else other
    install(models.scripted(models.saying(f"```python\n{body}\n```")))

    assert main(["draft", "--llm", "shop-model-1", "--write"]) == 1
    told = capsys.readouterr().err
    assert "The answer is not what a draft may contain" in told
    assert all(char == "\n" or char.isprintable() for char in told)


def test_a_model_that_cannot_be_asked_is_an_error(run, models, install, release, capsys):
    """Exit status 2, a line, and nothing is written."""
    install(models.scripted(models.hanging(release)), models.Locked())
    cases = {
        "nope": "llm knows no model nope",
        "locked-1": "`llm keys set acme`",
        "shop-model-1": "took longer than 0.05 s",
    }
    for name, why in cases.items():
        assert main(["draft", "--llm", name, "--llm-timeout", "0.05"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert why in line
    assert not run.drafts.exists()


def test_ctrl_c_while_a_model_thinks_ends_the_command(run, models, install, release):
    """As it does everywhere."""
    install(models.scripted(models.interrupting(release)))

    assert main(["draft", "--llm", "shop-model-1"]) == 130
    assert not run.drafts.exists()


def test_an_answer_can_come_from_a_file_or_a_pipe(run, saying, tmp_path, monkeypatch, capsys):
    """Of whoever was asked with the prompt; the package llm is not needed for it."""
    monkeypatch.setitem(sys.modules, "llm", None)
    (tmp_path / "chat.md").write_text(saying(LIFTED))
    assert main(["draft", "--answer", "chat.md", "--stdout"]) == 0
    assert "written by the author of chat.md" in " ".join(capsys.readouterr().out.split())

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"no code")))
    assert main(["draft", "--answer", "-", "--stdout"]) == 1
    assert "has no code with calculate_traits" in capsys.readouterr().err

    assert main(["draft", "--answer", "missing.md"]) == 2
    assert "missing.md cannot be read" in capsys.readouterr().err


USAGE = [
    ["--prompt", "--llm", "m"],
    ["--prompt", "--write"],
    ["--prompt", "--json"],
    ["--prompt", "--answer", "f"],
    ["--llm", "m", "--answer", "f"],
    ["--llm", "m", "--llm-timeout", "0"],
]


@pytest.mark.parametrize("options", USAGE, ids=" ".join)
def test_options_that_do_not_go_together_are_errors(run, options, capsys):
    """Before anything is read or asked."""
    assert main(["draft", *options]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_it_is_for_one_system(run, capsys):
    """Of several one has to be named."""
    content = json.loads(run.report_json.read_text())
    content["systems"].append(content["systems"][0] | {"system": "shop.work:Send"})
    run.report_json.write_text(json.dumps(content))

    assert main(["draft", "--prompt"]) == 2
    assert "name it with --system, of those with commands (shop.work:Pack, shop.work:Send)" in capsys.readouterr().err
    assert main(["draft", "--prompt", "--system", "Pack"]) == 0


def test_an_installed_plugin_is_found(run, saying, tmp_path):
    """By its entry point, in a process of its own, as users have it."""
    site = tmp_path / "site"
    info = site / "llm_shop-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-shop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[llm]\nshop = llm_shop\n")
    (site / "llm_shop.py").write_text(
        "import llm\n\n\nclass Shop(llm.Model):\n    model_id = 'shop-2'\n\n"
        f"    def execute(self, prompt, stream, response, conversation):\n        yield {saying(LIFTED)!r}\n\n\n"
        "@llm.hookimpl\ndef register_models(register):\n    register(Shop())\n"
    )
    environment = os.environ | {"PYTHONPATH": str(site), "LLM_USER_PATH": str(tmp_path / "llm")}

    done = subprocess.run(
        [sys.executable, "-m", "dam_obs.cli", "draft", "--llm", "shop-2", "--stdout"],
        env=environment,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, "Accepted" in done.stderr) == (0, True), done.stderr
    assert "written by the model shop-2" in done.stdout
