"""Execution: what the runtime can do by itself, and in which stances; more comes by plugins (``dam_hrm_act``)."""
