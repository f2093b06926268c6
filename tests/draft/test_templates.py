"""Templates: dam-obs's own, and what a plugin may put in their place."""

from __future__ import annotations

import pytest

from dam_obs import plugins
from dam_obs.draft.builtin import TEMPLATES
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.templates import DRAFT, REVIEW, plugin_folders
from dam_obs.draft.write import draft_source, make_drafts
from dam_obs.hookspecs import hookimpl

OWN = (TEMPLATES / DRAFT).read_text()


@pytest.fixture
def brought(tmp_path):
    """Write a template as a plugin would bring it, and return its folder."""

    def bring(text, name=DRAFT):
        (tmp_path / name).write_text(text)
        return [tmp_path]

    return bring


def test_a_plugins_template_comes_before_the_built_in_one(system, brought):
    """Shape is the template's business."""
    folders = brought(OWN.replace("Predict what one execution takes.", "What our scheduler needs."))

    assert "What our scheduler needs." in draft_source(system(), "run-7", templates=folders)
    assert "What our scheduler needs." not in draft_source(system(), "run-7")


def test_a_plugins_template_for_the_review_comes_before_the_built_in_one(report, brought):
    """The same for the review."""
    folders = brought("{% for system in systems %}{{ system.name }} {{ system.p50 }}{% endfor %}\n", REVIEW)

    page = make_drafts(report(), templates=folders).review
    assert page.splitlines()[1:] == ["`asset_pipeline.systems:ExtractMember` 18 ms"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("return [", "print(cmd)\n        return [", "a statement other than an assignment"),
        ("import math", "import os", "a statement that a draft has no use for"),
        ("from __future__", "import os\nfrom __future__", "a statement that a draft has no use for"),
        ("return [", "return [  # type: ignore", "a comment that instructs a tool"),
        ("return [", "return", "not valid Python"),
        ("{{ class_name }}", "{{ nothing_like_it }}", "'nothing_like_it' is undefined"),
        ("{{ class_name }}", "{{ ''.__class__.__mro__ }}", "SecurityError|undefined|unsafe"),
        ("{{ class_name }}", "{{ docstring.append('x') }}", "SecurityError|unsafe"),
        ("{{ class_name }}", "{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ class_name }}", "{{ 1 + 'a' }}", "TypeError"),
        ("{{ class_name }}", "{{", "TemplateSyntaxError"),
        ("{{ class_name }}", "{% include '/etc/passwd' %}", "TemplateNotFound"),
    ],
)
def test_what_a_template_makes_must_be_a_draft(system, brought, old, new, why):
    """The check is the same for all, and a broken template says what is wrong with it."""
    constant = system(cost=system().cost.model_copy(update={"family": "nlogn"}))
    assert old in OWN

    with pytest.raises(DraftRefused, match=why):
        draft_source(constant, "run-7", templates=brought(OWN.replace(old, new, 1)))


def test_the_built_in_folder_comes_through_the_hook():
    """No private door."""
    assert plugin_folders()[-1] == TEMPLATES


@pytest.mark.parametrize("bring", [lambda folder: folder, lambda folder: [folder], lambda folder: iter([folder]), str])
def test_dam_obs_draft_templates(monkeypatch, tmp_path, bring):
    """A plugin brings one folder or several; they are searched before the built-in one."""

    class Plugin:
        @hookimpl
        def dam_obs_draft_templates(self):
            return bring(tmp_path)

    manager = plugins.DamPluginManager()
    manager.register(__import__("dam_obs.draft.builtin", fromlist=["builtin"]))
    manager.register(Plugin())
    monkeypatch.setattr("dam_obs.draft.templates.plugin_manager", lambda side: manager)

    assert plugin_folders() == [tmp_path, TEMPLATES]
