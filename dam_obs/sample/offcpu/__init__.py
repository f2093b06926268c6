"""
Off-CPU evidence by eBPF: when each thread of a run stood still, and what for.

`bpftrace` runs ``offcpu.bt`` beside the program; it is optional and needs root. `needs` says
whether it can run here, `session` runs it, `keep` writes down what it saw, and `read` reads
that back. Which execution stood still is `dam_obs.diagnose.waits`' business.
"""
