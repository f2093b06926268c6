"""
Grafana dashboards, made from the trace-point files: `python -m dashboards.build`.

`points` reads what can be traced, `model` says what a dashboard is, `promql` writes queries, and one
module for each dashboard says what is on it. `grid` places the panels, `encode` turns all of it into
Grafana's JSON. What Prometheus really has stands in ``collector-config/metrics.toml``.
"""
