"""A shop that packs parcels: systems of several kinds, values of every type, and a second process."""

import asyncio
import multiprocessing
import tempfile
from pathlib import Path

from opentelemetry import trace as otel
from packing import Fetch, Pack, Packer, Refuser, fetch

import dam_obs


async def fetch_all():
    odd = {"text": "true", "count": 7, "ratio": 1.0, "big": 2**70, "within": {"a": {"b": 1}}, "some": [1, "2", 2.5]}
    with dam_obs.tracer.span("foc", "gate_check", "shop", **odd):
        await asyncio.gather(*(fetch(Fetch(number)) for number in range(12)))


def in_another_process(shelf):
    for items in range(6):
        Packer(shelf).execute(Pack(items + 1))
    dam_obs.flush()


def main():
    with tempfile.TemporaryDirectory() as folder:
        shelf = Path(folder) / "shelf"
        with dam_obs.tracer.span("alt", "transition", "shop", "L1→L2"):
            span = otel.get_current_span()
            span.set_attribute("http.status", 200)
            span.add_event("cache miss", {"key": "42", "tries": 3, "hosts": ["a", "b"]})
            span.add_link(span.get_span_context(), {"why": "itself"})
            for items in range(1, 25):
                Packer(shelf).execute(Pack(items))
        for items in range(6):
            try:
                Refuser().execute(Pack(items))
            except ValueError:
                dam_obs.tracer.event("alt", "transition", "shop", "refused", metadata={"items": items})
        asyncio.run(fetch_all())
        process = multiprocessing.get_context("spawn").Process(target=in_another_process, args=(shelf,))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
