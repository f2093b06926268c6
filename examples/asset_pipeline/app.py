"""The program: make a corpus, run the pipeline over it, and say what happened."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from dam_traits import World

from asset_pipeline import catalogue
from asset_pipeline.calllog import OK, RAISED, REFUSED, CallLog, Logged
from asset_pipeline.commands import IngestAsset, ScanFolder
from asset_pipeline.corpus import MB, Corpus, make_corpus
from asset_pipeline.results import Asset
from asset_pipeline.systems import SYSTEMS
from asset_pipeline.workplace import CAPACITIES, Catalogue, Workplace

STATUSES = (OK, RAISED, REFUSED)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status."""
    options = _options(argv)
    if shutil.which("gzip") is None:
        print("asset_pipeline: the program gzip is needed and is not on the PATH", file=sys.stderr)
        return 2
    try:
        with _folder(options.workdir, keep=options.keep) as folder:
            _work(folder, options)
    except FileExistsError as error:
        print(f"asset_pipeline: {error.filename} exists: name another folder with --workdir", file=sys.stderr)
        return 2
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("asset_pipeline", description="Ingest a corpus of made-up assets.")
    parser.add_argument("--files", type=_count, default=300, metavar="N", help="how many files (default 300)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed makes the same files")
    parser.add_argument("--workdir", type=Path, metavar="DIR", help="where to work; kept (default: a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder")
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to log calls (default: calls.jsonl there)")
    parser.add_argument(
        "--concurrency", type=_count, default=64, metavar="N", help="assets in work at a time (default 64)"
    )
    return parser.parse_args(argv)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


@contextmanager
def _folder(given: Path | None, *, keep: bool) -> Iterator[Path]:
    """Give the folder to work in; one of our own making is removed afterwards."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="asset-pipeline-"))
    try:
        yield made
    finally:
        if not keep:
            shutil.rmtree(made)


def _work(folder: Path, options: argparse.Namespace) -> None:
    start = time.monotonic()
    (folder / "corpus").mkdir()
    corpus = make_corpus(folder / "corpus", options.files, options.seed)
    made = time.monotonic()
    with CallLog(options.log or folder / "calls.jsonl") as log:
        with catalogue.started() as port:
            asyncio.run(ingest(corpus, folder, log, port, options.concurrency))
        _report(corpus, log, made - start, time.monotonic() - made)
    if options.keep or options.workdir:
        print(f"The work is in {folder}")


async def ingest(corpus: Corpus, folder: Path, log: CallLog, port: int, concurrency: int) -> None:
    """Ingest every file of the corpus, `concurrency` at a time."""
    free = asyncio.Semaphore(concurrency)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1, "directories"))
    async with make_world(folder, log, port) as world, asyncio.TaskGroup() as tasks:
        for collection in sorted(corpus.root.iterdir()):
            async for asset in world.dispatch_command(ScanFolder(folder=collection)):
                await free.acquire()
                task = tasks.create_task(world.dispatch_command(_ingestion_of(asset)).get_one_value())
                task.add_done_callback(lambda _: free.release())


def make_world(folder: Path, log: CallLog, port: int) -> World:
    """Make the world in which all systems run, for the files of one folder."""
    workplace = Workplace(output=folder / "output", journal=folder / "journal.jsonl")
    workplace.output.mkdir()
    world = World("asset_pipeline", capacities=CAPACITIES)
    world.add_resource(workplace).add_resource(Catalogue(catalogue.HOST, port)).add_plugin(Logged(log))
    for each in SYSTEMS:
        world.register_system(each)
    return world


def _ingestion_of(asset: Asset) -> IngestAsset:
    return IngestAsset(asset_id=asset.asset_id, path=asset.path, size=asset.size, suffix=asset.path.suffix)


def _report(corpus: Corpus, log: CallLog, making: float, working: float) -> None:
    print(f"{corpus.files} files, {corpus.size / MB:.1f} MB, made in {making:.1f} s")
    print(f"{'system':<18}" + "".join(f"{status:>9}" for status in STATUSES) + f"{'seconds':>10}")
    for name in sorted(log.seconds):
        counts = "".join(f"{log.counts[name, status]:>9}" for status in STATUSES)
        print(f"{name:<18}{counts}{log.seconds[name]:>10.2f}")
    print(f"{log.counts.total()} calls in {working:.1f} s, at most {log.most_in_flight} in flight")
