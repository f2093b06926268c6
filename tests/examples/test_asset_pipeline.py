"""The asset pipeline: does what it must show happen, and is its own log true?"""

from __future__ import annotations

import ast
import asyncio
import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PIPELINE = EXAMPLES / "asset_pipeline"

CALLERS = {
    "FolderScanner": {None},
    "AssetIngester": {None},
    "MimeSniffer": {"AssetIngester", "ArchiveUnpacker"},
    "WriteGate": {"AssetIngester"},
    "Validator": {"AssetIngester"},
    "MetadataFetcher": {"AssetIngester"},
    "ArchiveWalker": {"AssetIngester", "ArchiveUnpacker"},
    "ArchiveUnpacker": {"AssetIngester", "ArchiveUnpacker"},
    "MemberExtractor": {"ArchiveUnpacker"},
    "Compressor": {"AssetIngester"},
    "Hasher": {"AssetIngester"},
    "JournalWriter": {"AssetIngester"},
}
"""By which systems each system is called."""


@pytest.fixture
def on_path(monkeypatch):
    """Make the package importable, as for ``python -m asset_pipeline``."""
    monkeypatch.syspath_prepend(str(EXAMPLES))


def name_of(call):
    return call["system"].partition(":")[2]


def python_files():
    return sorted(PIPELINE.rglob("*.py"))


def digest(folder):
    return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*.*")}


class TestCallLog:
    def test_call_ids_are_unique(self, ran):
        """No two calls share an id, and each command carries the id of its call."""
        assert max(Counter(call["call_id"] for call in ran.calls).values()) == 1
        assert [call["fields"]["call_id"] for call in ran.calls] == [call["call_id"] for call in ran.calls]

    def test_each_system_is_called_by_the_systems_that_dispatch_it(self, ran):
        """Every caller is a call of the log, and all ways in which systems call each other occur."""
        names = {call["call_id"]: name_of(call) for call in ran.calls} | {None: None}
        callers = defaultdict(set)
        for call in ran.calls:
            callers[name_of(call)].add(names[call["caller"]])
        assert dict(callers) == CALLERS

    def test_a_call_lies_within_its_caller(self, ran):
        """No system ends before what it called has ended, but for a stream that it left to be closed later."""
        calls = {call["call_id"]: call for call in ran.calls}
        outside = [
            call
            for call in ran.calls
            if (caller := calls.get(call["caller"]))
            and not (caller["start_ns"] <= call["start_ns"] <= call["end_ns"] <= caller["end_ns"])
            and call["exhausted"] is not False
        ]
        assert outside == []

    def test_all_outcomes_occur(self, ran):
        """Systems return, one raises on some inputs, and a gate refuses some; nothing else does."""
        found = {(name_of(call), call["status"], call["error"]) for call in ran.calls}
        assert {each for each in found if each[1] != "ok"} == {
            ("Validator", "raised", "InvalidAsset"),
            ("WriteGate", "refused", None),
        }
        assert {("Validator", "ok", None), ("WriteGate", "ok", None)} <= found

    def test_streams_are_read_to_the_end_and_left_early(self, ran):
        """Both ends of an async generator occur."""
        ends = {call["exhausted"] for call in ran.calls if name_of(call) == "ArchiveWalker"}
        assert ends == {True, False}

    def test_calls_are_nested_deeply(self, ran):
        """An archive in an archive is three archives deep under its asset, and its members are extracted below that."""
        callers = {call["call_id"]: call["caller"] for call in ran.calls}

        def depth(call_id):
            return 0 if call_id is None else 1 + depth(callers[call_id])

        assert max(map(depth, callers)) == 5

    def test_threads_are_those_the_systems_ran_in(self, ran):
        """Coroutines and generators run on the loop's thread, the others elsewhere."""
        threads = defaultdict(set)
        for call in ran.calls:
            threads[name_of(call)].add(call["thread_id"])
        (loop,) = threads["AssetIngester"]
        assert {name for name, ids in threads.items() if ids == {loop}} == {
            "FolderScanner",
            "AssetIngester",
            "WriteGate",
            "MetadataFetcher",
            "ArchiveWalker",
            "ArchiveUnpacker",
            "Compressor",
        }
        assert [name for name, ids in threads.items() if loop in ids and ids != {loop}] == []

    def test_fifty_calls_are_in_flight(self, ran):
        """At times at least 50 commands are in work on the event loop."""
        (loop,) = {call["thread_id"] for call in ran.calls if name_of(call) == "AssetIngester"}
        edges = sorted(
            edge
            for call in ran.calls
            if call["thread_id"] == loop
            for edge in ((call["start_ns"], 1), (call["end_ns"], -1))
        )
        in_flight = most = 0
        for _, step in edges:
            in_flight += step
            most = max(most, in_flight)
        assert most >= 50

    def test_members_to_extract_have_many_sizes(self, ran):
        """Extraction has what a cost model needs: many sizes over two orders of magnitude, each told rightly."""
        extracted = [call["fields"] for call in ran.calls if name_of(call) == "MemberExtractor"]
        sizes = {fields["size"] for fields in extracted}
        assert len(sizes) >= 30
        assert min(sizes) * 100 < max(sizes)
        assert all(Path(fields["target"]).stat().st_size == fields["size"] for fields in extracted)


class TestProgram:
    def test_journal_has_every_asset_once(self, ran):
        """What is reported done was done."""
        journal = (ran.folder / "journal.jsonl").read_text().splitlines()
        assets = {path.relative_to(ran.folder / "corpus").as_posix() for path in ran.folder.glob("corpus/*/*")}
        assert len(journal) == 90
        assert {json.loads(line)["asset"] for line in journal} == assets

    def test_summary_counts_calls(self, ran):
        """The summary's last lines say how many calls there were and where the work is."""
        *_, counts, where = ran.output.splitlines()
        assert counts.startswith(f"{len(ran.calls)} calls in ")
        assert where == f"The work is in {ran.folder}"

    def test_removes_its_temporary_folder(self, tmp_path):
        """Without a folder of the user's, nothing is left but the log that was asked for."""
        log = tmp_path / "log.jsonl"
        (tmp_path / "tmp").mkdir()
        subprocess.run(
            [sys.executable, "-m", "asset_pipeline", "--files", "3", "--log", str(log)],
            check=True,
            capture_output=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(EXAMPLES), "TMPDIR": str(tmp_path / "tmp")},
        )
        assert list((tmp_path / "tmp").iterdir()) == []
        assert log.stat().st_size > 0

    def test_does_not_replace_a_corpus(self, ran):
        """A folder that was worked in before is left alone."""
        command = [sys.executable, str(PIPELINE), "--workdir", str(ran.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        told = f"asset_pipeline: {ran.folder / 'corpus'} exists: name another folder with --workdir\n"
        assert (done.returncode, done.stderr) == (2, told)


class TestCorpus:
    def test_same_seed_gives_same_bytes(self, on_path, tmp_path):
        """Two corpora of one seed are equal byte by byte; another seed gives others."""
        corpus = importlib.import_module("asset_pipeline.corpus")
        made = {name: tmp_path / name for name in ("one", "same", "other")}
        for name, folder in made.items():
            corpus.make_corpus(folder, files=20, seed=8 if name == "other" else 7)
        assert digest(made["one"]) == digest(made["same"])
        assert digest(made["one"]).keys() == digest(made["other"]).keys()
        assert not set(digest(made["one"]).values()) & set(digest(made["other"]).values())

    def test_files_are_what_their_names_say(self, on_path, ran):
        """Texts, images and archives are valid from start to end; noise is nothing known."""
        formats = importlib.import_module("asset_pipeline.formats")
        mimes = {".txt": formats.TEXT, ".png": formats.PNG, ".zip": formats.ZIP, ".bin": formats.UNKNOWN}
        for path in ran.folder.glob("corpus/*/*"):
            mime = formats.mime_of(path.read_bytes()[:512])
            assert mime == mimes[path.suffix]
            if mime != formats.UNKNOWN:
                assert formats.validate(path, mime)

    @pytest.mark.parametrize("files", [1, 40, 900])
    def test_sizes_stay_in_bounds(self, on_path, files):
        """Sizes keep to their bounds and reach over all orders of magnitude between, however many there are."""
        corpus = importlib.import_module("asset_pipeline.corpus")
        sizes = corpus.spread(corpus.random.Random(1), files, 100, 1_000_000)
        assert len(sizes) == files
        assert min(sizes) >= 100
        assert max(sizes) <= 1_000_000
        if files >= 40:
            assert {len(str(size)) for size in sizes} == {3, 4, 5, 6}

    def test_damaged_image_is_refused(self, on_path, ran, tmp_path):
        """One bit in the middle of an image is enough."""
        formats = importlib.import_module("asset_pipeline.formats")
        image = max(ran.folder.glob("corpus/*/*.png"), key=lambda path: path.stat().st_size)
        data = bytearray(image.read_bytes())
        data[len(data) // 2] ^= 1
        damaged = tmp_path / "damaged.png"
        damaged.write_bytes(data)
        with pytest.raises(formats.InvalidAsset, match="damaged"):
            formats.validate(damaged, formats.PNG)


class TestObservedFromOutside:
    def test_imports_the_standard_library_dam_traits_and_itself(self):
        """The source names neither dam_obs nor any other package."""
        names = set()
        for path in python_files():
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add(node.module)
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"asset_pipeline", "dam_traits"}

    def test_runs_without_loading_dam_obs(self, tmp_path):
        """After a run in an interpreter that has dam_obs installed, it has not been imported."""
        program = "import sys; from asset_pipeline.app import main; main(sys.argv[1:]); print('dam_obs' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", program, "--files", "2", "--workdir", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(EXAMPLES)},
        )
        assert done.stdout.splitlines()[-1] == "False"


class TestSystems:
    def test_all_are_registered(self, on_path):
        """Every system of the program is one of the world's, for its own command."""
        systems = importlib.import_module("asset_pipeline.systems")
        assert sorted(each.__name__ for each in systems.SYSTEMS) == sorted(CALLERS)

    def test_pools_that_are_needed_are_limited(self, on_path):
        """Each pool that a system names is one that the program limits."""
        systems = importlib.import_module("asset_pipeline.systems")
        workplace = importlib.import_module("asset_pipeline.workplace")
        needs = {
            trait.pool_path
            for each in systems.SYSTEMS
            if hasattr(each, "calculate_traits")
            for trait in asyncio.run(each.calculate_traits(None, None))
        }
        assert needs == set(workplace.CAPACITIES)
