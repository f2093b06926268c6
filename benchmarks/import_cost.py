"""
What `import dam_obs` costs a program on top of the parts of OpenTelemetry that it stands on.

    python benchmarks/import_cost.py         # --rounds 25, --json

Each sample is the import time in a new interpreter, which measures it itself, so that its own start is not
in it. The two take turns; what is told are medians, and the spread of `A/A`, OpenTelemetry's half against
itself. The claim: at most 30 ms on top. `python -X importtime -c "import dam_obs"` says where it goes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

CLAIM_MS = 30

IMPORTS = {
    "nothing": "pass",
    "OpenTelemetry": "import opentelemetry.trace, opentelemetry.context, opentelemetry.sdk.trace.sampling",
    "OpenTelemetry again": "import opentelemetry.trace, opentelemetry.context, opentelemetry.sdk.trace.sampling",
    "dam_obs": "import dam_obs",
    "dam_obs, recording": "import dam_obs; dam_obs.configure(jsonl=False)",
}

MEASURE = "import time; begun = time.perf_counter(); {}; print((time.perf_counter() - begun) * 1000)"


def sample_ms(statement: str, bytecode: str) -> float:
    """Measure one import in a new interpreter."""
    command = [sys.executable, "-c", MEASURE.format(statement)]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPYCACHEPREFIX"] = bytecode
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout)


def measure(rounds: int) -> dict[str, list[float]]:
    """Take the samples, in turns; a first round compiles, warms the disk's cache and is not counted."""
    samples: dict[str, list[float]] = {name: [] for name in IMPORTS}
    with tempfile.TemporaryDirectory() as bytecode:
        for number in range(rounds + 1):
            for name, statement in IMPORTS.items():
                taken = sample_ms(statement, bytecode)
                if number:
                    samples[name].append(taken)
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    samples = measure(arguments.rounds)
    medians = {name: statistics.median(taken) for name, taken in samples.items()}
    on_top = medians["dam_obs"] - medians["OpenTelemetry"]
    noise = abs(medians["OpenTelemetry again"] - medians["OpenTelemetry"])
    if arguments.json:
        print(json.dumps({"medians_ms": medians, "on_top_ms": on_top, "noise_ms": noise, "claim_ms": CLAIM_MS}))
        return 0
    for name, taken in samples.items():
        print(f"{name:20} {medians[name]:7.1f} ms   fastest {min(taken):7.1f} ms")
    print(f"{'on top':20} {on_top:7.1f} ms   noise +-{noise:.1f} ms, claim: at most {CLAIM_MS} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
