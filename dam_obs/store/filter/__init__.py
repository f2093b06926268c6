"""
The filter language: which events are wanted, as a user writes it.

One tree is made of a text and asked in two ways, of one event (`Filter.matches`) and of a
table in DuckDB (`Filter.condition`); both give the same answer.
"""

from dam_obs.store.filter._filter import Filter, all_of, data_ways, of_layers, parse_filter, with_statuses
from dam_obs.store.filter.errors import BadFilter, Mark
from dam_obs.store.filter.sql import Condition

__all__ = [
    "BadFilter",
    "Condition",
    "Filter",
    "Mark",
    "all_of",
    "data_ways",
    "of_layers",
    "parse_filter",
    "with_statuses",
]
