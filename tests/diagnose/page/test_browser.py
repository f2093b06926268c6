"""The page in a real browser: what a reader clicks and types does what it should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from dam_obs.diagnose.page import render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

EVIL = "</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture
def dump(tmp_path: Path):
    """Open a page in Chromium, and return its document when all has run."""

    def open_page(source: str, fragment: str = "", *options: str) -> str:
        path = tmp_path / "page.html"
        path.write_text(source, encoding="utf-8")
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
        done = subprocess.run(
            [
                CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                *quiet,
                f"--user-data-dir={tmp_path / 'profile'}",
                "--window-size=1440,1000",
                "--virtual-time-budget=2000",
                *options,
                "--dump-dom",
                f"{path.as_uri()}{fragment}",
            ],
            capture_output=True,
            timeout=90,
            check=True,
        )
        return done.stdout.decode()

    return open_page


@pytest.fixture
def drive(dump):
    """Run a script as the reader's hands, and return what it told; the policy, which forbids it, is taken out."""

    def run(source: str, script: str):
        source = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", source)
        hands = f"""<script>
            const byId = (id) => document.getElementById(id);
            const key = (name) => byId("flame-graph").dispatchEvent(new KeyboardEvent("keydown", {{key: name}}));
            const frame = (name) => [...document.querySelectorAll(".frame")].find((it) => it.textContent === name);
            const press = (it) => it.dispatchEvent(new MouseEvent("click", {{bubbles: true}}));
            const type = (text) => {{
              byId("flame-search").value = text;
              byId("flame-search").dispatchEvent(new Event("input"));
            }};
            const matched = () => [byId("flame-matched").textContent, document.querySelectorAll(".frame-match").length];
            const details = () => byId("flame-details").textContent.split(" ")[0];
            window.addEventListener("load", async () => {{
              const told = [];
              {script}
              const note = document.createElement("pre");
              note.id = "told";
              note.textContent = JSON.stringify(told);
              document.body.append(note);
            }});
        </script></body>"""
        document = dump(source.replace("</body>", hands))
        return json.loads(unescape(re.search(r'<pre id="told">(.*?)</pre>', document, re.DOTALL)[1]))

    return run


def drawn(document: str) -> list[str]:
    """Return the labels of the frames that are drawn."""
    graph = re.search(r'<div id="flame-graph".*?</div>', document, re.DOTALL)[0]
    return re.findall(r"<text[^>]*>([^<]*)</text>", graph)


class TestFlameGraph:
    def test_is_drawn_under_the_policy(self, report, dump):
        """The page's own script runs although nothing else may, and draws all frames."""
        assert sorted(drawn(dump(render_page(report())))) == ["System", "all executions", "rest", "work"]

    def test_address_tells_zoom_and_search(self, report, dump):
        """A shared address shows what the sender saw."""
        document = dump(render_page(report()), "#flame=2&search=work")
        assert "rest" not in drawn(document)
        assert "Matched 70.0% of the samples" in document

    def test_click_zooms_and_reset_undoes_it(self, report, drive):
        """A frame that is clicked takes the whole width; the others go."""
        told = drive(
            render_page(report()),
            """press(frame("work")); told.push(details(), !frame("rest"), location.hash);
               byId("flame-reset").click(); told.push(!!frame("rest"), location.hash, byId("flame-reset").disabled);""",
        )
        assert told == ["work", True, "#flame=2", True, "#flame", True]

    def test_keys_move_zoom_and_leave(self, report, drive):
        """All that the mouse can, the keyboard can."""
        told = drive(
            render_page(report()),
            """for (const way of ["Down", "Down", "Right", "Left", "Up", "Down"]) {
                 key("Arrow" + way); told.push(details());
               }
               key("Enter"); told.push(details());
               told.push(!frame("rest")); key("Escape"); told.push(details(), !!frame("rest"));""",
        )
        steps = ["demo:System", "work", "rest", "work", "demo:System", "work", "work"]
        assert told == [*steps, True, "demo:System", True]

    def test_search_counts_nested_matches_once(self, report, frame, drive):
        """A frame below another match adds nothing to the share."""
        nested = frame("all", 10, [frame("read", 6, [frame("read", 5)]), frame("write", 4)])
        told = drive(
            render_page(report(flame=nested)),
            """type("READ"); told.push(...matched()); type(""); told.push(...matched());""",
        )
        assert told == ["Matched 60.0% of the samples", 2, "", 0]

    def test_narrow_frames_are_not_drawn_until_zoomed(self, report, frame, drive):
        """Thousands of hairs cost nothing, and are there when they are wide enough."""
        hairs = [frame(f"hair_{place}", 100) for place in range(500)]
        told = drive(
            render_page(report(flame=frame("all", 1_050_000, [frame("big", 1_000_000), frame("thin", 50_000, hairs)]))),
            """told.push(document.querySelectorAll(".frame").length);
               press(frame("thin")); told.push(document.querySelectorAll(".frame").length);""",
        )
        assert told == [3, 502]

    def test_names_are_text(self, report, frame, drive):
        """A name that is markup is shown as it is."""
        told = drive(
            render_page(report(flame=frame(EVIL, 3))),
            """told.push(byId("flame-details").textContent.includes("<img src=x"));
               told.push(document.images.length, document.title);""",
        )
        assert told == [True, 0, "demo.py – dam-obs report"]


class TestOverview:
    def test_sorts_by_the_heading_that_is_clicked(self, report, system, drive):
        """Figures start with the largest, names with A; a second click turns it round; the unknown stay last."""
        systems = [
            system(system="demo:B", on_cpu_share=0.5),
            system(system="demo:C", on_cpu_share=None),
            system(system="demo:A", on_cpu_share=0.1),
        ]
        told = drive(
            render_page(report(systems=systems)),
            """const all = (selector) => [...document.querySelectorAll(selector)];
               const names = () => all("#overview tbody th a").map((it) => it.textContent).join("");
               const heading = (name) => all(".sort").find((it) => it.textContent === name);
               for (const name of ["On CPU", "On CPU", "System"]) {
                 heading(name).click();
                 told.push(names(), heading(name).closest("th").getAttribute("aria-sort"));
               }
               told.push(document.querySelectorAll("[aria-sort]").length);""",
        )
        assert told == ["BAC", "descending", "ABC", "ascending", "ABC", "ascending", 1]


class TestTheme:
    @pytest.mark.parametrize(("preferred", "paper"), [(0, "rgb(21, 24, 27)"), (1, "rgb(255, 255, 255)")])
    def test_follows_the_system(self, report, dump, preferred, paper):
        """Without a choice the page is as dark as the desktop."""
        source = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render_page(report()))
        tell = "<script>document.title = getComputedStyle(document.body).backgroundColor</script></body>"
        document = dump(source.replace("</body>", tell), "", f"--blink-settings=preferredColorScheme={preferred}")
        assert f"<title>{paper}</title>" in document

    def test_choice_wins(self, report, drive):
        """The button changes the theme, says what it would change to, and the choice is kept."""
        told = drive(
            render_page(report()),
            """const offered = byId("theme").textContent;
               byId("theme").click();
               told.push(byId("theme").textContent !== offered);
               told.push(document.documentElement.dataset.theme === offered.toLowerCase());
               told.push(localStorage.getItem("dam-obs-theme") === offered.toLowerCase());""",
        )
        assert told == [True, True, True]


@pytest.mark.parametrize(
    "intruder",
    [
        "<script>document.title='owned'</script>",
        "<img src=x onerror=\"document.title='owned'\">",
        "<svg onload=\"document.title='owned'\"></svg>",
    ],
)
def test_policy_stops_what_should_get_in(report, dump, intruder):
    """Even if a name got out of its place one day, nothing of it would run."""
    document = dump(render_page(report()).replace("</main>", f"{intruder}</main>"))
    assert intruder.split("=")[0][:4] in document
    assert "<title>demo.py – dam-obs report</title>" in document


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_page_is_never_wider_than_the_window(example, drive, width):
    """Only tables scroll sideways, each in its own box."""
    told = drive(
        render_page(example),
        f"""const window = document.createElement("iframe");
            window.style.width = "{width}px";
            const still = document.documentElement.outerHTML.replace(/<script[^]*?<[/]script>/g, "");
            window.srcdoc = "<!doctype html>" + still;
            const loaded = new Promise((done) => window.addEventListener("load", done));
            document.body.append(window);
            await loaded;
            told.push(window.contentDocument.documentElement.scrollWidth);""",
    )
    assert told[0] <= width
