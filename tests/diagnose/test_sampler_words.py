"""What the sampler took, in a line."""

from __future__ import annotations

from typing import Any

import pytest

from dam_obs.diagnose.report import Quality, SamplingRate
from dam_obs.diagnose.sampler_words import sampler_line


def quality(rates: tuple[float, ...] = (), **known: Any) -> Quality:
    """Return a quality block that knows this of the sampler."""
    plain: dict[str, Any] = dict.fromkeys(set(Quality.model_fields) - {"rates", "native"})
    plain |= {"verdict": "usable", "reasons": [], "privilege": "root", "absent": []}
    plain |= {"executions": 1, "executions_dropped": 0, "lines_skipped": 0}
    spans = [SamplingRate(at_s=0.0, rate_hz=rate, seconds=1.0, why="start") for rate in rates]
    return Quality.model_construct(**{**plain, "rates": spans, "native": False, **known})


@pytest.mark.parametrize(
    ("rates", "known", "line"),
    [
        ((), {}, None),
        ((100,), {"sampler_share": 0.0193, "budget_share": 0.02}, "took 1.9% of a CPU, 2.0% allowed"),
        (
            (100,),
            {"sampler_share": 0.031, "budget_share": 0.02},
            "took 3.1% of a CPU, 2.0% allowed in the long run",
        ),
        ((100,), {"sampler_share": 0.5}, "took 50.0% of a CPU"),
        (
            (100, 50, 10, 100),
            {"sampler_restarts": 3, "unsampled_s": 0.61},
            "looked at 100, 50, 10, 100 Hz; begun anew 3 times, 0.6 s unsampled",
        ),
        ((100, 50) * 4, {}, "looked at 100, 50, 100, 50, 100, 50 Hz and so on, 8 rates in all"),
        ((100,), {"sampler_restarts": 1, "unsampled_s": 0.1}, "begun anew once, 0.1 s unsampled"),
        ((), {"samples_let_go": 12_000, "native": True}, "12,000 samples let go for lack of room; with native stacks"),
    ],
)
def test_what_is_known_is_said(rates: tuple[float, ...], known: dict[str, Any], line: str | None) -> None:
    """And nothing of what is not."""
    assert sampler_line(quality(rates, **known)) == line
