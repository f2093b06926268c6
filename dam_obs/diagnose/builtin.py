"""The rules that dam-obs ships for pools and traits, through the same hooks as anyone's."""

from __future__ import annotations

from collections.abc import Sequence

from dam_obs.diagnose import pools, traits
from dam_obs.diagnose.report import InferredTrait, SystemDiagnosis
from dam_obs.hookspecs import Resource, hookimpl


@hookimpl(trylast=True)
def dam_obs_pool_for(resource: Resource) -> str | None:
    """Name the pool by the kernel's name for where the resource is."""
    return pools.built_in_pool(resource)


@hookimpl
def dam_obs_infer_traits(diagnosis: SystemDiagnosis) -> Sequence[InferredTrait] | None:
    """Ask the built-in rules."""
    return traits.infer(diagnosis)
