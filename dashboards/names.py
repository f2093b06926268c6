"""What several pages share: their addresses, the fields at their tops, colours, and what else is counted than spans."""

from __future__ import annotations

from typing import Final

from dashboards.model import Choice, Threshold
from dashboards.promql import CALLS, CHOSEN, SERVICE

OVERVIEW: Final = "dam-obs-overview"
LAYERS: Final = "dam-obs-layers"
SCHEDULER: Final = "dam-obs-scheduler"
SYSTEMS: Final = "dam-obs-systems"
ITSELF: Final = "dam-obs-itself"

SERVICES: Final = Choice(name="service", label="Service", metric=CALLS, of=SERVICE)

EXECUTIONS: Final = "dam_traits_executions_total"
RECKONED: Final = "dam_traits_reckoned_total"
UNDERESTIMATED: Final = "dam_traits_underestimated_total"
PREDICTED: Final = "dam_traits_time_predicted_seconds_total"
OBSERVED: Final = "dam_traits_time_observed_seconds_total"
WAITED: Final = "dam_traits_time_waited_seconds_total"
POOL_USED: Final = "dam_traits_pool_used"
POOL_CAPACITY: Final = "dam_traits_pool_capacity"
POOL_WAITING: Final = "dam_traits_pool_waiting"
FAULTS: Final = "dam_obs_faults_total"

WORLDS: Final = Choice(name="world", label="World", metric=EXECUTIONS, of="dam_world")
CHOSEN_WORLD: Final = {**CHOSEN, "dam_world": "~$world"}

ERRORS: Final = (Threshold(value=0.01, color="orange"), Threshold(value=0.05, color="red"))
REFUSALS: Final = (Threshold(value=0.25, color="orange"),)


def link_to(uid: str, **variables: str) -> str:
    """Return an address of another page for the same time, with variables set."""
    chosen = "".join(f"&var-{name}={value}" for name, value in variables.items())
    return f"/d/{uid}?${{__url_time_range}}{chosen}"
