"""The page is one file that says what the report says, whatever the names in it are."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser

import pytest

from dam_obs.diagnose.page import render_page
from dam_obs.diagnose.page.render import TEMPLATES
from dam_obs.diagnose.report import (
    Absent,
    DeviceBytes,
    FileUse,
    HotStack,
    InferredTrait,
    Peer,
    Point,
    Prediction,
    Process,
    StackFrame,
)
from dam_obs.diagnose.report_where import AwaitedPlace

VOID = {"meta", "link", "input", "img", "br", "hr"}

HOSTILE = {
    "markup": "</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "comment": "--><!--",
    "template": "{{ 7 * 7 }}{% raw %}",
    "control": "a\x00b\x1b[2J\x07",
    "override": "\u202egnp.exe\u2066",
    "separator": "\u2028alert(1)",
    "entity": "&lt;b&gt;&#x27;",
    "long": "n" * 10_000,
    "emoji": "🧪👩\u200d🚀",
    "empty": "",
}


class Page(HTMLParser):
    """A page taken apart: its elements, what is in scripts and styles, and the text outside of them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._open: list[str] = []
        self.mismatched: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.text += " "
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag in self.raw:
            self.raw[tag].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.mismatched.append(tag)

    def handle_data(self, data):
        if self._open and self._open[-1] in self.raw:
            self.raw[self._open[-1]][-1] += data
        else:
            self.text += data

    def having(self, tag=None, **attributes):
        """Return the attributes of all elements of this kind."""
        return [
            found
            for name, found in self.elements
            if tag in (None, name) and all(found.get(key) == value for key, value in attributes.items())
        ]


def page(report):
    return Page(render_page(report))


def words(parsed):
    """Return the text as a reader sees it: blanks are one."""
    return " ".join(parsed.text.split())


def hostile_report(report, system, quality, frame, name):
    """Make a report in which everything that a host can name is named `name`."""
    whole = system(
        system=f"mod:{name}",
        layer=name,
        operation=name,
        features=[name],
        samples=2,
        by_status={name: 3},
        devices=[DeviceBytes(device=name, direction="read", pool=name, bytes=1, layer="block", executions=1)],
        files=[FileUse(path=name, direction="write", executions=1, device=name, mount=name)],
        peers=[Peer(address=name, pool=name, executions=1)],
        processes=[Process(name=name, pool=name, executions=1)],
        awaited=[
            AwaitedPlace(
                kind="sleep",
                what=name,
                by=name,
                file=name,
                line=1,
                wait_ns=1,
                share=1.0,
                times=1,
                executions=1,
                about=[name],
            )
        ],
        hot_stacks=[HotStack(frames=[StackFrame(function=name, file=name, line=1)], samples=2)],
        traits=[
            InferredTrait(
                trait=name, arguments={name: name, "pool_path": name}, confidence=0.9, evidence=[name], rival=name
            )
        ],
        points=[
            Point(handle=name, duration_ns=1000 * place, status=name, features={name: kind})
            for place, kind in enumerate((name, "other"), start=1)
        ],
        errors={name: 1},
        source_file=name,
        source_line=1,
        source_function=name,
        command_type=name,
    )
    return report(
        systems=[whole, system(system=name)],
        run_id=name,
        command=name,
        started=name,
        faults={name: 1},
        quality=quality(
            reasons=[name], sampler=name, privilege=name, absent=[Absent(evidence=name, why=name, remedy=name)]
        ),
        flame=frame(name, 3, [frame(name, 3)]),
    )


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
class TestHostileNames:
    def test_structure_is_that_of_a_plain_name(self, report, system, quality, frame, name):
        """A name adds no element and no attribute, wherever the report has it."""
        hostile = page(hostile_report(report, system, quality, frame, name))
        plain = page(hostile_report(report, system, quality, frame, "plain"))

        def shape(parsed):
            # A chart has as many elements as it has marks, and an empty text may leave its note out.
            return {(tag, *sorted(found)) for tag, found in parsed.elements}

        assert hostile.mismatched == []
        assert shape(hostile) - shape(plain) == set()
        assert len(hostile.raw["script"]) == len(plain.raw["script"])

    def test_flame_data_is_json(self, report, system, quality, frame, name):
        """The data island holds the names, made safe to show."""
        hostile = page(hostile_report(report, system, quality, frame, name))
        data = json.loads(hostile.raw["script"][-3])
        assert data["samples"] == [3, 3]
        assert not any(ord(character) < 32 or character in "\u202e\u2066\u2028" for character in data["names"][0])

    def test_can_be_written(self, report, system, quality, frame, name):
        """The page is text that UTF-8 can hold, without control characters, and bounded."""
        source = render_page(hostile_report(report, system, quality, frame, name))
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", source)
        assert len(source.encode()) < 200_000


class TestPolicy:
    def test_names_the_very_scripts_and_styles(self, report):
        """Each inline script and style is allowed by its own hash; nothing else is."""
        parsed = page(report())
        policy = parsed.having("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]

        def hashes(contents):
            digests = [hashlib.sha256(content.encode()).digest() for content in contents]
            return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

        kinds = [found.get("type") for tag, found in parsed.elements if tag == "script"]
        code = [content for kind, content in zip(kinds, parsed.raw["script"], strict=True) if kind is None]
        assert policy == (
            f"default-src 'none'; style-src {hashes(parsed.raw['style'])}; script-src {hashes(code)}; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        )

    def test_asks_for_nothing(self, report):
        """No element points outside of the file."""
        for tag, found in page(report()).elements:
            for name in ("src", "href", "action", "data", "xlink:href", "poster"):
                assert (found.get(name) or "#").startswith(("#", "data:")), (tag, found)
        assert "url(" not in render_page(report())
        assert "@import" not in render_page(report())

    def test_has_no_code_in_attributes(self, report):
        """Neither handlers nor styles stand in attributes: the policy would refuse them."""
        names = {name for _, found in page(report()).elements for name in found}
        assert not [name for name in names if name.startswith("on") or name == "style"]


class TestQuality:
    def test_stands_before_the_systems(self, report):
        """How far to trust the page comes before what it says."""
        sections = [found["id"] for found in page(report()).having("section")]
        assert sections == ["quality", "systems", "system-1", "flame", "processes", "reading"]

    def test_says_all_counts(self, report, quality):
        """Rate, samples taken, claimed, unclaimed, late, failed, and what was lost."""
        text = words(
            page(
                report(
                    quality=quality(
                        executions=1374,
                        executions_dropped=5,
                        lines_skipped=2,
                        samples_late=7,
                        samples_failed=9,
                        clock_residual_ns=34_700,
                    )
                )
            )
        )
        for said in (
            "Executions 1,374",
            "Executions dropped 5",
            "Lines skipped 2",
            "Sampler py-spy 0.4.3 privilege: root",
            "Sampling rate 98 Hz 100 Hz asked",
            "Samples 1,000",
            "Claimed 900 90% inside executions",
            "Unclaimed 100 10% given to no system",
            "Late 7",
            "Failed 9",
            "Clock residual 34.7 µs",
        ):
            assert said in text

    @pytest.mark.parametrize(
        ("verdict", "plain"),
        [
            ("usable", "good enough to write traits from"),
            ("weak", "some of the evidence is thin"),
            ("refuse", "must not be used"),
        ],
    )
    def test_verdict_is_told_in_words(self, report, quality, verdict, plain):
        """The verdict is a word, a sentence and its reasons; not a colour alone."""
        text = words(page(report(quality=quality(verdict=verdict, reasons=["the sampler fell behind"]))))
        assert f"{verdict} {'The' if verdict != 'weak' else 'Read'}" in text
        assert plain in text
        assert "the sampler fell behind" in text

    def test_absent_evidence_says_why_and_what_to_do(self, report, quality):
        """Each kind of evidence that is missing has its reason and its way out."""
        absent = Absent(evidence="block_io", why="the kernel does not count it", remedy="switch it on")
        text = words(page(report(quality=quality(absent=[absent]))))
        assert "block_io the kernel does not count it To have it: switch it on" in text

    def test_without_a_sampler_nothing_is_zero(self, report, quality):
        """What was not measured says so."""
        unsampled = dict.fromkeys(
            ("sampler", "rate_asked_hz", "rate_reached_hz", "samples", "samples_claimed", "samples_unclaimed")
        )
        unsampled |= {"samples_failed": None, "samples_late": None}
        text = words(page(report(quality=quality(**unsampled))))
        for label in ("Sampling rate", "Samples", "Claimed", "Unclaimed", "Late", "Failed", "Clock residual"):
            assert f"{label} not measured" in text


class TestSystems:
    def test_rows_lead_to_their_sections(self, report, system):
        """Each system of the overview has a section, in the same order."""
        parsed = page(report(systems=[system(), system(system="demo:Other")]))
        ids = {found["id"] for found in parsed.having("section")}
        links = [found["href"] for found in parsed.having("a") if (found["href"] or "").startswith("#system-")]
        assert links == ["#system-1", "#system-2"]
        assert {link[1:] for link in links} <= ids

    def test_parts_of_time_fill_the_bar(self, report):
        """The stacked bar's parts follow each other and add up to the whole."""
        rects = [found for found in page(report()).having("rect") if (found.get("class") or "").startswith("fill-")]
        bar = [(found["class"], found["x"], found["width"]) for found in rects if "x" in found][:3]
        assert bar == [
            ("fill-on-cpu", "0.0%", "25.0%"),
            ("fill-awaiting", "25.0%", "50.0%"),
            ("fill-other", "75.0%", "25.0%"),
        ]

    def test_part_that_was_not_measured_says_so(self, report):
        """No figure stands for what nobody counted."""
        text = words(page(report()))
        assert "block I/O not measured" in text
        assert "run queue 0% 0 ns" in text
        assert "Not measured, and so inside other: block I/O." in text

    def test_projected_figures_say_so(self, report, system):
        """Where counters were read of some executions only, the page says of how many."""
        plain = system()
        disk = DeviceBytes(
            device="vda", direction="read", pool="disk/read/vda", bytes=2048, layer="block", executions=3, counted=1
        )
        some = system(time=plain.time.model_copy(update={"counted": 2}), devices=[disk])
        text = words(page(report(systems=[some])))
        assert "Run queue and block I/O are projected from 2 of 3 executions, whose counters were read." in text
        assert "vda read disk/read/vda 2 KiB at the device, in 1 3" in text

    def test_causes_of_waiting_are_named(self, report, system):
        """Where bpftrace watched, the page says what other is made of, the longest first; else nothing of it."""
        plain = system()
        causes = {"futex": plain.time.wall_ns // 10, "sleep": plain.time.wall_ns // 4, "held": 0}
        some = system(time=plain.time.model_copy(update={"causes": causes}))
        assert "Of the wall time, seen in other: sleep 25%, locks 10%." in words(page(report(systems=[some])))
        none = system(time=plain.time.model_copy(update={"causes": {}}))
        assert "In other no cause of waiting was seen." in words(page(report(systems=[none])))
        assert "seen in other" not in words(page(report(systems=[plain])))

    def test_doubtful_trait_is_marked_in_words(self, report, system):
        """Below the bound a trait says that it would be drafted as a comment."""
        sure = InferredTrait(trait="IOBoundTrait", arguments={}, confidence=0.9, evidence=["It waited."], rival=None)
        doubted = InferredTrait(
            trait="ResourceUsageTrait",
            arguments={"pool_path": "cpu", "amount": 1},
            confidence=0.4,
            evidence=["It computed a little."],
            rival="It may be the interpreter.",
        )
        text = words(page(report(systems=[system(traits=[sure, doubted])])))
        assert "IOBoundTrait() confidence 90% It waited." in text
        assert "ResourceUsageTrait(pool_path='cpu', amount=1) confidence 40%: doubtful, drafted as a comment" in text
        assert "Other reading: It may be the interpreter." in text
        assert "ResourceUsage ? (doubtful)" in text

    def test_cost_model_says_how_good_it_is(self, report, system, cost):
        """Expression, error, bias, rate of under-estimates, range, warnings and what else was tried."""
        law = cost(
            family="linear",
            features=["size"],
            coefficients={"intercept": 1.0, "slope": 2.0},
            expression="3.1 + 0.0021 * size",
            quantile_factor=1.17,
            executions=42,
            held_out=Prediction(mdape=0.049, bias=-0.01, under_rate=0.087),
            valid_range={"size": (1_370, 2_810_000)},
            warnings=["one machine only"],
            rejected=["power in size: off by 40.0%"],
        )
        text = words(page(report(systems=[system(cost=law)])))
        for said in (
            "3.1 + 0.0021 * size ms linear in size",
            "For the 90% quantile × 1.17",
            "Error on unseen executions 4.9%",
            "Bias -1% it under-estimates",
            "Under-estimated 8.7%",
            "Fitted to 42 executions",
            "Seen for size 1.37k to 2.81M",
            "one machine only",
            "power in size: off by 40.0%",
        ):
            assert said in text

    def test_constant_cost_says_why(self, report, system, cost):
        """A cost that stayed constant has its reason under the chart."""
        law = cost(warnings=["only 3 successful executions, less than 20: the cost stays constant"])
        text = words(page(report(systems=[system(cost=law)])))
        assert "The cost stayed constant: only 3 successful executions, less than 20." in text

    def test_numbers_that_are_none_do_not_break_it(self, report, system, cost):
        """A report with NaN, made by a rule of a plugin, is still a page."""
        nan = float("nan")
        trait = InferredTrait(trait="OddTrait", arguments={"x": nan}, confidence=nan, evidence=[], rival=None)
        odd = cost(
            coefficients={"intercept": nan},
            quantile_factor=nan,
            held_out=Prediction(mdape=nan, bias=nan, under_rate=nan),
            valid_range={"size": (nan, nan)},
        )
        text = words(page(report(systems=[system(traits=[trait], cost=odd, concurrency_mean=nan, on_cpu_share=nan)])))
        assert "confidence –: doubtful" in text

    def test_without_systems_says_what_to_do(self, report):
        """An empty run has a page, too, and it shows the way on."""
        text = words(page(report(systems=[], flame=None)))
        assert "No execution of any system was recorded." in text
        assert "dam-obs points attach-report" in text


class TestFlame:
    def test_without_stacks_says_why(self, report, quality):
        """Where there is no flame graph, the reason and the way out stand in its place."""
        absent = Absent(evidence="stacks", why="ptrace is refused", remedy="run as root")
        parsed = page(report(flame=None, quality=quality(absent=[absent])))
        assert "No stacks. ptrace is refused. To have them: run as root." in words(parsed)
        assert parsed.having("script", id="flame-data") == []


class TestAccess:
    def test_table_headings_have_a_scope(self, report, example):
        """A reader who hears a table knows which heading a cell belongs to."""
        assert {found.get("scope") for found in page(example).having("th")} == {"col", "row"}

    def test_drawings_have_a_name_or_are_hidden(self, example):
        """An SVG says what it shows, or is decoration and says nothing."""
        for found in page(example).having("svg"):
            named = found.get("role") == "img" and found.get("aria-label")
            assert named or found.get("aria-hidden") == "true" or found.get("class") == "swatch"

    def test_ids_are_unique(self, example):
        """Every link and label leads to one place."""
        ids = [found["id"] for _, found in page(example).elements if "id" in found]
        assert len(ids) == len(set(ids))

    def test_headings_skip_no_level(self, example):
        """The outline has no holes."""
        levels = [int(tag[1]) for tag, _ in page(example).elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))

    @pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
    @pytest.mark.parametrize("ground", ["paper", "wash"])
    @pytest.mark.parametrize("ink", ["ink", "ink-soft", "link", "success", "blocked", "error", "caution"])
    def test_text_can_be_read(self, theme, ground, ink):
        """Every colour that text has stands out from what it may stand on: 4.5 to 1, in both themes."""
        assert contrast(colour(ink, theme), colour(ground, theme)) >= 4.5

    @pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
    @pytest.mark.parametrize("fill", ["root", "match", *"012345"])
    def test_frames_can_be_read(self, theme, fill):
        """So does the name of a frame on its fill."""
        assert contrast(colour("ink", theme), colour(f"flame-{fill}", theme)) >= 4.5


def test_same_report_same_page(example):
    """Nothing in a page depends on when or where it is made."""
    assert render_page(example) == render_page(example)


def colour(name, theme):
    """Return a colour of the style sheets, for light (0) or dark (1), as three numbers."""
    styles = "".join(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.css")))
    pair = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", styles)
    return [int(pair[theme + 1][place : place + 2], 16) for place in (1, 3, 5)]


def contrast(one, other):
    """Return the contrast ratio of two colours, as WCAG figures it."""

    def luminance(parts):
        linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
