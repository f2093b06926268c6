"""The agent: a session that answers the lines of a terminal, a pipe or a script. Run by ``python -m dam_hrm``."""
