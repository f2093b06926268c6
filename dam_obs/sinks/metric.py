"""
The metric ``dam.obs.faults``: how often dam-obs itself failed in this process, by place.

It goes wherever the host sends its metrics, now or once it has set a provider, and nowhere
where it sends none.
"""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.metrics import _internal as otel_metrics

from dam_obs.trace import faults

NAME = "dam.obs.faults"

_is_offered = False


def offer() -> None:
    """Let the host's metrics show the counts; a second offer is no offer."""
    global _is_offered
    if _is_offered:
        return
    _is_offered = True
    # `get_meter_provider()` would make one where OTEL_PYTHON_METER_PROVIDER asks for it: that is the host's to do.
    provider = otel_metrics._METER_PROVIDER or otel_metrics._PROXY_METER_PROVIDER
    provider.get_meter("dam_obs").create_observable_counter(
        NAME, callbacks=[_observe], unit="{fault}", description="Faults of dam-obs that the program did not notice"
    )


def _observe(options: CallbackOptions) -> Iterable[Observation]:
    return [Observation(number, {"dam.obs.place": place}) for place, number in faults.counts().items()]
